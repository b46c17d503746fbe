//! Replays the client side of the recordings in `golden/phoenix` and compares what the server says, up to ids, times
//! and the order of keys. What a case needs besides its frames is in `<case>.setup.json`; see the README there.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use cutover_reference::Config;
use serde_json::{Value, json};

use self::support::{Client, Frame, Running, masked, mint, start};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../golden/phoenix").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(golden(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

struct Case {
    rows: Vec<Value>,
    setup: Value,
    query: String,
    server: Running,
    _dir: tempfile::TempDir,
}

impl Case {
    fn load(name: &str) -> Self {
        let rows = read(&format!("{name}.jsonl")).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let setup: Value = serde_json::from_str(&read(&format!("{name}.setup.json"))).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut config: Config = serde_json::from_value(setup["config"].clone()).unwrap();
        config.data_dir = dir.path().to_owned();
        let mut query = setup["query"].as_str().unwrap().to_owned();
        if setup["token"].is_object() {
            let mut claims = setup["token"]["claims"].clone();
            claims["iat"] = json!(now_s());
            claims["exp"] = json!(now_s() + setup["token"]["lives_s"].as_u64().unwrap_or(600));
            let token = mint(setup["token"]["key"].as_str().unwrap(), &claims);
            query = query.replace("TOKEN", &token);
        }
        Self { rows, setup, query, server: start(config), _dir: dir }
    }

    /// Does what the setup wants done before a row.
    async fn prepare(&mut self, row: usize) {
        let steps = self.setup["steps"].as_array().cloned().unwrap_or_default();
        for step in steps.iter().filter(|step| step["before_row"] == row) {
            if let Some(body) = step.get("publish") {
                let path = "/internal/v1/sync/publish";
                let (status, answer) = self.server.http("POST", path, Some("writer"), &body.to_string()).await;
                assert_eq!(status, 200, "{answer}");
            } else if let Some(policy) = step.get("policy") {
                let mut policy = policy.clone();
                let topic = policy.as_object_mut().unwrap().remove("topic").unwrap();
                self.server.policy(topic.as_str().unwrap(), &policy.to_string()).await;
            } else if let Some(jti) = step.get("revoke") {
                let body = json!({"jti": jti}).to_string();
                let path = "/internal/v1/sync/revocations";
                assert_eq!(self.server.http("POST", path, Some("writer"), &body).await.0, 200);
            } else if step.get("shutdown").is_some() {
                self.server.shut_down();
            } else if step.get("until_refused").is_some() {
                while status_of(&self.server, &self.query).await != 403 {}
            } else {
                panic!("an unknown step: {step}");
            }
        }
    }

    /// What a row of the server is expected to be, with the contract's differences put in.
    fn expected(&self, row: usize) -> Vec<Value> {
        let mut message: Value = serde_json::from_str(self.rows[row]["data"].as_str().unwrap()).unwrap();
        let differs = &self.setup["contract_differs"][row.to_string()]["payload"];
        if !differs.is_null() {
            let payload = if message.is_array() { &mut message[4] } else { &mut message["payload"] };
            *payload = differs.clone();
        }
        normal(message)
    }
}

