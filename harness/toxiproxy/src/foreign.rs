//! An external Toxiproxy, whose proxies take a run's byte toxics; driven with the crate `toxiproxy_rust`.
//!
//! Each proxy has a name that no other run has, and is deleted at the end. The crate has no `reset_peer`, no names of
//! our own for toxics, no way to remove a single toxic, and ignores refusals. Requests of ours do that, and after the
//! crate has added a toxic, the server is asked whether it is there.

use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use async_trait::async_trait;
use cutover_core::plan::ByteToxic;
use cutover_core::text::{learn, masked};
use cutover_live::bounds::TOXIPROXY;
use cutover_live::drive::{ByteToxics, Front};
use cutover_live::lane::Endpoint;
use cutover_live::lane::http::{HttpAnswer, HttpClient};
use cutover_live::toxic::Toxic;
use http::Method;
use http::header::{HeaderValue, USER_AGENT};
use toxiproxy_rust::client::Client;
use toxiproxy_rust::proxy::{Proxy, ProxyPack};

const DEFAULT_PORT: u16 = 8474;

/// Why a Toxiproxy is unusable. Each names the address as it was given.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    #[error("`{url}` is no address of a Toxiproxy; give one like http://127.0.0.1:{DEFAULT_PORT}")]
    Url { url: String },
    #[error(
        "the Toxiproxy at {url} is not on this machine ({addr}): it has to reach proxies that listen on 127.0.0.1; \
         start one here"
    )]
    Elsewhere { url: String, addr: SocketAddr },
    #[error("no Toxiproxy answers at {url}: {why}; `toxiproxy-server`, or `cutover serve proxy`, starts one")]
    Unreachable { url: String, why: String },
}

pub struct ForeignToxiproxy {
    server: Arc<Server>,
    /// A word that no other run has.
    run: String,
    made: AtomicU64,
}

struct Server {
    url: String,
    addr: SocketAddr,
    proxies: Mutex<BTreeSet<String>>,
    /// Whether the run is over, so that no proxy is made any more. While one is made, the lock is held: an interrupted
    /// run leaves requests behind that continue in threads of their own.
    over: RwLock<bool>,
}

impl ForeignToxiproxy {
    pub async fn reach(url: &str, run: &str) -> Result<ForeignToxiproxy, ForeignError> {
        learn(url);
        let (given, url) = (url, masked(url));
        let wrong = || ForeignError::Url { url: url.clone() };
        let authority = authority(given).ok_or_else(wrong)?;
        let resolved = tokio::task::spawn_blocking(move || authority.to_socket_addrs().ok()?.next()).await;
        let addr = resolved.ok().flatten().ok_or_else(wrong)?;
        if !addr.ip().is_loopback() {
            return Err(ForeignError::Elsewhere { url, addr });
        }
        let server = Server { url: url.clone(), addr, proxies: Mutex::default(), over: RwLock::default() };
        let why = match server.request(Method::GET, "/version", String::new()).await {
            Ok(answer) if answer.status == 200 => {
                return Ok(ForeignToxiproxy { server: Arc::new(server), run: run.to_owned(), made: AtomicU64::new(0) });
            }
            Ok(answer) => format!("what listens there answers GET /version with {}", answer.status),
            Err(error) => error.to_string(),
        };
        Err(ForeignError::Unreachable { url, why })
    }

    /// Ends the run's use of it: deletes every proxy of the run, also those that are being made, and makes no more.
    pub async fn clear(&self) -> io::Result<()> {
        let over = |server: &Server| {
            *server.over.write().unwrap_or_else(PoisonError::into_inner) = true;
            Ok(server.known().iter().cloned().collect::<Vec<String>>())
        };
        for name in blocking(&self.server, over).await? {
            self.server.delete(&name).await?;
        }
        Ok(())
    }
}

fn authority(url: &str) -> Option<String> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let authority = rest.trim_end_matches('/');
    if authority.is_empty() || authority.contains(['/', '@', '?', '#', ' ']) {
        return None;
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse::<u16>().ok()?),
        _ => (authority, DEFAULT_PORT),
    };
    (!host.is_empty()).then(|| format!("{host}:{port}"))
}

/// Runs blocking work in a thread where that is allowed, and names the Toxiproxy in errors.
async fn blocking<T: Send + 'static>(
    server: &Arc<Server>,
    work: impl FnOnce(&Server) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let theirs = Arc::clone(server);
    // The crate panics where the server is unreachable.
    let done = tokio::task::spawn_blocking(move || work(&theirs)).await;
    done.unwrap_or_else(|_| Err(io::Error::other("its client gave up"))).map_err(|error| server.named(error))
}

