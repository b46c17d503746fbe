#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn each_metric_has_its_type_once_and_its_samples() {
    let metrics = Metrics::default();
    metrics.count("stale_cursors", "retention_floor_breach");
    metrics.count("stale_cursors", "retention_floor_breach");
    metrics.count("stale_cursors", "replay_budget_exceeded");
    metrics.sent("run:a:events", 3);
    metrics.sent("run:a:events", 0);
    metrics.resumed(60);
    metrics.fanned_out(Duration::from_millis(3));
    let text = metrics.text(2, &BTreeMap::from([("a \"b\"".to_owned(), 1)]));
    for line in [
        "legacy_stale_cursors_total{code=\"retention_floor_breach\"} 2",
        "legacy_stale_cursors_total{code=\"replay_budget_exceeded\"} 1",
        "legacy_sequence_lag{topic=\"run:a:events\"} 0",
        "legacy_replay_gap_events_bucket{le=\"10\"} 0",
        "legacy_replay_gap_events_bucket{le=\"100\"} 1",
        "legacy_replay_gap_events_sum 60",
        "legacy_fanout_latency_seconds_bucket{le=\"0.001\"} 0",
        "legacy_fanout_latency_seconds_bucket{le=\"0.005\"} 1",
        "legacy_fanout_latency_seconds_bucket{le=\"+Inf\"} 1",
        "legacy_clients{client=\"a \\\"b\\\"\"} 1",
        "legacy_sockets 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    let types: Vec<_> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    assert_eq!(types.len(), types.iter().collect::<std::collections::BTreeSet<_>>().len());
}
