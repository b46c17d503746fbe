//! Reads the cast of a scenario: its streams, identities and clients.

use std::collections::BTreeMap;

use super::super::cast::{Client, Identity, Keys, Stream};
use super::super::compile::keys::can_join;
use super::super::compile::payload::Payload;
use super::super::errors::Mistakes;
use super::super::names::{MAX_NUMBER, Names};
use super::super::read::{At, Node, Section};
use super::super::words::{self, Driver, keys};
use crate::plan::{BRIDGE, ClientDefect, Compression, JoinParams, Programs, Serializer, Window};
use crate::topic::{Form, stream_id_of, topic_of};

/// The longest name, in characters.
const MAX_NAME: usize = 60;
const MAX_CAST: usize = 64;
const MAX_STREAMS: usize = 128;
/// The longest topic, in bytes.
const MAX_TOPIC: usize = 200;

/// Notes a name that is not lower-case words joined by hyphens.
pub(super) fn check_name(name: At<&str>, what: &str, mistakes: &mut Mistakes) {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let value = name.value;
    if value.is_empty() || value.len() > MAX_NAME || !value.chars().all(good) {
        let what = format!("{what} is 1 to {MAX_NAME} of a-z, 0-9 and `-`, but this is `{value}`");
        mistakes.local(name.at, what, None);
    }
}

/// The tables of a list that must have one member at least.
fn entries<'a>(root: &Section<'a>, key: &str, most: usize, mistakes: &mut Mistakes) -> Vec<Node<'a>> {
    let Some(node) = root.need(key, mistakes) else {
        return Vec::new();
    };
    let entries = root.list(key, mistakes);
    if node.list().is_some_and(|list| list.is_empty()) {
        mistakes.local(node.at, format!("`{key}` is empty"), None);
    }
    if entries.len() > most {
        mistakes.local(node.at, format!("at most {most} {key} are possible"), None);
    }
    entries.into_iter().take(most).collect()
}

pub(super) fn streams(root: &Section<'_>, mistakes: &mut Mistakes) -> Vec<At<Stream>> {
    let mut ids = BTreeMap::new();
    let mut streams = Vec::new();
    for node in entries(root, "streams", MAX_STREAMS, mistakes) {
        let Some(section) = Section::of(node, "a stream", mistakes) else {
            continue;
        };
        section.only(keys::STREAM, mistakes);
        let Some(topic) = section.need_text("topic", mistakes) else {
            continue;
        };
        check_topic(topic, mistakes);
        if let Some(other) = ids.insert(stream_id_of(topic.value), topic.value.to_owned()) {
            let what = format!("`{}` and `{other}` are one stream on the candidate", topic.value);
            mistakes.whole(topic.at, what, None);
        }
        let value = Stream {
            topic: topic.value.to_owned(),
            retention: section.number("retention", 1..=MAX_NUMBER, mistakes),
            replay_budget: section.number("replay_budget", 0..=MAX_NUMBER, mistakes),
            payload: section.word("payload", words::PAYLOADS, mistakes).unwrap_or(Payload::Small),
            keys: section.word("keys", words::KEYS, mistakes).unwrap_or(Keys::Own),
        };
        streams.push(At { value, at: section.at });
    }
    let mut joined = streams.iter().filter(|stream| stream.value.keys == Keys::Joined);
    let topics = joined.clone().map(|stream| stream.value.topic.as_str());
    if !can_join(topics)
        && let Some(joined) = joined.next()
    {
        let hint = "name them run:pair:events and run:pair-1:events".to_owned();
        mistakes.whole(joined.at, "joined keys need several streams, and an id of one that begins all other ids", hint);
    }
    streams
}

/// Notes a topic that the contract's table does not have, or that can't be told from its stream id.
fn check_topic(topic: At<&str>, mistakes: &mut Mistakes) {
    let value = topic.value;
    let named = topic_of(&stream_id_of(value)).as_deref() == Some(value);
    if !named {
        let hint = "topics are run:<id>:events, worker:<id>:lifecycle, fleet:user:<id>:workers, \
                    fleet:guest:<id>:workers, runtime.codex_worker_events, runtime.run_summaries and \
                    runtime.codex_worker_summaries";
        let what = format!("the contract has no class for the topic `{value}`");
        mistakes.local(topic.at, what, hint.to_owned());
        return;
    }
    if Form::of(value).has_id() && value.contains('.') {
        let what = format!("the id in `{value}` holds a dot, by which the candidate's stream ids are divided");
        mistakes.local(topic.at, what, "use `-` or `_`".to_owned());
        return;
    }
    // A combining mark is a letter in one Unicode form, and no letter in another.
    let good = |c: char| c.is_alphanumeric() || "._-:/|~+".contains(c) || ('\u{300}'..'\u{370}').contains(&c);
    if value.len() > MAX_TOPIC || !value.chars().all(good) {
        let what = format!("a topic is at most {MAX_TOPIC} bytes of letters, digits and `._-:/|~+`");
        mistakes.local(topic.at, what, None);
    }
}

