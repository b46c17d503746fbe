#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cutover_core::ids::{Cursor, StreamId};
use cutover_core::plan::Compression;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::lane::phoenix::batch::{FrameCopy, read_batch, read_frame};
use crate::lane::phoenix::tests::replay::{Row, names, play, recording};
use crate::lane::phoenix::{PhoenixLane, codec};
use crate::lane::{Arrival, ClientOptions, Endpoint, Lane};

const TOPIC: &str = "run:r1:events";

fn heard(rows: &[Row]) -> Vec<Heard> {
    let heard =
        |row: &Row| (row.opcode == "text").then(|| Heard { direction: row.direction(), text: row.data.clone() });
    rows.iter().filter_map(heard).collect()
}

fn proposed(rows: &[Row]) -> (PhoenixProfile, Vec<String>) {
    let Proposed { toml, undecided } = propose("ws://lane/socket/websocket", &heard(rows));
    let profile = PhoenixProfile::of_toml(&toml, "proposed.toml");
    (profile.unwrap_or_else(|error| panic!("{error}\n{toml}")), undecided)
}

/// The events of the session, as a profile reads them: topic, seq and payload.
fn events(profile: &PhoenixProfile, rows: &[Row]) -> Vec<(String, u64, Value)> {
    let serializer = profile.serializer.unwrap();
    let mut events = Vec::new();
    for row in rows.iter().filter(|row| row.direction() == Direction::Downstream && row.opcode == "text") {
        let message = codec::decode(serializer, row.direction(), &row.frame().unwrap().body).unwrap();
        let body = profile.body(&message.payload);
        let updates = if message.event == profile.events.update_batch {
            read_batch(profile, &message.topic, body).unwrap()
        } else if message.event == profile.events.frame {
            match read_frame(profile, body).unwrap() {
                FrameCopy::Batch(batch) => read_batch(profile, &message.topic, &batch).unwrap(),
                _ => continue,
            }
        } else {
            continue;
        };
        events.extend(updates.into_iter().map(|update| {
            let update = update.unwrap();
            (update.topic, update.seq, serde_json::from_str(&update.payload).unwrap())
        }));
    }
    events
}

#[test]
fn the_contracts_own_names_come_out_of_recordings_of_its_service() {
    for name in ["v2_join_subscribe_live_leave", "v2_subscribe_while_publishing", "v2_burst_live_coalescing"] {
        let rows = recording(name);
        let (mut profile, undecided) = proposed(&rows);
        let usual = PhoenixProfile::default();
        // What a session does not show is empty, and told.
        let (events, fields) = (&mut profile.events, &mut profile.fields);
        let of_the_few = [
            ("events.heartbeat", &mut events.heartbeat, &usual.events.heartbeat),
            ("fields.replay_batch_size", &mut fields.replay_batch_size, &usual.fields.replay_batch_size),
        ];
        for (key, own, usual) in of_the_few {
            if !rows.iter().any(|row| row.data.contains(usual)) {
                assert_eq!(*own, "", "{name}");
                assert!(undecided.iter().any(|what| what.starts_with(key)), "{name}: {undecided:?}");
                own.clone_from(usual);
            }
        }
        assert_eq!((&profile.events, &profile.fields), (&usual.events, &usual.fields), "{name}");
        assert_eq!((&profile.envelope, &profile.forms), (&usual.envelope, &usual.forms), "{name}");
        assert_eq!((&profile.channel, &profile.join), (&usual.channel, &usual.join), "{name}");
    }
    let (profile, _) = proposed(&recording("v1_official_client_1_2_1"));
    assert_eq!(profile.serializer, Some(Serializer::V1));
}

#[test]
fn a_refusal_shows_where_its_code_stands() {
    let (profile, undecided) = proposed(&recording("v2_stale_retention_floor"));
    assert_eq!(profile.refusal, PhoenixProfile::default().refusal);
    assert!(!undecided.iter().any(|what| what.starts_with("codes")), "{undecided:?}");
}

#[test]
fn a_session_that_shows_nothing_gives_a_profile_that_says_so() {
    let (profile, undecided) = proposed(&[]);
    assert_eq!(profile.socket_url, "ws://lane/socket/websocket");
    assert!(undecided.iter().any(|what| what.starts_with("channel")), "{undecided:?}");
}

/// Another service that does the same: its names, its envelopes, and the form of its watermarks.
#[derive(Debug, Clone)]
struct Other {
    prefix: String,
    push: bool,
    reply: bool,
    request: bool,
    form: &'static str,
}

const WATERMARKS: [&str; 2] = ["watermark", "resume_after"];

impl Other {
    fn name(&self, name: &str) -> String {
        // The order of the names is another one, too.
        format!("{}{}", self.prefix, name.chars().rev().filter(|c| c.is_ascii_alphanumeric()).collect::<String>())
    }

    fn event(&self, event: &str) -> String {
        if event.starts_with("phx_") { event.to_owned() } else { format!("{}:{event}", self.prefix) }
    }

    fn mark(&self, number: &Value) -> Value {
        serde_json::from_str(&self.form.replace("{seq}", &number.to_string())).unwrap()
    }

