//! The publish itself, and what it left.

use std::time::Duration;

use cutover_core::stage::{Check, Outcome, Surface};
use cutover_live::lane::spacetime::operate::Sent;
use serde_json::{Value, json};

use super::{Deploy, Found, Policy, operate};
use crate::exit::Failure;

/// The waits before the publish is tried again; the last one is repeated.
const AGAIN_AFTER: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// What is known of the database after a publish without a clear answer.
enum Known {
    Done,
    /// It still runs what it ran before.
    NotDone,
    Other(String),
    Nothing(String),
}

impl Deploy<'_> {
    /// Publishes, and tries again as long as it is known that nothing was done. Returns whether the module is there.
    pub(super) async fn publish(&mut self, before: &Found, policy: Option<&Policy>) -> bool {
        let Some(policy) = policy else {
            self.stage.check(Check::passed("publish", "nothing to publish"));
            return true;
        };
        let mut attempts: Vec<Value> = Vec::new();
        let check = loop {
            let sent = operate::publish(&mut self.http, &self.wanted.database, self.wanted.wasm.clone(), policy).await;
            attempts.push(json!(attempt(&sent)));
            let why = match sent {
                Sent::Published => break Check::passed("publish", format!("at attempt {}", attempts.len())),
                Sent::Refused(why) => {
                    let mend = "nothing was changed. Plan again: the data, or another publish, may stand in the way";
                    break Check::failed("publish", format!("refused: {why}"), mend);
                }
                Sent::Unreached(why) => why,
                Sent::Unsure(why) => match self.read_back(before).await {
                    Known::Done => {
                        let saw = format!("the database runs the module, although the answer was: {why}");
                        break Check::passed("publish", saw);
                    }
                    Known::NotDone => why,
                    Known::Other(hash) => {
                        let saw = format!("another module was published in between: {hash}");
                        break Check::failed("publish", saw, "find out who publishes, and plan again");
                    }
                    Known::Nothing(reading) => {
                        let saw = format!("{why}; what the database runs could not be read: {reading}");
                        break Check::unknown("publish", saw, "deploy again: it changes nothing if the module runs");
                    }
                },
            };
            if attempts.len() >= self.args.tries as usize {
                let saw = format!("not published in {} attempts: {why}", attempts.len());
                break Check::unknown("publish", saw, "the server's own log says more; then deploy again");
            }
            let wait = AGAIN_AFTER.get(attempts.len() - 1).or(AGAIN_AFTER.last()).copied().unwrap_or_default();
            tokio::time::sleep(wait).await;
        };
        let published = check.outcome == Outcome::Passed;
        self.stage.fact("attempts", attempts);
        self.stage.check(check);
        published
    }

    /// After a publish that failed, the database must be as it was.
    pub(super) fn unchanged(&mut self, before: &Found, after: &Found) -> Result<(), Failure> {
        self.note("after", after)?;
        let is_same = before.hash == after.hash && before.surface == after.surface;
        self.stage.check(match (is_same, &after.hash) {
            (true, Some(hash)) => Check::passed("unchanged", format!("the database still runs {hash}")),
            (true, None) => Check::passed("unchanged", "there is still no database"),
            (false, hash) => Check::failed(
                "unchanged",
                format!("the database runs {} now", hash.as_deref().unwrap_or("nothing")),
                "find out what was published; then plan again",
            ),
        });
        Ok(())
    }

    /// A publish that timed out may have been done. The hash of the module that runs decides.
    async fn read_back(&mut self, before: &Found) -> Known {
        let name = &self.wanted.database;
        let read = async {
            match operate::database(&mut self.http, name).await? {
                Some(_) => operate::running_module(&mut self.http, name).await.map(Some),
                None => Ok(None),
            }
        };
        match read.await {
            // The old data may still be there, or not.
            Ok(hash) if hash == before.hash && self.args.reset.is_some() => Known::NotDone,
            Ok(Some(hash)) if hash == self.wanted.hash => Known::Done,
            Ok(hash) if hash == before.hash => Known::NotDone,
            Ok(hash) => Known::Other(hash.unwrap_or_default()),
            Err(error) => Known::Nothing(error.to_string()),
        }
    }

    /// Compares the database after the publish with what was to be.
    pub(super) fn compare(&mut self, before: &Found, after: &Found, surface: Option<&Surface>) -> Result<(), Failure> {
        self.note("after", after)?;
        let runs = after.hash.as_deref().unwrap_or("nothing");
        self.stage.check(match runs == self.wanted.hash {
            true => Check::passed("module", format!("the database runs {runs}")),
            false => Check::failed(
                "module",
                format!("the database runs {runs}, and {} was to be published", self.wanted.hash),
                "find out who publishes to this database",
            ),
        });
        let mend = "read the server's plan, and the log of the module";
        self.stage.check(match (&after.surface, surface) {
            (Some(now), Some(wanted)) if now == wanted => Check::passed("schema", "it is the module's"),
            (Some(now), Some(wanted)) => {
                let changes: Vec<String> = wanted.changes(now).into_iter().map(|change| change.what).collect();
                Check::failed("schema", format!("it is not the module's: {}", changes.join("; ")), mend)
            }
            (None, _) => Check::unknown("schema", "the server does not report it", mend),
            (_, None) => Check::unknown("schema", "the schema of the module is unknown", mend),
        });
        let data = self.data(before, after);
        self.stage.check(data);
        Ok(())
    }

    /// Whether the data is still there.
    fn data(&self, before: &Found, after: &Found) -> Check {
        let name = "data";
        let Some(was) = &before.database else {
            return Check::skipped(name, "the database is new", "");
        };
        if self.args.reset.is_some() {
            return Check::passed(name, "deleted, as --reset asked");
        }
        if after.database.as_ref().map(|now| &now.identity) != Some(&was.identity) {
            let mend = "restore the backup; another database has its name";
            return Check::failed(name, "the database is another one than before", mend);
        }
        let full = before.rows.iter().filter(|(_, rows)| **rows > 0);
        let kept = |table: &&String| after.surface.as_ref().is_none_or(|now| now.tables.contains_key(*table));
        // Its rows come and go with the clients.
        let is_of_clients = |table: &&String| {
            let columns = before.surface.as_ref().and_then(|was| was.tables.get(*table)).map(|table| &table.columns);
            columns.is_some_and(|columns| columns.iter().any(|column| column.starts_with("connection_id ")))
        };
        let full: Vec<(&String, u64)> = full
            .filter(|(table, _)| kept(table) && !is_of_clients(table))
            .map(|(table, rows)| (table, *rows))
            .collect();
        let lost: Vec<String> = full
            .iter()
            .filter(|(table, _)| after.rows.get(*table).is_none_or(|rows| *rows == 0))
            .map(|(table, rows)| format!("`{table}` had {rows} rows"))
            .collect();
        match lost.is_empty() {
            true => Check::passed(name, format!("{} tables had rows, and all of them still have", full.len())),
            false => Check::failed(
                name,
                format!("empty now, or not to be counted: {}", lost.join(", ")),
                "restore the backup",
            ),
        }
    }
}

/// An attempt in words, for the evidence.
pub(super) fn attempt(sent: &Sent) -> String {
    match sent {
        Sent::Published => "published".to_owned(),
        Sent::Refused(why) => format!("refused: {why}"),
        Sent::Unreached(why) => format!("not reached: {why}"),
        Sent::Unsure(why) => format!("unsure: {why}"),
    }
}
