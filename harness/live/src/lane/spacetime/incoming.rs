//! What a server's message says, whatever its subprotocol.

use cutover_core::history::Via;
use spacetimedb_client_api_messages::websocket::common::BsatnRowList;
use spacetimedb_client_api_messages::websocket::{v1, v2};
use spacetimedb_lib::{ConnectionId, bsatn};

use super::protocol::{ServerMessage, each_row_list};
use super::rows::{EVENT_TABLE, EventRow, RowError, STREAM_TABLE, StreamRow, split};
use super::schema::Schema;

/// What a message is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// The first message of a connection.
    Greeting {
        connection: ConnectionId,
    },
    /// A set of queries is applied.
    Applied {
        request_id: u32,
    },
    /// A set of queries was given up.
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
    /// A transaction of another connection.
    Transaction,
    Other,
}

/// A call, as v1 reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub caller: ConnectionId,
    pub reducer: String,
    pub args: Vec<u8>,
}

/// A message with the rows that it brings.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    pub kind: Kind,
    /// Events, by seq within each stream; or what kept a row from being read.
    pub events: Vec<Result<EventRow, String>>,
    pub streams: Vec<StreamRow>,
}

impl Kind {
    /// Whether the rows are a snapshot's or a transaction's.
    pub fn via(&self) -> Via {
        match self {
            Kind::Applied { .. } => Via::Snapshot,
            _ => Via::Transaction,
        }
    }
}

pub fn read(message: &mut ServerMessage, schema: &Schema) -> Incoming {
    let kind = kind_of(message);
    let mut events = Vec::new();
    let mut streams = Vec::new();
    let seen = each_row_list(message, &mut |table, list| {
        match table {
            EVENT_TABLE => {
                let rows = read_list(EVENT_TABLE, list, |row| EventRow::read(schema, row));
                events.extend(rows.into_iter().map(|row| row.map_err(|error| error.to_string())));
            }
            STREAM_TABLE => {
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
    Incoming { kind, events, streams }
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

fn kind_of(message: &ServerMessage) -> Kind {
    match message {
        ServerMessage::V1(message) => kind_of_v1(message),
        ServerMessage::V2(message) => kind_of_v2(message),
    }
}

fn kind_of_v1(message: &v1::ServerMessage<v1::BsatnFormat>) -> Kind {
    match message {
        v1::ServerMessage::IdentityToken(token) => Kind::Greeting { connection: token.connection_id },
        v1::ServerMessage::SubscribeMultiApplied(applied) => Kind::Applied { request_id: applied.request_id },
        v1::ServerMessage::SubscribeApplied(applied) => Kind::Applied { request_id: applied.request_id },
        v1::ServerMessage::InitialSubscription(initial) => Kind::Applied { request_id: initial.request_id },
        v1::ServerMessage::UnsubscribeMultiApplied(applied) => Kind::Unsubscribed { request_id: applied.request_id },
        v1::ServerMessage::UnsubscribeApplied(applied) => Kind::Unsubscribed { request_id: applied.request_id },
        v1::ServerMessage::SubscriptionError(error) => {
            Kind::SubscribeFailed { request_id: error.request_id, message: error.error.to_string() }
        }
        v1::ServerMessage::TransactionUpdate(update) => Kind::Called {
            request_id: update.reducer_call.request_id,
            call: Some(Call {
                caller: update.caller_connection_id,
                reducer: update.reducer_call.reducer_name.to_string(),
                args: update.reducer_call.args.to_vec(),
            }),
            result: match &update.status {
                v1::UpdateStatus::Committed(_) => Ok(()),
                v1::UpdateStatus::Failed(message) => Err(message.to_string()),
                v1::UpdateStatus::OutOfEnergy => Err("out of energy".to_owned()),
            },
        },
        v1::ServerMessage::TransactionUpdateLight(_) => Kind::Transaction,
        v1::ServerMessage::OneOffQueryResponse(_) | v1::ServerMessage::ProcedureResult(_) => Kind::Other,
    }
}

fn kind_of_v2(message: &v2::ServerMessage) -> Kind {
    match message {
        v2::ServerMessage::InitialConnection(initial) => Kind::Greeting { connection: initial.connection_id },
        v2::ServerMessage::SubscribeApplied(applied) => Kind::Applied { request_id: applied.request_id },
        v2::ServerMessage::UnsubscribeApplied(applied) => Kind::Unsubscribed { request_id: applied.request_id },
        v2::ServerMessage::SubscriptionError(error) => {
            Kind::SubscribeFailed { request_id: error.request_id, message: error.error.to_string() }
        }
        v2::ServerMessage::ReducerResult(result) => Kind::Called {
            request_id: result.request_id,
            call: None,
            result: match &result.result {
                v2::ReducerOutcome::Ok(_) | v2::ReducerOutcome::OkEmpty => Ok(()),
                v2::ReducerOutcome::Err(value) => Err(reducer_error(value)),
                v2::ReducerOutcome::InternalError(message) => Err(message.to_string()),
            },
        },
        v2::ServerMessage::TransactionUpdate(_) => Kind::Transaction,
        v2::ServerMessage::OneOffQueryResult(_) | v2::ServerMessage::ProcedureResult(_) => Kind::Other,
    }
}

/// A reducer's error: BSATN text from our module; other bytes are shown as they are.
fn reducer_error(value: &[u8]) -> String {
    match bsatn::from_slice::<Box<str>>(value) {
        Ok(text) => text.into_string(),
        Err(_) => String::from_utf8_lossy(value).into_owned(),
    }
}
