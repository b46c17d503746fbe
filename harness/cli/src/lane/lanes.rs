//! One lane for a command that drives nothing.

use std::time::Duration;

use cutover_core::ids::LaneId;
use cutover_live::environment::{Environment, EnvironmentError, Source};

use crate::driver::unavailable;
use crate::exit::Failure;
use crate::out::note;
use crate::surroundings;
use crate::work_dir::{self, WorkDir};

/// Longest time for removing what was made on a server.
const TEARDOWN_WITHIN: Duration = Duration::from_secs(10);

/// Does work with a lane, and removes what it made.
pub async fn with_environment<T>(
    lane: LaneId,
    source: Source,
    module: Option<Vec<u8>>,
    work: impl AsyncFnOnce(&Environment) -> Result<T, EnvironmentError>,
) -> Result<T, Failure> {
    let dir = WorkDir::make().map_err(|error| {
        Failure::environment(format!("can't make a directory for the server's data: {error}")).hint(work_dir::hint())
    })?;
    let binary = std::env::current_exe()
        .map_err(|error| Failure::environment(format!("can't find this program's own file: {error}")))?;
    let run = format!("{:08x}", surroundings::random());
    let [legacy, candidate] = match lane {
        LaneId::Legacy => [source, Source::Bundled],
        LaneId::Candidate => [Source::Bundled, source],
    };
    let environment = Environment::new(&binary, &dir.path().join("servers"), &run, legacy, candidate);
    let environment = match module {
        Some(module) => environment.with_module(module),
        None => environment,
    };
    let done = work(&environment).await;
    for left in environment.teardown(TEARDOWN_WITHIN).await {
        note(&left);
    }
    done.map_err(unavailable)
}
