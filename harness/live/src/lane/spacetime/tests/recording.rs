//! Recordings of real SpacetimeDB servers, and their schema, which is an older one than the module's.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use spacetimedb_sats::AlgebraicType;

use super::super::protocol::Protocol;
use super::super::rows::EVENT_TABLE;
use super::super::schema::Schema;
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
        let direction = if self.to_lane() { Direction::Upstream } else { Direction::Downstream };
        Frame { direction, body: Body::Binary(self.bytes()) }
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
pub fn schema() -> Arc<Schema> {
    let columns = [
        ("idempotency_key", AlgebraicType::String),
        ("stream_id", AlgebraicType::String),
        ("seq", AlgebraicType::U64),
        ("payload_hash", AlgebraicType::String),
        ("payload", AlgebraicType::String),
    ];
    Arc::new(Schema::of_tables(&[(EVENT_TABLE, &columns)]))
}

/// A conversation in the JSON subprotocol, as the server's own types write it; there is no recording of one.
pub fn in_json() -> Vec<Frame> {
    use spacetimedb_client_api_messages::energy::EnergyQuanta;
    use spacetimedb_client_api_messages::websocket::v1::{self, JsonFormat, ServerMessage};
    use spacetimedb_lib::{ConnectionId, Identity, TimeDuration, Timestamp};
    use spacetimedb_sats::serde::SerdeWrapper;

    let update = |seqs: &[u64]| {
        let row = |seq: &u64| {
            let row = serde_json::json!({ "idempotency_key": format!("k{seq}"), "stream_id": "s1", "seq": seq,
                "payload_hash": "", "payload": format!(r#"{{"n":{seq}}}"#) });
            row.to_string().into()
        };
        let query = v1::QueryUpdate { deletes: Vec::new(), inserts: seqs.iter().map(row).collect() };
        v1::DatabaseUpdate::<JsonFormat> {
            tables: vec![v1::TableUpdate {
                table_id: 4096.into(),
                table_name: "sync_event".into(),
                num_rows: seqs.len() as u64,
                updates: [query].into(),
            }],
        }
    };
    let duration = TimeDuration::from_micros(1);
    let transaction = |seqs: &[u64]| v1::TransactionUpdate {
        status: v1::UpdateStatus::Committed(update(seqs)),
        timestamp: Timestamp::UNIX_EPOCH,
        caller_identity: Identity::ZERO,
        caller_connection_id: ConnectionId::ZERO,
        reducer_call: v1::ReducerCallInfo {
            reducer_name: "append_sync_event".into(),
            reducer_id: 1,
            args: r#"["s1","k3","{\"n\":3}"]"#.into(),
            request_id: 0,
        },
        energy_quanta_used: EnergyQuanta { quanta: 0 },
        total_host_execution_duration: duration,
    };
    let server = |message: ServerMessage<JsonFormat>| {
        let text = serde_json::to_string(SerdeWrapper::from_ref(&message)).unwrap();
        Frame { direction: Direction::Downstream, body: Body::Text(text.into()) }
    };
    let client = |message: v1::ClientMessage<Box<str>>| {
        let text = serde_json::to_string(SerdeWrapper::from_ref(&message)).unwrap();
        Frame { direction: Direction::Upstream, body: Body::Text(text.into()) }
    };
    let call = |reducer: &'static str, args: &str| {
        client(v1::ClientMessage::CallReducer(v1::CallReducer {
            reducer: reducer.into(),
            args: args.into(),
            request_id: 2,
            flags: v1::CallReducerFlags::FullUpdate,
        }))
    };
    let queries = ["SELECT * FROM sync_event WHERE stream_id = 's1' AND seq > 1".into()];
    vec![
        server(ServerMessage::IdentityToken(v1::IdentityToken {
            identity: Identity::ZERO,
            token: "xxxx".into(),
            connection_id: ConnectionId::ZERO,
        })),
        call("resume_stream", r#"[[{"stream_id":"s1","resume_after":1}]]"#),
        client(v1::ClientMessage::SubscribeMulti(v1::SubscribeMulti {
            query_strings: queries.into(),
            request_id: 3,
            query_id: v1::QueryId::new(3),
        })),
        server(ServerMessage::SubscribeMultiApplied(v1::SubscribeMultiApplied {
            request_id: 3,
            total_host_execution_duration_micros: 1,
            query_id: v1::QueryId::new(3),
            update: update(&[2]),
        })),
        call("append_sync_event", r#"["s1","k3","{\"n\":3}"]"#),
        server(ServerMessage::TransactionUpdate(transaction(&[3, 4]))),
    ]
}
