//! What a database's module calls its tables, columns and reducers, and what its calls take. The default is this
//! project's module.
//!
//! The code of the lane knows a table or a column by its *role*: what this project's module calls it. A shape says what
//! the module calls it. An empty name is a thing that the module does not have.

use cutover_core::text::visible;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::refusals::Refusals;
use super::request::sql_text;
use super::template::{self, Arguments, filled};
use crate::lane::names::Names;

/// The roles of the two tables that are subscribed.
pub const EVENT_TABLE: &str = "sync_event";
pub const STREAM_TABLE: &str = "sync_stream";

/// A name that is left out is that of this project's module.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident { $($key:ident: $kind:ty = $default:expr,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name { $(pub $key: $kind,)* }

        impl Default for $name {
            fn default() -> $name {
                $name { $($key: $default.into(),)* }
            }
        }
    };
}

table! {
    /// The table of events.
    Events {
        table: String = EVENT_TABLE,
        stream_id: String = "stream_id",
        seq: String = "seq",
        idempotency_key: String = "idempotency_key",
        payload_hash: String = "payload_hash",
        payload: String = "payload",
        committed_at: String = "committed_at",
        confirmed_read: String = "confirmed_read",
    }
}

table! {
    /// The table with a row for each stream.
    Heads {
        table: String = STREAM_TABLE,
        stream_id: String = "stream_id",
        head_seq: String = "head_seq",
        oldest_seq: String = "oldest_seq",
        retention: String = "retention",
        replay_budget: String = "replay_budget",
        class: String = "class",
    }
}

table! {
    /// The clients' checkpoints.
    Checkpoints {
        table: String = "sync_checkpoint",
        client_id: String = "client_id",
        stream_id: String = "stream_id",
        seq: String = "seq",
        durable_offset: String = "durable_offset",
        reducer: String = "ack_checkpoint",
        arguments: Arguments = ["{client}", "{stream}", "{seq}", "{durable_offset}"],
    }
}

table! {
    /// The table with a row for each open connection.
    Presence {
        table: String = "active_connection",
        connection_id: String = "connection_id",
    }
}

table! {
    /// The call that publishes an event.
    Append {
        reducer: String = "append_sync_event",
        arguments: Arguments = ["{stream}", "{key}", "{payload}", "{claimed_hash}", "{expected_next_seq}"],
    }
}

table! {
    /// The call that judges the cursors of a resume: it takes a list of stream ids and seqs.
    Resume {
        reducer: String = "resume_stream",
    }
}

table! {
    /// A call that writes nothing.
    Heartbeat {
        reducer: String = "resume_stream",
        arguments: Arguments = [json!([["{stream}", "{beyond_head}"]])],
    }
}

table! {
    /// The call that sets retention and replay budget.
    Policy {
        reducer: String = "set_stream_policy",
        arguments: Arguments = ["{stream}", "{none}", "{none}", "{retention}", "{replay_budget}"],
    }
}

table! {
    /// The event table of signals, and the call that sends one. No row of it is kept.
    Signals {
        table: String = "",
        stream_id: String = "stream_id",
        number: String = "number",
        reducer: String = "send_signal",
        arguments: Arguments = ["{stream}", "{number}"],
    }
}

/// How far an idempotency key reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyScope {
    #[default]
    Stream,
    Global,
}

table! {
    /// The idempotency keys, and the table that keeps them.
    Keys {
        scope: KeyScope = KeyScope::Stream,
        table: String = "sync_append_key",
        key: String = "append_key",
        form: String = "{stream_bytes}:{stream}{key}",
        seq: String = "seq",
        payload_hash: String = "payload_hash",
    }
}

table! {
    /// How ids of streams are made of topics.
    Streams {
        id: String = "{id}",
    }
}

/// The tables of a profile that describe a module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModuleShape {
    pub events: Events,
    pub heads: Heads,
    pub checkpoints: Checkpoints,
    pub presence: Presence,
    pub append: Append,
    pub resume: Resume,
    pub heartbeat: Heartbeat,
    pub policy: Policy,
    pub signals: Signals,
    pub refusals: Refusals,
    pub keys: Keys,
    pub streams: Streams,
}

