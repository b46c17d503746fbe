//! How a bridge is started.
#![allow(missing_docs, reason = "the names say it")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cutover_core::plan::defect::bridge::Defect;
use cutover_core::text::Secret;

#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it tells how far it is.
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    /// The origin of the SpacetimeDB server, such as `ws://127.0.0.1:3000`.
    pub candidate: String,
    /// What its requests say in `Host`, where that is not in the URL.
    pub host: Option<String>,
    pub database: String,
    /// The token of the database's owner.
    pub token: Secret,
    /// The relay's URL, such as `ws://127.0.0.1:7000`.
    pub relay: String,
    /// The Nostr secret key that signs, in hex or bech32.
    pub secret_key: Secret,
    /// How long an answer of the relay is waited for.
    pub answer_within: Duration,
    /// The waits between attempts: the first one, doubled each time up to the second one.
    pub backoff: (Duration, Duration),
    /// How often an event is sent that the relay refuses for a while.
    pub attempts: u32,
    pub defects: Vec<Defect>,
}

impl Settings {
    pub(crate) fn has(&self, defect: Defect) -> bool {
        self.defects.contains(&defect)
    }

    pub(crate) fn wait(&self, failures: u32) -> Duration {
        let (base, cap) = self.backoff;
        base.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(cap)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no defect `{name}`; known are: {}", Defect::NAMES.join(", "))]
pub struct UnknownDefect {
    pub name: String,
}

/// Reads names of defects.
///
/// # Errors
/// The first name that is not known.
pub fn parse_defects(names: &[String]) -> Result<Vec<Defect>, UnknownDefect> {
    let known = |name: &String| Defect::ALL.iter().copied().find(|defect| defect.name() == name);
    names.iter().map(|name| known(name).ok_or_else(|| UnknownDefect { name: name.clone() })).collect()
}
