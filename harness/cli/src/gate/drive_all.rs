//! Where the gate hands its plans to the driver, and what it hears back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cutover_core::evidence::{Driven, RunEvent};
use cutover_core::ids::LaneId;
use cutover_core::plan::Plan;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

/// What to drive.
#[derive(Debug, Clone)]
pub struct DriveRequest {
    /// The plans.
    pub plans: Vec<Plan>,
    /// What to run as each lane.
    pub lanes: BTreeMap<LaneId, LaneChoice>,
    /// The lane to run against itself, where that is asked.
    pub aa: Option<LaneId>,
    /// Plans that run at the same time.
    pub jobs: usize,
}

/// What to run as a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaneChoice {
    /// Our own server, as a child process of ours.
    BuiltIn,
    /// A server's binary, as a child process of ours.
    Binary {
        /// The binary.
        path: PathBuf,
        /// The token to connect with.
        token: Option<String>,
    },
    /// A server that runs already.
    Outside {
        /// Its URL, or the path of a lane profile.
        at: String,
        /// The token to connect with.
        token: Option<String>,
    },
}

/// What the driver tells.
#[derive(Debug)]
pub enum Message {
    /// Something happened.
    Event(RunEvent),
    /// A plan was driven to its end.
    Driven(Box<Driven>),
}

/// Why plans can't be driven any further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriveError {
    /// A lane or the environment could not be had.
    Environment {
        /// What was seen, with where.
        what: String,
        /// How to mend it.
        hint: Option<String>,
    },
    /// An argument is wrong, such as a lane profile.
    Usage {
        /// What is wrong, with where.
        what: String,
        /// How to mend it.
        hint: Option<String>,
    },
}

/// Drives all plans, and returns once no process of ours is left. When `stop` is cancelled it ends early, without an error.
///
/// # Errors
/// See [`DriveError`].
pub async fn drive_all(
    _request: DriveRequest,
    _tell: Sender<Message>,
    _stop: CancellationToken,
) -> Result<(), DriveError> {
    Err(DriveError::Environment { what: "no lane can be driven yet".to_owned(), hint: None })
}
