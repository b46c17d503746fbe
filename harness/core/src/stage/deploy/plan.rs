//! What a publish would change: by the server's plan, and by comparing the schemas.

use serde::{Deserialize, Serialize};

use super::super::{Change, Check};
use super::{Answer, DeployFacts, Found};

/// The file with the server's plan.
pub const FILE: &str = "plan.txt";

/// What the server says that a publish would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanSeen {
    /// The database is new.
    New,
    /// It runs the module already.
    Same,
    Auto {
        lines: usize,
        break_clients: bool,
        major_upgrade: bool,
    },
    Manual(String),
    /// This version of the server makes no plans.
    NoPlans,
}

/// The database that was made to learn the schema of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scratch {
    pub name: String,
    /// What became of the publish, in words.
    pub published: String,
    pub deleted: Answer<bool>,
}

impl DeployFacts {
    pub(super) fn planned(&self, before: &Found, checks: &mut Vec<Check>) {
        checks.extend(self.scratch.as_ref().map(|scratch| scratch.check(self.wanted.is_some())));
        let name = "plan";
        let clear = self.asked.reset;
        let plan = match &self.plan {
            Some(Answer::Seen(plan)) => plan,
            Some(Answer::Trouble(trouble)) => {
                checks.push(trouble.check(name, "mend what the server says of the module"));
                return;
            }
            None => {
                checks.push(super::super::server::not_asked(name));
                return;
            }
        };
        let breaks = match plan {
            PlanSeen::New => {
                checks.push(Check::passed(name, "the database is new"));
                return;
            }
            PlanSeen::Same => {
                checks.push(Check::passed(name, "the database runs this module already"));
                return;
            }
            PlanSeen::Auto { lines, break_clients, major_upgrade } => {
                let upgrade = if *major_upgrade { "; it is an upgrade to a new major version" } else { "" };
                let saw = format!("the server migrates by itself; {FILE} has its plan of {lines} lines{upgrade}");
                checks.push(Check::passed(name, saw));
                *break_clients
            }
            PlanSeen::Manual(reason) => {
                let saw = format!("the server can't migrate the data by itself: {reason}");
                let database = &self.database;
                checks.push(match clear {
                    true => Check::passed(name, format!("{saw}; --reset deletes the data")),
                    false => Check::failed(
                        name,
                        saw,
                        format!(
                            "change the module so that the data can stay; --reset {database} deletes disposable data"
                        ),
                    ),
                });
                true
            }
            PlanSeen::NoPlans => {
                let saw = "this version of the server makes no plans";
                checks.push(match self.asked.without_plan || clear {
                    true => Check::skipped(name, format!("{saw}, and none was asked for"), ""),
                    false => Check::unknown(name, saw, "give --without-plan: the schemas are still compared"),
                });
                false
            }
        };
        checks.push(self.clients(before, breaks));
    }

    /// Whether clients of the old module go on with the new one.
    fn clients(&self, before: &Found, breaks_by_plan: bool) -> Check {
        let name = "clients";
        let (Some(old), Some(new)) = (&before.surface, &self.wanted) else {
            let why = "the schema of one of the modules is unknown, so that they can't be compared";
            return Check::unknown(name, why, "deploy to an environment before this one, and promote that");
        };
        let changes = old.changes(new);
        let breaking: Vec<&str> = changes.iter().filter(|change| change.breaks).map(Change::text).collect();
        let told = match (breaking.is_empty(), breaks_by_plan) {
            (true, false) => {
                let all: Vec<&str> = changes.iter().map(Change::text).collect();
                let all = if all.is_empty() { "nothing changes for clients".to_owned() } else { all.join("; ") };
                return Check::passed(name, all);
            }
            (true, true) => "the server disconnects all clients".to_owned(),
            (false, true) => format!("{}; the server disconnects all clients", breaking.join("; ")),
            (false, false) => format!("{}, though the server disconnects nobody", breaking.join("; ")),
        };
        match self.asked.break_clients {
            true => Check::passed(name, format!("they may break, as --break-clients allows: {told}")),
            false => {
                Check::failed(name, told, "have clients ready for the new module first; then give --break-clients")
            }
        }
    }
}

impl Scratch {
    fn check(&self, has_schema: bool) -> Check {
        let name = "scratch";
        if !has_schema {
            let saw = format!("the module can't be published to a new database: {}", self.published);
            return Check::unknown(name, saw, "");
        }
        match &self.deleted {
            Answer::Seen(_) => Check::passed(name, "the schema was read from a database made for that"),
            Answer::Trouble(trouble) => {
                let saw = format!("the database `{}` made for the schema is left: {}", self.name, trouble.why);
                Check::failed(name, saw, "delete it")
            }
        }
    }
}
