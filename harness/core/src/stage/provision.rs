//! Judges whether a hosted lane is provisioned, from its variables to the schema of its database.

use serde::{Deserialize, Serialize};

use super::server::{Answer, ServerSeen, TokenSeen, not_asked};
use super::{Check, Facts, Surface};

pub const COMMAND: &str = "provision-check";

/// Every check, in the order in which one needs those before it.
const CHECKS: [&str; 15] = [
    "variables",
    "dns",
    "connect",
    "tls",
    "health",
    "version",
    "clock",
    "fingerprint",
    "token",
    "token-issuer",
    "token-audience",
    "token-life",
    "database",
    "subprotocols",
    "schema",
];

/// What is wrong with one variable, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Misfit {
    pub variable: String,
    pub what: String,
    pub mend: String,
}

/// What was seen. What was not asked for, because something before it failed, is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProvisionFacts {
    /// `<PREFIX>_<ENV>`, with which the names of the variables begin.
    pub variables: String,
    /// The names of those that are set.
    pub set: Vec<String>,
    pub misfits: Vec<Misfit>,
    pub server: String,
    pub database: String,
    pub origin: OriginSeen,
    pub addresses: Option<Answer<Vec<String>>>,
    pub connected: Option<Answer<bool>>,
    pub secured: Option<Answer<bool>>,
    pub health_path: String,
    pub health: Option<Answer<HealthSeen>>,
    #[serde(flatten)]
    pub seen: ServerSeen,
    /// By how many seconds the clocks may differ.
    pub clock_skew_most_s: u64,
    pub token: Option<TokenSeen>,
    pub database_seen: Option<Answer<Option<DatabaseSeen>>>,
    pub websocket_path: String,
    pub subprotocols: Option<Answer<Vec<String>>>,
    pub surface: Option<Answer<Option<Surface>>>,
    /// The schema that is expected.
    pub wanted: Surface,
    /// Whether that is what a deploy left, and not that of the built-in module.
    pub wanted_is_deployed: bool,
    pub module: Option<ModuleSeen>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginSeen {
    pub host: String,
    pub authority: String,
    pub tls: bool,
    /// Whether it is this machine.
    pub is_here: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthSeen {
    pub status: u16,
    pub took_ms: u64,
    /// Why it is not well.
    pub unwell: Option<String>,
    /// Whether it may be well next time.
    pub passing: bool,
    /// The header `Date`, and when it was asked, in seconds since 1970.
    pub date_s: Option<u64>,
    pub asked_s: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseSeen {
    pub identity: String,
    pub owner: String,
}

/// The module that a database runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleSeen {
    pub sha256: String,
}

/// The name of a check without which the later ones can't be made.
type Blocked = &'static str;

/// The checks that follow from the facts.
pub fn checks(facts: &Facts) -> Vec<Check> {
    let Ok(facts) = serde_json::from_value::<ProvisionFacts>(facts.clone().into()) else {
        return vec![Check::unknown("facts", "they are not those of a provision check", "run it again")];
    };
    let mut checks = Vec::new();
    if let Err(because) = facts.all(&mut checks) {
        let left: Vec<&str> =
            CHECKS.into_iter().filter(|name| checks.iter().all(|check: &Check| check.name != *name)).collect();
        checks.extend(left.into_iter().map(|name| {
            Check::unknown(name, format!("not checked, because of `{because}`"), format!("mend `{because}` first"))
        }));
    }
    checks
}

/// What was seen, if there was no trouble; else the check that says so.
fn need<'a, T>(
    name: Blocked,
    answer: Option<&'a Answer<T>>,
    mend: &str,
    checks: &mut Vec<Check>,
) -> Result<&'a T, Blocked> {
    let check = match answer {
        Some(Answer::Seen(seen)) => return Ok(seen),
        Some(Answer::Trouble(trouble)) => trouble.check(name, mend),
        None => not_asked(name),
    };
    checks.push(check);
    Err(name)
}

impl ProvisionFacts {
    fn variable(&self, suffix: &str) -> String {
        format!("{}_{suffix}", self.variables)
    }

    fn all(&self, checks: &mut Vec<Check>) -> Result<(), Blocked> {
        for Misfit { variable, what, mend } in &self.misfits {
            checks.push(Check::failed("variables", format!("{variable} {what}").trim(), mend));
        }
        if !self.misfits.is_empty() {
            return Err("variables");
        }
        checks.push(Check::passed("variables", self.set.join(", ")));
        let url = self.variable("HTTP_BASE_URL");
        let mend = format!("check the host in {url}, and its DNS record");
        let addresses = need("dns", self.addresses.as_ref(), &mend, checks)?;
        checks.push(Check::passed("dns", format!("{} is {}", self.origin.host, addresses.join(", "))));
        let mend = format!("is the server running, and does {url} name its port? A firewall may be in between");
        need("connect", self.connected.as_ref(), &mend, checks)?;
        checks.push(Check::passed("connect", format!("{} takes connections", self.origin.authority)));
        self.tls(checks)?;
        self.health(checks)?;
        checks.push(self.seen.fingerprint(&self.variables));
        checks.extend(self.token.as_ref().map(|token| token.checks(&self.variables)).unwrap_or_default());
        self.database(checks)?;
        self.subprotocols(checks);
        checks.push(self.schema());
        Ok(())
    }

