//! One proxy: its fields, its toxics, and the door that is open while it is enabled.
//!
//! Each change holds the proxy's lock to its end, so that two requests never see each other's halves, and puts everything
//! back where it fails.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use cutover_live::proxy::Limits;
use tokio::sync::Mutex;

use crate::door::{Door, Opening, Traffic};
use crate::error::ApiError;
use crate::go::address;
use crate::go::write::quote;
use crate::ledger::Ledger;
use crate::toxics::{Entry, Touched, Toxics};
use crate::upstream::upstream;

/// Addresses whose traffic is remembered after they changed.
const KEPT_ROUTES: usize = 64;

/// What all proxies are opened with.
#[derive(Debug, Clone)]
pub struct Common {
    /// What chance is drawn from; each proxy, toxic and connection has a number of its own.
    pub seed: u64,
    /// Bounds.
    pub limits: Limits,
}

/// Where a proxy listens and leads, and whether it is to be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where it listens, as it is asked for.
    pub listen: String,
    /// Where it leads.
    pub upstream: String,
    /// Whether it is open.
    pub enabled: bool,
}

/// Traffic on one way through a proxy.
#[derive(Debug, Clone)]
pub struct Route {
    /// Where it was listened on.
    pub listen: String,
    /// Where it led.
    pub upstream: String,
    /// What passed.
    pub traffic: Traffic,
}

/// A proxy.
pub struct Proxy {
    name: String,
    common: Arc<Common>,
    ledger: Arc<Ledger>,
    state: Mutex<State>,
}

struct State {
    listen: String,
    upstream: String,
    door: Option<Door>,
    toxics: Toxics,
    past: Vec<Route>,
    /// Whether it was deleted: a request that had found it before finds it no more.
    gone: bool,
}

impl Proxy {
    /// A proxy, opened where that is wanted: in the place of `other`, which goes on as it was where that fails.
    ///
    /// # Errors
    /// Where its address can't be had.
    pub async fn create(
        name: String,
        wanted: Wanted,
        common: Arc<Common>,
        other: Option<&Proxy>,
    ) -> Result<Arc<Proxy>, ApiError> {
        let proxy = Proxy {
            name,
            common,
            ledger: Arc::default(),
            state: Mutex::new(State {
                listen: wanted.listen,
                upstream: wanted.upstream,
                door: None,
                toxics: Toxics::default(),
                past: Vec::new(),
                gone: false,
            }),
        };
        if wanted.enabled {
            let other = match other {
                Some(other) => Some(other.state.lock().await),
                None => None,
            };
            let beside = other.as_ref().and_then(|other| other.door.as_ref());
            proxy.start(&mut *proxy.state.lock().await, beside).await?;
        }
        Ok(Arc::new(proxy))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its toxics struck.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// As a JSON object with its toxics.
    pub async fn json(&self) -> String {
        self.json_of(&*self.state.lock().await)
    }

    fn json_of(&self, state: &State) -> String {
        format!(
            "{{\"name\":{},\"listen\":{},\"upstream\":{},\"enabled\":{},\"Logger\":{{}},\"toxics\":{}}}",
            quote(&self.name),
            quote(&state.listen),
            quote(&state.upstream),
            state.door.is_some(),
            state.toxics.json()
        )
    }

    /// What it is, as the defaults of a change.
    ///
    /// # Errors
    /// Where it was deleted.
    pub async fn wanted(&self) -> Result<Wanted, ApiError> {
        let state = self.alive().await?;
        Ok(Wanted { listen: state.listen.clone(), upstream: state.upstream.clone(), enabled: state.door.is_some() })
    }

    /// Whether another's fields are consistent with its own, with names of addresses looked up.
    ///
    /// # Errors
    /// Where the other's address is none.
    pub async fn agrees(&self, wanted: &Wanted) -> Result<bool, ApiError> {
        self.state.lock().await.agrees(wanted).await
    }

    /// Makes it what is wanted.
    ///
    /// # Errors
    /// Where the address can't be had; it is then what it was.
    pub async fn update(&self, wanted: Wanted) -> Result<String, ApiError> {
        let mut state = self.alive().await?;
        if !state.agrees(&wanted).await? {
            self.move_to(&mut state, &wanted).await?;
        }
        match (wanted.enabled, state.door.is_some()) {
            (true, false) => self.start(&mut state, None).await?,
            (false, true) => state.stop().await,
            _ => {}
        }
        Ok(self.json_of(&state))
    }

    /// Opens it where it is closed; `true` where it was.
    ///
    /// # Errors
    /// Where the address can't be had.
    pub async fn enable(&self) -> Result<bool, ApiError> {
        let Ok(mut state) = self.alive().await else {
            return Ok(false);
        };
        if state.door.is_some() {
            return Ok(false);
        }
        self.start(&mut state, None).await?;
        Ok(true)
    }

    /// Closes it, with all its connections.
    pub async fn disable(&self) {
        self.state.lock().await.stop().await;
    }

    /// Closes it for good.
    pub async fn delete(&self) {
        let mut state = self.state.lock().await;
        state.gone = true;
        state.stop().await;
    }

    /// Its toxics as a JSON array.
    ///
    /// # Errors
    /// Where it was deleted.
    pub async fn toxics(&self) -> Result<String, ApiError> {
        Ok(self.alive().await?.toxics.json())
    }

    /// A toxic as a JSON object.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub async fn toxic(&self, name: &str) -> Result<String, ApiError> {
        self.alive().await?.toxics.get(name).map(Entry::json)
    }

