//! Proposes a profile for a module, by the schema that its server reports. What the names and types do not say is left
//! to a person: each such line has a comment, and a note.

use spacetimedb_sats::{AlgebraicType, ProductType};

use super::schema::{Schema, columns, in_words};

/// Words by which columns and arguments are found, the surest first.
const STREAM: &[&str] = &["stream_id", "stream", "topic", "channel", "log"];
const SEQ: &[&str] = &["seq", "sequence", "number", "position", "last_applied", "upto", "offset"];
const KEY: &[&str] = &["idempotency_key", "idempotency", "dedup", "key", "token"];
const PAYLOAD: &[&str] = &["payload_json", "payload", "body", "json", "data", "content"];
const HASH: &[&str] = &["payload_hash", "hash", "digest", "checksum"];
const HEAD: &[&str] = &["head_seq", "head", "newest", "last_seq", "latest"];
const OLDEST: &[&str] = &["oldest_seq", "oldest", "first"];
const CLIENT: &[&str] = &["client_id", "client", "reader", "consumer", "device"];
const EXPECTED: &[&str] = &["expected_next_seq", "expected", "place"];
const TIME: &[&str] = &["_ms", "unix_ms", "millis"];

/// A proposal: the profile as TOML, and what could not be decided.
pub(super) struct Draft {
    lines: Vec<String>,
    undecided: Vec<String>,
}

impl Draft {
    fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    fn section(&mut self, name: &str) {
        self.lines.extend([String::new(), format!("[{name}]")]);
    }

    fn name(&mut self, key: &str, name: Option<&str>) {
        self.say(format!("{key} = \"{}\"", name.unwrap_or_default()));
    }

    /// A line that a person has to look at.
    fn ask(&mut self, line: impl Into<String>, what: impl Into<String>) {
        let what = what.into();
        self.lines.push(format!("# Not decided: {what}."));
        self.lines.push(line.into());
        self.undecided.push(what);
    }
}

/// # Errors
/// A schema in which no table has a stream, a seq and a payload.
pub(super) fn propose(schema: &Schema, url: &str, database: &str) -> Result<(String, Vec<String>), String> {
    let Some((table, events)) = events_of(schema) else {
        let tables: Vec<String> =
            schema.tables().iter().map(|(name, row)| format!("{name} ({})", columns(row))).collect();
        let has = if tables.is_empty() { "none".to_owned() } else { tables.join(", ") };
        return Err(format!(
            "no table of the module looks like an event log: a text for the stream, a U64 for the seq, \
                            a text for the payload; its tables are {has}"
        ));
    };
    let mut draft = Draft { lines: Vec::new(), undecided: Vec::new() };
    if schema.missing().is_empty() {
        let what = "It has all tables and reducers of this project's module, so that there is nothing to describe";
        draft.say(format!("# A profile for `{database}`. {what}."));
        draft.say("kind = \"spacetime\"");
        draft.say(format!("url = \"{url}\""));
        draft.say(format!("database = \"{database}\""));
        return Ok((draft.lines.join("\n") + "\n", draft.undecided));
    }
    draft.say(format!("# A proposal by the schema of `{database}`. `cutover lane check` tries it."));
    draft.say("kind = \"spacetime\"");
    draft.say(format!("url = \"{url}\""));
    draft.say(format!("database = \"{database}\""));
    event_table(&mut draft, table, events);
    heads(&mut draft, schema, table);
    append(&mut draft, schema);
    checkpoints(&mut draft, schema, table);
    calls(&mut draft, schema);
    draft.section("presence");
    let connection = connections(schema);
    if let Some((table, column)) = connection {
        draft.name("table", Some(table));
        draft.name("connection_id", Some(column));
    } else {
        draft.say("# No table has a row for each connection, so no client is counted.");
        draft.name("table", None);
    }
    keys(&mut draft, schema, table, events);
    refusals(&mut draft);
    Ok((draft.lines.join("\n") + "\n", draft.undecided))
}

fn is_text(kind: &AlgebraicType) -> bool {
    *kind == AlgebraicType::String
}

fn is_seq(kind: &AlgebraicType) -> bool {
    *kind == AlgebraicType::U64
}