    fn tls(&self, checks: &mut Vec<Check>) -> Result<(), Blocked> {
        let name = "tls";
        if self.origin.tls {
            let mend = format!(
                "mend the server's certificate; for a private authority, {} names a file with it",
                self.variable("CA_FILE")
            );
            need(name, self.secured.as_ref(), &mend, checks)?;
            let saw = "the certificate is good for the name, by the trusted authorities";
            checks.push(Check::passed(name, saw));
            return Ok(());
        }
        let what = "the URL has no TLS: its scheme is http";
        checks.push(match self.origin.is_here {
            true => Check::skipped(name, format!("{what}, and it is this machine"), ""),
            false => Check::failed(name, what, "use https: else tokens and data pass in the clear"),
        });
        Ok(())
    }

    fn health(&self, checks: &mut Vec<Check>) -> Result<(), Blocked> {
        let name = "health";
        let mend = "read the server's log; a web server in its place has another port";
        let health = need(name, self.health.as_ref(), mend, checks)?;
        let path = &self.health_path;
        if let Some(why) = &health.unwell {
            let mend = format!("{} names another path, or the server is not well", self.variable("HEALTH_PATH"));
            let saw = format!("{path}: {why}");
            checks.push(if health.passing { Check::unknown(name, saw, mend) } else { Check::failed(name, saw, mend) });
            return Err(name);
        }
        checks.push(Check::passed(name, format!("{path}: HTTP {} after {} ms", health.status, health.took_ms)));
        checks.push(self.seen.version("version", &self.variables));
        checks.push(self.clock(health));
        Ok(())
    }

    fn clock(&self, health: &HealthSeen) -> Check {
        let name = "clock";
        let Some(date) = health.date_s else {
            return Check::unknown(name, "the answer has no `Date`", "ask the server's operator how its clock is set");
        };
        let (skew, place) = match date >= health.asked_s {
            true => (date - health.asked_s, "ahead of"),
            false => (health.asked_s - date, "behind"),
        };
        let saw = format!("the server is {skew} s {place} this machine, by `Date`, which has whole seconds");
        match skew > self.clock_skew_most_s {
            false => Check::passed(name, saw),
            true => Check::failed(name, saw, "set both clocks by NTP; a proxy in between may send a `Date` of its own"),
        }
    }

    fn database(&self, checks: &mut Vec<Check>) -> Result<(), Blocked> {
        let (name, called) = ("database", &self.database);
        let Some(found) = need(name, self.database_seen.as_ref(), "see what the answer says", checks)? else {
            let mend = format!("publish it with `cutover deploy`, or mend {}", self.variable("DATABASE"));
            checks.push(Check::failed(name, format!("there is no database `{called}`"), mend));
            return Err(name);
        };
        let owner = match self.token.as_ref().and_then(TokenSeen::identity) {
            Some(identity) if identity == found.owner => ", owned by this token's identity",
            Some(_) => ", owned by another identity than this token's",
            None => "",
        };
        checks.push(Check::passed(name, format!("`{called}` is {}{owner}", found.identity)));
        Ok(())
    }

    fn subprotocols(&self, checks: &mut Vec<Check>) {
        let name = "subprotocols";
        let path = self.variable("WEBSOCKET_PATH");
        let mend = format!("a proxy in between must pass `Upgrade`; {path} names the path");
        if let Ok(spoken) = need(name, self.subprotocols.as_ref(), &mend, checks) {
            checks.push(Check::passed(name, format!("{} at {}", spoken.join(", "), self.websocket_path)));
        }
    }

    fn schema(&self) -> Check {
        let (name, mend) = ("schema", "publish the right module with `cutover deploy`");
        let surface = match &self.surface {
            Some(Answer::Seen(Some(surface))) => surface,
            Some(Answer::Seen(None)) => {
                return Check::unknown(name, "the server does not report it", "is this a SpacetimeDB server?");
            }
            Some(Answer::Trouble(trouble)) => return trouble.check(name, mend),
            None => return not_asked(name),
        };
        let numbers = format!("{} tables and {} reducers", surface.tables.len(), surface.reducers.len());
        let changes = self.wanted.changes(surface);
        let listed = |breaks: bool| {
            let listed = changes.iter().filter(|change| change.breaks || !breaks);
            listed.map(|change| change.what.as_str()).collect::<Vec<_>>().join("; ")
        };
        if self.wanted_is_deployed {
            return match self.wanted == *surface {
                true => Check::passed(name, format!("{numbers}, as they were deployed")),
                false => Check::failed(name, format!("it differs from what was deployed: {}", listed(false)), mend),
            };
        }
        match listed(true) {
            lacks if lacks.is_empty() => Check::passed(name, format!("{numbers}, with all of the built-in module")),
            lacks => Check::failed(name, format!("compared with the built-in module: {lacks}"), mend),
        }
    }
}

#[cfg(test)]
mod tests;