async fn status_of(server: &Running, query: &str) -> u16 {
    let request = format!(
        "GET /sync/socket/websocket?{query} HTTP/1.1\r\nhost: test\r\nconnection: Upgrade, close\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    std::str::from_utf8(&head[9..]).unwrap().parse().unwrap()
}

/// A message as `[join_ref, ref, topic, event, payload]`, without ids, with what frames carry decoded.
fn normal(message: Value) -> Vec<Value> {
    let mut parts = match message {
        Value::Array(parts) => parts,
        object => ["join_ref", "ref", "topic", "event", "payload"].map(|name| object[name].clone()).to_vec(),
    };
    let payload = &mut parts[4];
    if let Some(bytes) = payload.get("payload_bytes").and_then(Value::as_str) {
        payload["payload_bytes"] = serde_json::from_slice(&STANDARD.decode(bytes).unwrap()).unwrap();
    }
    for response in [payload.pointer_mut("/response")].into_iter().flatten() {
        if let Some(response) = response.as_object_mut() {
            if response.get("subscription_id").and_then(Value::as_str).is_some_and(|id| !id.contains(':')) {
                response.insert("subscription_id".to_owned(), json!("sub"));
            }
            // The contract has it, the recorded server did not.
            response.remove("retryable");
        }
    }
    parts
}

async fn replay(name: &str) {
    let mut case = Case::load(name);
    case.prepare(0).await;
    let mut client = case.server.connect(&case.query).await;
    let folded = case.setup["folded"] == true;
    let mut seen = Vec::new();
    let mut wanted = Vec::new();
    let mut row = 0;
    while row < case.rows.len() {
        if row > 0 {
            case.prepare(row).await;
        }
        // What the client sent without waiting goes out in one write.
        if case.rows[row]["dir"] == "c2s" {
            let mut bytes = client_frame(&case.rows[row]);
            while row + 1 < case.rows.len() && case.rows[row + 1]["dir"] == "c2s" {
                row += 1;
                bytes.extend(client_frame(&case.rows[row]));
            }
            client.send(&bytes).await;
        } else if folded && case.rows[row]["opcode"] == "text" {
            wanted.push(case.expected(row));
        } else {
            if folded {
                fold_all(&mut client, &mut seen, &wanted).await;
            }
            compare(name, &case, row, client.next().await);
        }
        row += 1;
    }
    assert_eq!(updates(&seen), updates(&wanted), "{name}");
}

/// Where batches may be cut otherwise, reads on until all that was recorded has come. However they are cut, each batch
/// is followed by the frame that repeats it.
async fn fold_all(client: &mut Client, seen: &mut Vec<Vec<Value>>, wanted: &[Vec<Value>]) {
    while updates(seen).len() < updates(wanted).len() {
        let message = normal(client.next_message().await);
        if message[3] == "sync:update_batch" {
            let frame = normal(client.next_message().await);
            assert_eq!((&frame[3], &frame[4]["payload_bytes"]), (&json!("sync:frame"), &message[4]));
        }
        seen.push(message);
    }
}

/// The messages with each run of batches and frames taken apart into its updates.
fn updates(messages: &[Vec<Value>]) -> Vec<Value> {
    let mut out = Vec::new();
    for message in messages {
        match message[3].as_str().unwrap() {
            "sync:update_batch" => out.extend(message[4]["updates"].as_array().unwrap().iter().cloned()),
            "sync:frame" => {}
            _ => out.push(json!(message)),
        }
    }
    out
}

fn client_frame(row: &Value) -> Vec<u8> {
    let data = row["data"].as_str().unwrap_or_default();
    match row["opcode"].as_str().unwrap() {
        "text" => masked(1, data.as_bytes()),
        "binary" => masked(2, &STANDARD.decode(data).unwrap()),
        "ping" => masked(9, &STANDARD.decode(data).unwrap()),
        "close" => masked(8, &STANDARD.decode(data).unwrap()),
        other => panic!("a client's {other}"),
    }
}

fn compare(name: &str, case: &Case, row: usize, frame: Frame) {
    let recorded = &case.rows[row];
    match (recorded["opcode"].as_str().unwrap(), frame) {
        ("text", Frame::Text(message)) => {
            assert_eq!(json!(normal(message)), json!(case.expected(row)), "{name}, row {row}");
        }
        ("pong", Frame::Pong(payload)) => {
            assert_eq!(STANDARD.encode(payload), recorded["data"].as_str().unwrap(), "{name}, row {row}");
        }
        ("close", Frame::Close(code)) => assert_eq!(json!(code), recorded["code"], "{name}, row {row}"),
        (_, frame) => panic!("{name}, row {row}: recorded {recorded}, got {frame:?}"),
    }
}

macro_rules! replays {
    ($($same:ident,)+ ; $($test:ident => $case:literal,)+) => {
        $(#[tokio::test]
        async fn $same() {
            replay(stringify!($same)).await;
        })+

        $(#[tokio::test]
        async fn $test() {
            replay($case).await;
        })+

        #[test]
        fn every_recording_that_has_a_setup_is_replayed() {
            let replayed = [$(stringify!($same),)+ $($case),+];
            for entry in fs::read_dir(golden("")).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if let Some(case) = name.strip_suffix(".setup.json") {
                    assert!(replayed.contains(&case), "{case} has no test: add it to the list in this file");
                }
            }
        }
    };
}

