//! The lane profile: how to reach a lane and what it calls things, read from a URL or from a TOML file (`docs/LANES.md`).

mod calls;
mod phoenix;
mod read;
mod spacetime;

pub use calls::{PolicyCall, PublishCall};
pub use phoenix::{EventNames, FieldNames, FrameKinds, HashKind, PhoenixProfile};
pub use read::ProfileError;
pub use spacetime::SpacetimeProfile;

use std::fmt;

use cutover_core::ids::LaneId;
use serde::Deserialize;
use url::Url;

/// The longest profile that is read, in bytes.
const MAX_PROFILE_BYTES: u64 = 1 << 20;

/// A secret: it is sent, and never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Secret {
        Secret(secret.into())
    }

    /// The secret itself, for the wire.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

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
        if self.port == usual {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
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
    pub fn with_token(mut self, token: impl Into<String>) -> LaneTarget {
        let token = Some(Secret::new(token));
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
        if text.contains("://") {
            return LaneTarget::of_url(lane, text);
        }
        let at = |what: String, hint: &str| ProfileError::new(text, what, hint);
        let size = std::fs::metadata(text).map_err(|error| {
            at(
                format!("can't read the lane profile: {error}"),
                "give a URL with its scheme, or the path of a TOML file",
            )
        })?;
        if !size.is_file() || size.len() > MAX_PROFILE_BYTES {
            return Err(at(
                "this is no lane profile".to_owned(),
                "a profile is a TOML file of at most 1 MiB",
            ));
        }
        let toml = std::fs::read_to_string(text).map_err(|error| {
            at(
                format!("can't read the lane profile: {error}"),
                "a profile is UTF-8 text",
            )
        })?;
        LaneTarget::of_toml(&toml, text)
    }

    /// Reads a profile's text; `path` is where errors say that it stands.
    ///
    /// # Errors
    /// What is wrong, where, and how to mend it.
    pub fn of_toml(text: &str, path: &str) -> Result<LaneTarget, ProfileError> {
        match read::kind(text, path)?.as_str() {
            "phoenix" => {
                let profile: PhoenixProfile = read::body(text, path)?;
                profile
                    .validated(path)
                    .map(|profile| LaneTarget::Phoenix(Box::new(profile)))
            }
            "spacetime" => {
                let profile: SpacetimeProfile = read::body(text, path)?;
                profile
                    .validated(path)
                    .map(|profile| LaneTarget::Spacetime(Box::new(profile)))
            }
            other => Err(ProfileError::new(
                path,
                format!("`kind = \"{other}\"` is no protocol"),
                "write `kind = \"phoenix\"` or `kind = \"spacetime\"`",
            )),
        }
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
fn server_url(text: &str, at: &str) -> Result<Url, ProfileError> {
    let url = Url::parse(text).map_err(|error| {
        ProfileError::new(
            at,
            format!("`{text}` is no URL: {error}"),
            "write it as `http://127.0.0.1:4000`",
        )
    })?;
    if !["http", "https", "ws", "wss"].contains(&url.scheme()) {
        let what = format!("`{}` in `{text}` is no scheme of a lane", url.scheme());
        return Err(ProfileError::new(at, what, "use http, https, ws or wss"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(ProfileError::new(
            at,
            format!("`{text}` names no host"),
            "write it as `http://127.0.0.1:4000`",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let what = "a URL with a user name or password".to_owned();
        return Err(ProfileError::new(
            at,
            what,
            "put the lane's token into `token` or `token_env` of a profile",
        ));
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
fn token_of(given: Option<Secret>, env: Option<&str>, at: &str) -> Result<Option<Secret>, ProfileError> {
    match (given, env) {
        (Some(_), Some(_)) => {
            let what = "both `token` and `token_env` are given".to_owned();
            Err(ProfileError::new(
                at,
                what,
                "keep one of them; `token_env` keeps the token out of the file",
            ))
        }
        (given, None) => Ok(given),
        (None, Some(name)) => match std::env::var(name) {
            Ok(token) if !token.is_empty() => Ok(Some(Secret(token))),
            _ => {
                let what = format!("the environment variable `{name}` that `token_env` names is not set");
                Err(ProfileError::new(at, what, "set it to the lane's token"))
            }
        },
    }
}

#[cfg(test)]
mod tests;
