//! Our proxy, as a process of its own like the others: the benchmark starts itself again.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use cutover_core::history::Fire;
use cutover_core::ids::{ClientId, FaultId, Seq, StreamId};
use cutover_core::plan::{
    Cut, Direction, FaultKind, MessageFilter, MessageKind, PlannedFault, Position, Predicate, Times, When,
};
use cutover_live::frame::{Edit, Frame, FrameTag, FrameTagger, TaggerFactory};
use cutover_live::lane::names::Names;
use cutover_live::lane::phoenix::{PhoenixLane, PhoenixProfile};
use cutover_live::proxy::{LedgerSink, MessageToxic, Proxy, ProxyConfig, UpstreamAddr};
use tokio::sync::watch;

use crate::payload::STREAM;

/// The line by which the address is told to who started the process, but for the address.
pub const LISTENING: &str = "listening on ";

/// The most connections at a time, idle ones included.
const CONNECTIONS_MAX: usize = 20_000;

/// Runs until it is killed. `arguments`: the lane's address, `transparent` or `armed`, and the runtime: `current` for
/// one thread, a number of threads, or anything else for a thread per core.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let [lane, arms, runtime] = arguments else {
        return Err("an address, what is armed and a runtime are expected".to_owned());
    };
    let lane: SocketAddr = lane.parse().map_err(|error| format!("{lane}: {error}"))?;
    let mut builder = match runtime.as_str() {
        "current" => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    if let Ok(threads @ 1..) = runtime.parse() {
        builder.worker_threads(threads);
    }
    let runtime = builder.enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(serve(lane, arms == "armed")).map_err(|error| error.to_string())
}

async fn serve(lane: SocketAddr, armed: bool) -> io::Result<()> {
    let upstream = UpstreamAddr::plain(lane);
    // The sender has to live: without it the lane would count as gone.
    let (_sender, upstream) = watch::channel(Some(upstream));
    let factory = if armed { phoenix()? } else { Arc::new(Unread) };
    let mut config = ProxyConfig::transparent("bench".into(), upstream, factory, Arc::new(NoLedger));
    config.limits.connections_max = CONNECTIONS_MAX;
    if armed {
        config.faults = faults().into_iter().map(MessageToxic::from).collect();
    }
    let proxy = Proxy::start(config).await?;
    println!("{LISTENING}{}", proxy.addr());
    io::stdout().flush()?;
    std::future::pending().await
}

fn phoenix() -> io::Result<Arc<dyn TaggerFactory>> {
    let profile = PhoenixProfile::of_url("ws://lane.example").map_err(io::Error::other)?;
    let names = Names::new([StreamId::new(STREAM)], None).map_err(io::Error::other)?;
    Ok(Arc::new(PhoenixLane::new(Arc::new(profile), Arc::new(names))))
}

/// Faults that have to look at every message, and strike none.
fn faults() -> Vec<PlannedFault> {
    let by_payload = |direction, kind| {
        Position::Message(MessageFilter {
            kind,
            payload: Some(Predicate { pointer: "/never".to_owned(), equals: Some("true".to_owned()) }),
            nth: Some(u32::MAX),
            ..MessageFilter::any(direction)
        })
    };
    let by_seq = Position::Delivery { stream: StreamId::new(STREAM), seq: Seq(u64::MAX) };
    let repeat = FaultKind::Repeat { more: 1 };
    let cut = FaultKind::Cut { how: Cut::Close { code: 1012 }, when: When::After };
    let planned = [
        (by_payload(Direction::Downstream, Some(MessageKind::Delivery)), repeat),
        (by_payload(Direction::Downstream, None), FaultKind::Delay { ms: 1 }),
        (by_payload(Direction::Upstream, None), FaultKind::Drop),
        (by_seq, cut),
    ];
    let fault = |(number, (at, kind))| PlannedFault {
        id: FaultId::new(format!("never-{number}")),
        lane: None,
        client: "bench".into(),
        at,
        kind,
        times: Times::Always,
    };
    planned.into_iter().enumerate().map(fault).collect()
}

/// Reads nothing: what a proxy uses that knows no protocol.
struct Unread;

impl TaggerFactory for Unread {
    fn tagger(&self, _: &str, _: Option<&str>) -> Arc<dyn FrameTagger> {
        Arc::new(Unread)
    }
}

impl FrameTagger for Unread {
    fn tag(&self, _: &Frame) -> FrameTag {
        FrameTag::Other
    }

    fn edit(&self, _: &Frame, _: &Edit) -> Option<Frame> {
        None
    }
}

struct NoLedger;

impl LedgerSink for NoLedger {
    fn fired(&self, fault: &FaultId, _: &ClientId, _: Fire) {
        eprintln!("{fault} has struck, and must not have");
    }
}