replays! {
    idle_short_no_join, idle_short_server_pushes_only, idle_short_ws_pings_only, long_phoenix_heartbeats_only,
    long_silent_joined, long_silent_never_joined, long_sync_heartbeats_only, server_sigterm,
    token_expires_while_connected, token_good, token_good_fallback_key, v1_official_client_1_2_1,
    v1_raw_missing_vsn_no_join_ref, v1_topic_and_event_types_raw, v2_bad_subscription, v2_bad_topic_join_exact_route,
    v2_binary_garbage_raw, v2_burst_live_coalescing, v2_close_1005_raw, v2_close_1006_raw, v2_close_4999_raw,
    v2_close_one_byte_raw, v2_close_reason_not_utf8_raw, v2_compat_refusal_js_keeps_retrying, v2_compat_refusals,
    v2_duplicate_join_js, v2_duplicate_join_raw, v2_event_null_raw, v2_event_number_raw, v2_event_object_raw,
    v2_forbidden_topic, v2_four_element_frame_raw, v2_heartbeats, v2_join_ref_and_ref_null_raw,
    v2_join_ref_null_error_raw, v2_join_ref_null_raw, v2_join_ref_null_rejoin_raw, v2_join_ref_number_raw,
    v2_join_ref_odd_types_raw, v2_join_subscribe_live_leave, v2_leave_variants_raw, v2_object_frame_raw,
    v2_payload_types_raw, v2_ping_and_client_close_raw, v2_ref_types_raw, v2_stale_retention_floor,
    v2_subscribe_payload_not_object_raw, v2_subscribe_while_publishing, v2_topic_types_raw, v2_unknown_event_crash,
    v2_unsubscribe_forgets_raw,
    ;
    v1_array_frame_from_modern_client_conn1 => "v1_array_frame_from_modern_client.conn1",
    v1_array_frame_from_modern_client_conn2 => "v1_array_frame_from_modern_client.conn2",
    v1_array_frame_from_modern_client_conn3 => "v1_array_frame_from_modern_client.conn3",
    v2_revoked_ordered_conn1 => "v2_revoked_ordered.conn1",
}

/// Sends a recorded upgrade and compares status and body.
async fn handshake(name: &str, config: Config, token: Option<&str>) {
    let recorded: Value = serde_json::from_str(&read(&format!("{name}.handshake.json"))).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let server = start(Config { data_dir: dir.path().to_owned(), ..config });
    for attempt in recorded.as_array().unwrap() {
        let lines: Vec<&str> =
            attempt["request"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        let request = lines.join("\r\n").replace("TOKEN", token.unwrap_or_default()) + "\r\n\r\n";
        let (status, head, body) = exchange(&server, &request).await;
        assert_eq!(status, attempt["status"].as_str().unwrap(), "{name}: {request}");
        if !status.contains("101") {
            assert_eq!(body, attempt["body"].as_str().unwrap(), "{name}");
            let length = format!("content-length: {}", body.len());
            assert!(head.to_lowercase().contains(&length), "{name}: {head}");
        }
        let recorded = attempt["response_headers"].as_array().unwrap().iter();
        for header in recorded.filter_map(Value::as_str) {
            if header.starts_with("sec-websocket-") {
                assert!(head.contains(header), "{name}: {request} {head}");
            }
        }
        let names_protocol = |head: &str| head.to_lowercase().contains("sec-websocket-protocol:");
        let recorded = attempt["response_headers"].to_string();
        assert_eq!(names_protocol(&head), names_protocol(&recorded), "{name}: {request}");
    }
}

async fn exchange(server: &Running, request: &str) -> (String, String, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0);
    }
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), head.to_owned(), body.to_owned())
}

fn with_key() -> Config {
    let mut config = Config::default();
    config.tokens.key = Some("key".to_owned());
    config.tokens.fallback_keys = vec!["old".to_owned()];
    config.tokens.allowed_origins = Some(vec!["http://127.0.0.1:9".to_owned()]);
    config
}

fn with_origins() -> Config {
    let mut config = with_key();
    (config.tokens.key, config.tokens.fallback_keys) = (None, Vec::new());
    config
}

#[tokio::test]
async fn upgrades_are_accepted_and_refused_as_recorded() {
    for name in [
        "handshake_bad_origin",
        "handshake_bad_origin_js_client",
        "handshake_good_origin",
        "handshake_paths",
        "handshake_subprotocol_tokens",
        "handshake_subprotocols",
        "handshake_vsn_2_0_5",
        "handshake_vsn_3",
        "handshake_vsn_forms",
        "handshake_vsn_garbage",
        "handshake_wrong_path",
    ] {
        handshake(name, with_origins(), None).await;
    }
}

#[tokio::test]
async fn tokens_are_accepted_and_refused_as_recorded() {
    let token = |key, claims: Value| mint(key, &claims);
    let good = || json!({"jti": "t1", "iat": now_s(), "exp": now_s() + 60});
    let expired = json!({"jti": "t1", "iat": now_s() - 120, "exp": now_s() - 60});
    let without_jti = json!({"iat": now_s(), "exp": now_s() + 60});
    for (name, token) in [
        ("token_good", token("key", good())),
        ("token_good_fallback_key", token("old", good())),
        ("token_bad_signature_default_error_handler", token("other", good())),
        ("token_expired_default_error_handler", token("key", expired)),
        ("token_no_jti_default_error_handler", token("key", without_jti)),
        ("token_missing_default_error_handler", String::new()),
    ] {
        handshake(name, with_key(), Some(&token)).await;
    }
}
