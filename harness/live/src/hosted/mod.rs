//! Reaches a hosted SpacetimeDB as its operator does: names, connections, TLS, and a line for requests and clients.

#![allow(missing_docs, reason = "the names say it")]

mod handshake;

use std::collections::BTreeSet;
use std::net::IpAddr;

use cutover_core::ids::FaultId;
use cutover_core::plan::{ByteToxic, Direction};
use cutover_core::text::Secret;

use crate::bounds::{self, Bound};
use crate::environment::{Access, EnvironmentError, address_of};
use crate::lane::http::HttpClient;
use crate::lane::profile::Origin;
use crate::lane::protocol::Profile;
use crate::lane::socket::Bounds;
use crate::lane::spacetime::{SpacetimeLane, SpacetimeProfile};
use crate::lane::{Endpoint, OpenError};
use crate::proxy;
use crate::toxic::Toxic;

pub use handshake::{Handshake, shake};

/// The addresses of a host name, or why there are none.
pub async fn resolve(origin: &Origin) -> Result<BTreeSet<IpAddr>, String> {
    let address = address_of(origin);
    let looked_up = tokio::net::lookup_host((address.host.as_str(), address.port));
    match bounds::MEET.within(looked_up).await {
        Ok(Ok(found)) => {
            let found: BTreeSet<IpAddr> = found.map(|address| address.ip()).collect();
            if found.is_empty() { Err(format!("`{}` has no address", address.host)) } else { Ok(found) }
        }
        Ok(Err(error)) => Err(format!("`{}` can't be resolved: {error}", address.host)),
        Err(reached) => Err(format!("`{}` was not resolved: {reached}", address.host)),
    }
}

/// How reaching an address failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    pub why: String,
    /// Whether our bound ended it, so that nothing is known.
    pub timed_out: bool,
}

/// Opens a connection and ends it: plain TCP, or with the handshake of TLS.
pub async fn reach(origin: &Origin, tls: bool) -> Result<(), Unreached> {
    let address = proxy::UpstreamAddr { tls, ..address_of(origin) };
    match bounds::MEET.within(proxy::reach(&address)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Unreached { why: error.to_string(), timed_out: false }),
        Err(reached) => Err(Unreached { why: format!("no connection: {reached}"), timed_out: true }),
    }
}

/// A way to a hosted server for requests and clients, through a proxy of ours that speaks TLS where the server does.
pub struct Line {
    pub profile: SpacetimeProfile,
    access: Access,
    at: Endpoint,
}

impl Line {
    pub async fn open(profile: SpacetimeProfile) -> Result<Line, EnvironmentError> {
        let origin = profile.socket_origin();
        let access = Access::open(&origin, &origin).await?;
        let at = access.socket().clone();
        Ok(Line { profile, access, at })
    }

    /// A client for requests. It bears the token, if one is given.
    pub fn http(&self, token: Option<&Secret>, within: Bound) -> Result<HttpClient, OpenError> {
        let bounds = Bounds { open: bounds::MEET, operation: within, ..Bounds::default() };
        SpacetimeLane::http(&self.at, &self.profile, token, bounds)
    }

    pub fn at(&self) -> &Endpoint {
        &self.at
    }

    /// Why the server could not be reached the last time that it could not.
    pub fn last_unreachable(&self) -> Option<String> {
        self.access.last_unreachable()
    }

    /// From now on, no byte passes, and no connection ends.
    fn silence(&self) {
        let toxic = |(name, direction)| Toxic {
            name: FaultId::from(name),
            direction,
            toxicity: 1.0,
            toxic: ByteToxic::Timeout { timeout: 0 },
        };
        let both = [("silent-up", Direction::Upstream), ("silent-down", Direction::Downstream)];
        self.access.set_toxics(&both.map(toxic));
    }

    pub async fn close(&self) {
        self.access.close().await;
    }
}
