//! Builds what carries events: the payload of `sync:update_batch`, and the `sync:frame` that repeats it.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::defects::{Defect, Defects};
use crate::{store::Event, wire::raw};

pub(super) const KIND_UPDATE_BATCH: &str = "KHALA_FRAME_KIND_UPDATE_BATCH";
pub(super) const KIND_ERROR: &str = "KHALA_FRAME_KIND_ERROR";

#[derive(Clone, Debug)]
pub(super) struct Update {
    pub(super) seq: u64,
    pub(super) key: String,
    pub(super) payload: Box<RawValue>,
    /// `None` is delivered as null.
    pub(super) hash: Option<[u8; 32]>,
}

impl Update {
    pub(super) fn of(event: &Event) -> Self {
        let is_null = event.payload.get() == "null";
        let hash = (!is_null).then_some(event.hash);
        Self { seq: event.seq, key: event.key.clone(), payload: event.payload.clone(), hash }
    }
}

#[derive(Clone, Debug)]
pub(super) struct UpdateBatch {
    pub(super) topic: String,
    pub(super) updates: Vec<Update>,
    pub(super) head: u64,
    pub(super) replay_complete: bool,
}

#[derive(Serialize)]
struct UpdateJson<'a> {
    topic: &'a str,
    doc_key: &'a str,
    doc_version: u64,
    payload: &'a RawValue,
    payload_hash: Option<String>,
    watermark: u64,
    hydration_required: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Watermark<'a> {
    pub(super) topic: &'a str,
    pub(super) watermark: u64,
}

#[derive(Serialize)]
struct BatchJson<'a> {
    updates: Vec<UpdateJson<'a>>,
    replay_complete: bool,
    head_watermarks: [Watermark<'a>; 1],
}

#[derive(Serialize)]
struct FrameJson<'a> {
    topic: &'a str,
    seq: u64,
    kind: &'a str,
    payload_bytes: String,
    schema_version: u32,
}

impl UpdateBatch {
    pub(super) fn payload(&self, defects: &Defects) -> Box<RawValue> {
        let bits = if defects.has(Defect::DocVersionU8) { 0xff } else { u64::MAX };
        let hydrates = !defects.has(Defect::HydrationNever);
        let updates = self.updates.iter().map(|update| UpdateJson {
            topic: &self.topic,
            doc_key: &update.key,
            doc_version: update.seq & bits,
            payload: &update.payload,
            payload_hash: update.hash.map(|hash| STANDARD.encode(hash)),
            watermark: update.seq,
            hydration_required: hydrates && update.payload.get() == "null",
        });
        raw(&BatchJson {
            updates: updates.collect(),
            replay_complete: self.replay_complete,
            head_watermarks: [Watermark { topic: &self.topic, watermark: self.head }],
        })
    }

    pub(super) fn seq(&self) -> u64 {
        self.updates.iter().map(|update| update.seq).max().unwrap_or(0)
    }
}

pub(super) fn frame(topic: &str, seq: u64, kind: &str, payload: &RawValue) -> Box<RawValue> {
    frame_of_schema(topic, seq, kind, payload, 1)
}

pub(super) fn frame_of_schema(topic: &str, seq: u64, kind: &str, payload: &RawValue, version: u32) -> Box<RawValue> {
    raw(&FrameJson { topic, seq, kind, payload_bytes: STANDARD.encode(payload.get()), schema_version: version })
}
