//! The publish itself, and what it left.

use std::time::Duration;

use cutover_core::stage::deploy::{End, Found, Published};
use cutover_core::text::scrubbed;
use cutover_live::lane::spacetime::operate::{self, Policy, Sent};

use super::Deploy;

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
    /// Publishes, and tries again as long as it is known that nothing was done.
    pub(super) async fn publish(&mut self, before: &Found, policy: Option<&Policy>) -> Published {
        let Some(policy) = policy else {
            return Published { attempts: Vec::new(), end: End::NothingToDo };
        };
        let mut attempts: Vec<String> = Vec::new();
        let end = loop {
            let sent = operate::publish(&mut self.http, &self.wanted.database, self.wanted.wasm.clone(), policy).await;
            attempts.push(attempt(&sent));
            let why = match sent {
                Sent::Published => break End::Published,
                Sent::Refused(why) => break End::Refused(why),
                Sent::Unreached(why) => why,
                Sent::Unsure(why) => match self.read_back(before).await {
                    Known::Done => break End::ReadBack(why),
                    Known::NotDone => why,
                    Known::Other(hash) => break End::Other(hash),
                    Known::Nothing(reading) => break End::Unread { why, reading },
                },
            };
            if attempts.len() >= self.args.tries as usize || self.stage.stop.is_cancelled() {
                break End::GaveUp(why);
            }
            let wait = AGAIN_AFTER.get(attempts.len() - 1).or(AGAIN_AFTER.last()).copied().unwrap_or_default();
            tokio::time::sleep(wait).await;
        };
        Published { attempts, end }
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
            Ok(hash) if hash == before.module_hash && self.args.reset.is_some() => Known::NotDone,
            Ok(Some(hash)) if hash == self.wanted.hash => Known::Done,
            Ok(hash) if hash == before.module_hash => Known::NotDone,
            Ok(hash) => Known::Other(hash.unwrap_or_default()),
            Err(error) => Known::Nothing(error.to_string()),
        }
    }
}

/// An attempt in words, for the evidence.
pub(super) fn attempt(sent: &Sent) -> String {
    let words = match sent {
        Sent::Published => "published".to_owned(),
        Sent::Refused(why) => format!("refused: {why}"),
        Sent::Unreached(why) => format!("not reached: {why}"),
        Sent::Unsure(why) => format!("unsure: {why}"),
    };
    scrubbed(&words).into_owned()
}