pub(super) fn identities(root: &Section<'_>, streams: &[At<Stream>], mistakes: &mut Mistakes) -> Vec<At<Identity>> {
    let mut identities: Vec<At<Identity>> = Vec::new();
    if !root.has("identities") {
        return identities;
    }
    if let Some(node) = root.get("expand") {
        mistakes.local(node.at, "a scenario with identities is not expanded: its cases would share them", None);
    }
    let names = Names { streams, identities: &[], clients: &[] };
    for node in entries(root, "identities", MAX_CAST, mistakes) {
        let Some(section) = Section::of(node, "an identity", mistakes) else { continue };
        section.only(keys::IDENTITY, mistakes);
        let Some(name) = section.need_text("name", mistakes) else { continue };
        check_name(name, "an identity's name", mistakes);
        if identities.iter().any(|other| other.value.name == name.value) {
            mistakes.whole(name.at, format!("two identities are called `{}`", name.value), None);
        }
        let mut streams = |key| {
            let topics = section.texts(key, mistakes);
            topics.into_iter().filter_map(|topic| names.stream(topic, mistakes)).collect()
        };
        let (reads, writes) = (streams("reads"), streams("writes"));
        let tenant = section.need_text("tenant", mistakes).map(|tenant| tenant.value.to_owned()).unwrap_or_default();
        let value = Identity { name: name.value.to_owned(), tenant, reads, writes };
        identities.push(At { value, at: section.at });
    }
    identities
}

pub(super) fn clients(
    root: &Section<'_>,
    (streams, identities): (&[At<Stream>], &[At<Identity>]),
    window: Option<&Window>,
    mistakes: &mut Mistakes,
) -> Vec<At<Client>> {
    let names = Names { streams, identities, clients: &[] };
    let mut clients: Vec<At<Client>> = Vec::new();
    for node in entries(root, "clients", MAX_CAST, mistakes) {
        let Some(client) = client(node, &names, window, mistakes) else {
            continue;
        };
        let name = &client.value.name;
        if name == "writer" {
            mistakes.local(client.at, "`writer` is the name of the one who publishes", None);
        } else if name == BRIDGE && root.has("bridge") {
            mistakes.local(client.at, "`bridge` is the name of the bridge", None);
        } else if clients.iter().any(|other| other.value.name == *name) {
            mistakes.whole(client.at, format!("two clients are called `{name}`"), None);
        }
        clients.push(client);
    }
    clients
}

fn client(node: Node<'_>, names: &Names<'_>, window: Option<&Window>, mistakes: &mut Mistakes) -> Option<At<Client>> {
    let section = Section::of(node, "a client", mistakes)?;
    section.only(keys::CLIENT, mistakes);
    let name = section.need_text("name", mistakes)?;
    check_name(name, "a client's name", mistakes);
    let mut streams: Vec<usize> = Vec::new();
    if section.has("streams") {
        for topic in section.texts("streams", mistakes) {
            match names.stream(topic, mistakes) {
                Some(stream) if streams.contains(&stream) => {
                    mistakes.local(topic.at, format!("`{}` stands here twice", topic.value), None);
                }
                Some(stream) => streams.push(stream),
                None => {}
            }
        }
    } else {
        streams.extend(0..names.streams.len());
    }
    let identity = section.text("as", mistakes).and_then(|name| names.identity(name, mistakes));
    if identity.is_none() && !names.identities.is_empty() {
        let hint = "give `as = \"NAME\"`: a lane with identities asks every client for a token".to_owned();
        mistakes.whole(section.at, format!("`{}` has no identity", name.value), hint);
    }
    let granted = identity.map(|identity| &names.identities[identity].value.reads);
    if let Some(stream) = streams.iter().find(|stream| granted.is_some_and(|granted| !granted.contains(stream))) {
        let topic = &names.streams[*stream].value.topic;
        let what = format!("`{}` follows `{topic}`, which its identity may not read", name.value);
        mistakes.whole(section.at, what, "list the `streams` of the client, or grant this one".to_owned());
    }
    let batch = section.number("replay_batch", 1..=1_000, mistakes).unwrap_or(200);
    let join = join_params(&section, mistakes);
    let refused = match (window, &join) {
        (Some(window), Some(join)) => window.refuses(join),
        (Some(_), None) => {
            let what = format!("the window lets in or refuses `{}` by what it says as it joins", name.value);
            let hint = "add join = { build = \"20260225T190000Z\", protocol = \"own\", schema = 1 }".to_owned();
            mistakes.whole(section.at, what, hint);
            None
        }
        (None, _) => None,
    };
    if refused.is_some() {
        streams.clear();
    }
    let habit = section.word("habit", words::HABITS, mistakes);
    let serializer = section.word("serializer", words::SERIALIZERS, mistakes);
    if let Some((habit, serializer)) = habit.zip(serializer).filter(|(habit, said)| habit.serializer != *said) {
        let what = format!("`{}` speaks another serializer than {serializer:?}", habit.name);
        mistakes.whole(section.at, what, "leave `serializer` out: the habit says it".to_owned());
    }
    let value = Client {
        name: name.value.to_owned(),
        streams,
        replay_batch: u32::try_from(batch).unwrap_or(200),
        serializer: serializer.or(habit.map(|habit| habit.serializer)).unwrap_or(Serializer::V2),
        compression: section.word("compression", words::COMPRESSIONS, mistakes).unwrap_or(Compression::None),
        habit: habit.map(|habit| habit.name),
        join,
        refused,
        passes_off: section.word("reads", words::READS, mistakes).unwrap_or(false),
        programs: programs(&section, mistakes),
        identity,
    };
    Some(At { value, at: section.at })
}

