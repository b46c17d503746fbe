//! The stock scenarios, built in, so that the gate works wherever the binary is.

macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../../../", $path)))),+]
    };
}

/// Path and text of every stock scenario, honest ones first, each part sorted by name.
pub fn stock() -> &'static [(&'static str, &'static str)] {
    STOCK
}

const STOCK: &[(&str, &str)] = files![
    "scenarios/awkward-payloads.toml",
    "scenarios/candidate-killed.toml",
    "scenarios/client-crash.toml",
    "scenarios/cursor-carried-over.toml",
    "scenarios/cursor-rewritten-below-floor.toml",
    "scenarios/cursor-rewritten-foreign.toml",
    "scenarios/cursor-rewritten-future.toml",
    "scenarios/cursor-rewritten-stale.toml",
    "scenarios/cut-during-replay.toml",
    "scenarios/cut-during-resume.toml",
    "scenarios/deliveries-held.toml",
    "scenarios/deliveries-repeated.toml",
    "scenarios/equal-streams.toml",
    "scenarios/future-cursor.toml",
    "scenarios/key-conflict.toml",
    "scenarios/keys-per-stream.toml",
    "scenarios/large-payloads.toml",
    "scenarios/late-joiner.toml",
    "scenarios/legacy-killed.toml",
    "scenarios/lost-ack.toml",
    "scenarios/policy-changed.toml",
    "scenarios/publishes-repeated.toml",
    "scenarios/reconnect-storm.toml",
    "scenarios/repeat-after-pruning.toml",
    "scenarios/resume-after-cut.toml",
    "scenarios/resume-after-loss.toml",
    "scenarios/resume-after-silence.toml",
    "scenarios/server-paused.toml",
    "scenarios/servers-killed.toml",
    "scenarios/several-devices.toml",
    "scenarios/skewed-streams.toml",
    "scenarios/stale-below-floor.toml",
    "scenarios/stale-beyond-budget.toml",
    "scenarios/stale-one-of-two.toml",
    "scenarios/stale-several.toml",
    "scenarios/topics-apart.toml",
    "scenarios/known-bad/accept-conflict.toml",
    "scenarios/known-bad/accept-stale.toml",
    "scenarios/known-bad/ack-before-journal.toml",
    "scenarios/known-bad/candidate-changes-payload.toml",
    "scenarios/known-bad/candidate-drops-event.toml",
    "scenarios/known-bad/candidate-misdelivers.toml",
    "scenarios/known-bad/candidate-swaps-events.toml",
    "scenarios/known-bad/change-payload.toml",
    "scenarios/known-bad/cross-streams.toml",
    "scenarios/known-bad/drop-event.toml",
    "scenarios/known-bad/duplicate-seq.toml",
    "scenarios/known-bad/fault-never-fires.toml",
    "scenarios/known-bad/forget-after-restart.toml",
    "scenarios/known-bad/forget-topic-after-restart.toml",
    "scenarios/known-bad/ignore-idempotency.toml",
    "scenarios/known-bad/ignore-retention.toml",
    "scenarios/known-bad/phantom.toml",
    "scenarios/known-bad/skip-live.toml",
    "scenarios/known-bad/stale-first-only.toml",
    "scenarios/known-bad/stale-off-by-one.toml",
    "scenarios/known-bad/stop-tail.toml",
    "scenarios/known-bad/swap-live.toml",
    "scenarios/known-bad/wrong-frame-seq.toml",
    "scenarios/known-bad/wrong-hash.toml",
    "scenarios/known-bad/wrong-stale-reason.toml",
];
