//! A Toxiproxy of somebody else's, whose proxies take a run's byte toxics; driven with the crate `toxiproxy_rust`.
//!
//! Each proxy has a name that no other run has, and is deleted at the end. The crate knows no `reset_peer`, no toxics by
//! names of our own and no way to take off a single one, and says nothing where the server refuses a toxic: those requests are made here,
//! and after each toxic the server is asked whether it is there.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use cutover_core::plan::ByteToxic;
use cutover_core::text::{learn, masked};
use cutover_live::drive::{ByteToxics, Front};
use cutover_live::toxic::Toxic;
use toxiproxy_rust::client::Client;
use toxiproxy_rust::proxy::{Proxy, ProxyPack};

/// Where a Toxiproxy listens that was told nothing else.
const DEFAULT_PORT: u16 = 8474;
/// Longest wait for an answer to a request of ours.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// More than this is no answer of a Toxiproxy's.
const MAX_ANSWER_BYTES: u64 = 1 << 20;

/// Why a Toxiproxy can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// Its address is none.
    #[error("`{url}` is no address of a Toxiproxy; give one like http://127.0.0.1:{DEFAULT_PORT}")]
    Url {
        /// As it was given.
        url: String,
    },
    /// It is on another machine.
    #[error(
        "the Toxiproxy at {url} is not on this machine ({addr}): it has to reach proxies that listen on 127.0.0.1; start one \
         here"
    )]
    Elsewhere {
        /// As it was given.
        url: String,
        /// Where it is.
        addr: SocketAddr,
    },
    /// It does not answer.
    #[error("no Toxiproxy answers at {url}: {why}; `toxiproxy-server`, or `cutover serve proxy`, starts one")]
    Unreachable {
        /// As it was given.
        url: String,
        /// What was seen.
        why: String,
    },
}

/// A Toxiproxy that answered.
pub struct ForeignToxiproxy {
    server: Arc<Server>,
    /// A word that no other run has.
    run: String,
    made: AtomicU64,
}

struct Server {
    url: String,
    addr: SocketAddr,
    /// Proxies that were asked for and not deleted.
    proxies: Mutex<BTreeSet<String>>,
    /// Whether the run is over, so that none is made any more. Whoever makes one holds it open meanwhile: a run that is
    /// interrupted leaves requests behind that go on in threads of their own.
    over: RwLock<bool>,
}

impl ForeignToxiproxy {
    /// Finds a Toxiproxy. `run` is a word of letters and digits that no other run has.
    ///
    /// # Errors
    /// Where it can't be had, or not be used.
    pub async fn reach(url: &str, run: &str) -> Result<ForeignToxiproxy, ForeignError> {
        learn(url);
        let (given, url) = (url, masked(url));
        let wrong = || ForeignError::Url { url: url.clone() };
        let authority = authority(given).ok_or_else(wrong)?;
        let resolved = tokio::task::spawn_blocking(move || authority.to_socket_addrs().ok()?.next()).await;
        let addr = resolved.ok().flatten().ok_or_else(wrong)?;
        if !addr.ip().is_loopback() {
            return Err(ForeignError::Elsewhere { url: url.clone(), addr });
        }
        let server = Arc::new(Server { url: url.clone(), addr, proxies: Mutex::default(), over: RwLock::default() });
        let asked = blocking(&server, |server| server.request("GET", "/version", "")).await;
        match asked {
            Ok((200, _)) => Ok(ForeignToxiproxy { server, run: run.to_owned(), made: AtomicU64::new(0) }),
            Ok((status, _)) => Err(ForeignError::Unreachable {
                url: url.clone(),
                why: format!("what listens there answers GET /version with {status}"),
            }),
            Err(error) => Err(ForeignError::Unreachable { url: url.clone(), why: error.to_string() }),
        }
    }

    /// Ends the run's use of it: deletes every proxy of the run that is still there, those among them that are just being
    /// made, and lets none be made any more.
    ///
    /// # Errors
    /// The first that can't be deleted.
    pub async fn clear(&self) -> io::Result<()> {
        blocking(&self.server, |server| {
            *server.over.write().unwrap_or_else(PoisonError::into_inner) = true;
            let names: Vec<String> = server.known().iter().cloned().collect();
            names.iter().try_for_each(|name| server.delete(name))
        })
        .await
    }
}

/// `host:port`, of a URL or of itself.
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

/// Does what blocks where it may, and says in every error which Toxiproxy it is about.
async fn blocking<T: Send + 'static>(
    server: &Arc<Server>,
    work: impl FnOnce(&Server) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (server, url) = (Arc::clone(server), server.url.clone());
    // The crate panics where the server can't be reached.
    let done = tokio::task::spawn_blocking(move || work(&server)).await;
    let done = done.unwrap_or_else(|_| Err(io::Error::other("its client gave up")));
    done.map_err(|error| io::Error::new(error.kind(), format!("the Toxiproxy at {url}: {error}")))
}