/// The longest command, in words.
const MAX_COMMAND: usize = 32;

/// The programs that stand in the client's place, by `driver = "exec"` and the command of a lane or of both.
fn programs(client: &Section<'_>, mistakes: &mut Mistakes) -> Option<Programs> {
    let commands = || ["legacy", "candidate"].into_iter().find_map(|key| client.get(key));
    let driver = match client.has("driver") {
        true => Some(client.word("driver", words::DRIVERS, mistakes)?),
        false => None,
    };
    let mut not_for = |node: Option<Node<'_>>, what: &str, hint: &str| {
        node.inspect(|node| mistakes.local(node.at, what, hint.to_owned()));
    };
    if driver != Some(Driver::Planted) {
        not_for(client.get("defect"), "this defect is never planted", "add driver = \"planted\"");
    }
    if driver != Some(Driver::Exec) {
        not_for(commands(), "a command without a driver is never run", "add driver = \"exec\"");
    }
    driver?;
    for key in ["as", "join", "reads", "serializer", "compression", "replay_batch"] {
        if let Some(node) = client.get(key) {
            let what = format!("`{key}` is about the harness's own client, and a program stands in its place");
            mistakes.local(node.at, what, "leave it out".to_owned());
        }
    }
    let mut command = |key| {
        let words = client.texts(key, mistakes);
        if let Some(empty) = words.iter().find(|word| word.value.trim().is_empty()) {
            mistakes.local(empty.at, "a word of a command is empty", None);
        }
        words.into_iter().take(MAX_COMMAND).map(|word| word.value.to_owned()).collect()
    };
    if driver == Some(Driver::Planted) {
        client.need("defect", mistakes)?;
        let defect = Some(client.word("defect", &ClientDefect::WORDS, mistakes)?);
        return Some(Programs { defect, ..Programs::default() });
    }
    let programs = Programs { legacy: command("legacy"), candidate: command("candidate"), defect: None };
    if programs == Programs::default() {
        let hint = "add legacy = [\"python3\", \"client.py\"], or candidate = [..], or both".to_owned();
        mistakes.local(client.at, "there is no command for the program", hint);
        return None;
    }
    Some(programs)
}

fn join_params(client: &Section<'_>, mistakes: &mut Mistakes) -> Option<JoinParams> {
    let section = Section::of(client.get("join")?, "`join`", mistakes)?;
    section.only(keys::JOIN, mistakes);
    Some(JoinParams {
        build: build(&section, "build", mistakes),
        protocol: section.word("protocol", words::SAID_PROTOCOLS, mistakes),
        schema: section.number("schema", 0..=MAX_NUMBER, mistakes),
    })
}

fn build(section: &Section<'_>, key: &str, mistakes: &mut Mistakes) -> Option<String> {
    let text = section.text(key, mistakes)?;
    if text.value.len() > MAX_NAME {
        mistakes.local(text.at, format!("`{key}` is at most {MAX_NAME} bytes"), None);
    }
    Some(text.value.to_owned())
}

/// Which clients the lanes let in. What the table leaves out has the contract's value.
pub(super) fn window(root: &Section<'_>, mistakes: &mut Mistakes) -> Option<Window> {
    let section = Section::of(root.get("window")?, "`window`", mistakes)?;
    section.only(keys::WINDOW, mistakes);
    let usual = Window::default();
    let window = Window {
        min_client_build_id: build(&section, "min_build", mistakes).unwrap_or(usual.min_client_build_id),
        max_client_build_id: build(&section, "max_build", mistakes),
        min_schema_version: section.number("min_schema", 1..=MAX_NUMBER, mistakes).unwrap_or(1),
        max_schema_version: section.number("max_schema", 1..=MAX_NUMBER, mistakes).unwrap_or(1),
    };
    if window.max_schema_version < window.min_schema_version {
        mistakes.local(section.at, "`max_schema` is below `min_schema`", None);
    }
    Some(window)
}
