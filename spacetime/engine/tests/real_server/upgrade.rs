//! The module is published over a database of the previous module, which had no leases, no presence and no row-level
//! security. `previous` has its wasm. A change of the schema after a release replaces it by the released one.

use serde_json::json;
use tempfile::tempdir;

use crate::client::{Client, STREAM, append_arguments, none, some};
use crate::server::Server;

const PREVIOUS: &str = "tests/real_server/previous/cutover_module.wasm";

#[test]
fn a_database_of_the_previous_module_keeps_its_rows_and_its_rules() {
    let dir = tempdir().unwrap();
    let server = Server::start(dir.path());
    let client = Client::new(&server);
    client.publish_wasm(PREVIOUS);
    for number in 1..=5 {
        client.append(&format!("k{number}"), &number.to_string());
    }
    client.must("set_stream_policy", json!([STREAM, none(), none(), some(3), some(7)]));
    client.must("ack_checkpoint", json!(["c1", STREAM, 4, 40]));
    let tables = ["sync_stream", "sync_event", "sync_append_key", "sync_checkpoint"];
    let rows = || tables.map(|table| in_order(client.rows(&format!("SELECT * FROM {table}"))));
    let before = rows();

    client.publish();
    assert_eq!(rows(), before);
    client.append("k1", "1");
    assert_eq!(client.refused("append_sync_event", append_arguments("k2", "3"))["code"], "idempotency_conflict");
    assert_eq!(client.refused("ack_checkpoint", json!(["c1", STREAM, 3, 50]))["code"], "checkpoint_conflict");
    assert_eq!(rows(), before);
    client.append("k6", "6");
    assert_eq!(client.seqs(), [4, 5, 6]);
    client.must("upsert_presence", json!(["k1", "s1", "c1", "online"]));
    let checkpoint = client.rows(&format!("SELECT seq FROM sync_checkpoint WHERE stream_id = '{STREAM}'"));
    assert_eq!(checkpoint, [json!([4])]);
    assert_eq!(Client::new(&server).refused("set_access", json!([true, "a", 0, 0]))["code"], "not_the_owner");
    client.must("set_access", json!([true, "a", 0, 0]));
}

fn in_order(mut rows: Vec<serde_json::Value>) -> Vec<serde_json::Value> {
    rows.sort_by_key(ToString::to_string);
    rows
}
