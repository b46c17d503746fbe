//! The state as Prometheus reads it (text format 0.0.4), at `/metrics`.

use std::fmt::Write;
use std::net::SocketAddr;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use cutover_core::ids::LaneId;
use cutover_core::shadow::{Followed, LaneFollowed};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::exit::Failure;
use crate::out::note;

/// Serves the state until the task is aborted.
pub async fn serve(address: SocketAddr, states: watch::Receiver<Followed>) -> Result<JoinHandle<()>, Failure> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let at = listener.local_addr()?;
        std::io::Result::Ok((listener, at))
    };
    let (listener, at) = bound.await.map_err(|error| {
        Failure::environment(format!("cannot listen at {address} for --metrics: {error}")).hint("give another address")
    })?;
    note(&format!("metrics at http://{at}/metrics"));
    let answer = move || async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text(&states.borrow())) };
    let router = Router::new().route("/metrics", get(answer));
    Ok(tokio::spawn(async move {
        let _ = axum::serve(listener, router).await;
    }))
}

type Gauge = (&'static str, &'static str, fn(&LaneFollowed) -> u64);

/// What is told of each lane: name, help, value.
const GAUGES: [Gauge; 7] = [
    ("connected", "Whether the lane serves its client.", |lane| u64::from(lane.connected)),
    ("connections_total", "Connections that came to follow their streams.", |lane| lane.connections),
    ("failed_opens_total", "Connections that could not be opened.", |lane| lane.failed_opens),
    ("down_ms_total", "Milliseconds without a connection.", |lane| lane.down_ms),
    ("behind_events", "Events of the other lane that this one has yet to deliver.", |lane| lane.waiting),
    ("behind_ms", "Milliseconds for which the oldest of them has waited.", |lane| lane.behind_ms),
    ("odd_messages_total", "Messages that break a rule or cannot be read.", |lane| lane.odd),
];

/// The state in the text format of Prometheus.
pub fn text(followed: &Followed) -> String {
    let mut page = String::new();
    let mut family = |name: &str, help: &str, samples: &[(String, u64)]| {
        let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
        let _ = writeln!(page, "# HELP cutover_shadow_{name} {help}\n# TYPE cutover_shadow_{name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(page, "cutover_shadow_{name}{labels} {value}");
        }
    };
    family("divergences_total", "Divergences of the lanes.", &[(String::new(), followed.seen.diverged)]);
    let of_streams = |value: &dyn Fn(&cutover_core::shadow::StreamSeen) -> u64| -> Vec<(String, u64)> {
        let each = followed.seen.streams.iter();
        each.map(|(name, seen)| (format!("{{stream=\"{}\"}}", label(name.as_str())), value(seen))).collect()
    };
    family("compared_total", "Events that both lanes delivered.", &of_streams(&|seen| seen.compared));
    let of_both = |value: fn(&cutover_core::shadow::LaneSeen) -> u64| -> Vec<(String, u64)> {
        let each = followed.seen.streams.iter().flat_map(|(name, seen)| {
            LaneId::BOTH
                .map(|lane| (format!("{{lane=\"{lane}\",stream=\"{}\"}}", label(name.as_str())), value(seen.of(lane))))
        });
        each.collect()
    };
    family("last_seq", "The last event that the client applied.", &of_both(|seen| seen.last.map_or(0, |seq| seq.0)));
    family("duplicates_total", "Events that came once more.", &of_both(|seen| seen.duplicates));
    family("lost_total", "Events that were never delivered.", &of_both(|seen| seen.lost));
    for (name, help, value) in GAUGES {
        let each = followed.lanes.iter().map(|(lane, served)| (format!("{{lane=\"{lane}\"}}"), value(served)));
        family(name, help, &each.collect::<Vec<_>>());
    }
    page
}

/// The text of a label, with the escapes of the format.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests;
