//! Why a lane is unavailable.

use std::path::PathBuf;

use crate::drive::DriveError;
use crate::lane::OpenError;
use crate::lane::names::NamesError;
use crate::lane::profile::ProfileError;
use crate::lane::spacetime::admin::AdminError;
use crate::lane::trial::TrialError;
use crate::process::ServerError;

/// A lane or the environment is unavailable.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// A server of ours does not serve.
    #[error("the {lane} server is unavailable: {source}")]
    Server {
        /// Whose.
        lane: &'static str,
        /// Why.
        source: ServerError,
    },
    /// A SpacetimeDB server did not do what a run needs.
    #[error("the candidate at {url} is unavailable: {source}")]
    Admin {
        /// Which.
        url: String,
        /// Why.
        source: AdminError,
    },
    /// A lane does not answer, or does not let us in.
    #[error("the {lane} lane at {url} is unavailable: {source}")]
    Lane {
        /// Which.
        lane: &'static str,
        /// Where.
        url: String,
        /// Why.
        source: OpenError,
    },
    /// Nobody is there.
    #[error(
        "the {lane} lane at {url} is unavailable: can't connect to {authority}: {why}{}",
        hint.map(|hint| format!(" ({hint})")).unwrap_or_default()
    )]
    Unreachable {
        /// Which.
        lane: &'static str,
        /// Its URL.
        url: String,
        /// Host and port.
        authority: String,
        /// What the system said.
        why: String,
        /// How to mend it, where `why` does not say it.
        hint: Option<&'static str>,
    },
    /// What the plans will use was tried, and does not work.
    #[error("the {lane} lane at {url} was tried before the run: {source}")]
    Trial {
        /// Which.
        lane: &'static str,
        /// Its URL.
        url: String,
        /// Why.
        source: Box<TrialError>,
    },
    /// The other kind of server is there.
    #[error("the {lane} lane at {url} is {found}; `{option}` takes it")]
    Swapped {
        /// Which.
        lane: &'static str,
        /// Its URL.
        url: String,
        /// What is there.
        found: &'static str,
        /// Where it belongs.
        option: &'static str,
    },
    /// Confirmed reads are asked of a server that has none.
    #[error(
        "the candidate at {url} is SpacetimeDB {version}, which has no confirmed reads: they came with version 2 (leave \
         `confirmed = true` out of its profile, or take a newer server)"
    )]
    NoConfirmedReads {
        /// Its URL.
        url: String,
        /// Its version.
        version: String,
    },
    /// A server of ours ended by itself.
    #[error("the {lane} server is gone: {source}")]
    Died {
        /// Whose.
        lane: &'static str,
        /// How it ended.
        source: ServerError,
    },
    /// A profile does not fit.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The source does not fit the lane.
    #[error("{0}")]
    Unfit(&'static str),
    /// The plan's streams can't be named.
    #[error(transparent)]
    Names(#[from] NamesError),
    /// A directory can't be made.
    #[error("can't make {path}: {source}", path = path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The plan could not be driven.
    #[error(transparent)]
    Drive(#[from] DriveError),
}

impl EnvironmentError {
    /// Whether an argument or a profile is to be changed; else the lane or the environment.
    pub fn is_usage(&self) -> bool {
        match self {
            EnvironmentError::Profile(_) | EnvironmentError::Unfit(_) | EnvironmentError::Names(_) => true,
            EnvironmentError::NoConfirmedReads { .. } | EnvironmentError::Swapped { .. } => true,
            EnvironmentError::Trial { source, .. } => source.is_of_the_profile(),
            EnvironmentError::Lane { source, .. } => source.is_of_the_profile,
            _ => false,
        }
    }
}
