//! The profile of a SpacetimeDB server.

use serde::Deserialize;

use crate::lane::spacetime::Protocol;

use cutover_core::text::{Secret, masked};

use super::read::Misfits;
use super::{Origin, ProfileError, origin_of, server_url, token_of};

/// The subprotocols that this lane speaks, the one it likes best first.
pub(crate) const SUBPROTOCOLS: [&str; 3] = ["v3.bsatn.spacetimedb", "v2.bsatn.spacetimedb", "v1.bsatn.spacetimedb"];

/// The name by which a server of our own is asked for; it serves any.
const OWN_SERVER_URL: &str = "http://candidate.localhost/";

/// How a SpacetimeDB service is reached.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpacetimeProfile {
    /// `spacetime`.
    pub kind: String,
    /// The server's base URL, with the path that it lies below, if any; a server that is started for the run needs
    /// none.
    #[serde(default = "own_server")]
    pub url: String,
    /// The database's name or identity; where it is left out, one is created for the run.
    #[serde(default)]
    pub database: Option<String>,
    /// The token; where there is none, an identity is created for the run.
    #[serde(default)]
    pub token: Option<Secret>,
    /// The environment variable that holds the token.
    #[serde(default)]
    pub token_env: Option<String>,
    /// Whether the module is to be published; where it is left out, only to a database that is created for the run.
    #[serde(default)]
    pub publish_module: Option<bool>,
    /// The subprotocols that are offered, best first.
    #[serde(default = "subprotocols")]
    pub subprotocols: Vec<String>,
    /// Whether updates wait until they are durable; the server's own default where it is left out.
    #[serde(default)]
    pub confirmed: Option<bool>,
    /// The socket's path, with `{database}` in it.
    #[serde(default = "websocket_path")]
    pub websocket_path: String,
    /// Whether streams carry a scope of the run in their ids, so that runs against one database share none.
    #[serde(default = "yes")]
    pub scoped: bool,
    /// The most publishes a second, of the whole run; without bound where it is left out.
    #[serde(default)]
    pub rate: Option<std::num::NonZeroU32>,
}

fn own_server() -> String {
    OWN_SERVER_URL.to_owned()
}

fn subprotocols() -> Vec<String> {
    SUBPROTOCOLS.map(str::to_owned).to_vec()
}

fn websocket_path() -> String {
    "/v1/database/{database}/subscribe".to_owned()
}

fn yes() -> bool {
    true
}

impl Default for SpacetimeProfile {
    /// What is meant where a profile does not say it, at no server.
    fn default() -> SpacetimeProfile {
        SpacetimeProfile {
            kind: "spacetime".to_owned(),
            url: String::new(),
            database: None,
            token: None,
            token_env: None,
            publish_module: None,
            subprotocols: subprotocols(),
            confirmed: None,
            websocket_path: websocket_path(),
            scoped: true,
            rate: None,
        }
    }
}

impl SpacetimeProfile {
    /// The profile for a server that is started for the run: where a server of somebody else's is, and what is in it
    /// already, says nothing of it.
    #[must_use]
    pub fn of_own_server(self) -> SpacetimeProfile {
        SpacetimeProfile { url: OWN_SERVER_URL.to_owned(), database: None, publish_module: None, ..self }
    }

    /// Whether it says nothing of where a server is.
    pub fn is_without_url(&self) -> bool {
        self.url == OWN_SERVER_URL
    }

    /// The default profile of the server at a URL. A path that ends in `/v1/database/NAME` names a database that is
    /// there already; what is before it is the path that the server lies below.
    ///
    /// # Errors
    /// Where it is no URL of a server, or its path is one of a server's calls.
    pub fn of_url(text: &str) -> Result<SpacetimeProfile, ProfileError> {
        let mut misfits = Misfits::default();
        let Some(mut url) = misfits.take("url", server_url(text)) else {
            return misfits.or(SpacetimeProfile::default(), &masked(text), None);
        };
        let path = url.path().trim_end_matches('/').to_owned();
        let (base, database) = match path.split_once("/v1/database/") {
            Some((base, name)) if !name.is_empty() && !name.contains('/') => (base, Some(name.to_owned())),
            None if !format!("{path}/").contains("/v1/") => (path.as_str(), None),
            _ => {
                let what = format!("`{path}` is no path of a SpacetimeDB server");
                return Err(ProfileError::new(
                    &masked(text),
                    what,
                    "give the server's base URL, or add /v1/database/NAME to it",
                ));
            }
        };
        url.set_path(base);
        let profile = SpacetimeProfile { url: url.to_string(), database, ..SpacetimeProfile::default() };
        profile.validated(&masked(text), None)
    }

    /// Whether reads on a connection are confirmed: as asked for, or by the server's default for the subprotocol.
    pub(crate) fn reads_confirmed(&self, protocol: Protocol) -> bool {
        self.confirmed.unwrap_or(protocol != Protocol::V1)
    }

    pub(super) fn validated(mut self, at: &str, text: Option<&str>) -> Result<SpacetimeProfile, ProfileError> {
        let mut misfits = Misfits::default();
        let url = misfits.take("url", server_url(&self.url));
        if url.is_some_and(|url| url.query().is_some() || format!("{}/", url.path()).contains("/v1/")) {
            let what = format!("`{}` is no base URL", masked(&self.url));
            let hint = "leave out the query and all from `/v1/` on; `database` and `websocket_path` hold them";
            misfits.add("url", what, hint);
        }
        let token = token_of(self.token.take(), self.token_env.as_deref());
        self.token = misfits.take("token_env", token).flatten();
        if !self.websocket_path.starts_with('/') || !self.websocket_path.contains("{database}") {
            let what = format!("websocket_path = \"{}\" does not say where the database goes", self.websocket_path);
            misfits.add("websocket_path", what, "write it as `/v1/database/{database}/subscribe`");
        }
        if self.database.as_deref().is_some_and(str::is_empty) {
            misfits.add("database", "`database` is empty", "name one, or leave the key out");
        }
        if self.subprotocols.is_empty() {
            misfits.add("subprotocols", "`subprotocols` is empty", "leave it out to offer all");
        }
        for offered in &self.subprotocols {
            if !SUBPROTOCOLS.contains(&offered.as_str()) {
                let what = format!("`{offered}` is no subprotocol that this lane speaks");
                misfits.add("subprotocols", what, format!("choose of {}", SUBPROTOCOLS.join(", ")));
            }
        }
        misfits.or(self, at, text)
    }

    /// The path that the server lies below; empty where it has none.
    pub fn base(&self) -> String {
        let url = server_url(&self.url);
        url.map_or_else(|_| String::new(), |url| url.path().trim_end_matches('/').to_owned())
    }

    /// Where the server is.
    pub fn origin(&self) -> Origin {
        server_url(&self.url).map(|url| origin_of(&url)).unwrap_or(Origin { tls: false, host: String::new(), port: 0 })
    }

    /// Whether the module is to be published.
    pub fn publishes_module(&self) -> bool {
        self.publish_module.unwrap_or(self.database.is_none())
    }
}