    fn renamed(&self, value: &Value) -> Value {
        match value {
            Value::Array(list) => list.iter().map(|value| self.renamed(value)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| {
                    let value = match name.as_str() {
                        "payload" => value.clone(),
                        "payload_bytes" => {
                            let bytes = STANDARD.decode(value.as_str().unwrap()).unwrap();
                            let inner: Value = serde_json::from_slice(&bytes).unwrap();
                            Value::from(STANDARD.encode(self.renamed(&inner).to_string()))
                        }
                        "resume_after" => {
                            let cursors = value.as_object().unwrap().iter();
                            cursors.map(|(topic, number)| (topic.clone(), self.mark(number))).collect()
                        }
                        name if WATERMARKS.contains(&name) => self.mark(value),
                        _ => self.renamed(value),
                    };
                    (self.name(name), value)
                })
                .collect(),
            other => other.clone(),
        }
    }

    fn rows(&self, rows: Vec<Row>) -> Vec<Row> {
        let wrap = |is: bool, value: Value| if is { json!({ "v": 1, "inner": value }) } else { value };
        let row = |row: Row| {
            let message = codec::decode(Serializer::V2, row.direction(), &row.frame().unwrap().body).unwrap();
            let payload: Value = serde_json::from_str(&message.payload).unwrap();
            let event = self.event(&message.event);
            let payload = match (message.event.as_str(), row.direction()) {
                ("phx_reply", _) => {
                    let response = wrap(self.reply, self.renamed(&payload["response"]));
                    json!({ "status": payload["status"], "response": response })
                }
                ("phx_join", _) => payload,
                (_, Direction::Upstream) => wrap(self.request, self.renamed(&payload)),
                (_, Direction::Downstream) => wrap(self.push, self.renamed(&payload)),
            };
            let message = Message { event, payload: payload.to_string(), ..message };
            Row { data: codec::encode(Serializer::V2, &message), ..row }
        };
        rows.into_iter().filter(|row| row.opcode == "text").map(row).collect()
    }
}

fn other() -> impl Strategy<Value = Other> {
    let forms = prop::sample::select(vec!["{seq}", "\"{seq}\"", "\"s-{seq}\"", "{\"n\":{seq}}"]);
    ("[a-z]{1,6}", any::<bool>(), any::<bool>(), any::<bool>(), forms)
        .prop_map(|(prefix, push, reply, request, form)| Other { prefix, push, reply, request, form })
}

/// The profile of a session reads it, and a session by this profile follows the same service.
async fn follows(other: &Other) {
    let original = recording("v2_join_subscribe_live_leave");
    let rows = other.rows(original.clone());
    let (profile, undecided) = proposed(&rows);
    let usual = PhoenixProfile { serializer: Some(Serializer::V2), ..PhoenixProfile::default() };
    assert_eq!(events(&profile, &rows), events(&usual, &original), "{other:?}\n{undecided:#?}");
    let serializer = Serializer::V2;
    let endpoint = Endpoint { connect: play(rows, serializer).await, authority: "lane.example".to_owned() };
    let lane = PhoenixLane::new(Arc::new(profile), Arc::new(names()));
    let client = ClientOptions { name: "c1".to_owned(), serializer, compression: Compression::None, join: None };
    let mut session = lane.subscriber(&endpoint, &client).await.unwrap();
    let answer = session.subscribe(&[(StreamId::new(TOPIC), Some(Cursor(0)))], 200).await;
    let heads = answer.unwrap_or_else(|error| panic!("{error:?} of {other:?}"));
    assert_eq!(heads, [(StreamId::new(TOPIC), crate::lane::Head::At(cutover_core::ids::Seq(5)))], "{other:?}");
    let mut seen: BTreeMap<u64, u32> = BTreeMap::new();
    while seen.values().sum::<u32>() < 10 {
        match session.next().await {
            Arrival::Event { seq, .. } => *seen.entry(seq.0).or_default() += 1,
            arrival => panic!("{arrival:?} of {other:?}"),
        }
    }
    assert_eq!(seen, (1..=5).map(|seq| (seq, 2)).collect(), "{other:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn the_profile_of_a_service_with_other_names_reads_it(other in other()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follows(&other));
    }
}

/// A service with a channel for each topic, whose join subscribes, and whose pushes are the events themselves.
#[test]
fn a_channel_for_each_topic_is_found_out() {
    let up = |text: &str| Heard { direction: Direction::Upstream, text: text.to_owned() };
    let down = |text: &str| Heard { direction: Direction::Downstream, text: text.to_owned() };
    let session = [
        up(r#"["1","1","room:a","phx_join",{"since":{"n":0}}]"#),
        down(r#"["1","1","room:a","phx_reply",{"status":"ok","response":{"head":{"n":2}}}]"#),
        down(r#"["1",null,"room:a","new",{"seq":{"n":1},"body":{"t":"x"}}]"#),
        down(r#"["1",null,"room:a","new",{"seq":{"n":2},"body":{"t":"y"}}]"#),
    ];
    let Proposed { toml, .. } = propose("ws://lane", &session);
    let profile = PhoenixProfile::of_toml(&toml, "a.toml").unwrap_or_else(|error| panic!("{error}\n{toml}"));
    assert_eq!((profile.channel.as_str(), profile.events.subscribe.as_str()), ("room:{topic}", ""));
    assert_eq!((profile.fields.topic.as_str(), profile.fields.updates.as_str()), ("", ""));
    let body = r#"{"seq":{"n":3},"body":{"t":"z"}}"#;
    let update = read_batch(&profile, "room:a", body).unwrap().remove(0).unwrap();
    assert_eq!((update.topic.as_str(), update.seq, update.payload.as_str()), ("a", 3, r#"{"t":"z"}"#));
    assert_eq!(profile.marks("room:a", r#"{"n":2}"#), [("a".to_owned(), 2)]);
}
