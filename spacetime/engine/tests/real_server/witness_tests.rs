//! What the official Rust SDK sees of the module, and that our lane sees the same.

use cutover_core::hash::payload_hash;
use cutover_core::history::Refusal;
use cutover_live::lane::spacetime::ModuleShape;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::client::{Client, STREAM, published, some};
use crate::our_lane::{OurSubscriber, OurWriter};
use crate::server::Server;
use crate::witness::Witness;

/// The legacy topic of [`STREAM`].
const TOPIC: &str = "run:r1:events";

/// A stream that must not mix with it, with a name that SQL has to quote.
const OTHER: &str = "runtime.run.it's.events";
const OTHER_TOPIC: &str = "run:it's:events";

/// Payloads whose text a client could spoil.
const PAYLOADS: [&str; 9] = [
    "{}",
    "{ \"b\": 1,\n  \"a\": 2 }",
    "\"\"",
    "null",
    "\"e\u{301} \u{1f600} \\u0000 \u{2028}\"",
    "[1.50, 1e21, -0.0, 5e-324, 9007199254740991]",
    "[[[[[[[[[[[[[[[[{\"deep\":[]}]]]]]]]]]]]]]]]]",
    "{\"\":{\"\":\"\"}}",
    "\"it's ; -- \\\" \\\\\"",
];

/// An event as a client saw it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    pub stream_id: String,
    pub seq: u64,
    pub payload_hash: String,
    pub payload: String,
    /// Whether it came when the subscription was applied, and not as news.
    pub of_snapshot: bool,
}

impl Seen {
    /// Reads what a witness tells: stream id, seq, hash and payload.
    pub fn read(told: &Value, of_snapshot: bool) -> Self {
        let (stream_id, seq, payload_hash, payload) = serde_json::from_value(told.clone()).unwrap();
        Self { stream_id, seq, payload_hash, payload, of_snapshot }
    }

    /// The event that is to be seen where this was published.
    fn published(stream_id: &str, seq: u64, payload: &str, of_snapshot: bool) -> Self {
        Self {
            stream_id: stream_id.to_owned(),
            seq,
            payload_hash: payload_hash(payload.as_bytes()).unwrap().to_string(),
            payload: payload.to_owned(),
            of_snapshot,
        }
    }
}

/// What is to be seen of payloads that were published from this seq on.
fn all_seen(stream_id: &str, from_seq: u64, payloads: &[&str], of_snapshot: bool) -> Vec<Seen> {
    let numbered = (from_seq..).zip(payloads);
    numbered.map(|(seq, payload)| Seen::published(stream_id, seq, payload, of_snapshot)).collect()
}

/// The rows of a snapshot come in no order that a client could rely on; seqs give them one.
fn by_seq(mut events: Vec<Seen>) -> Vec<Seen> {
    events.sort_unstable();
    events
}

fn published_payloads(data_dir: &std::path::Path) -> (Server, Client) {
    let (server, client) = published(data_dir);
    for (number, payload) in PAYLOADS.iter().enumerate() {
        client.append(&format!("k{number}"), payload);
    }
    (server, client)
}

#[test]
fn the_official_sdk_sees_exactly_what_was_published_and_so_does_our_lane() {
    let dir = tempdir().unwrap();
    let (server, client) = published_payloads(dir.path());
    let mut witness = Witness::connect(&server, &client);
    let mut lane = OurSubscriber::open(&server, &client, &[TOPIC, OTHER_TOPIC]);
    let head = PAYLOADS.len() as u64;

    witness.subscribe(&[ModuleShape::default().events_query(STREAM, 0)]);
    assert_eq!(witness.subscribe(&[ModuleShape::default().stream_query(STREAM)]), [(STREAM.to_owned(), head)]);
    assert_eq!(lane.subscribe(TOPIC, None), Ok(head));
    let snapshot = all_seen(STREAM, 1, &PAYLOADS, true);
    assert_eq!(by_seq(witness.events(STREAM)), snapshot);
    assert_eq!(lane.events(), snapshot);

    // News in one stream, while there is news in another that neither asked for.
    let mut writer = OurWriter::open(&server, &client, &[TOPIC, OTHER_TOPIC]);
    let large = format!("\"{}\"", "x".repeat(100_000));
    assert_eq!(writer.publish(TOPIC, "live 1", "[1]"), head + 1);
    assert_eq!(writer.publish(OTHER_TOPIC, "live 1", "[2]"), 1);
    witness.append(STREAM, "live 2", &large).unwrap();
    witness.append(STREAM, "live 2", &large).unwrap();
    assert_eq!(writer.publish(TOPIC, "live 3", "[3]"), head + 3);
    let news = all_seen(STREAM, head + 1, &["[1]", &large, "[3]"], false);
    assert_eq!(witness.events(STREAM), news);
    assert_eq!(lane.events(), news);

    witness.subscribe(&[ModuleShape::default().events_query(OTHER, 0)]);
    assert_eq!(lane.subscribe(OTHER_TOPIC, None), Ok(1));
    let other = all_seen(OTHER, 1, &["[2]"], true);
    assert_eq!(witness.events(OTHER), other);
    assert_eq!(lane.events(), other);
    witness.leave();
}

