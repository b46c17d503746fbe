//! Why a lane is unavailable.

use std::path::PathBuf;

use cutover_core::ids::LaneId;

use crate::drive::DriveError;
use crate::lane::OpenError;
use crate::lane::names::NamesError;
use crate::lane::profile::ProfileError;
use crate::lane::trial::TrialError;
use crate::process::ServerError;

#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are those of the messages")]
pub enum EnvironmentError {
    #[error("the {lane} server is unavailable: {source}")]
    Server { lane: LaneId, source: ServerError },
    /// A lane does not answer, does not let us in, or lacks what the profile asks for.
    #[error("the {lane} lane at {url} is unavailable: {source}")]
    Lane { lane: LaneId, url: String, source: OpenError },
    #[error(
        "the {lane} lane at {url} is unavailable: can't connect to {authority}: {why}{}",
        hint.map(|hint| format!(" ({hint})")).unwrap_or_default()
    )]
    Unreachable { lane: LaneId, url: String, authority: String, why: String, hint: Option<&'static str> },
    #[error("the {lane} lane at {url} was tried before the run: {source}")]
    Trial { lane: LaneId, url: String, source: Box<TrialError> },
    #[error("the {lane} lane at {url} is {found}; {advice}")]
    OtherProtocol { lane: LaneId, url: String, found: &'static str, advice: String },
    #[error("the {lane} server is gone: {source}")]
    Died { lane: &'static str, source: ServerError },
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Names(#[from] NamesError),
    #[error("can't make {path}: {source}", path = path.display())]
    Directory { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Drive(#[from] DriveError),
}

impl EnvironmentError {
    /// Whether an argument or a profile is to be changed; else the lane or the environment.
    pub fn is_usage(&self) -> bool {
        match self {
            EnvironmentError::Profile(_) | EnvironmentError::Names(_) | EnvironmentError::OtherProtocol { .. } => true,
            EnvironmentError::Trial { source, .. } => source.is_of_the_profile(),
            EnvironmentError::Lane { source, .. } => source.is_of_the_profile,
            _ => false,
        }
    }
}
