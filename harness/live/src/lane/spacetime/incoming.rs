//! What a server's message says, whatever its subprotocol.

use cutover_core::history::Via;
use spacetimedb_client_api_messages::websocket::common::BsatnRowList;
use spacetimedb_client_api_messages::websocket::{v1, v2};
use spacetimedb_lib::{ConnectionId, bsatn};

use super::protocol::{ServerMessage, Side, each_row_list};
use super::rows::{EVENT_TABLE, EventRow, RowError, STREAM_TABLE, StreamRow, split};
use super::schema::Schema;

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Greeting {
        connection: ConnectionId,
    },
    Applied {
        request_id: u32,
    },
    Unsubscribed {
        request_id: u32,
    },
    /// A set of queries failed; without a request, one that was applied before.
    SubscribeFailed {
        request_id: Option<u32>,
        message: String,
    },
    /// A reducer was called: by this connection, or in v1 by any.
    Called {
        /// A 1.2.0 server answers a failed call with 0.
        request_id: u32,
        /// The call, which v1 repeats; v2 reports a client's own calls only, by their request.
        call: Option<Call>,
        result: Result<(), String>,
    },
    Transaction,
    /// Of a kind that only a newer server has.
    Newer {
        tag: u8,
    },
    Other,
}

/// A call, as v1 reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub caller: ConnectionId,
    pub reducer: String,
    pub args: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    pub name: &'static str,
    pub kind: Kind,
    /// Events, by seq within each stream; or what kept a row from being read.
    pub events: Vec<Result<EventRow, String>>,
    /// Events whose rows a transaction deletes.
    pub deleted: Vec<EventRow>,
    pub streams: Vec<StreamRow>,
}

impl Kind {
    pub fn via(&self) -> Via {
        match self {
            Kind::Applied { .. } => Via::Snapshot,
            _ => Via::Transaction,
        }
    }
}

pub fn read(message: &mut ServerMessage, schema: &Schema) -> Incoming {
    let (name, kind) = name_and_kind(message);
    let mut events = Vec::new();
    let (mut streams, mut deleted) = (Vec::new(), Vec::new());
    let seen = each_row_list(message, &mut |side, table, list| {
        match schema.shape().role_of(table) {
            Some(EVENT_TABLE) => {
                let rows = read_list(EVENT_TABLE, list, |row| EventRow::read(schema, row));
                if side == Side::Deleted {
                    deleted.extend(rows.into_iter().flatten());
                    return Ok(false);
                }
                events.extend(rows.into_iter().map(|row| row.map_err(|error| error.to_string())));
            }
            Some(STREAM_TABLE) if side == Side::Inserted => {
                for row in read_list(STREAM_TABLE, list, |row| StreamRow::read(schema, row)) {
                    match row {
                        Ok(row) => streams.push(row),
                        Err(error) => events.push(Err(error.to_string())),
                    }
                }
            }
            _ => {}
        }
        Ok(false)
    });
    if let Err(error) = seen {
        events.push(Err(error.to_string()));
    }
    // A table has no order: the seq is the order. Rows that can't be read come first, so that no event hides them.
    events.sort_by(|left, right| match (left, right) {
        (Ok(left), Ok(right)) => (&left.stream_id, left.seq).cmp(&(&right.stream_id, right.seq)),
        (left, right) => left.is_ok().cmp(&right.is_ok()),
    });
    Incoming { name, kind, events, deleted, streams }
}

/// The rows of a list, or what keeps each from being read.
fn read_list<T>(
    table: &'static str,
    list: &BsatnRowList,
    read: impl Fn(&[u8]) -> Result<T, RowError>,
) -> Vec<Result<T, RowError>> {
    match split(table, list) {
        Ok(rows) => rows.iter().map(|row| read(row)).collect(),
        Err(error) => vec![Err(error)],
    }
}

fn name_and_kind(message: &ServerMessage) -> (&'static str, Kind) {
    match message {
        ServerMessage::V1(message) => name_and_kind_of_v1(message),
        ServerMessage::V2(message) => name_and_kind_of_v2(message),
        ServerMessage::Newer(whole) => ("unknown", Kind::Newer { tag: whole.first().copied().unwrap_or_default() }),
    }
}

