//! The commands for hosted lanes. Each writes the record of a stage to a directory, and prints it.

pub mod deploy;
mod deployed;
pub mod environment;
pub mod handshake;
mod pr;
pub mod provision;
pub mod rollout;
pub mod shadow;
mod stage;
mod token;

use cutover_core::stage::{Check, Outcome};
use cutover_live::bounds::{self, Bound};
use cutover_live::lane::http::HttpError;
use cutover_live::lane::spacetime::admin::AdminError;

pub use stage::{Stage, is_stage, recheck};

use crate::exit::{Exit, Failure};
use crate::signals::{StopSignals, runtime};

/// The answer to a request of an operator.
pub const ANSWER: Bound = bounds::OPERATION;

/// Does the work of a stage, and concludes it. A signal ends the work, and the stage is then unknown.
pub fn conduct(mut stage: Stage, work: impl AsyncFnOnce(&mut Stage) -> Result<(), Failure>) -> Result<Exit, Failure> {
    runtime()?.block_on(async {
        let mut signals = StopSignals::listen()?;
        let ended = tokio::select! {
            done = work(&mut stage) => {
                done?;
                None
            }
            by = signals.next() => Some(by),
        };
        if let Some(by) = ended {
            stage.check(Check::unknown("interrupted", format!("the command was ended by {by}"), "run it again"));
        }
        stage.conclude()
    })
}

/// What a server's version is, and whether it is the expected one: `2.8` expects any version that begins so.
pub fn version(name: &str, seen: &Result<Option<String>, AdminError>, expected: Option<&str>, variable: &str) -> Check {
    match (seen, expected) {
        (Ok(Some(seen)), Some(expected)) if *seen != *expected && !seen.starts_with(&format!("{expected}.")) => {
            let mend = format!("have the server upgraded, or mend {variable}");
            Check::failed(name, format!("SpacetimeDB {seen}, and {expected} is expected"), mend)
        }
        (Ok(Some(seen)), _) => Check::passed(name, format!("SpacetimeDB {seen}")),
        (Ok(None), _) => Check::unknown(name, "/v1/health names no version", "is this a SpacetimeDB server?"),
        (Err(error), _) => refused(name, error, "is this a SpacetimeDB server?"),
    }
}

/// Compares a server's fingerprint with the one that is pinned.
pub fn fingerprint(seen: &Result<Option<String>, AdminError>, pinned: Option<&str>, variable: &str) -> Check {
    let name = "fingerprint";
    let mend = format!("is this the right server? If its key was changed on purpose, mend {variable}");
    match (seen, pinned) {
        (Ok(Some(seen)), None) => Check::skipped(
            name,
            format!("the server's key is {seen}, and none is pinned"),
            format!("set {variable}={seen}"),
        ),
        (Ok(Some(seen)), Some(pinned)) if seen == pinned => Check::passed(name, format!("{seen}, as pinned")),
        (Ok(Some(seen)), Some(pinned)) => {
            Check::failed(name, format!("the server's key is {seen}, and {pinned} is pinned"), mend)
        }
        (Ok(None), _) => Check::unknown(name, "the server shows no public key", "is this a SpacetimeDB server?"),
        (Err(error), _) => refused(name, error, &mend),
    }
}

/// What a request shows that was not answered as it should. What may be otherwise next time is unknown.
pub fn refused(name: &str, error: &AdminError, mend: &str) -> Check {
    let passing = match error {
        AdminError::NoAnswer { error, .. } => matches!(**error, HttpError::TimedOut { .. } | HttpError::Lost { .. }),
        AdminError::Refused { status, .. } => *status == 429 || *status >= 500,
        AdminError::Unreadable { .. } => false,
    };
    let outcome = if passing { Outcome::Unknown } else { Outcome::Failed };
    Check::new(name, outcome, error.to_string()).mend(mend)
}