    /// Adds a toxic.
    ///
    /// # Errors
    /// Where the body is wrong or the name is taken.
    pub async fn add_toxic(&self, body: &[u8]) -> Result<String, ApiError> {
        let mut state = self.alive().await?;
        let added = state.toxics.add(body)?.clone();
        self.ledger.armed(&added);
        self.apply(&state, added.touches());
        Ok(added.json())
    }

    /// Changes a toxic.
    ///
    /// # Errors
    /// Where there is none of that name, or the body is wrong.
    pub async fn update_toxic(&self, name: &str, body: &[u8]) -> Result<String, ApiError> {
        let mut state = self.alive().await?;
        let changed = state.toxics.update(name, body)?.clone();
        self.apply(&state, changed.touches());
        Ok(changed.json())
    }

    /// Takes a toxic off.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub async fn remove_toxic(&self, name: &str) -> Result<(), ApiError> {
        let mut state = self.alive().await?;
        let removed = state.toxics.remove(name)?;
        self.ledger.disarmed(name);
        self.apply(&state, removed.touches());
        Ok(())
    }

    /// Takes all toxics off.
    pub async fn clear_toxics(&self) {
        let mut state = self.state.lock().await;
        state.toxics.clear();
        self.ledger.all_disarmed();
        self.apply(&state, Touched::Bytes);
        self.apply(&state, Touched::Messages);
    }

    /// What passed, by the way it took.
    pub async fn traffic(&self) -> Vec<Route> {
        let state = self.state.lock().await;
        let mut routes = state.past.clone();
        if let Some(door) = &state.door {
            remember(&mut routes, state.route(door));
        }
        routes
    }

    async fn alive(&self) -> Result<tokio::sync::MutexGuard<'_, State>, ApiError> {
        let state = self.state.lock().await;
        if state.gone { Err(ApiError::no_proxy()) } else { Ok(state) }
    }

    fn apply(&self, state: &State, touched: Touched) {
        match (&state.door, touched) {
            (Some(door), Touched::Bytes) => door.set_toxics(state.toxics.bytes()),
            (Some(door), Touched::Messages) => door.set_faults(&state.toxics.messages(&self.name)),
            _ => {}
        }
    }

    async fn start(&self, state: &mut State, beside: Option<&Door>) -> Result<(), ApiError> {
        let door = self.opened(state, &state.listen, &state.upstream, beside).await?;
        state.opened(door);
        Ok(())
    }

    /// Takes other addresses. An open proxy is opened anew, since its connections led somewhere else, and is closed where
    /// it was once that has succeeded.
    async fn move_to(&self, state: &mut State, wanted: &Wanted) -> Result<(), ApiError> {
        let door = if wanted.enabled {
            let beside = state.door.as_ref();
            Some(self.opened(state, &wanted.listen, &wanted.upstream, beside).await?)
        } else {
            None
        };
        state.stop().await;
        wanted.listen.clone_into(&mut state.listen);
        wanted.upstream.clone_into(&mut state.upstream);
        if let Some(door) = door {
            state.opened(door);
        }
        Ok(())
    }

    async fn opened(&self, state: &State, listen: &str, to: &str, beside: Option<&Door>) -> Result<Door, ApiError> {
        let listen = address::listen(listen).await.map_err(ApiError::system)?;
        let opened = self.open(state, listen, to, beside).await;
        opened.map_err(|error| ApiError::system(address::bind_failed(listen, &error)))
    }

    async fn open(&self, state: &State, listen: SocketAddr, to: &str, beside: Option<&Door>) -> io::Result<Door> {
        let opening = Opening {
            name: self.name.clone(),
            listen,
            upstream: upstream(to),
            faults: state.toxics.messages(&self.name),
            toxics: state.toxics.bytes(),
            seed: self.common.seed,
            ledger: self.ledger.clone(),
            limits: self.common.limits.clone(),
        };
        let door = Door::open(opening, beside).await;
        match door {
            Err(error) => match address::without_ipv6(listen, &error) {
                Some(listen) => Box::pin(self.open(state, listen, to, beside)).await,
                None => Err(error),
            },
            door => door,
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
        if let Some(door) = self.door.take() {
            door.close().await;
            let route = self.route(&door);
            remember(&mut self.past, route);
            if self.past.len() > KEPT_ROUTES {
                self.past.remove(0);
            }
        }
    }

    fn opened(&mut self, door: Door) {
        self.listen = door.addr().to_string();
        self.door = Some(door);
    }

    fn route(&self, door: &Door) -> Route {
        Route { listen: self.listen.clone(), upstream: self.upstream.clone(), traffic: door.traffic() }
    }
}

/// Adds traffic to that of the same way.
fn remember(routes: &mut Vec<Route>, route: Route) {
    let same = |known: &&mut Route| known.listen == route.listen && known.upstream == route.upstream;
    match routes.iter_mut().find(same) {
        Some(known) => known.traffic += route.traffic,
        None => routes.push(route),
    }
}
