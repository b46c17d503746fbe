//! Numbers for Prometheus, in its text format: Toxiproxy's own names, and ours beside them.

use std::fmt::Write;

use cutover_live::proxy::{Flow, ProxyStats};

use crate::proxies::Proxies;
use crate::proxy::Route;

pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

type Sample = (String, u64);

/// A metric: its name, its help text, and its number of a `T`.
type Metric<T> = (&'static str, &'static str, fn(&T) -> u64);

/// The metrics of each direction. Toxiproxy gives its own two no help text.
const BY_DIRECTION: [Metric<Flow>; 3] = [
    ("toxiproxy_proxy_received_bytes_total", "", |flow| flow.received),
    ("toxiproxy_proxy_sent_bytes_total", "", |flow| flow.bytes),
    ("cutover_proxy_frames_total", "Messages read: WebSocket messages, control frames and HTTP messages.", |flow| {
        flow.frames
    }),
];

const BY_ROUTE: [Metric<ProxyStats>; 4] = [
    ("cutover_proxy_connections_total", "Connections accepted.", |stats| stats.connections),
    ("cutover_proxy_unreachable_total", "Connections for which upstream could not be reached.", |stats| {
        stats.unreachable
    }),
    (
        "cutover_proxy_raw_fallbacks_total",
        "How often a connection, or one direction of it, could not be read and was relayed byte by byte.",
        |stats| stats.raw_fallbacks,
    ),
    ("cutover_proxy_too_big_total", "Messages that passed unread because they were longer than the limit.", |stats| {
        stats.too_big
    }),
];

pub async fn text(proxies: &Proxies) -> String {
    let (mut routes, mut fires) = (Vec::new(), Vec::new());
    for proxy in proxies.all().await {
        let name = label(proxy.name());
        routes.extend(proxy.traffic().await.into_iter().map(|route| (labels(&name, &route), route.traffic)));
        fires.extend(
            proxy
                .ledger()
                .fires()
                .into_iter()
                .map(|(toxic, of, times)| (format!("proxy={name},toxic={},type={}", label(&toxic), label(of)), times)),
        );
    }
    let mut out = String::new();
    for (name, help, of) in BY_DIRECTION {
        let samples = routes.iter().flat_map(|(labels, stats)| {
            let flows = [("downstream", &stats.to_client), ("upstream", &stats.to_lane)];
            flows.map(|(direction, flow)| (format!("direction=\"{direction}\",{labels}"), of(flow)))
        });
        family(&mut out, name, help, samples.collect());
    }
    for (name, help, of) in BY_ROUTE {
        let samples = routes.iter().map(|(labels, stats)| (labels.clone(), of(stats)));
        family(&mut out, name, help, samples.collect());
    }
    family(&mut out, "cutover_toxic_strikes_total", "What each armed toxic struck.", fires);
    out
}

fn labels(name: &str, route: &Route) -> String {
    format!("listener={},proxy={name},upstream={}", label(&route.listen), label(&route.upstream))
}

/// A metric with its samples; nothing where there are none, as in Prometheus' own libraries.
fn family(out: &mut String, name: &str, help: &str, mut samples: Vec<Sample>) {
    if samples.is_empty() {
        return;
    }
    samples.sort_by(|a, b| a.0.cmp(&b.0));
    // Writing to a string never fails.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter");
    for (labels, value) in samples {
        let _ = writeln!(out, "{name}{{{labels}}} {value}");
    }
}

fn label(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{text}\"")
}
