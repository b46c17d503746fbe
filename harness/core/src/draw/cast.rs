//! Draws the streams and clients of a scenario.

use super::dice::Dice;
use super::sketch::{Client, MAX_EVENTS, Room, Stream};
use crate::scenario::can_join;
use crate::scenario::words::{COMPRESSIONS, SERIALIZERS, key_words, payload_words};
use crate::topic::Form;

/// Ids that are near each other: in case, in `-` and `_`, and as a prefix.
const IDS: &[&str] = &["a", "A", "a-b", "a_b", "ab", "a-b-c", "events", "run", "1", "01", "0"];
const RETENTIONS: &[u64] = &[1, 2, 7, 20, 60, 199, 200, 201, 256];
const BUDGETS: &[u64] = &[0, 1, 2, 7, 20, 60, 199, 200, 201, 255, 256];
const BATCHES: &[u64] = &[1, 2, 7, 60, 199, 200, 201, 255, 256, 1000];
/// Ids of which the first one begins all others.
const JOINED: &[&str] = &["a", "a-b", "a_b", "ab", "a-b-c"];

/// The most events of a stream with such payloads.
fn most(payload: &str) -> u64 {
    match payload {
        "mebibyte" => 2,
        "large" | "members" | "lengths" | "depths" => 6,
        "mixed" => 60,
        _ => MAX_EVENTS,
    }
}

pub(super) fn streams(dice: &mut Dice<'_>, room: Room) -> Vec<Stream> {
    let count = dice.number("streams", &[1, 2, 3, 5, 8]);
    // Mostly of one form, so that classes and prefixes meet.
    let forms: &[&str] = &["run:%:events", "worker:%:lifecycle", "fleet:user:%:workers", "fleet:guest:%:workers"];
    let fixed = ["runtime.codex_worker_events", "runtime.run_summaries", "runtime.codex_worker_summaries"];
    let form = dice.pick(forms).unwrap_or(forms[0]);
    let shared = dice.word("keys", &key_words());
    let joined = shared == "joined";
    let mut streams: Vec<Stream> = Vec::new();
    for _ in 0..if joined { count.max(2) } else { count } {
        let form = if dice.one_in(3) { dice.pick(forms).unwrap_or(form) } else { form };
        let topic = match room.fixed_topics && !joined && dice.one_in(6) {
            true => dice.pick(&fixed).unwrap_or(fixed[0]).to_owned(),
            false if joined => form.replace('%', JOINED[streams.len().min(JOINED.len() - 1)]),
            false => form.replace('%', dice.pick(IDS).unwrap_or("a")),
        };
        if streams.iter().any(|stream| stream.topic == topic) || !(Form::of(&topic).has_id() || room.fixed_topics) {
            continue;
        }
        let mut stream = Stream { topic, ..Stream::default() };
        if room.policies {
            stream.retention = dice.one_in(2).then(|| dice.number("retention", RETENTIONS));
            stream.budget = dice.one_in(2).then(|| dice.number("replay_budget", BUDGETS));
        }
        stream.payload = dice.word("payload", &payload_words());
        stream.most = most(stream.payload);
        stream.keys = shared;
        streams.push(stream);
    }
    if shared == "joined" && !can_join(streams.iter().map(|stream| stream.topic.as_str())) {
        streams.iter_mut().for_each(|stream| stream.keys = "shared");
    }
    streams
}

pub(super) fn clients(dice: &mut Dice<'_>, streams: &[Stream]) -> Vec<Client> {
    let all: Vec<usize> = (0..streams.len()).collect();
    let names = ["desk", "phone", "wall", "tablet", "late", "lamp"];
    let count = dice.number("clients", &[1, 2, 3, 6]);
    let serializers: Vec<_> = SERIALIZERS.iter().map(|(word, _)| *word).collect();
    let compressions: Vec<_> = COMPRESSIONS.iter().map(|(word, _)| *word).collect();
    let mut clients = Vec::new();
    for name in names.into_iter().take(usize::try_from(count).unwrap_or(1)) {
        clients.push(Client {
            name,
            streams: if clients.is_empty() || dice.one_in(2) { all.clone() } else { dice.some(&all) },
            replay_batch: dice.one_in(2).then(|| dice.number("replay_batch", BATCHES)),
            serializer: dice.one_in(2).then(|| dice.word("serializer", &serializers)),
            compression: dice.one_in(2).then(|| dice.word("compression", &compressions)),
            ..Client::default()
        });
    }
    clients
}
