//! Reads a lane's refusal from its JSON, in the contract's words. Both lanes word refusals alike; only what they call a
//! stream differs.

use std::collections::BTreeMap;

use cutover_core::history::{Refusal, Snapshot, StaleStream};
use cutover_core::ids::StreamId;
use cutover_core::plan::{OWN_PROTOCOL, SaidProtocol, Window};
use serde_json::Value;

use super::OpError;

/// The code of a refused stale cursor (contract, "Ordering, delivery, replay").
pub(crate) const STALE_CURSOR: &str = "stale_cursor";

/// The protocol versions of the two lanes (contract, "Join").
pub(crate) const KHALA: &str = "khala.ws.v1";
pub(crate) const SPACETIME: &str = "spacetime.sync.v1";

/// The protocol version that a client says it speaks, on a lane of this one.
pub(crate) fn said(protocol: SaidProtocol, own: &str) -> &str {
    match protocol {
        SaidProtocol::Own => own,
        SaidProtocol::Another if own == KHALA => SPACETIME,
        SaidProtocol::Another => KHALA,
    }
}

/// Puts the word for the lane's own protocol version in its place, so that both lanes tell the same window.
pub(crate) fn with_own_protocol(mut refusal: Refusal, own: &str) -> Refusal {
    let quoted_own = Value::from(own).to_string();
    let told = refusal.window.get_mut("protocol_version").filter(|told| **told == quoted_own);
    if let Some(told) = told {
        OWN_PROTOCOL.clone_into(told);
    }
    refusal
}

/// The end of an operation on a stream that the run does not name; the lane is not asked.
pub(crate) fn not_in_plan(stream: &StreamId) -> OpError {
    OpError::from(refusal("not_in_plan", format!("stream `{stream}` is none of this run's")))
}

/// Reads a refusal; `stream_of` finds the stream by its name on the wire. An unknown name is kept as it is.
///
/// `None` where the value is no object with a `code` or, as Phoenix itself refuses, a `reason`.
pub(crate) fn read_refusal(json: &Value, stream_of: impl Fn(&str) -> Option<StreamId>) -> Option<Refusal> {
    let code = text(json, "code").or_else(|| text(json, "reason"))?;
    let reasons = json.get("reason_codes").and_then(Value::as_array);
    let stale = json.get("stale_topics").and_then(Value::as_array);
    let list = |at: &str| json.pointer(at).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    Some(Refusal {
        code,
        reasons: reasons.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        stale: stale.into_iter().flatten().filter_map(|entry| read_stale(entry, &stream_of)).collect(),
        full_resync: json.get("full_resync_required").and_then(Value::as_bool),
        snapshot_format: json.pointer("/snapshot_plan/format").and_then(Value::as_str).map(str::to_owned),
        snapshots: list("/snapshot_plan/topics").iter().map(|entry| read_snapshot(entry, &stream_of)).collect(),
        forbidden: list("/forbidden_topics").iter().map(|topic| topic.as_str().unwrap_or("").to_owned()).collect(),
        numbers: json.as_object().into_iter().flatten().filter_map(number).collect(),
        window: read_window(json),
        message: text(json, "message").unwrap_or_default(),
    })
}

/// What a refusal tells of the clients that are let in.
fn read_window(json: &Value) -> BTreeMap<String, String> {
    if json.get("upgrade_required").is_none() && json.get("min_client_build_id").is_none() {
        return BTreeMap::new();
    }
    let fields = Window::default().told().into_keys();
    fields.filter_map(|field| Some((field.clone(), json.get(&field)?.to_string()))).collect()
}

/// A refusal that is not the lane's own wording: a bare status, or a request that was never sent.
pub(crate) fn refusal(code: impl Into<String>, message: impl Into<String>) -> Refusal {
    Refusal { code: code.into(), message: message.into(), ..Refusal::default() }
}

/// A refusal's code, with the topics that it forbids.
pub(crate) fn told(refusal: &Refusal) -> String {
    std::iter::once(&refusal.code).chain(&refusal.forbidden).cloned().collect::<Vec<_>>().join(" ")
}

type IsOfType = fn(&Value) -> bool;

/// The fields of a stale refusal that are not there, or have another type.
pub(crate) fn missing_in_stale(refusal: &Value) -> Vec<String> {
    let mut missing = Vec::new();
    let mut want = |place: &str, value: &Value, fields: &[(&str, IsOfType)]| {
        let wrong = fields.iter().filter(|(name, is)| !value.get(*name).is_some_and(is));
        missing.extend(wrong.map(|(name, _)| format!("{place} has no `{name}` of the right type")));
    };
    want(
        "a stale refusal",
        refusal,
        &[
            ("message", Value::is_string),
            ("full_resync_required", Value::is_boolean),
            ("reason_codes", Value::is_array),
            ("stale_topics", Value::is_array),
            ("snapshot_plan", Value::is_object),
        ],
    );
    let plan = refusal.get("snapshot_plan").unwrap_or(&Value::Null);
    want("a snapshot plan", plan, &[("format", Value::is_string), ("topics", Value::is_array)]);
    for entry in refusal.get("stale_topics").and_then(Value::as_array).into_iter().flatten() {
        want(
            "an entry of stale_topics",
            entry,
            &[
                ("topic", Value::is_string),
                ("reason", Value::is_string),
                ("qos_tier", Value::is_string),
                ("resume_after", Value::is_u64),
                ("retention_floor", Value::is_u64),
                ("head_watermark", Value::is_u64),
                ("replay_lag", Value::is_u64),
                ("replay_budget_events", Value::is_u64),
            ],
        );
    }
    missing
}

fn read_stale(entry: &Value, stream_of: impl Fn(&str) -> Option<StreamId>) -> Option<StaleStream> {
    let topic = text(entry, "topic")?;
    let number = |name: &str| entry.get(name).and_then(Value::as_u64);
    Some(StaleStream {
        stream: stream_of(&topic).unwrap_or_else(|| StreamId::new(topic)),
        reason: text(entry, "reason").unwrap_or_default(),
        qos_tier: text(entry, "qos_tier"),
        resume_after: number("resume_after"),
        retention_floor: number("retention_floor"),
        head_watermark: number("head_watermark"),
        replay_lag: number("replay_lag"),
        replay_budget_events: number("replay_budget_events"),
    })
}

fn read_snapshot(entry: &Value, stream_of: impl Fn(&str) -> Option<StreamId>) -> Snapshot {
    let topic = text(entry, "topic").unwrap_or_default();
    Snapshot {
        stream: stream_of(&topic).unwrap_or_else(|| StreamId::new(topic)),
        head_watermark: entry.get("head_watermark").and_then(Value::as_u64),
        described: entry.get("snapshot").is_some_and(Value::is_object),
    }
}

fn number((name, value): (&String, &Value)) -> Option<(String, u64)> {
    Some((name.clone(), value.as_u64()?))
}

fn text(json: &Value, name: &str) -> Option<String> {
    json.get(name).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests;
