//! One proxy: its fields, its toxics, and the listener that is open while it is enabled.
//!
//! Each change holds the proxy's lock to its end, so that no request sees half of another one. A change that fails
//! leaves everything as it was.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use cutover_core::ids::ClientId;
use cutover_live::lane::AnyLane;
use cutover_live::proxy::{Limits, Proxy as Listener, ProxyConfig, ProxyStats, Unreachable};
use tokio::sync::{Mutex, MutexGuard, watch};

use crate::error::ApiError;
use crate::go::address;
use crate::go::write::quote;
use crate::ledger::Ledger;
use crate::toxics::{Entry, Touched, Toxics};
use crate::upstream::upstream;

/// Addresses whose traffic is kept after they changed.
const KEPT_ROUTES: usize = 64;

#[derive(Debug, Clone)]
pub struct Common {
    /// Each proxy, toxic and connection draws numbers of its own from it.
    pub seed: u64,
    pub limits: Limits,
}

/// Where a proxy listens (as asked for) and leads, and whether it is to be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub listen: String,
    pub upstream: String,
    pub enabled: bool,
}

/// What passed between a listening address and an upstream.
#[derive(Debug, Clone)]
pub struct Route {
    pub listen: String,
    pub upstream: String,
    pub traffic: ProxyStats,
}

pub struct Proxy {
    name: String,
    common: Arc<Common>,
    ledger: Arc<Ledger>,
    state: Mutex<State>,
}

struct State {
    listen: String,
    upstream: String,
    listener: Option<Listener>,
    toxics: Toxics,
    past: Vec<Route>,
    /// Whether it was deleted while a request that had found it was waiting.
    gone: bool,
}

impl Proxy {
    /// A proxy, opened where that is wanted, as the replacement of `other`, which is unchanged where that fails.
    pub async fn create(
        name: String,
        wanted: Wanted,
        common: Arc<Common>,
        other: Option<&Proxy>,
    ) -> Result<Arc<Proxy>, ApiError> {
        let state = State {
            listen: wanted.listen,
            upstream: wanted.upstream,
            listener: None,
            toxics: Toxics::default(),
            past: Vec::new(),
            gone: false,
        };
        let proxy = Proxy { name, common, ledger: Arc::default(), state: Mutex::new(state) };
        if wanted.enabled {
            let other = match other {
                Some(other) => Some(other.state.lock().await),
                None => None,
            };
            let beside = other.as_ref().and_then(|other| other.listener.as_ref());
            proxy.start(&mut *proxy.state.lock().await, beside).await?;
        }
        Ok(Arc::new(proxy))
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub async fn json(&self) -> String {
        self.json_of(&*self.state.lock().await)
    }

    fn json_of(&self, state: &State) -> String {
        format!(
            "{{\"name\":{},\"listen\":{},\"upstream\":{},\"enabled\":{},\"Logger\":{{}},\"toxics\":{}}}",
            quote(&self.name),
            quote(&state.listen),
            quote(&state.upstream),
            state.listener.is_some(),
            state.toxics.json()
        )
    }

    pub async fn wanted(&self) -> Result<Wanted, ApiError> {
        let state = self.alive().await?;
        Ok(Wanted { listen: state.listen.clone(), upstream: state.upstream.clone(), enabled: state.listener.is_some() })
    }

    /// Whether its addresses are the wanted ones, after names were looked up.
    pub async fn agrees(&self, wanted: &Wanted) -> Result<bool, ApiError> {
        self.state.lock().await.agrees(wanted).await
    }

    pub async fn update(&self, wanted: Wanted) -> Result<String, ApiError> {
        let mut state = self.alive().await?;
        if !state.agrees(&wanted).await? {
            self.move_to(&mut state, &wanted).await?;
        }
        match (wanted.enabled, state.listener.is_some()) {
            (true, false) => self.start(&mut state, None).await?,
            (false, true) => state.stop().await,
            _ => {}
        }
        Ok(self.json_of(&state))
    }

    /// Opens it where it is closed; `true` where it was.
    pub async fn enable(&self) -> Result<bool, ApiError> {
        let Ok(mut state) = self.alive().await else {
            return Ok(false);
        };
        if state.listener.is_some() {
            return Ok(false);
        }
        self.start(&mut state, None).await?;
        Ok(true)
    }

    pub async fn disable(&self) {
        self.state.lock().await.stop().await;
    }

    pub async fn delete(&self) {
        let mut state = self.state.lock().await;
        state.gone = true;
        state.stop().await;
    }

    pub async fn toxics(&self) -> Result<String, ApiError> {
        Ok(self.alive().await?.toxics.json())
    }

    pub async fn toxic(&self, name: &str) -> Result<String, ApiError> {
        self.alive().await?.toxics.get(name).map(Entry::json)
    }

    pub async fn add_toxic(&self, body: &[u8]) -> Result<String, ApiError> {
        let mut state = self.alive().await?;
        let added = state.toxics.add(body)?.clone();
        self.ledger.armed(&added);
        self.apply(&state, added.touches());
        Ok(added.json())
    }

    pub async fn update_toxic(&self, name: &str, body: &[u8]) -> Result<String, ApiError> {
        let mut state = self.alive().await?;
        let changed = state.toxics.update(name, body)?.clone();
        self.apply(&state, changed.touches());
        Ok(changed.json())
    }

    pub async fn remove_toxic(&self, name: &str) -> Result<(), ApiError> {
        let mut state = self.alive().await?;
        let removed = state.toxics.remove(name)?;
        self.ledger.disarmed(name);
        self.apply(&state, removed.touches());
        Ok(())
    }

    pub async fn clear_toxics(&self) {
        let mut state = self.state.lock().await;
        state.toxics.clear();
        self.ledger.all_disarmed();
        self.apply(&state, Touched::Bytes);
        self.apply(&state, Touched::Messages);
    }

    pub async fn traffic(&self) -> Vec<Route> {
        let state = self.state.lock().await;
        let mut routes = state.past.clone();
        if let Some(listener) = &state.listener {
            remember(&mut routes, state.route(listener));
        }
        routes
    }

    async fn alive(&self) -> Result<MutexGuard<'_, State>, ApiError> {
        let state = self.state.lock().await;
        if state.gone { Err(ApiError::no_proxy()) } else { Ok(state) }
    }

