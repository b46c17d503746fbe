//! Asks the lanes that are not built in whether they are there, are of the protocol of their profile, and let us in.
//! This is done before anything is started or written, so that a wrong address gives one message and not one from
//! every scenario.

use std::sync::Arc;
use std::time::Duration;

use cutover_core::ids::LaneId;
use cutover_core::plan::Plan;

use super::host::{Host, unavailable};
use super::{Environment, EnvironmentError, Source};
use crate::bounds;
use crate::drive::{Destination, NoLedger};
use crate::lane::names::Names;
use crate::lane::passing::AGAIN_AFTER;
use crate::lane::profile::Origin;
use crate::lane::protocol::{Endpoints, Profile, Service};
use crate::lane::protocols::{PROTOCOLS, usual};
use crate::lane::{Endpoint, GenericTaggers, Lane, OpenError};
use crate::proxy::{self, Proxy, ProxyConfig, Upstream, UpstreamAddr};
use crate::toxic::Toxic;

impl Environment {
    /// Reaches the lanes that are not built in, and tries them with what the plans will use. `aa` is the lane that runs
    /// against itself, if one does.
    pub async fn check_reachable(&self, aa: Option<LaneId>, plans: &[Plan]) -> Result<(), EnvironmentError> {
        let is_tried =
            |lane: &LaneId| aa.is_none_or(|only| only == *lane) && !matches!(self.source(*lane), Source::Bundled);
        let tried: Vec<LaneId> = LaneId::BOTH.into_iter().filter(is_tried).collect();
        // Both are reached before either is written to.
        for lane in &tried {
            self.shared_host(*lane).await?;
        }
        for lane in tried {
            let host = self.shared_host(lane).await?;
            self.try_out(lane, &host, plans).await?;
        }
        Ok(())
    }

    /// A lane that is there already, for one who only reads. Nothing is written to it, and nothing is made there.
    ///
    /// # Errors
    /// Where the lane cannot be reached, or has no such database.
    pub async fn observe(&self, lane: LaneId, names: Arc<Names>) -> Result<Observed, EnvironmentError> {
        let unavailable = |source| unavailable(lane, &self.what(lane), source);
        let host = self.shared_host(lane).await?;
        let (access, space) = match (&host.access, host.service.existing_space().await) {
            (Some(access), Ok(space)) => (access, space),
            (_, Err(source)) => return Err(unavailable(source)),
            (None, _) => {
                return Err(unavailable(OpenError::lasting(
                    "the run would start it, and only a lane that is there already can be observed",
                )));
            }
        };
        let (open, _) = host.service.lane(&space, names).await.map_err(unavailable)?;
        let (endpoint, version) = (access.at.socket.clone(), host.version.clone());
        Ok(Observed { lane: open, endpoint, version, module_digest: space.module_digest })
    }

    /// The digest of the module that a lane runs which is there already, where the lane has one and shows it.
    pub async fn served_module(&self, lane: LaneId) -> Option<String> {
        let host = self.shared_host(lane).await.ok()?;
        host.service.existing_space().await.ok()?.module_digest
    }

    pub(super) async fn reach_outside(
        &self,
        lane: LaneId,
        profile: &Arc<dyn Profile>,
    ) -> Result<Host, EnvironmentError> {
        let (socket, writer) = (profile.socket_origin(), profile.writer_origin());
        reach(lane, profile.url(), &socket).await?;
        if writer != socket {
            reach(lane, profile.writer_url(), &writer).await?;
        }
        let access = Access::open(&socket, &writer).await?;
        let mut connected = profile.connect(&access.at, &self.run).await;
        if let Ok(service) = &connected
            && let Err(error) = log_in(&**service).await
        {
            connected = Err(error);
        }
        let service = match connected {
            Ok(service) => service,
            Err(source) => {
                let other = if source.retryable { None } else { other_protocol(lane, &**profile, &access.at).await };
                access.close().await;
                return Err(other.unwrap_or_else(|| unavailable(lane, profile.url(), source)));
            }
        };
        Ok(Host {
            server: None,
            version: service.version(),
            service,
            socket: Destination::new(&socket, fixed(&socket)),
            writer: Destination::new(&writer, fixed(&writer)),
            access: Some(access),
        })
    }
}

/// An outside lane, and where its subscribers connect.
pub struct Observed {
    pub lane: Arc<dyn Lane>,
    pub endpoint: Endpoint,
    pub version: String,
    /// The digest of its module, where it has one and shows it.
    pub module_digest: Option<String>,
}

/// Reaches an outside server, and does something with it through transparent proxies, which speak TLS where it does.
///
/// # Errors
/// A server that can't be reached.
pub async fn at_outside<T>(
    lane: LaneId,
    profile: &dyn Profile,
    work: impl AsyncFnOnce(&Endpoints) -> T,
) -> Result<T, EnvironmentError> {
    let (socket, writer) = (profile.socket_origin(), profile.writer_origin());
    reach(lane, profile.url(), &socket).await?;
    let access = Access::open(&socket, &writer).await?;
    let done = work(&access.at).await;
    access.close().await;
    Ok(done)
}

