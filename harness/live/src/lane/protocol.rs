//! What a protocol brings: profiles, servers that they lead to, and the reading of its traffic. Each is a folder of
//! this room, and one line in [`PROTOCOLS`](super::protocols::PROTOCOLS).

#![allow(missing_docs, reason = "the names say it")]

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cutover_control::{Enforcer, Signs};
use cutover_core::gate::fit::{Means, Updates};
use cutover_core::plan::ModuleUpdate;
use cutover_core::text::Secret;
use tokio::sync::Mutex;

use super::names::Names;
use super::profile::{Origin, ProfileError};
use super::trial::{Steps, Trial};
use super::{Endpoint, Lane, OpenError};
use crate::frame::{FrameTagger, TaggerFactory};

/// A protocol. It takes either role: a profile of it can be that of the legacy lane or of the candidate.
pub trait Protocol: Send + Sync {
    fn kind(&self) -> &'static str;
    fn server(&self) -> &'static str;
    fn profile_of_url(&self, url: &str) -> Result<Arc<dyn Profile>, ProfileError>;
    fn profile_of_toml(&self, text: &str, path: &str) -> Result<Arc<dyn Profile>, ProfileError>;

    /// Reads the traffic of a connection of an unknown run, where its upgrade or its path show this protocol.
    fn recognize(&self, request_target: &str, subprotocol: Option<&str>) -> Option<Arc<dyn FrameTagger>>;
}

/// How to reach a server and how to speak to it (`docs/LANES.md`).
#[async_trait]
pub trait Profile: fmt::Debug + Send + Sync {
    fn kind(&self) -> &'static str;
    fn url(&self) -> &str;

    fn writer_url(&self) -> &str {
        self.url()
    }

    fn socket_origin(&self) -> Origin;

    fn writer_origin(&self) -> Origin {
        self.socket_origin()
    }

    /// The most publishes a second that the lane is to get.
    fn rate(&self) -> Option<NonZeroU32>;

    /// What can be done to the server, where the run did not start it.
    fn means(&self) -> Means;

    fn with_token(&self, token: Secret) -> Arc<dyn Profile>;

    fn token(&self) -> Option<&Secret>;

    /// The profile for a server that the run starts: it keeps nothing about where another server is and what is in
    /// it. `None` where the run can start no such server.
    fn of_managed_server(&self) -> Option<Arc<dyn Profile>> {
        None
    }

    fn is_without_url(&self) -> bool {
        false
    }

    /// Whether a server of this protocol answers there. Asked without a token.
    async fn is_there(&self, at: &Endpoints) -> bool;

    /// Makes sure that the server is of this protocol, as far as can be seen without a session.
    async fn connect(&self, at: &Endpoints, run: &Arc<Run>) -> Result<Box<dyn Service>, OpenError>;
}

#[async_trait]
pub trait Service: Send + Sync {
    /// What serves, by its own word where it has one.
    fn version(&self) -> String;

    /// The token by which the run owns what it makes there.
    fn token(&self) -> Option<&Secret> {
        None
    }

    async fn log_in(&self) -> Result<(), OpenError> {
        Ok(())
    }

    /// Makes the space of a scenario's streams ready. `name` is a word that no other scenario of the run has.
    async fn create_space(&self, _name: &str) -> Result<Space, OpenError> {
        Ok(Space::default())
    }

    /// The space that is there already. Nothing is made.
    async fn existing_space(&self) -> Result<Space, OpenError> {
        Ok(Space::default())
    }

    /// Makes a space ready whose streams are kept with these defects.
    async fn create_planted_space(&self, name: &str, defects: &[String]) -> Result<Space, OpenError> {
        let what = format!("`{}` cannot be planted in `{name}`: this server has no defects", defects.join("`, `"));
        Err(OpenError::lasting(what))
    }

    /// Publishes the module of a space anew while clients follow it; what an additive update adds has these defects.
    async fn update_space(&self, space: &Space, _update: ModuleUpdate, _defects: &[String]) -> Result<(), OpenError> {
        Err(OpenError::lasting(format!("there is no module to be published anew in `{}`", space.name)))
    }

    /// The updates that it takes, where the run started it.
    fn updates(&self) -> Updates {
        Updates::None
    }

    /// The lane over a space, and what reads its traffic.
    async fn lane(
        &self,
        space: &Space,
        names: Arc<Names>,
    ) -> Result<(Arc<dyn Lane>, Arc<dyn TaggerFactory>), OpenError>;

    /// The tables and reducers of this tool's module that the module of a space does not have. A space is made for it
    /// where the module may be another one.
    async fn missing(&self) -> Result<Vec<String>, OpenError> {
        Ok(Vec::new())
    }

    /// What ends tokens and rights in a space, and from now on asks every client for a token of this audience. `None`
    /// where the server can't.
    async fn enforcer(&self, _space: &Space, _audience: &str) -> Result<Option<Arc<dyn Enforcer>>, OpenError> {
        Ok(None)
    }

    /// What the run's tokens are signed with.
    fn signs(&self) -> Signs {
        Signs::WithSecrets
    }

    /// What can't be asked of the server: words of `TOKENS` and `DEEDS`.
    fn lacks(&self) -> Vec<&'static str> {
        Vec::new()
    }

    async fn try_out(&self, space: &Space, names: Arc<Names>, trial: &Trial) -> Steps;

    /// A profile for what is there, as TOML, and what could not be decided; `None` where there is nothing to read it
    /// from.
    async fn proposed(&self) -> Result<Option<(String, Vec<String>)>, OpenError> {
        Ok(None)
    }

    /// Deletes, or keeps, the spaces that the run created on an outside server. Returns what is left, in words.
    async fn clean_up(&self, _keep: bool, _within: Duration) -> Vec<String> {
        Vec::new()
    }
}

/// Where the streams of a scenario are, on a server that keeps them apart: a database. Elsewhere it is empty.
#[derive(Debug, Clone, Default)]
pub struct Space {
    pub name: String,
    /// `sha256:` of the module that was published to it, where one was that has no planted defects.
    pub module_digest: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Endpoints {
    pub socket: Endpoint,
    pub writer: Endpoint,
}

/// What a run brings to every server that it uses.
#[derive(Debug)]
pub struct Run {
    /// A word that no other run against the same servers has.
    pub word: String,
    pub module: Bytes,
    /// Whether the module is in the cache of compiled modules, which the servers of the run share.
    pub compiled: Mutex<bool>,
    /// The same of the module with planted defects.
    pub compiled_planted: Mutex<bool>,
}

impl Run {
    pub fn new(word: &str, module: impl Into<Bytes>) -> Run {
        Run {
            word: word.to_owned(),
            module: module.into(),
            compiled: Mutex::default(),
            compiled_planted: Mutex::default(),
        }
    }
}