/// The first element whose name is, or else holds, one of these words, and whose type fits.
fn find<'s>(row: &'s ProductType, words: &[&str], fits: fn(&AlgebraicType) -> bool, not: &[&str]) -> Option<&'s str> {
    let named =
        || row.elements.iter().filter(|element| fits(&element.algebraic_type)).filter_map(|has| has.name.as_deref());
    let free = |name: &&str| !not.contains(name);
    let exact = words.iter().find_map(|word| named().filter(free).find(|name| name == word));
    exact.or_else(|| words.iter().find_map(|word| named().filter(free).find(|name| name.contains(word))))
}

fn parts(row: &ProductType) -> Option<[&str; 4]> {
    let payload = find(row, PAYLOAD, is_text, &[])?;
    let hash = find(row, HASH, is_text, &[payload]).unwrap_or_default();
    let stream = find(row, STREAM, is_text, &[payload, hash])?;
    let seq = find(row, SEQ, is_seq, &[])?;
    let payload = if payload == hash { "" } else { payload };
    Some([stream, seq, payload, hash])
}

fn events_of(schema: &Schema) -> Option<(&str, &ProductType)> {
    let logs = schema.tables().iter().filter(|(_, row)| {
        parts(row).is_some_and(|[stream, _, payload, _]| stream != payload) && find(row, KEY, is_text, &[]).is_some()
    });
    // Of several, the one that is named after events, or else the widest.
    let rank = |(name, row): &(&String, &std::sync::Arc<ProductType>)| {
        let named = ["event", "journal", "log"].iter().any(|word| name.contains(word));
        (!name.contains("outbox"), named, row.elements.len())
    };
    logs.max_by_key(rank).map(|(name, row)| (name.as_str(), &**row))
}

fn event_table(draft: &mut Draft, table: &str, row: &ProductType) {
    let Some([stream, seq, payload, hash]) = parts(row) else { return };
    draft.section("events");
    draft.say(format!("# Its columns: {}", columns(row)));
    draft.name("table", Some(table));
    draft.name("stream_id", Some(stream));
    draft.name("seq", Some(seq));
    draft.name("idempotency_key", find(row, KEY, is_text, &[stream, payload, hash]));
    draft.name("payload_hash", Some(hash));
    draft.name("payload", Some(payload));
    let is_time = |kind: &AlgebraicType| *kind == AlgebraicType::I64;
    let time = find(row, &["committed_at", "created_at", "at", "time"], is_time, &[]);
    match time {
        Some(time) => draft.name("committed_at", Some(time)),
        None => {
            draft.say("# No timestamp of the server: times are not judged.");
            draft.name("committed_at", None);
        }
    }
    match find(row, &["confirmed_read"], |kind| *kind == AlgebraicType::Bool, &[]) {
        Some(_) => draft.ask(
            "confirmed_read = \"\"",
            "whether `confirmed_read` is always true, and by the module's word; if so, name the column",
        ),
        None => draft.name("confirmed_read", None),
    }
}

fn heads(draft: &mut Draft, schema: &Schema, events: &str) {
    draft.section("heads");
    let table = schema.tables().iter().filter(|(name, _)| *name != events).find_map(|(name, row)| {
        let head = find(row, HEAD, is_seq, &[])?;
        Some((name, row, find(row, &["stream_id", "stream", "name", "topic", "channel", "id"], is_text, &[])?, head))
    });
    let Some((table, row, stream, head)) = table else {
        draft.ask("table = \"\"", "which table has the head of each stream; without one, heads are not judged");
        return;
    };
    draft.say(format!("# Its columns: {}", columns(row)));
    draft.name("table", Some(table));
    draft.name("stream_id", Some(stream));
    draft.name("head_seq", Some(head));
    draft.name("oldest_seq", find(row, OLDEST, is_seq, &[head]));
    draft.name("retention", find(row, &["retention"], is_seq, &[]));
    draft.name("replay_budget", find(row, &["replay_budget"], is_seq, &[]));
    draft.name("class", find(row, &["class"], is_text, &[]));
}

