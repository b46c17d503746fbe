//! Recordings of real SpacetimeDB servers, and their schema, which is an older one than the module's.

#![allow(clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use spacetimedb_sats::AlgebraicType;

use super::protocol::Protocol;
use super::rows::EventSchema;
use crate::frame::{Body, Direction, Frame};

#[derive(Deserialize)]
pub struct Row {
    pub conn: String,
    pub dir: String,
    pub data: String,
    #[serde(default)]
    pub what: String,
}

impl Row {
    pub fn bytes(&self) -> Bytes {
        Bytes::from(STANDARD.decode(&self.data).unwrap())
    }

    pub fn to_lane(&self) -> bool {
        self.dir == "c2s"
    }

    pub fn frame(&self) -> Frame {
        let direction = if self.to_lane() {
            Direction::ToLane
        } else {
            Direction::ToClient
        };
        Frame {
            direction,
            body: Body::Binary(self.bytes()),
        }
    }
}

/// Every recording: its name, its subprotocol, its rows.
pub fn all() -> Vec<(String, Protocol, Vec<Row>)> {
    let mut all = Vec::new();
    for server in ["1.2.0", "2.8.3"] {
        let folder = format!("{}/../../golden/spacetimedb/{server}", env!("CARGO_MANIFEST_DIR"));
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}")) {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let protocol = match &name[..2] {
                "v1" => Protocol::V1,
                "v2" => Protocol::V2,
                _ => Protocol::V3,
            };
            let text = std::fs::read_to_string(&path).unwrap();
            let rows = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            all.push((format!("{server}/{name}"), protocol, rows));
        }
    }
    all.sort_by(|left, right| left.0.cmp(&right.0));
    all
}

pub fn recording(name: &str) -> (Protocol, Vec<Row>) {
    let (_, protocol, rows) = all().into_iter().find(|(known, _, _)| known == name).unwrap();
    (protocol, rows)
}

/// The schema that the recordings' module had.
pub fn schema() -> EventSchema {
    EventSchema::of(&[
        ("idempotency_key", AlgebraicType::String),
        ("stream_id", AlgebraicType::String),
        ("seq", AlgebraicType::U64),
        ("payload_hash", AlgebraicType::String),
        ("payload", AlgebraicType::String),
    ])
}
