//! What the profiles of all protocols have: URLs, tokens, and how TOML is read (`docs/LANES.md`).

mod read;

pub use read::ProfileError;
pub(crate) use read::{Misfit, Misfits, body, kind_of};

use std::path::Path;

use cutover_core::text::{Secret, learn, masked};
use url::Url;

use crate::authorities::Authorities;

#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Origin {
    pub tls: bool,
    /// Host name or address; an IPv6 address in brackets.
    pub host: String,
    pub port: u16,
    /// Whose certificates are trusted; those of the system where nothing is said.
    pub authorities: Option<Authorities>,
}

impl Origin {
    /// Port 0, to which nothing connects: the origin of a profile that names no server.
    pub(crate) const NOWHERE: Origin = Origin { tls: false, host: String::new(), port: 0, authorities: None };

    /// The origin of a URL; [`Origin::NOWHERE`] where the text is no URL.
    pub(crate) fn of(url: &str) -> Origin {
        server_url(url).map_or(Origin::NOWHERE, |url| Origin {
            tls: matches!(url.scheme(), "https" | "wss"),
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or(80),
            authorities: None,
        })
    }

    /// The same, with the authorities of a profile's file.
    pub(crate) fn trusting(self, authorities: &Option<Authorities>) -> Origin {
        Origin { authorities: authorities.clone(), ..self }
    }

    /// Host and port as they stand in `Host`: the port only where it is not the scheme's own.
    pub fn authority(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

/// Reads an absolute `http`, `https`, `ws` or `wss` URL.
pub(crate) fn server_url(text: &str) -> Result<Url, Misfit> {
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

/// The authorities of the file that `ca_file` names.
pub(crate) fn authorities_of(file: Option<&Path>) -> Result<Option<Authorities>, Misfit> {
    let hint = "name a PEM file with the certificate of the authority";
    file.map(Authorities::of_file).transpose().map_err(|why| Misfit::new(why, hint))
}

/// The token: given, or in the environment variable named.
pub(crate) fn token_of(given: Option<Secret>, env: Option<&str>) -> Result<Option<Secret>, Misfit> {
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