fn name_and_kind_of_v1(message: &v1::ServerMessage<v1::BsatnFormat>) -> (&'static str, Kind) {
    use v1::ServerMessage as Message;
    match message {
        Message::IdentityToken(token) => ("IdentityToken", Kind::Greeting { connection: token.connection_id }),
        Message::InitialSubscription(set) => ("InitialSubscription", Kind::Applied { request_id: set.request_id }),
        Message::SubscribeApplied(set) => ("SubscribeApplied", Kind::Applied { request_id: set.request_id }),
        Message::SubscribeMultiApplied(set) => ("SubscribeMultiApplied", Kind::Applied { request_id: set.request_id }),
        Message::UnsubscribeApplied(set) => ("UnsubscribeApplied", Kind::Unsubscribed { request_id: set.request_id }),
        Message::UnsubscribeMultiApplied(set) => {
            ("UnsubscribeMultiApplied", Kind::Unsubscribed { request_id: set.request_id })
        }
        Message::SubscriptionError(error) => {
            let (request_id, message) = (error.request_id, error.error.to_string());
            ("SubscriptionError", Kind::SubscribeFailed { request_id, message })
        }
        Message::TransactionUpdate(update) => {
            let call = Call {
                caller: update.caller_connection_id,
                reducer: update.reducer_call.reducer_name.to_string(),
                args: update.reducer_call.args.to_vec(),
            };
            let result = match &update.status {
                v1::UpdateStatus::Committed(_) => Ok(()),
                v1::UpdateStatus::Failed(message) => Err(message.to_string()),
                v1::UpdateStatus::OutOfEnergy => Err("out of energy".to_owned()),
            };
            let request_id = update.reducer_call.request_id;
            ("TransactionUpdate", Kind::Called { request_id, call: Some(call), result })
        }
        Message::TransactionUpdateLight(_) => ("TransactionUpdateLight", Kind::Transaction),
        Message::OneOffQueryResponse(_) => ("OneOffQueryResponse", Kind::Other),
        Message::ProcedureResult(_) => ("ProcedureResult", Kind::Other),
    }
}

fn name_and_kind_of_v2(message: &v2::ServerMessage) -> (&'static str, Kind) {
    use v2::ServerMessage as Message;
    match message {
        Message::InitialConnection(initial) => {
            ("InitialConnection", Kind::Greeting { connection: initial.connection_id })
        }
        Message::SubscribeApplied(set) => ("SubscribeApplied", Kind::Applied { request_id: set.request_id }),
        Message::UnsubscribeApplied(set) => ("UnsubscribeApplied", Kind::Unsubscribed { request_id: set.request_id }),
        Message::SubscriptionError(error) => {
            let (request_id, message) = (error.request_id, error.error.to_string());
            ("SubscriptionError", Kind::SubscribeFailed { request_id, message })
        }
        Message::ReducerResult(result) => {
            let request_id = result.request_id;
            let result = match &result.result {
                v2::ReducerOutcome::Ok(_) | v2::ReducerOutcome::OkEmpty => Ok(()),
                v2::ReducerOutcome::Err(value) => Err(reducer_error(value)),
                v2::ReducerOutcome::InternalError(message) => Err(message.to_string()),
            };
            ("ReducerResult", Kind::Called { request_id, call: None, result })
        }
        Message::TransactionUpdate(_) => ("TransactionUpdate", Kind::Transaction),
        Message::OneOffQueryResult(_) => ("OneOffQueryResult", Kind::Other),
        Message::ProcedureResult(_) => ("ProcedureResult", Kind::Other),
    }
}

/// A reducer's error: BSATN text from our module; other bytes are shown as they are.
fn reducer_error(value: &[u8]) -> String {
    match bsatn::from_slice::<Box<str>>(value) {
        Ok(text) => text.into_string(),
        Err(_) => String::from_utf8_lossy(value).into_owned(),
    }
}
