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

use std::pin::pin;

use cutover_core::stage::INTERRUPTED;
use cutover_core::stage::server::{Answer, ServerSeen, Trouble};
use cutover_live::bounds::{self, Bound};
use cutover_live::lane::http::{HttpClient, HttpError};
use cutover_live::lane::spacetime::admin::{self, AdminError};
use cutover_live::lane::spacetime::operate;
use serde::Serialize;

use environment::{HostedEnvironment, Variable};
pub use stage::{Stage, is_stage, recheck};

use crate::exit::{Exit, Failure};
use crate::signals::{StopSignals, runtime};

/// The answer to a request of an operator.
pub const ANSWER: Bound = bounds::OPERATION;

/// Does the work of a stage, judges the facts that it found, and concludes. A signal ends the work, once the work has
/// left nothing behind, and the stage is then unknown.
pub fn conduct<F: Serialize>(
    mut stage: Stage,
    mut facts: F,
    work: impl AsyncFnOnce(&mut Stage, &mut F) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    runtime()?.block_on(async {
        let mut signals = StopSignals::listen()?;
        let (stop, mut held) = (stage.stop.clone(), stage.held.subscribe());
        let mut stopped = None;
        {
            let mut work = pin!(work(&mut stage, &mut facts));
            loop {
                tokio::select! {
                    done = &mut work => {
                        done?;
                        break;
                    }
                    by = signals.next() => {
                        let again = stopped.replace(by.to_string()).is_some();
                        stop.cancel();
                        if again {
                            break;
                        }
                    }
                    _ = held.wait_for(|held| !held), if stopped.is_some() => break,
                }
            }
        }
        if let Some(by) = stopped {
            stage.fact(INTERRUPTED, by);
        }
        stage.judge(&facts)?;
        stage.conclude()
    })
}

/// What a request of an operator showed.
pub fn answer<T>(result: Result<T, AdminError>) -> Answer<T> {
    result.map_err(|error| trouble(&error)).into()
}

/// What stands in the way of a request. What may be otherwise next time is unknown.
pub fn trouble(error: &AdminError) -> Trouble {
    let passing = match error {
        AdminError::NoAnswer { error, .. } => matches!(**error, HttpError::TimedOut { .. } | HttpError::Lost { .. }),
        AdminError::Refused { status, .. } => *status == 429 || *status >= 500,
        AdminError::Unreadable { .. } => false,
    };
    Trouble::new(error.to_string(), passing)
}

/// Who a server is.
pub async fn server(http: &mut HttpClient, environment: &HostedEnvironment, pinned: Option<&str>) -> ServerSeen {
    let version = answer(admin::version(http).await);
    let of = |variable| environment.get(variable).map(str::to_owned);
    let mut seen = ServerSeen {
        expected_version: of(Variable::Version),
        pinned: pinned.map(str::to_owned).or_else(|| of(Variable::Fingerprint)),
        fingerprint: None,
        version: None,
    };
    if version.seen().is_some() {
        seen.fingerprint = Some(answer(operate::fingerprint(http).await));
    }
    ServerSeen { version: Some(version), ..seen }
}
