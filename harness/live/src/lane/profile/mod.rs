//! The lane profile: how to reach a lane and what it calls things, read from a URL or from a TOML file (`docs/LANES.md`).

mod calls;
mod phoenix;
mod read;
mod spacetime;

pub use calls::{PolicyCall, PublishCall};
pub use phoenix::{EventNames, FieldNames, FrameKinds, HashKind, PhoenixProfile};
use read::Misfit;
pub use read::ProfileError;
pub use spacetime::SpacetimeProfile;

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use cutover_core::ids::LaneId;
use cutover_core::text::{Secret, learn, masked};
use url::Url;

use crate::plain_file;

/// The longest profile that is read, in bytes.
const MAX_PROFILE_BYTES: u64 = 1 << 20;

/// Where a server is reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Whether it speaks TLS (`https`, `wss`).
    pub tls: bool,
    /// Host name or address; an IPv6 address in brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl Origin {
    /// Host and port as they stand in `Host`: the port only where it is not the scheme's own.
    pub fn authority(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

/// A lane that is not our own, as `--legacy` or `--candidate` names it.
#[derive(Debug, Clone, PartialEq)]
pub enum LaneTarget {
    /// A Phoenix-socket sync service.
    Phoenix(Box<PhoenixProfile>),
    /// A SpacetimeDB server.
    Spacetime(Box<SpacetimeProfile>),
}

impl fmt::Display for LaneTarget {
    /// The lane's URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LaneTarget::Phoenix(profile) => f.write_str(&profile.socket_url),
            LaneTarget::Spacetime(profile) => f.write_str(&profile.url),
        }
    }
}

impl LaneTarget {
    /// The lane with another token.
    #[must_use]
    pub fn with_token(mut self, token: Secret) -> LaneTarget {
        let token = Some(token);
        match &mut self {
            LaneTarget::Phoenix(profile) => profile.token = token,
            LaneTarget::Spacetime(profile) => profile.token = token,
        }
        self
    }

    /// Reads a URL, which stands for the default profile of that lane, or a profile's path.
    ///
    /// # Errors
    /// What is wrong, where, and how to mend it.
    pub fn parse(lane: LaneId, text: &str) -> Result<LaneTarget, ProfileError> {
        learn(text);
        if text.contains("://") {
            return LaneTarget::of_url(lane, text);
        }
        let toml = plain_file::read_text(Path::new(text), MAX_PROFILE_BYTES).map_err(|error| {
            let hint = match error.kind() {
                ErrorKind::NotFound => "give a URL with its scheme, or the path of a TOML file",
                _ => "a profile is a TOML file of at most 1 MiB, in UTF-8",
            };
            ProfileError::new(&masked(text), format!("can't read the lane profile: {error}"), hint)
        })?;
        LaneTarget::of_toml(&toml, text)
    }

    /// Reads a profile's text; `path` is where errors say that it stands.
    ///
    /// # Errors
    /// What is wrong, where, and how to mend it.
    pub fn of_toml(text: &str, path: &str) -> Result<LaneTarget, ProfileError> {
        let path = &masked(path);
        if read::kind(text, path)? == "phoenix" {
            let profile: PhoenixProfile = read::body(text, path)?;
            let profile = profile.validated(path, Some(text))?;
            return Ok(LaneTarget::Phoenix(Box::new(profile)));
        }
        let profile: SpacetimeProfile = read::body(text, path)?;
        let profile = profile.validated(path, Some(text))?;
        Ok(LaneTarget::Spacetime(Box::new(profile)))
    }

    fn of_url(lane: LaneId, text: &str) -> Result<LaneTarget, ProfileError> {
        match lane {
            LaneId::Legacy => PhoenixProfile::of_url(text).map(|profile| LaneTarget::Phoenix(Box::new(profile))),
            LaneId::Candidate => SpacetimeProfile::of_url(text).map(|profile| LaneTarget::Spacetime(Box::new(profile))),
        }
    }