    fn apply(&self, state: &State, touched: Touched) {
        match (&state.listener, touched) {
            (Some(listener), Touched::Bytes) => listener.set_toxics(state.toxics.bytes()),
            (Some(listener), Touched::Messages) => listener.set_faults(&state.toxics.messages(&self.name)),
            _ => {}
        }
    }

    async fn start(&self, state: &mut State, beside: Option<&Listener>) -> Result<(), ApiError> {
        let listener = self.opened(state, &state.listen, &state.upstream, beside).await?;
        state.opened(listener);
        Ok(())
    }

    /// Takes other addresses. An open proxy is opened again at them, and then closed at the old ones, since its
    /// connections lead there.
    async fn move_to(&self, state: &mut State, wanted: &Wanted) -> Result<(), ApiError> {
        let listener = if wanted.enabled {
            let beside = state.listener.as_ref();
            Some(self.opened(state, &wanted.listen, &wanted.upstream, beside).await?)
        } else {
            None
        };
        state.stop().await;
        wanted.listen.clone_into(&mut state.listen);
        wanted.upstream.clone_into(&mut state.upstream);
        if let Some(listener) = listener {
            state.opened(listener);
        }
        Ok(())
    }

    async fn opened(
        &self,
        state: &State,
        listen: &str,
        to: &str,
        beside: Option<&Listener>,
    ) -> Result<Listener, ApiError> {
        let listen = address::listen(listen).await.map_err(ApiError::system)?;
        let mut opened = self.open(state, listen, to, beside).await;
        if let Some(listen) = opened.as_ref().err().and_then(|error| address::without_ipv6(listen, error)) {
            opened = self.open(state, listen, to, beside).await;
        }
        opened.map_err(|error| ApiError::system(address::bind_failed(listen, &error)))
    }

    async fn open(
        &self,
        state: &State,
        listen: SocketAddr,
        to: &str,
        beside: Option<&Listener>,
    ) -> io::Result<Listener> {
        // The upstream does not change while the listener is open.
        let (_, upstream) = watch::channel(upstream(to));
        let config = ProxyConfig {
            client: ClientId::new(&self.name),
            listen,
            upstream,
            factory: Arc::new(AnyLane),
            unreachable: Unreachable::Close,
            faults: state.toxics.messages(&self.name),
            toxics: state.toxics.bytes(),
            seed: self.common.seed,
            ledger: self.ledger.clone(),
            observer: None,
            limits: self.common.limits.clone(),
        };
        match beside {
            None => Listener::start(config).await,
            Some(beside) => Listener::start_beside(config, beside),
        }
    }
}

impl State {
    /// As Toxiproxy compares them: the address that was taken with the one that is asked for, looked up.
    async fn agrees(&self, wanted: &Wanted) -> Result<bool, ApiError> {
        let resolved = address::resolve(&wanted.listen).await.map_err(ApiError::system)?;
        Ok(self.listen == resolved && self.upstream == wanted.upstream)
    }

    async fn stop(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.shutdown().await;
            let route = self.route(&listener);
            remember(&mut self.past, route);
            if self.past.len() > KEPT_ROUTES {
                self.past.remove(0);
            }
        }
    }

    fn opened(&mut self, listener: Listener) {
        self.listen = listener.addr().to_string();
        self.listener = Some(listener);
    }

    fn route(&self, listener: &Listener) -> Route {
        Route { listen: self.listen.clone(), upstream: self.upstream.clone(), traffic: listener.stats() }
    }
}

fn remember(routes: &mut Vec<Route>, route: Route) {
    let same = |known: &&mut Route| known.listen == route.listen && known.upstream == route.upstream;
    match routes.iter_mut().find(same) {
        Some(known) => known.traffic += route.traffic,
        None => routes.push(route),
    }
}
