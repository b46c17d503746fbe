//! What the server counts, in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The upper bounds of the buckets of the fanout latency, in seconds.
const SECONDS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];
/// The upper bounds of the buckets of the replay gap, in events.
const EVENTS: &[f64] = &[0.0, 10.0, 100.0, 1_000.0, 10_000.0];

#[derive(Default)]
pub(crate) struct Metrics(Mutex<Values>);

#[derive(Default)]
struct Values {
    /// By name and code.
    counters: BTreeMap<(String, String), u64>,
    /// How far behind the head the last batch of each topic ended.
    lags: BTreeMap<String, u64>,
    gaps: Histogram,
    latencies: Histogram,
}

#[derive(Default)]
struct Histogram {
    /// How many values are at most each bound.
    buckets: BTreeMap<usize, u64>,
    count: u64,
    sum: f64,
}

impl Histogram {
    fn add(&mut self, bounds: &[f64], value: f64) {
        for (at, _) in bounds.iter().enumerate().filter(|(_, bound)| value <= **bound) {
            *self.buckets.entry(at).or_default() += 1;
        }
        self.count += 1;
        self.sum += value;
    }

    fn print(&self, name: &str, bounds: &[f64], text: &mut String) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "# TYPE legacy_{name} histogram");
        for (at, bound) in bounds.iter().enumerate() {
            let count = self.buckets.get(&at).copied().unwrap_or(0);
            let _ = writeln!(text, "legacy_{name}_bucket{{le=\"{bound}\"}} {count}");
        }
        let _ = writeln!(text, "legacy_{name}_bucket{{le=\"+Inf\"}} {}", self.count);
        let _ = writeln!(text, "legacy_{name}_sum {}\nlegacy_{name}_count {}", self.sum, self.count);
    }
}

impl Metrics {
    pub(crate) fn count(&self, name: &str, code: &str) {
        self.change(|values| *values.counters.entry((name.to_owned(), code.to_owned())).or_default() += 1);
    }

    /// A batch of a topic was sent, and the head was so many events further.
    pub(crate) fn sent(&self, topic: &str, lag: u64) {
        self.change(|values| *values.lags.entry(topic.to_owned()).or_default() = lag);
    }

    /// A cursor was resumed so many events behind the head.
    pub(crate) fn resumed(&self, gap: u64) {
        self.change(|values| values.gaps.add(EVENTS, gap as f64));
    }

    /// An event was pushed to a client so long after it was written.
    pub(crate) fn fanned_out(&self, after: Duration) {
        self.change(|values| values.latencies.add(SECONDS, after.as_secs_f64()));
    }

    /// The metrics. The numbers of sockets and of clients by their names stand beside the others.
    pub(crate) fn text(&self, sockets: usize, clients: &BTreeMap<String, u64>) -> String {
        let mut text = String::new();
        self.change(|values| {
            let mut last = "";
            for ((name, code), count) in &values.counters {
                if last != name {
                    let _ = writeln!(text, "# TYPE legacy_{name}_total counter");
                }
                let _ = writeln!(text, "legacy_{name}_total{{code=\"{}\"}} {count}", label(code));
                last = name;
            }
            gauge(&mut text, "sequence_lag", "topic", &values.lags);
            values.gaps.print("replay_gap_events", EVENTS, &mut text);
            values.latencies.print("fanout_latency_seconds", SECONDS, &mut text);
        });
        gauge(&mut text, "clients", "client", clients);
        let _ = writeln!(text, "# TYPE legacy_sockets gauge\nlegacy_sockets {sockets}");
        text
    }

    fn change(&self, change: impl FnOnce(&mut Values)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn gauge(text: &mut String, name: &str, of: &str, values: &BTreeMap<String, u64>) {
    let _ = writeln!(text, "# TYPE legacy_{name} gauge");
    for (key, value) in values {
        let _ = writeln!(text, "legacy_{name}{{{of}=\"{}\"}} {value}", label(key));
    }
}

/// A label's value, as the format has it.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests;