/// The argument's placeholder, and whether that is a guess.
fn placeholder(name: &str, kind: &AlgebraicType) -> (String, bool) {
    let inner = kind.as_option().unwrap_or(kind);
    let has = |words: &[&str]| words.iter().any(|word| name == *word || name.contains(word));
    let quoted = |word: &str| format!("\"{{{word}}}\"");
    match inner {
        AlgebraicType::String if has(HASH) => (quoted("hash"), true),
        AlgebraicType::String if has(PAYLOAD) => (quoted("payload"), false),
        AlgebraicType::String if has(KEY) => (quoted("key"), false),
        AlgebraicType::String if has(CLIENT) => (quoted("client"), false),
        AlgebraicType::String if has(STREAM) => (quoted("stream"), false),
        kind if is_seq(kind) && has(EXPECTED) => (quoted("expected_next_seq"), false),
        kind if is_seq(kind) && has(TIME) => (quoted("now_ms"), false),
        _ if kind.as_option().is_some() => (quoted("none"), true),
        AlgebraicType::String => ("\"\"".to_owned(), true),
        AlgebraicType::Bool => ("true".to_owned(), true),
        kind if kind.is_integer() => ("0".to_owned(), true),
        _ => (quoted("none"), true),
    }
}

fn append(draft: &mut Draft, schema: &Schema) {
    draft.section("append");
    let takes = |row: &ProductType| {
        let texts = [PAYLOAD, KEY, STREAM].map(|words| find(row, words, is_text, &[]));
        let [Some(payload), Some(key), Some(stream)] = texts else { return false };
        payload != key && key != stream && payload != stream
    };
    let fits = schema.reducers().iter().filter(|(_, row)| takes(row));
    let rank = |(name, _): &(&String, &ProductType)| {
        ["append", "publish", "post", "write", "emit"].iter().any(|word| name.contains(word))
    };
    let Some((reducer, row)) = fits.max_by_key(rank) else {
        draft.ask("reducer = \"\"", "which reducer publishes an event: none takes a stream, a key and a payload");
        return;
    };
    draft.say(format!("# It takes: {}", columns(row)));
    draft.name("reducer", Some(reducer));
    let mut guesses = Vec::new();
    let mut arguments = Vec::new();
    for element in &row.elements {
        let name = element.name.as_deref().unwrap_or_default();
        let (argument, guess) = placeholder(name, &element.algebraic_type);
        if guess && argument != "\"{hash}\"" {
            guesses.push(format!("`{name}` ({}) as {argument}", in_words(&element.algebraic_type)));
        }
        arguments.push(argument);
    }
    let line = format!("arguments = [{}]", arguments.join(", "));
    if guesses.is_empty() {
        draft.say(line);
    } else {
        draft.ask(line, format!("what a publisher gives for {}", guesses.join(", ")));
    }
    if arguments.iter().any(|argument| argument == "\"{hash}\"") {
        let what = "whether the publisher has to give the hash; if the module computes it, write `{claimed_hash}`, \
                    which is empty where a plan names none";
        draft.lines.push(format!("# Not decided: {what}."));
        draft.undecided.push(what.to_owned());
    }
}

fn checkpoints(draft: &mut Draft, schema: &Schema, events: &str) {
    draft.section("checkpoints");
    let table = schema.tables().iter().filter(|(name, _)| *name != events).find_map(|(name, row)| {
        let client = find(row, CLIENT, is_text, &[])?;
        let stream = find(row, STREAM, is_text, &[client])?;
        Some((name, row, client, stream, find(row, SEQ, is_seq, &[])?))
    });
    let reducer = schema.reducers().iter().find_map(|(name, row)| {
        let client = find(row, CLIENT, is_text, &[])?;
        let stream = find(row, STREAM, is_text, &[client])?;
        let is_event = find(row, PAYLOAD, is_text, &[client, stream]).is_some();
        (!is_event).then_some((name, row, client, stream, find(row, SEQ, is_seq, &[])?))
    });
    match table {
        Some((table, row, client, stream, seq)) => {
            draft.name("table", Some(table));
            draft.name("client_id", Some(client));
            draft.name("stream_id", Some(stream));
            draft.name("seq", Some(seq));
            draft.name("durable_offset", find(row, &["durable_offset", "on_disk", "offset"], is_seq, &[seq]));
        }
        None => draft.name("table", None),
    }
    let Some((reducer, row, client, stream, seq)) = reducer else {
        draft.say("# No reducer takes a client, a stream and a seq: clients acknowledge no checkpoints.");
        draft.name("reducer", None);
        return;
    };
    draft.name("reducer", Some(reducer));
    let argument = |name: &str, kind: &AlgebraicType| match name {
        name if name == client => "\"{client}\"".to_owned(),
        name if name == stream => "\"{stream}\"".to_owned(),
        name if name == seq => "\"{seq}\"".to_owned(),
        _ if is_seq(kind) => "\"{durable_offset}\"".to_owned(),
        name => placeholder(name, kind).0,
    };
    let arguments = row
        .elements
        .iter()
        .map(|element| argument(element.name.as_deref().unwrap_or_default(), &element.algebraic_type));
    draft.say(format!("arguments = [{}]", arguments.collect::<Vec<_>>().join(", ")));
}

