//! What all connections of a proxy share, and what both directions of one connection share.

use std::sync::{Arc, OnceLock};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::config::{Limits, Unreachable};
use super::exchange::Exchange;
use super::interceptor::Interceptor;
use super::stats::Stats;
use super::upstream::{Tls, Upstream};
use crate::frame::TaggerFactory;
use crate::toxic::Toxic;

pub(super) struct Shared {
    pub(super) upstream: Upstream,
    pub(super) unreachable: Unreachable,
    pub(super) toxics: watch::Sender<Arc<[Toxic]>>,
    pub(super) factory: Arc<dyn TaggerFactory>,
    pub(super) interceptor: Interceptor,
    pub(super) limits: Limits,
    pub(super) stats: Stats,
    pub(super) tls: Tls,
    pub(super) heal: CancellationToken,
    pub(super) shutdown: CancellationToken,
}

#[derive(Clone)]
pub(super) struct Conn {
    pub(super) number: u32,
    pub(super) shared: Arc<Shared>,
    pub(super) exchange: Arc<Exchange>,
    pub(super) stop: CancellationToken,
    /// Whether the client ended it, once it is ended.
    pub(super) ended_by_client: Arc<OnceLock<bool>>,
}
