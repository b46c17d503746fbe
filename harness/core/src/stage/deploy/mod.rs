//! Judges a deploy: what was planned, what became of the publish, and how the database is afterwards.

mod after;
pub mod data;
mod plan;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::after::{End, Published};
pub use self::plan::{FILE as PLAN_FILE, PlanSeen, Scratch};
use super::provision::{DatabaseSeen, ModuleSeen};
use super::server::{Answer, ServerSeen, TokenSeen, Trouble};
use super::{Check, Decision, Facts, Surface};
use data::TableData;

pub const COMMAND: &str = "deploy";

/// What was asked for, and what was seen. What it did not come to is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeployFacts {
    /// `<PREFIX>_<ENV>`, with which the names of the variables begin.
    pub variables: String,
    pub server: String,
    pub database: String,
    pub asked: Asked,
    /// Why the server can't be reached.
    pub unreached: Option<Trouble>,
    #[serde(flatten)]
    pub seen: ServerSeen,
    pub token: Option<TokenSeen>,
    pub module: Option<Module>,
    pub before: Option<Answer<Found>>,
    /// What the deploy left that `--after` names.
    pub last: Option<Left>,
    pub promoted: Option<Promoted>,
    pub scratch: Option<Scratch>,
    /// The schema of the module, where it is known.
    pub wanted: Option<Surface>,
    pub plan: Option<Answer<PlanSeen>>,
    pub published: Option<Published>,
    pub after: Option<Answer<Found>>,
    /// The rows of each table before and after.
    pub data: BTreeMap<String, TableData>,
    /// What became of `--delete`.
    pub removed: Option<Answer<Removed>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Whether the environment is production.
    pub production: bool,
    pub plan_only: bool,
    pub delete: bool,
    pub reset: bool,
    pub break_clients: bool,
    pub without_plan: bool,
}

/// The module that is to be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    #[serde(flatten)]
    pub digest: ModuleSeen,
    /// The server's hash of it.
    pub hash: String,
    pub bytes: usize,
}

/// A database as it was found. One that is not there has nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    pub database: Option<DatabaseSeen>,
    pub module_hash: Option<String>,
    pub surface: Option<Surface>,
}

/// What a deploy left, as its record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    pub environment: String,
    pub started: String,
    pub module_hash: Option<String>,
    pub surface: Option<Surface>,
}

/// The deploy that is promoted, and what its database runs now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promoted {
    pub left: Left,
    /// `None` where its environment could not be asked, because its variables are not set.
    pub now: Option<Answer<Found>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removed {
    NotThere,
    /// It belongs to another identity.
    Owned(String),
    /// It still has clients.
    Used(String),
    Gone,
    StillThere,
}

/// The checks that follow from the facts.
pub fn checks(facts: &Facts) -> Vec<Check> {
    match serde_json::from_value::<DeployFacts>(facts.clone().into()) {
        Ok(facts) => facts.checks(),
        Err(error) => vec![Check::unknown("facts", format!("they are not those of a deploy: {error}"), "deploy again")],
    }
}

impl DeployFacts {
    /// Whether nothing stands in the way of the publish.
    pub fn may_publish(&self) -> bool {
        Decision::of(&self.until_publish()) == Decision::Passed
    }

    fn checks(&self) -> Vec<Check> {
        let mut checks = self.until_publish();
        let is_ended = self.unreached.is_some() || self.identity().is_none() || self.before.is_none();
        if is_ended || self.asked.plan_only || self.asked.delete {
            return checks;
        }
        if matches!(self.before, Some(Answer::Trouble(_))) {
            return checks;
        }
        match &self.published {
            None => {
                let why = "not published, because of the checks above";
                checks.push(Check::skipped("publish", why, "mend them first"));
            }
            Some(published) => {
                checks.push(published.check());
                self.after(published, &mut checks);
            }
        }
        checks
    }

    fn identity(&self) -> Option<&str> {
        self.token.as_ref().and_then(TokenSeen::identity)
    }