fn calls(draft: &mut Draft, schema: &Schema) {
    let cursors = schema.reducers().iter().filter(|(_, row)| {
        row.elements.len() == 1 && in_words(&row.elements[0].algebraic_type) == super::schema::CURSORS
    });
    let resume = cursors.map(|(name, _)| name.as_str()).next();
    draft.section("resume");
    if resume.is_none() {
        draft.say("# No reducer takes a list of cursors: a resume is the query alone.");
    }
    draft.name("reducer", resume);
    draft.section("heartbeat");
    match resume {
        Some(resume) => draft.ask(
            format!("reducer = \"{resume}\""),
            format!("whether `{resume}` writes nothing; \"\" asks for events that no stream has instead"),
        ),
        None => draft.name("reducer", None),
    }
    draft.section("policy");
    let retains = |row: &ProductType| {
        let u64s = |word: &str| {
            row.elements.iter().any(|has| {
                has.name.as_deref().is_some_and(|name| name.contains(word))
                    && is_seq(has.algebraic_type.as_option().unwrap_or(&has.algebraic_type))
            })
        };
        u64s("retention") && u64s("budget")
    };
    let policy =
        schema.reducers().iter().filter(|(_, row)| retains(row)).max_by_key(|(name, _)| name.contains("policy"));
    match policy {
        Some((reducer, row)) => {
            draft.name("reducer", Some(reducer));
            let argument = |name: &str, kind: &AlgebraicType| match name {
                name if name.contains("retention") => "\"{retention}\"".to_owned(),
                name if name.contains("budget") => "\"{replay_budget}\"".to_owned(),
                name => placeholder(name, kind).0,
            };
            let arguments =
                row.elements.iter().map(|has| argument(has.name.as_deref().unwrap_or_default(), &has.algebraic_type));
            draft.say(format!("arguments = [{}]", arguments.collect::<Vec<_>>().join(", ")));
        }
        None => {
            draft.say("# No reducer sets retention and replay budget: scenarios that need them are left out.");
            draft.name("reducer", None);
        }
    }
}

fn connections(schema: &Schema) -> Option<(&str, &str)> {
    let is_id = |kind: &AlgebraicType| matches!(kind, AlgebraicType::U128) || in_words(kind) == "(U128)";
    let found = schema.tables().iter().filter_map(|(name, row)| {
        let column = find(row, &["connection_id", "connection"], is_id, &[])?;
        Some((name.as_str(), column))
    });
    found.max_by_key(|(name, _)| ["connection", "online", "presence"].iter().any(|word| name.contains(word)))
}

fn keys(draft: &mut Draft, schema: &Schema, events: &str, row: &ProductType) {
    draft.section("keys");
    let ours = Schema::module();
    let (table, is_ours) = ("sync_append_key", |row: &ProductType| {
        ours.tables().get("sync_append_key").is_some_and(|ours| **ours == *row)
    });
    if !schema.tables().get(table).is_some_and(|row| is_ours(row)) {
        draft.say("# Seqs are read back from the events.");
        draft.name("table", None);
    }
    let key = find(row, KEY, is_text, &[]).unwrap_or_default();
    if schema.is_primary_key(events, key) {
        draft.say(format!("# `{key}` is the primary key of `{events}`: a key is one over all streams."));
        draft.say("scope = \"global\"");
    } else {
        draft.ask("scope = \"stream\"", "whether a key is one of its stream, or \"global\" over all streams");
    }
}

fn refusals(draft: &mut Draft) {
    draft.section("refusals");
    let what = "how refusals are spelled: \"json\" with the contract's codes, or \"text\" with \
                `patterns = [{ text = \"conflict expected={expected}\", code = \"sequence_conflict\" }]`";
    draft.ask("form = \"json\"", what);
}

#[cfg(test)]
mod tests;
