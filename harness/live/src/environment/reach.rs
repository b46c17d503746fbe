//! Asks the lanes that are not ours whether they are there, are what they are taken for, and let us in, before anything is
//! started or written: one message about a wrong address is worth more than one from every scenario.

use std::sync::Arc;

use bytes::Bytes;
use cutover_core::ids::LaneId;
use cutover_core::plan::{Compression, Plan, Serializer};
use http::Method;

use super::trial::Tries;
use super::{Environment, EnvironmentError, Source, fixed};
use crate::bounds;
use crate::drive::NoLedger;
use crate::frame::TaggerFactory;
use crate::lane::http::HttpClient;
use crate::lane::phoenix::{PhoenixLane, PhoenixTaggers};
use crate::lane::profile::{Origin, PhoenixProfile};
use crate::lane::spacetime::admin::AdminError;
use crate::lane::spacetime::{Schema, SpacetimeTaggers};
use crate::lane::{ClientOptions, Endpoint, Lane, OpenError};
use crate::proxy::{self, Proxy, ProxyConfig};

/// The name of the client that only looks whether the lane lets it in.
const VISITOR: &str = "cutover-visitor";

impl Environment {
    /// Meets the lanes that are not built in, and tries them with what the plans will use. `aa` is the lane that runs against
    /// itself, if one does.
    ///
    /// # Errors
    /// Where one of them is unavailable, or does not fit its profile.
    pub async fn check_reachable(&self, aa: Option<LaneId>, plans: &[Plan]) -> Result<(), EnvironmentError> {
        let used = |lane: LaneId| aa.is_none_or(|only| only == lane) && self.is_tried(lane);
        // Both are met before either is written to.
        if let (true, Some(profile)) = (used(LaneId::Legacy), self.legacy_profile()) {
            reach_legacy(profile).await?;
        }
        if used(LaneId::Candidate) {
            let host = self.shared_host().await;
            if let (Err(EnvironmentError::Admin { source, url }), Source::Outside(target)) = (&host, &self.candidate)
                && is_another_kind(source)
                && is_phoenix(&target.socket_origin()).await
            {
                return Err(EnvironmentError::Swapped {
                    lane: "candidate",
                    url: url.clone(),
                    found: "a Phoenix service",
                    option: "--legacy",
                });
            }
            self.try_candidate(&host?, plans).await?;
        }
        if let (true, Some(profile)) = (used(LaneId::Legacy), self.legacy_profile()) {
            self.try_legacy(profile, plans).await?;
        }
        Ok(())
    }
}

async fn reach_legacy(profile: &PhoenixProfile) -> Result<(), EnvironmentError> {
    let (socket, writer) = (profile.socket_origin(), profile.writer_origin());
    reach("legacy", &profile.socket_url, &socket).await?;
    if writer != socket {
        reach("legacy", profile.http_url.as_deref().unwrap_or_default(), &writer).await?;
    }
    let mut tries = Tries::default();
    let source = loop {
        let Err(mut source) = visit(profile).await? else {
            return Ok(());
        };
        // Only a lane that answered is asked again; an HTTP answer shows that port and transport are right.
        let answered = source.refusal.is_some();
        if source.retryable && source.hint.is_none() && !answered {
            source.hint = Some("is this the lane's port, and does it want TLS (`https`, `wss`)?".to_owned());
        }
        let again = source.retryable && answered;
        match again.then(|| tries.next_wait(source.retry_after)).flatten() {
            Some(wait) => tokio::time::sleep(wait).await,
            None => break source,
        }
    };
    let url = profile.socket_url.clone();
    if !source.retryable && is_spacetime(&socket).await {
        return Err(EnvironmentError::Swapped {
            lane: "legacy",
            url,
            found: "a SpacetimeDB server",
            option: "--candidate",
        });
    }
    Err(EnvironmentError::Lane { lane: "legacy", url, source })
}

/// Whether the lane can be reached, TLS included. Asked without a proxy between, so that the cause is known.
pub(super) async fn reach(lane: &'static str, url: &str, origin: &Origin) -> Result<(), EnvironmentError> {
    let Some(address) = fixed(origin).borrow().clone() else {
        return Ok(());
    };
    let connected = bounds::MEET.within(proxy::reach(&address)).await;
    let why = match connected {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(reached) => format!("no connection: {reached}"),
    };
    Err(EnvironmentError::Unreachable {
        lane,
        url: url.to_owned(),
        authority: origin.authority(),
        hint: if origin.tls && why.contains(&format!(":{}", address.port)) {
            None
        } else {
            Some("is it running, and does the address lead to it?")
        },
        why,
    })
}

/// Joins the channel and leaves again; inside, why that is not possible.
async fn visit(profile: &PhoenixProfile) -> Result<Result<(), OpenError>, EnvironmentError> {
    let profile = Arc::new(profile.clone());
    let origin = profile.socket_origin();
    let door = Door::open(&origin, Arc::new(PhoenixTaggers::new(profile.clone(), Arc::default()))).await?;
    let lane = PhoenixLane::new(LaneId::Legacy, profile, Arc::default());
    let client = ClientOptions { name: VISITOR.to_owned(), serializer: Serializer::V2, compression: Compression::None };
    let opened = lane.subscriber(&door.endpoint(&origin), &client).await;
    let opened = match opened {
        Ok(mut session) => {
            session.close().await;
            Ok(())
        }
        Err(error) => Err(error),
    };
    door.close().await;
    Ok(opened)
}

async fn is_spacetime(origin: &Origin) -> bool {
    let Ok(door) = Door::open(origin, Arc::new(SpacetimeTaggers::new(Arc::default(), Schema::module()))).await else {
        return false;
    };
    let mut http = HttpClient::new(door.endpoint(origin), Vec::new(), bounds::MEET, bounds::MEET);
    let answered = http.request(Method::GET, "/v1/ping", None, Bytes::new()).await;
    answered.is_ok_and(|answer| answer.is_ok())
}

async fn is_phoenix(origin: &Origin) -> bool {
    let scheme = if origin.tls { "wss" } else { "ws" };
    let Ok(profile) = PhoenixProfile::of_url(&format!("{scheme}://{}:{}", origin.host, origin.port)) else {
        return false;
    };
    matches!(visit(&profile).await, Ok(Ok(())))
}

/// Whether the answer is one that a SpacetimeDB server would not give to a ping.
fn is_another_kind(error: &AdminError) -> bool {
    match error {
        AdminError::Refused { status, .. } => (400..500).contains(status),
        AdminError::Unreadable { .. } => true,
        AdminError::NoAnswer { .. } => false,
    }
}

/// A transparent proxy before a lane, for as long as it is asked something.
pub(super) struct Door(Proxy);

impl Door {
    pub(super) async fn open(origin: &Origin, factory: Arc<dyn TaggerFactory>) -> Result<Door, EnvironmentError> {
        let config = ProxyConfig::transparent(VISITOR.into(), fixed(origin), factory, Arc::new(NoLedger));
        let proxy = Proxy::start(config)
            .await
            .map_err(|source| EnvironmentError::Directory { path: "a local port".into(), source })?;
        Ok(Door(proxy))
    }

    pub(super) fn endpoint(&self, origin: &Origin) -> Endpoint {
        endpoint(&self.0, origin)
    }

    /// Closes it, and says why the lane could not be reached the last time that it could not.
    pub(super) async fn close(self) -> Option<String> {
        self.0.shutdown().await;
        self.0.stats().last_unreachable
    }
}

pub(super) fn endpoint(door: &Proxy, origin: &Origin) -> Endpoint {
    Endpoint { connect: door.addr(), authority: origin.authority() }
}