#[test]
fn the_official_sdk_resumes_at_every_position_with_what_our_lane_gets() {
    let dir = tempdir().unwrap();
    let (server, client) = published_payloads(dir.path());
    let head = PAYLOADS.len();
    for cursor in [1, head / 2, head - 1, head] {
        let mut witness = Witness::connect(&server, &client);
        let mut lane = OurSubscriber::open(&server, &client, &[TOPIC]);
        witness.resume(STREAM, cursor as u64).unwrap();
        witness.subscribe(&[ModuleShape::default().events_query(STREAM, cursor as u64)]);
        assert_eq!(lane.subscribe(TOPIC, Some(cursor as u64)), Ok(head as u64));
        let rest = all_seen(STREAM, cursor as u64 + 1, &PAYLOADS[cursor..], true);
        assert_eq!(by_seq(witness.events(STREAM)), rest);
        assert_eq!(lane.events(), rest);
    }
}

#[test]
fn a_stale_cursor_is_refused_to_the_official_sdk_in_the_modules_json_which_our_lane_reads() {
    let dir = tempdir().unwrap();
    let (server, client) = published(dir.path());
    // Events 6 to 20 are held, so the floor is 5; the budget is 12, so a cursor may be as low as 8.
    client.must("create_stream", json!([STREAM, "", "", some(15), some(12)]));
    for number in 1..=20 {
        client.append(&format!("k{number}"), &number.to_string());
    }
    let mut witness = Witness::connect(&server, &client);
    let mut lane = OurSubscriber::open(&server, &client, &[TOPIC]);
    for (cursor, reason) in [(4, "retention_floor_breach"), (7, "replay_budget_exceeded")] {
        let words = witness.resume(STREAM, cursor).unwrap_err();
        let refusal: Value = serde_json::from_str(&words).unwrap();
        assert_eq!(refusal["code"], "stale_cursor");
        assert_eq!(refusal["full_resync_required"], true);
        assert_eq!(refusal["reason_codes"], json!([reason]));
        assert_eq!(refusal["stale_topics"][0]["topic"], STREAM);
        assert_eq!(refusal["stale_topics"][0]["resume_after"], cursor);
        let over_http = client.refused("resume_stream", json!([[{"stream_id": STREAM, "resume_after": cursor}]]));
        assert_eq!(refusal, over_http);
        assert_reads_as(&lane.subscribe(TOPIC, Some(cursor)).unwrap_err(), &refusal);
    }
    // A refusal ends nothing: both go on and resume where they may.
    witness.resume(STREAM, 8).unwrap();
    assert_eq!(lane.subscribe(TOPIC, Some(8)), Ok(20));
}

/// Checks that our lane read all that the module's refusal says of a stream.
fn assert_reads_as(read: &Refusal, refusal: &Value) {
    let read = serde_json::to_value(read).unwrap();
    assert_eq!(read["code"], refusal["code"]);
    assert_eq!(read["reasons"], refusal["reason_codes"]);
    assert_eq!(read["message"], refusal["message"]);
    assert_eq!(read["stale"][0]["stream"], TOPIC);
    assert_eq!(read["stale"].as_array().unwrap().len(), refusal["stale_topics"].as_array().unwrap().len());
    let numbers = ["resume_after", "retention_floor", "head_watermark", "replay_lag", "replay_budget_events"];
    for name in ["reason"].into_iter().chain(numbers) {
        assert_eq!(read["stale"][0][name], refusal["stale_topics"][0][name], "{name}");
    }
}

#[test]
fn two_sdk_clients_are_seen_while_they_last_however_they_end() {
    let dir = tempdir().unwrap();
    let (server, client) = published(dir.path());
    let mut first = Witness::connect(&server, &client);
    first.subscribe(&["SELECT * FROM active_connection".to_owned()]);
    first.wait_for_connections(1);
    let second = Witness::connect(&server, &client);
    first.wait_for_connections(2);
    client.wait_for_connections(2);
    second.leave();
    first.wait_for_connections(1);
    client.wait_for_connections(1);
    first.kill();
    client.wait_for_connections(0);
}
