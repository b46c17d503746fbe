//! cutover-toxiproxy: the fault proxy as a service of its own, with Toxiproxy's HTTP API.
//!
//! Its proxies are those of `cutover-live`. Its answers are those of Toxiproxy 2.x, including the texts. It adds `ws_*`
//! toxics and the ledger.
#![allow(missing_docs, reason = "the names say it")]

mod answer;
mod config;
mod error;
mod foreign;
mod go;
mod handlers;
mod ledger;
mod message;
mod metrics;
mod proxies;
mod proxy;
mod routes;
mod server;
mod toxics;
mod upstream;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use cutover_live::proxy::Limits;
use tokio::net::TcpListener;

pub use config::ConfigError;
pub use foreign::{ForeignError, ForeignToxiproxy};
pub use handlers::COMPATIBLE_WITH;
use proxies::Proxies;
use server::Api;

#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the API listens: `host:port`, `:port` for every interface, or a port of this machine's; 0 takes a free
    /// one.
    pub listen: String,
    /// A Toxiproxy configuration file whose proxies are there from the beginning.
    pub config: Option<PathBuf>,
    /// The seed of everything random: which connections a toxicity takes, jitter, the sizes of slices.
    pub seed: u64,
    pub limits: Limits,
}

#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot listen on {0}")]
    Address(String),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("cannot open the proxies of {path}: {why}")]
    Open { path: String, why: String },
}

pub struct Service {
    listener: TcpListener,
    local: SocketAddr,
    proxies: Arc<Proxies>,
}

impl Service {
    /// Reads the configuration file, takes the API's address and opens the configured proxies.
    ///
    /// # Errors
    /// Where the file is wrong, or an address is unavailable. Then nothing listens.
    pub async fn bind(settings: Settings) -> Result<Service, ServiceError> {
        let configured = settings.config.map(config::read).transpose()?;
        let text = match settings.listen {
            port if port.bytes().all(|byte| byte.is_ascii_digit()) => format!("localhost:{port}"),
            whole => whole,
        };
        let listen = go::address::listen(&text).await;
        let listen = listen.map_err(|why| ServiceError::Address(format!("`{text}`: {why}")))?;
        let cannot = |source| ServiceError::Listen { address: listen, source };
        let listener = match TcpListener::bind(listen).await {
            Err(error) => match go::address::without_ipv6(listen, &error) {
                Some(listen) => TcpListener::bind(listen).await,
                None => Err(error),
            },
            bound => bound,
        };
        let listener = listener.map_err(cannot)?;
        let local = listener.local_addr().map_err(cannot)?;
        let proxies = Arc::new(Proxies::new(settings.seed, settings.limits));
        if let Some(config) = configured {
            let (_, error) = proxies.populate(&config.text).await;
            if let Some(error) = error {
                proxies.close().await;
                return Err(ServiceError::Open { path: config.path.display().to_string(), why: error.message });
            }
        }
        Ok(Service { listener, local, proxies })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Answers until `stopped` is ready, then closes all proxies.
    pub async fn run(self, stopped: impl Future<Output = ()>) {
        let api = Arc::new(Api::new(Arc::clone(&self.proxies)));
        server::serve(self.listener, api, stopped).await;
        self.proxies.close().await;
    }
}