impl Server {
    fn named(&self, error: impl std::fmt::Display) -> io::Error {
        io::Error::other(format!("the Toxiproxy at {}: {error}", self.url))
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.proxies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn request(&self, method: Method, path: &str, body: String) -> io::Result<HttpAnswer> {
        let endpoint = Endpoint { connect: self.addr, authority: self.addr.to_string() };
        // Toxiproxy refuses browsers.
        let headers = vec![(USER_AGENT, HeaderValue::from_static("cutover"))];
        let mut client = HttpClient::new(endpoint, headers, TOXIPROXY, TOXIPROXY);
        client.request(method, path, Some("application/json"), body).await.map_err(|error| self.named(error))
    }

    async fn order(&self, method: Method, path: &str, body: String) -> io::Result<()> {
        let answer = self.request(method.clone(), path, body).await?;
        let failed = || self.named(format!("{method} {path} gives {}: {}", answer.status, answer.excerpt().trim()));
        if answer.is_ok() { Ok(()) } else { Err(failed()) }
    }

    fn make(&self, name: &str, upstream: SocketAddr) -> io::Result<SocketAddr> {
        let over = self.over.read().unwrap_or_else(PoisonError::into_inner);
        if *over {
            return Err(io::Error::other("the run is over"));
        }
        self.known().insert(name.to_owned());
        let listen = SocketAddr::new(self.addr.ip(), 0);
        let pack = ProxyPack::new(name.to_owned(), listen.to_string(), upstream.to_string());
        let made = Client::new(self.addr).populate(vec![pack]).map_err(io::Error::other)?;
        let made = made.first().ok_or_else(|| io::Error::other(format!("it did not make the proxy {name}")))?;
        let listens = made.proxy_pack.listen.parse();
        listens.map_err(|_| io::Error::other(format!("the proxy {name} listens on `{}`", made.proxy_pack.listen)))
    }

    async fn delete(&self, name: &str) -> io::Result<()> {
        let answer = self.request(Method::DELETE, &format!("/proxies/{name}"), String::new()).await?;
        if answer.is_ok() || answer.status == 404 {
            self.known().remove(name);
            return Ok(());
        }
        Err(self.named(format!("deleting {name} gives {}: {}", answer.status, answer.excerpt().trim())))
    }

    /// Adds a toxic with the crate and returns the name that the crate gave it. `None` where the crate does not have
    /// the type, or the name is taken.
    fn add_by_crate(&self, name: &str, toxic: &Toxic) -> io::Result<Option<String>> {
        let proxy = Client::new(self.addr).find_proxy(name).map_err(io::Error::other)?;
        let (kind, stream) = (toxic.toxic.type_name(), toxic.direction.as_str());
        let called = format!("{kind}_{stream}");
        let is_there = || -> io::Result<bool> {
            let toxics = proxy.toxics().map_err(io::Error::other)?;
            Ok(toxics.iter().any(|there| there.name == called))
        };
        if is_there()? || !send_by_crate(&proxy, toxic) {
            return Ok(None);
        }
        if !is_there()? {
            return Err(io::Error::other(format!("it did not take the toxic {kind} on {name}")));
        }
        Ok(Some(called))
    }
}

fn number(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

/// `false` where the crate does not have the type.
fn send_by_crate(proxy: &Proxy, toxic: &Toxic) -> bool {
    let stream = toxic.direction.as_str().to_owned();
    let toxicity = toxic.toxicity as f32;
    let _ = match toxic.toxic {
        ByteToxic::Latency { latency, jitter } => proxy.with_latency(stream, number(latency), number(jitter), toxicity),
        ByteToxic::Bandwidth { rate } => proxy.with_bandwidth(stream, number(rate), toxicity),
        ByteToxic::SlowClose { delay } => proxy.with_slow_close(stream, number(delay), toxicity),
        ByteToxic::Timeout { timeout } => proxy.with_timeout(stream, number(timeout), toxicity),
        ByteToxic::Slicer { average_size, size_variation, delay } => {
            proxy.with_slicer(stream, number(average_size), number(size_variation), number(delay), toxicity)
        }
        ByteToxic::LimitData { bytes } => proxy.with_limit_data(stream, number(bytes), toxicity),
        _ => return false,
    };
    true
}

fn body(name: &str, toxic: &Toxic) -> io::Result<String> {
    let mut body = serde_json::to_value(&toxic.toxic).map_err(io::Error::other)?;
    if let Some(fields) = body.as_object_mut() {
        fields.insert("name".to_owned(), name.into());
        fields.insert("stream".to_owned(), toxic.direction.as_str().into());
        fields.insert("toxicity".to_owned(), toxic.toxicity.into());
    }
    Ok(body.to_string())
}

#[async_trait]
impl ByteToxics for ForeignToxiproxy {
    async fn front(&self, name: &str, upstream: SocketAddr) -> io::Result<Box<dyn Front>> {
        let nth = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        let name = format!("cutover-{}-{nth}-{name}", self.run);
        let made = name.clone();
        let addr = blocking(&self.server, move |server| server.make(&made, upstream)).await?;
        Ok(Box::new(ForeignProxy { server: Arc::clone(&self.server), name, addr, toxics: Mutex::default() }))
    }
}

struct ForeignProxy {
    server: Arc<Server>,
    name: String,
    addr: SocketAddr,
    /// Each toxic with the name that it has there.
    toxics: Mutex<Vec<(Toxic, String)>>,
}

impl ForeignProxy {
    fn toxics(&self) -> MutexGuard<'_, Vec<(Toxic, String)>> {
        self.toxics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Front for ForeignProxy {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    async fn add(&self, toxic: &Toxic) -> io::Result<()> {
        let (name, wanted) = (self.name.clone(), toxic.clone());
        let added = blocking(&self.server, move |server| server.add_by_crate(&name, &wanted)).await?;
        let called = match added {
            Some(called) => called,
            None => {
                let called = toxic.name.as_str().replace(['@', '/'], "-");
                let path = format!("/proxies/{}/toxics", self.name);
                self.server.order(Method::POST, &path, body(&called, toxic)?).await?;
                called
            }
        };
        self.toxics().push((toxic.clone(), called));
        Ok(())
    }

    async fn remove(&self, toxic: &Toxic) -> io::Result<()> {
        let called = self.toxics().iter().find(|(there, _)| there.name == toxic.name).map(|(_, called)| called.clone());
        let Some(called) = called else {
            return Ok(());
        };
        let path = format!("/proxies/{}/toxics/{called}", self.name);
        self.server.order(Method::DELETE, &path, String::new()).await?;
        self.toxics().retain(|(there, _)| there.name != toxic.name);
        Ok(())
    }

    async fn end(&self) {
        // What stays is deleted with the run.
        let _ = self.server.delete(&self.name).await;
    }
}

#[cfg(test)]
mod tests;