impl ModuleShape {
    pub fn is_ours(&self) -> bool {
        *self == ModuleShape::default()
    }

    /// What the module calls the table of this role.
    pub fn table<'a>(&'a self, role: &'a str) -> &'a str {
        match role {
            EVENT_TABLE => &self.events.table,
            STREAM_TABLE => &self.heads.table,
            other => other,
        }
    }

    pub fn role_of(&self, table: &str) -> Option<&'static str> {
        match table {
            table if table == self.events.table => Some(EVENT_TABLE),
            table if table == self.heads.table => Some(STREAM_TABLE),
            _ => None,
        }
    }

    /// What the module calls a column of a table, both by their roles. It is empty where the module has none.
    pub fn column<'a>(&'a self, table: &str, role: &'a str) -> &'a str {
        let (events, heads) = (&self.events, &self.heads);
        match (table, role) {
            (EVENT_TABLE, "stream_id") => &events.stream_id,
            (EVENT_TABLE, "seq") => &events.seq,
            (EVENT_TABLE, "idempotency_key") => &events.idempotency_key,
            (EVENT_TABLE, "payload_hash") => &events.payload_hash,
            (EVENT_TABLE, "payload") => &events.payload,
            (EVENT_TABLE, "committed_at") => &events.committed_at,
            (EVENT_TABLE, "confirmed_read") => &events.confirmed_read,
            (STREAM_TABLE, "stream_id") => &heads.stream_id,
            (STREAM_TABLE, "head_seq") => &heads.head_seq,
            (STREAM_TABLE, "oldest_seq") => &heads.oldest_seq,
            _ => role,
        }
    }

    pub fn events_query(&self, stream_id: &str, after: u64) -> String {
        let Events { table, stream_id: column, seq, .. } = &self.events;
        format!("SELECT * FROM {table} WHERE {column} = {} AND {seq} > {after}", sql_text(stream_id))
    }

    /// Reads a query of the form of [`ModuleShape::events_query`]: stream id and seq.
    pub fn read_events_query(&self, query: &str) -> Option<(String, u64)> {
        let Events { table, stream_id, seq, .. } = &self.events;
        let rest = query.strip_prefix(&format!("SELECT * FROM {table} WHERE {stream_id} = '"))?;
        let (quoted, after) = rest.rsplit_once(&format!("' AND {seq} > "))?;
        Some((quoted.replace("''", "'"), after.trim().parse().ok()?))
    }

    /// The row that has a stream's head. A module without one gets a query that finds nothing: its answer ends a
    /// resume as well.
    pub fn stream_query(&self, stream_id: &str) -> String {
        let Heads { table, stream_id: column, .. } = &self.heads;
        match table.as_str() {
            "" => self.empty_query(stream_id),
            table => format!("SELECT * FROM {table} WHERE {column} = {}", sql_text(stream_id)),
        }
    }

    /// A query of events that no stream has.
    pub fn empty_query(&self, stream_id: &str) -> String {
        self.events_query(stream_id, u64::MAX)
    }

    /// What the table of keys holds for a key of a stream.
    pub fn key_form(&self, stream_id: &str, key: &str) -> String {
        let bytes = stream_id.len().to_string();
        let value = |name: &str| match name {
            "stream_bytes" => Some(bytes.as_str()),
            "stream" => Some(stream_id),
            "key" => Some(key),
            _ => None,
        };
        filled(&self.keys.form, value)
    }

    /// The columns that are only read by SQL, and those that a run can do without, by their tables.
    pub(super) fn other_columns(&self) -> Vec<(&str, Vec<&str>)> {
        let (events, heads, checkpoints, keys) = (&self.events, &self.heads, &self.checkpoints, &self.keys);
        let columns: [(&str, &[&String]); 6] = [
            (&events.table, &[&events.committed_at, &events.confirmed_read]),
            (&heads.table, &[&heads.oldest_seq, &heads.retention, &heads.replay_budget, &heads.class]),
            (
                &checkpoints.table,
                &[&checkpoints.client_id, &checkpoints.stream_id, &checkpoints.seq, &checkpoints.durable_offset],
            ),
            (&keys.table, &[&keys.key, &keys.seq, &keys.payload_hash]),
            (&self.presence.table, &[&self.presence.connection_id]),
            (&self.signals.table, &[&self.signals.stream_id, &self.signals.number]),
        ];
        let mut named = Vec::new();
        for (table, columns) in columns {
            let names = columns.iter().map(|column| column.as_str()).filter(|name| !name.is_empty());
            named.push((table, names.collect()));
        }
        named
    }

    /// The calls that a run makes, with their arguments.
    pub(super) fn calls(&self) -> impl Iterator<Item = (&str, &Arguments)> {
        let calls = [
            (self.append.reducer.as_str(), &self.append.arguments),
            (self.checkpoints.reducer.as_str(), &self.checkpoints.arguments),
            (self.heartbeat.reducer.as_str(), &self.heartbeat.arguments),
            (self.policy.reducer.as_str(), &self.policy.arguments),
            (if self.signals.table.is_empty() { "" } else { &self.signals.reducer }, &self.signals.arguments),
        ];
        calls.into_iter().filter(|(reducer, _)| !reducer.is_empty())
    }

    /// The module as one who listens to its signals sees it: they are the events. Nobody reads a key or a payload of
    /// theirs, so that any text stands for them.
    pub(super) fn of_signals(&self) -> Option<ModuleShape> {
        let Signals { table, stream_id, number, .. } = self.signals.clone();
        if table.is_empty() {
            return None;
        }
        let text = || stream_id.clone();
        let events = Events {
            table,
            seq: number,
            idempotency_key: text(),
            payload: text(),
            stream_id: text(),
            payload_hash: String::new(),
            committed_at: String::new(),
            confirmed_read: String::new(),
        };
        let (heads, checkpoints) = (Heads { table: String::new(), ..Heads::default() }, Checkpoints::default());
        let checkpoints = Checkpoints { reducer: String::new(), ..checkpoints };
        let resume = Resume { reducer: String::new() };
        let heartbeat = Heartbeat { reducer: String::new(), ..Heartbeat::default() };
        Some(ModuleShape { events, heads, checkpoints, resume, heartbeat, ..self.clone() })
    }

    /// Whether the module answers a resume with the contract's refusals.
    pub fn checks_cursors(&self) -> bool {
        !self.resume.reducer.is_empty()
    }

    /// A key on the wire. Keys that are global meet those of other runs, so they carry the word of the run.
    pub(super) fn key_on_wire(&self, names: &Names, key: &str) -> String {
        match names.scope().filter(|_| self.keys.scope == KeyScope::Global) {
            Some(scope) => format!("{scope}/{key}"),
            None => key.to_owned(),
        }
    }

    /// The key of the plan, by that on the wire.
    pub(super) fn key_of_plan(&self, names: &Names, key: String) -> String {
        let scope = names.scope().filter(|_| self.keys.scope == KeyScope::Global);
        let own = scope.and_then(|scope| key.strip_prefix(scope)?.strip_prefix('/'));
        own.map(str::to_owned).unwrap_or(key)
    }

    /// Every value that can't be used: its key, what is wrong with it, and how to mend it.
    pub(super) fn misfits(&self) -> Vec<(&'static str, String, String)> {
        let mut found = self.misfit_names();
        let arguments = [
            ("append.arguments", &self.append.arguments, &["stream", "key", "payload"][..], template::APPEND),
            ("checkpoints.arguments", &self.checkpoints.arguments, &[][..], template::CHECKPOINT),
            ("heartbeat.arguments", &self.heartbeat.arguments, &[][..], template::HEARTBEAT),
            ("policy.arguments", &self.policy.arguments, &[][..], template::POLICY),
            ("signals.arguments", &self.signals.arguments, &[][..], template::SIGNAL),
        ];
        for (key, arguments, needed, known) in arguments {
            for unknown in arguments.placeholders().iter().filter(|name| !known.contains(&name.as_str())) {
                let says = format!("`{{{}}}` stands for nothing in the arguments of this call", visible(unknown));
                let known: Vec<String> = known.iter().map(|name| format!("{{{name}}}")).collect();
                found.push((key, says, format!("use {}, or a constant", known.join(", "))));
            }
            for missing in needed.iter().filter(|name| arguments.place_of(name).is_none()) {
                let says = format!("no argument is `\"{{{missing}}}\"`");
                found.push((key, says, "every event has a stream, a key and a payload".to_owned()));
            }
        }
        if !self.streams.id.contains("{id}") && !self.streams.id.contains("{topic}") {
            let says = format!("`id = \"{}\"` gives every stream the same id", visible(&self.streams.id));
            found.push(("streams.id", says, "it needs `{id}` or `{topic}`".to_owned()));
        }
        found.extend(self.refusals.misfits());
        found
    }

    fn misfit_names(&self) -> Vec<(&'static str, String, String)> {
        let mut found = Vec::new();
        for (key, value, needed) in self.names() {
            let usable = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if value.is_empty() && needed {
                let says = format!("`{key}` is empty, and no run can do without it");
                found.push((key, says, "write what the module calls it".to_owned()));
            } else if !value.chars().all(usable) {
                let says = format!("`{}` is no name of a table, column or reducer", visible(value));
                found.push((key, says, "a name has letters, digits and `_`".to_owned()));
            }
        }
        found
    }

    /// Every name of the module, by its key, and whether a run needs it.
    fn names(&self) -> Vec<(&'static str, &str, bool)> {
        let (events, heads, checkpoints) = (&self.events, &self.heads, &self.checkpoints);
        let tells_heads = !heads.table.is_empty();
        let tells_signals = !self.signals.table.is_empty();
        let names: [(&'static str, &str, bool); 35] = [
            ("events.table", &events.table, true),
            ("events.stream_id", &events.stream_id, true),
            ("events.seq", &events.seq, true),
            ("events.idempotency_key", &events.idempotency_key, true),
            ("events.payload", &events.payload, true),
            ("events.payload_hash", &events.payload_hash, false),
            ("events.committed_at", &events.committed_at, false),
            ("events.confirmed_read", &events.confirmed_read, false),
            ("heads.table", &heads.table, false),
            ("heads.stream_id", &heads.stream_id, tells_heads),
            ("heads.head_seq", &heads.head_seq, tells_heads),
            ("heads.oldest_seq", &heads.oldest_seq, false),
            ("heads.retention", &heads.retention, false),
            ("heads.replay_budget", &heads.replay_budget, false),
            ("heads.class", &heads.class, false),
            ("checkpoints.table", &checkpoints.table, false),
            ("checkpoints.client_id", &checkpoints.client_id, !checkpoints.table.is_empty()),
            ("checkpoints.stream_id", &checkpoints.stream_id, !checkpoints.table.is_empty()),
            ("checkpoints.seq", &checkpoints.seq, !checkpoints.table.is_empty()),
            ("checkpoints.durable_offset", &checkpoints.durable_offset, false),
            ("checkpoints.reducer", &checkpoints.reducer, false),
            ("presence.table", &self.presence.table, false),
            ("presence.connection_id", &self.presence.connection_id, !self.presence.table.is_empty()),
            ("append.reducer", &self.append.reducer, true),
            ("resume.reducer", &self.resume.reducer, false),
            ("heartbeat.reducer", &self.heartbeat.reducer, false),
            ("policy.reducer", &self.policy.reducer, false),
            ("signals.table", &self.signals.table, false),
            ("signals.stream_id", &self.signals.stream_id, tells_signals),
            ("signals.number", &self.signals.number, tells_signals),
            ("signals.reducer", &self.signals.reducer, tells_signals),
            ("keys.table", &self.keys.table, false),
            ("keys.key", &self.keys.key, !self.keys.table.is_empty()),
            ("keys.seq", &self.keys.seq, !self.keys.table.is_empty()),
            ("keys.payload_hash", &self.keys.payload_hash, false),
        ];
        names.into()
    }

    /// The id of a stream, by its topic and the id that the contract gives it.
    pub fn stream_id(&self, topic: &str, id: &str) -> String {
        filled(&self.streams.id, |name| match name {
            "topic" => Some(topic),
            "id" => Some(id),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests;