async fn log_in(service: &dyn Service) -> Result<(), OpenError> {
    let mut tries = Tries::default();
    loop {
        let Err(mut error) = service.log_in().await else {
            return Ok(());
        };
        // An HTTP answer shows that port and transport are right.
        let answered = error.refusal.is_some();
        if error.retryable && error.hint.is_none() && !answered {
            error = error.hint("is this the lane's port, and does it want TLS (`https`, `wss`)?");
        }
        let again = error.retryable && answered;
        match again.then(|| tries.next_wait(error.retry_after)).flatten() {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Err(error),
        }
    }
}

async fn other_protocol(lane: LaneId, profile: &dyn Profile, at: &Endpoints) -> Option<EnvironmentError> {
    let origin = profile.socket_origin();
    let url = format!("{}://{}:{}", if origin.tls { "https" } else { "http" }, origin.host, origin.port);
    for protocol in PROTOCOLS.iter().filter(|protocol| protocol.kind() != profile.kind()) {
        let Ok(there) = protocol.profile_of_url(&url) else { continue };
        if there.is_there(at).await {
            let role = LaneId::BOTH.into_iter().find(|role| *role != lane && usual(*role).kind() == protocol.kind());
            let in_a_profile = format!("a lane profile with `kind = \"{}\"` fits it", protocol.kind());
            let advice = match role {
                Some(role) => format!("`--{role}` takes it, or {in_a_profile}"),
                None => in_a_profile,
            };
            let (url, found) = (profile.url().to_owned(), protocol.server());
            return Some(EnvironmentError::OtherProtocol { lane, url, found, advice });
        }
    }
    None
}

/// Whether the lane can be reached, TLS included. Asked without a proxy in between, so that the cause is known.
async fn reach(lane: LaneId, url: &str, origin: &Origin) -> Result<(), EnvironmentError> {
    let address = address_of(origin);
    let why = match bounds::MEET.within(proxy::reach(&address)).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(reached) => format!("no connection: {reached}"),
    };
    let names_the_port = origin.tls && why.contains(&format!(":{}", address.port));
    Err(EnvironmentError::Unreachable {
        lane,
        url: url.to_owned(),
        authority: origin.authority(),
        hint: (!names_the_port).then_some("is it running, and does the address lead to it?"),
        why,
    })
}

pub(crate) fn address_of(origin: &Origin) -> UpstreamAddr {
    let host = origin.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    UpstreamAddr { host, port: origin.port, tls: origin.tls, authorities: origin.authorities.clone() }
}

fn fixed(origin: &Origin) -> Upstream {
    let (sender, upstream) = tokio::sync::watch::channel(Some(address_of(origin)));
    // A closed channel keeps its last value, which is all that is needed.
    drop(sender);
    upstream
}

/// Transparent proxies in front of an outside server, for the run's own requests. They speak TLS where the server does.
pub(crate) struct Access {
    proxies: Vec<Proxy>,
    at: Endpoints,
}

impl Access {
    pub(crate) async fn open(socket: &Origin, writer: &Origin) -> Result<Access, EnvironmentError> {
        let mut proxies = vec![start_proxy(socket).await?];
        let mut at = endpoint(&proxies[0], socket);
        let socket_at = at.clone();
        if writer != socket {
            let proxy = start_proxy(writer).await?;
            at = endpoint(&proxy, writer);
            proxies.push(proxy);
        }
        Ok(Access { proxies, at: Endpoints { socket: socket_at, writer: at } })
    }

    pub(crate) fn socket(&self) -> &Endpoint {
        &self.at.socket
    }

    pub(crate) fn set_toxics(&self, toxics: &[Toxic]) {
        for proxy in &self.proxies {
            proxy.set_toxics(toxics.to_vec());
        }
    }

    /// Why the server could not be reached the last time that it could not.
    pub(crate) fn last_unreachable(&self) -> Option<String> {
        self.proxies.iter().find_map(|proxy| proxy.stats().last_unreachable)
    }

    pub(crate) async fn close(&self) {
        for proxy in &self.proxies {
            proxy.shutdown().await;
        }
    }
}

async fn start_proxy(origin: &Origin) -> Result<Proxy, EnvironmentError> {
    let ledger = Arc::new(NoLedger);
    let config = ProxyConfig::transparent("admin".into(), fixed(origin), Arc::new(GenericTaggers), ledger);
    let started = Proxy::start(config).await;
    started.map_err(|source| EnvironmentError::Directory { path: "a local port".into(), source })
}

fn endpoint(proxy: &Proxy, origin: &Origin) -> Endpoint {
    Endpoint { connect: proxy.addr(), authority: origin.authority() }
}

#[derive(Default)]
pub(super) struct Tries(usize);

impl Tries {
    /// How long to wait for the next try, at least as long as the lane asks, where tries are left.
    pub(super) fn next_wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let wait = AGAIN_AFTER.get(self.0).copied()?;
        self.0 += 1;
        Some(asked.map_or(wait, |asked| wait.max(asked)))
    }
}