impl Server {
    fn known(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.proxies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request of ours; status and body.
    fn request(&self, method: &str, path: &str, body: &str) -> io::Result<(u16, String)> {
        let mut socket = TcpStream::connect_timeout(&self.addr, ANSWER_WITHIN)?;
        socket.set_read_timeout(Some(ANSWER_WITHIN))?;
        socket.set_write_timeout(Some(ANSWER_WITHIN))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: cutover\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.addr,
            body.len()
        );
        socket.write_all(head.as_bytes())?;
        socket.write_all(body.as_bytes())?;
        let mut answer = Vec::new();
        socket.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3))
            .and_then(|status| status.parse().ok())
            .ok_or_else(|| io::Error::other("what it answers is no HTTP"))?;
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        Ok((status, body.to_owned()))
    }

    /// A request of ours that must go well.
    fn order(&self, method: &str, path: &str, body: &str) -> io::Result<()> {
        match self.request(method, path, body)? {
            (200..=299, _) => Ok(()),
            (status, answer) => Err(io::Error::other(format!("{method} {path} gives {status}: {}", answer.trim()))),
        }
    }

    fn find(&self, name: &str) -> io::Result<Proxy> {
        Client::new(self.addr).find_proxy(name).map_err(io::Error::other)
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

    fn delete(&self, name: &str) -> io::Result<()> {
        match self.request("DELETE", &format!("/proxies/{name}"), "")? {
            (200..=299 | 404, _) => {
                self.known().remove(name);
                Ok(())
            }
            (status, answer) => Err(io::Error::other(format!("deleting {name} gives {status}: {}", answer.trim()))),
        }
    }

    /// Puts a toxic on a proxy, and returns the name that it has there.
    fn add(&self, name: &str, toxic: &Toxic) -> io::Result<String> {
        let proxy = self.find(name)?;
        let there = |proxy: &Proxy, toxic: &str| -> io::Result<bool> {
            let toxics = proxy.toxics().map_err(io::Error::other)?;
            Ok(toxics.iter().any(|there| there.name == toxic))
        };
        // The crate names a toxic so by itself.
        let (kind, stream) = (toxic.toxic.type_name(), toxic.direction.as_str());
        let by_crate = format!("{kind}_{stream}");
        let called = if there(&proxy, &by_crate)? || !add_by_crate(&proxy, toxic) {
            let called = toxic.name.as_str().replace(['@', '/'], "-");
            self.order("POST", &format!("/proxies/{name}/toxics"), &body(&called, toxic)?)?;
            called
        } else {
            by_crate
        };
        if !there(&proxy, &called)? {
            return Err(io::Error::other(format!("it did not take the toxic {kind} on {name}")));
        }
        Ok(called)
    }
}

/// A number as the crate has them; attributes are bounded far below its end.
fn number(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

/// False where the crate does not know the type.
fn add_by_crate(proxy: &Proxy, toxic: &Toxic) -> bool {
    let stream = toxic.direction.as_str().to_owned();
    let toxicity = toxic.toxicity as f32;
    match toxic.toxic {
        ByteToxic::Latency { latency, jitter } => {
            proxy.with_latency(stream, number(latency), number(jitter), toxicity);
        }
        ByteToxic::Bandwidth { rate } => {
            proxy.with_bandwidth(stream, number(rate), toxicity);
        }
        ByteToxic::SlowClose { delay } => {
            proxy.with_slow_close(stream, number(delay), toxicity);
        }
        ByteToxic::Timeout { timeout } => {
            proxy.with_timeout(stream, number(timeout), toxicity);
        }
        ByteToxic::Slicer { average_size, size_variation, delay } => {
            proxy.with_slicer(stream, number(average_size), number(size_variation), number(delay), toxicity);
        }
        ByteToxic::LimitData { bytes } => {
            proxy.with_limit_data(stream, number(bytes), toxicity);
        }
        ByteToxic::ResetPeer { .. } => return false,
    }
    true
}

/// A toxic as Toxiproxy's API takes it.
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
    /// Which toxic has which name there.
    toxics: Mutex<Vec<(Toxic, String)>>,
}

impl ForeignProxy {
    fn toxics(&self) -> std::sync::MutexGuard<'_, Vec<(Toxic, String)>> {
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
        let called = blocking(&self.server, move |server| server.add(&name, &wanted)).await?;
        self.toxics().push((toxic.clone(), called));
        Ok(())
    }

    async fn remove(&self, toxic: &Toxic) -> io::Result<()> {
        let called = self.toxics().iter().find(|(there, _)| there.name == toxic.name).map(|(_, called)| called.clone());
        let Some(called) = called else {
            return Ok(());
        };
        let path = format!("/proxies/{}/toxics/{called}", self.name);
        blocking(&self.server, move |server| server.order("DELETE", &path, "")).await?;
        self.toxics().retain(|(there, _)| there.name != toxic.name);
        Ok(())
    }

    async fn end(&self) {
        let name = self.name.clone();
        // What stays is deleted with the run.
        let _ = blocking(&self.server, move |server| server.delete(&name)).await;
    }
}

#[cfg(test)]
mod tests;
