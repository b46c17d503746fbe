//! Numbers for Prometheus, in its text format: Toxiproxy's own names, and ours beside them.

use std::fmt::Write;

use crate::door::{Flow, Traffic};
use crate::proxies::Proxies;
use crate::proxy::Route;

/// The text format's content type.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A number with its labels, as a line has them.
struct Sample {
    labels: String,
    value: u64,
}

/// What there is to say of one proxy.
struct Seen {
    name: String,
    routes: Vec<Route>,
    strikes: Vec<(String, &'static str, u64)>,
}

/// All numbers.
pub async fn text(proxies: &Proxies) -> String {
    let mut seen = Vec::new();
    for proxy in proxies.all().await {
        seen.push(Seen {
            name: proxy.name().to_owned(),
            routes: proxy.traffic().await,
            strikes: proxy.ledger().strikes(),
        });
    }
    let mut out = String::new();
    // Toxiproxy gives its two metrics no help text.
    by_direction(&mut out, "toxiproxy_proxy_received_bytes_total", "", &seen, |flow| flow.received);
    by_direction(&mut out, "toxiproxy_proxy_sent_bytes_total", "", &seen, |flow| flow.sent);
    by_direction(
        &mut out,
        "cutover_proxy_frames_total",
        "Messages read: WebSocket messages, control frames and HTTP messages.",
        &seen,
        |flow| flow.frames,
    );
    by_proxy(&mut out, "cutover_proxy_connections_total", "Connections accepted.", &seen, |traffic| {
        traffic.connections
    });
    by_proxy(
        &mut out,
        "cutover_proxy_unreachable_total",
        "Connections for which upstream could not be reached.",
        &seen,
        |traffic| traffic.unreachable,
    );
    by_proxy(
        &mut out,
        "cutover_proxy_raw_fallbacks_total",
        "How often a connection, or one direction of it, could not be read and was relayed byte by byte.",
        &seen,
        |traffic| traffic.raw_fallbacks,
    );
    by_proxy(
        &mut out,
        "cutover_proxy_too_big_total",
        "Messages that passed unread because they were longer than the limit.",
        &seen,
        |traffic| traffic.too_big,
    );
    let strikes = seen.iter().flat_map(|proxy| {
        proxy.strikes.iter().map(|(toxic, of, value)| Sample {
            labels: format!("proxy={},toxic={},type={}", label(&proxy.name), label(toxic), label(of)),
            value: *value,
        })
    });
    family(&mut out, "cutover_toxic_strikes_total", "What each armed toxic struck.", strikes.collect());
    out
}

fn by_direction(out: &mut String, name: &str, help: &str, seen: &[Seen], of: impl Fn(&Flow) -> u64) {
    let mut samples = Vec::new();
    for proxy in seen {
        for route in &proxy.routes {
            let flows = [("downstream", &route.traffic.downstream), ("upstream", &route.traffic.upstream)];
            samples.extend(flows.map(|(direction, flow)| Sample {
                labels: format!("direction=\"{direction}\",{}", way(&proxy.name, route)),
                value: of(flow),
            }));
        }
    }
    family(out, name, help, samples);
}

fn by_proxy(out: &mut String, name: &str, help: &str, seen: &[Seen], of: impl Fn(&Traffic) -> u64) {
    let samples = seen.iter().flat_map(|proxy| {
        let of = &of;
        proxy.routes.iter().map(move |route| Sample { labels: way(&proxy.name, route), value: of(&route.traffic) })
    });
    let samples = samples.collect();
    family(out, name, help, samples);
}

fn way(proxy: &str, route: &Route) -> String {
    format!("listener={},proxy={},upstream={}", label(&route.listen), label(proxy), label(&route.upstream))
}

/// A metric with its samples; nothing where there are none, as in Prometheus' own libraries.
fn family(out: &mut String, name: &str, help: &str, mut samples: Vec<Sample>) {
    if samples.is_empty() {
        return;
    }
    samples.sort_by(|a, b| a.labels.cmp(&b.labels));
    // Writing to a string never fails.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter");
    for Sample { labels, value } in samples {
        let _ = writeln!(out, "{name}{{{labels}}} {value}");
    }
}

fn label(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{text}\"")
}