    fn until_publish(&self) -> Vec<Check> {
        if let Some(trouble) = &self.unreached {
            return vec![trouble.check("server", "`cutover provision-check` says what is missing")];
        }
        let mut checks = vec![self.seen.version("server", &self.variables)];
        if !matches!(self.seen.version, Some(Answer::Seen(_))) {
            return checks;
        }
        let mut fingerprint = self.seen.fingerprint(&self.variables);
        if self.seen.pinned.is_none() && self.asked.production && fingerprint.outcome == super::Outcome::Skipped {
            // A deploy to production says which server it means.
            fingerprint.outcome = super::Outcome::Unknown;
        }
        checks.push(fingerprint);
        checks.extend(self.token.as_ref().map(|token| token.checks(&self.variables)).unwrap_or_default());
        if self.identity().is_none() {
            let mend = format!("set {}_TOKEN", self.variables);
            checks.push(Check::failed("identity", "nobody deploys without a token", mend));
            return checks;
        }
        if self.asked.delete {
            checks.push(self.removed());
            return checks;
        }
        let before = match &self.before {
            Some(Answer::Seen(before)) => before,
            Some(Answer::Trouble(trouble)) => {
                checks.push(trouble.check("database", "ask again; the server's own log says more"));
                return checks;
            }
            None => {
                checks.push(super::server::not_asked("database"));
                return checks;
            }
        };
        checks.extend(self.owner(before));
        self.drift(before, &mut checks);
        self.planned(before, &mut checks);
        checks
    }

    fn owner(&self, before: &Found) -> Option<Check> {
        let owner = &before.database.as_ref()?.owner;
        Some(match self.identity() == Some(owner) {
            true => Check::passed("owner", "the token's identity owns the database"),
            false => {
                let saw = format!("the database belongs to {owner}");
                Check::failed("owner", saw, "deploy with the token of its owner")
            }
        })
    }

    /// Whether the database is as the last deploy left it, and the environment before as its deploy left it.
    fn drift(&self, before: &Found, checks: &mut Vec<Check>) {
        checks.push(match &self.last {
            None => Check::skipped("drift", "no earlier deploy is named", "give --after with its evidence"),
            Some(last) => drifted("drift", last, before),
        });
        let Some(Promoted { left, now }) = &self.promoted else { return };
        let hash = self.module.as_ref().map(|module| &module.hash);
        checks.push(match left.module_hash.as_ref() == hash {
            true => Check::passed("promotion", format!("{} has this module", left.environment)),
            false => Check::failed(
                "promotion",
                format!("{} was deployed with another module than this one", left.environment),
                "give --module the file that was deployed there",
            ),
        });
        let (name, env) = ("source-drift", &left.environment);
        checks.push(match now {
            Some(Answer::Seen(now)) => drifted(name, left, now),
            Some(Answer::Trouble(trouble)) => trouble.check(name, format!("deploy to {env} again, and promote that")),
            None => {
                let saw = format!("the variables of {env} are not set, so that it is not asked");
                Check::skipped(name, saw, format!("set the variables of {env}, its token too"))
            }
        });
    }

    fn removed(&self) -> Check {
        let (name, database) = ("delete", &self.database);
        match &self.removed {
            Some(Answer::Seen(Removed::NotThere)) => Check::passed(name, format!("there is no database `{database}`")),
            Some(Answer::Seen(Removed::Owned(owner))) => {
                let saw = format!("`{database}` belongs to {owner}, who alone may delete it");
                Check::failed(name, saw, "use the token that made it")
            }
            Some(Answer::Seen(Removed::Used(why))) => {
                let mend = "have its clients leave; then delete it again";
                Check::unknown(name, format!("`{database}` still has clients: {why}"), mend)
            }
            Some(Answer::Seen(Removed::Gone)) => Check::passed(name, format!("`{database}` is gone")),
            Some(Answer::Seen(Removed::StillThere)) => {
                Check::failed(name, format!("`{database}` is still there"), "read the server's log")
            }
            Some(Answer::Trouble(trouble)) => trouble.check(name, "ask again; the server's own log says more"),
            None => super::server::not_asked(name),
        }
    }
}

/// Compares what a database runs with what a deploy left there.
fn drifted(name: &str, left: &Left, now: &Found) -> Check {
    let mend = "find out who published what; then deploy again from the start";
    let started = &left.started;
    match (left.module_hash == now.module_hash, left.surface == now.surface) {
        (true, true) => Check::passed(name, format!("as the deploy of {started} left it")),
        (false, _) => {
            let runs = now.module_hash.as_deref().unwrap_or("no module");
            Check::failed(name, format!("it runs {runs}, and not what the deploy of {started} left"), mend)
        }
        (true, false) => Check::failed(name, format!("its schema is not what the deploy of {started} left"), mend),
    }
}

#[cfg(test)]
mod tests;
