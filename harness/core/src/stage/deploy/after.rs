//! What became of a publish, and how it left the database.

use serde::{Deserialize, Serialize};

use super::super::Check;
use super::{Answer, DeployFacts, Found, data};

/// The publish: each attempt in words, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    pub attempts: Vec<String>,
    pub end: End,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The module runs already.
    NothingToDo,
    Published,
    /// The answer said otherwise, and the module runs.
    ReadBack(String),
    Refused(String),
    /// Another module was published in between: its hash.
    Other(String),
    /// Why it is not known, and why what runs can't be read.
    Unread {
        why: String,
        reading: String,
    },
    GaveUp(String),
}

impl End {
    /// Whether the module is there.
    pub fn is_done(&self) -> bool {
        matches!(self, End::NothingToDo | End::Published | End::ReadBack(_))
    }
}

impl Published {
    pub(super) fn check(&self) -> Check {
        let (name, tried) = ("publish", self.attempts.len());
        match &self.end {
            End::NothingToDo => Check::passed(name, "nothing to publish"),
            End::Published => Check::passed(name, format!("at attempt {tried}")),
            End::ReadBack(why) => {
                Check::passed(name, format!("the database runs the module, although the answer was: {why}"))
            }
            End::Refused(why) => {
                let mend = "nothing was changed. Plan again: the data, or another publish, may stand in the way";
                Check::failed(name, format!("refused: {why}"), mend)
            }
            End::Other(hash) => {
                let saw = format!("another module was published in between: {hash}");
                Check::failed(name, saw, "find out who publishes, and plan again")
            }
            End::Unread { why, reading } => {
                let saw = format!("{why}; what the database runs could not be read: {reading}");
                Check::unknown(name, saw, "deploy again: it changes nothing if the module runs")
            }
            End::GaveUp(why) => {
                let saw = format!("not published in {tried} attempts: {why}");
                Check::unknown(name, saw, "the server's own log says more; then deploy again")
            }
        }
    }
}

impl DeployFacts {
    pub(super) fn after(&self, published: &Published, checks: &mut Vec<Check>) {
        let (Some(Answer::Seen(before)), Some(after)) = (&self.before, &self.after) else {
            checks.push(super::super::server::not_asked("module"));
            return;
        };
        match after {
            Answer::Trouble(trouble) => {
                checks.push(trouble.check("database", "ask again; the server's own log says more"));
            }
            Answer::Seen(after) if published.end.is_done() => {
                checks.extend([self.runs(after), self.schema(after), self.data(before, after)]);
            }
            Answer::Seen(after) => checks.push(unchanged(before, after)),
        }
    }

    fn runs(&self, after: &Found) -> Check {
        let runs = after.module_hash.as_deref().unwrap_or("nothing");
        let wanted = self.module.as_ref().map_or("nothing", |module| module.hash.as_str());
        match runs == wanted {
            true => Check::passed("module", format!("the database runs {runs}")),
            false => Check::failed(
                "module",
                format!("the database runs {runs}, and {wanted} was to be published"),
                "find out who publishes to this database",
            ),
        }
    }

    fn schema(&self, after: &Found) -> Check {
        let (name, mend) = ("schema", "read the server's plan, and the log of the module");
        match (&after.surface, &self.wanted) {
            (Some(now), Some(wanted)) if now == wanted => Check::passed(name, "it is the module's"),
            (Some(now), Some(wanted)) => {
                let changes: Vec<String> = wanted.changes(now).into_iter().map(|change| change.what).collect();
                Check::failed(name, format!("it is not the module's: {}", changes.join("; ")), mend)
            }
            (None, _) => Check::unknown(name, "the server does not report it", mend),
            (_, None) => Check::unknown(name, "the schema of the module is unknown", mend),
        }
    }

    /// Whether the data is still there.
    fn data(&self, before: &Found, after: &Found) -> Check {
        let name = "data";
        let Some(was) = &before.database else {
            return Check::skipped(name, "the database is new", "");
        };
        if self.asked.reset {
            return Check::passed(name, "deleted, as --reset asked");
        }
        if after.database.as_ref().map(|now| &now.identity) != Some(&was.identity) {
            let mend = "restore the backup; another database has its name";
            return Check::failed(name, "the database is another one than before", mend);
        }
        data::check(&self.data)
    }
}

/// After a publish that failed, the database must be as it was.
fn unchanged(before: &Found, after: &Found) -> Check {
    let name = "unchanged";
    let is_same = before.module_hash == after.module_hash && before.surface == after.surface;
    match (is_same, &after.module_hash) {
        (true, Some(hash)) => Check::passed(name, format!("the database still runs {hash}")),
        (true, None) => Check::passed(name, "there is still no database"),
        (false, hash) => Check::failed(
            name,
            format!("the database runs {} now", hash.as_deref().unwrap_or("nothing")),
            "find out what was published; then plan again",
        ),
    }
}