    /// Where the WebSocket is.
    pub fn socket_origin(&self) -> Origin {
        match self {
            LaneTarget::Phoenix(profile) => profile.socket_origin(),
            LaneTarget::Spacetime(profile) => profile.origin(),
        }
    }

    /// Where the writer's HTTP goes.
    pub fn writer_origin(&self) -> Origin {
        match self {
            LaneTarget::Phoenix(profile) => profile.writer_origin(),
            LaneTarget::Spacetime(profile) => profile.origin(),
        }
    }

    /// Whether streams are to carry a scope of the run in their ids.
    pub fn scoped(&self) -> bool {
        match self {
            LaneTarget::Phoenix(profile) => profile.scoped,
            LaneTarget::Spacetime(profile) => profile.scoped,
        }
    }

    /// The most publishes a second that the lane is to get.
    pub fn rate(&self) -> Option<std::num::NonZeroU32> {
        match self {
            LaneTarget::Phoenix(profile) => profile.rate,
            LaneTarget::Spacetime(profile) => profile.rate,
        }
    }

    /// Whether the run is a stranger to the candidate's database, and so can't read its table of idempotency keys.
    pub fn hides_keys(&self) -> bool {
        match self {
            LaneTarget::Phoenix(_) => false,
            LaneTarget::Spacetime(profile) => {
                profile.database.is_some() && profile.token.is_none() && !profile.publishes_module()
            }
        }
    }

    /// Whether an unsubscribe leaves the watermark.
    pub fn keeps_watermarks(&self) -> bool {
        match self {
            LaneTarget::Phoenix(profile) => !profile.unsubscribe_forgets,
            LaneTarget::Spacetime(_) => false,
        }
    }

    /// Whether a stream's retention and replay budget can be set.
    pub fn sets_policies(&self) -> bool {
        match self {
            LaneTarget::Phoenix(profile) => profile.policy.path.is_some(),
            LaneTarget::Spacetime(_) => true,
        }
    }
}

/// Reads an absolute `http`, `https`, `ws` or `wss` URL.
fn server_url(text: &str) -> Result<Url, Misfit> {
    const FORM: &str = "write it as `http://127.0.0.1:4000`";
    learn(text);
    let shown = masked(text);
    let url = Url::parse(text).map_err(|error| Misfit::new(format!("`{shown}` is no URL: {error}"), FORM))?;
    if !["http", "https", "ws", "wss"].contains(&url.scheme()) {
        let what = format!("`{}` in `{shown}` is no scheme of a lane", url.scheme());
        return Err(Misfit::new(what, "use http, https, ws or wss"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Misfit::new(format!("`{shown}` names no host"), FORM));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let what = format!("`{shown}` is a URL with a user name or password");
        return Err(Misfit::new(what, "put the lane's token into `token` or `token_env` of a profile"));
    }
    Ok(url)
}

fn origin_of(url: &Url) -> Origin {
    Origin {
        tls: matches!(url.scheme(), "https" | "wss"),
        host: url.host_str().unwrap_or_default().to_owned(),
        port: url.port_or_known_default().unwrap_or(80),
    }
}

/// The token: given, or in the environment variable named.
fn token_of(given: Option<Secret>, env: Option<&str>) -> Result<Option<Secret>, Misfit> {
    match (given, env) {
        (Some(_), Some(_)) => {
            let hint = "keep one of them; `token_env` keeps the token out of the file";
            Err(Misfit::new("both `token` and `token_env` are given", hint))
        }
        (given, None) => Ok(given),
        (None, Some(name)) => match std::env::var(name) {
            Ok(token) if !token.is_empty() => Ok(Some(Secret::new(token))),
            _ => {
                let what = format!("the environment variable `{name}` that `token_env` names is not set");
                Err(Misfit::new(what, "set it to the lane's token"))
            }
        },
    }
}

#[cfg(test)]
mod tests;
