//! Asks the lanes that are not ours whether they are there, are what they are taken for, and let us in, before anything is
//! started or written: one message about a wrong address is worth more than one from every scenario.

use std::sync::Arc;

use bytes::Bytes;
use cutover_core::ids::LaneId;
use cutover_core::plan::{Compression, Serializer};
use http::Method;
use tokio::net::TcpStream;

use super::{Source, Stage, StageError, fixed};
use crate::bounds;
use crate::drive::Quietly;
use crate::frame::TaggerFactory;
use crate::lane::http::HttpClient;
use crate::lane::phoenix::{PhoenixLane, PhoenixTaggers};
use crate::lane::profile::{LaneTarget, Origin, PhoenixProfile};
use crate::lane::spacetime::SpacetimeTaggers;
use crate::lane::spacetime::admin::AdminError;
use crate::lane::{Endpoint, Lane, OpenError, Role};
use crate::proxy::{Proxy, ProxyConfig};

/// The name of the client that only looks whether the lane lets it in.
const VISITOR: &str = "cutover-visitor";

impl Stage {
    /// Meets the lanes that are not built in. `aa` is the lane that runs against itself, if one does.
    ///
    /// # Errors
    /// Where one of them can't be had.
    pub async fn meet(&self, aa: Option<LaneId>) -> Result<(), StageError> {
        let used = |lane: LaneId| aa.is_none_or(|only| only == lane);
        if let (true, Source::Outside(LaneTarget::Phoenix(profile))) = (used(LaneId::Legacy), &self.legacy) {
            meet_legacy(profile).await?;
        }
        if used(LaneId::Candidate) && !matches!(self.candidate, Source::Bundled) {
            let host = self.shared_host().await;
            if let (Err(StageError::Admin { source, url }), Source::Outside(target)) = (&host, &self.candidate)
                && is_another_kind(source)
                && is_phoenix(&target.socket_origin()).await
            {
                return Err(StageError::Swapped {
                    lane: "candidate",
                    url: url.clone(),
                    found: "a Phoenix service",
                    option: "--legacy",
                });
            }
            host?;
        }
        Ok(())
    }
}

async fn meet_legacy(profile: &PhoenixProfile) -> Result<(), StageError> {
    let (socket, writer) = (profile.socket_origin(), profile.writer_origin());
    reach("legacy", &profile.socket_url, &socket).await?;
    if writer != socket {
        reach("legacy", profile.http_url.as_deref().unwrap_or_default(), &writer).await?;
    }
    let Err(mut source) = visit(profile).await? else {
        return Ok(());
    };
    if source.retryable && source.hint.is_none() {
        source.hint = Some("is this the lane's port, and does it want TLS (`https`, `wss`)?".to_owned());
    }
    let url = profile.socket_url.clone();
    if !source.retryable && is_spacetime(&socket).await {
        return Err(StageError::Swapped {
            lane: "legacy",
            url,
            found: "a SpacetimeDB server",
            option: "--candidate",
        });
    }
    Err(StageError::Lane {
        lane: "legacy",
        url,
        source,
    })
}

/// Whether anybody takes connections there. Asked without a proxy between, which could only say that it was not let in.
pub(super) async fn reach(lane: &'static str, url: &str, origin: &Origin) -> Result<(), StageError> {
    let host = origin.host.trim_start_matches('[').trim_end_matches(']');
    let connected = bounds::MEET.within(TcpStream::connect((host, origin.port))).await;
    let why = match connected {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(reached) => format!("no connection: {reached}"),
    };
    Err(StageError::Unreachable {
        lane,
        url: url.to_owned(),
        authority: origin.authority(),
        why,
    })
}

/// Joins the channel and leaves again; inside, why that is not possible.
async fn visit(profile: &PhoenixProfile) -> Result<Result<(), OpenError>, StageError> {
    let profile = Arc::new(profile.clone());
    let origin = profile.socket_origin();
    let door = door(&origin, Arc::new(PhoenixTaggers::new(profile.clone(), Arc::default()))).await?;
    let lane = PhoenixLane::new(LaneId::Legacy, profile, Arc::default());
    let role = Role::Subscriber {
        client: VISITOR.to_owned(),
        serializer: Serializer::V2,
        compression: Compression::None,
    };
    let opened = lane.open(&endpoint(&door, &origin), &role).await;
    let opened = match opened {
        Ok(mut session) => {
            session.close().await;
            Ok(())
        }
        Err(error) => Err(error),
    };
    door.shutdown().await;
    Ok(opened)
}

async fn is_spacetime(origin: &Origin) -> bool {
    let Ok(door) = door(origin, Arc::new(SpacetimeTaggers::new(Arc::default()))).await else {
        return false;
    };
    let mut http = HttpClient::new(endpoint(&door, origin), Vec::new(), bounds::MEET, bounds::MEET);
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

async fn door(origin: &Origin, factory: Arc<dyn TaggerFactory>) -> Result<Proxy, StageError> {
    let config = ProxyConfig::transparent(VISITOR.into(), fixed(origin), factory, Arc::new(Quietly));
    Proxy::start(config).await.map_err(|source| StageError::Directory {
        path: "a local port".into(),
        source,
    })
}

fn endpoint(door: &Proxy, origin: &Origin) -> Endpoint {
    Endpoint {
        connect: door.addr(),
        authority: origin.authority(),
    }
}
