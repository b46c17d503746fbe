//! A client that watches the table of a database's connections, its own among them.

#![allow(missing_docs, reason = "the names say it")]

use std::collections::{BTreeMap, BTreeSet};

use http::HeaderValue;
use spacetimedb_lib::{ConnectionId, bsatn};
use spacetimedb_sats::AlgebraicValue;

use super::incoming::{Kind, read};
use super::protocol::{Protocol, ServerMessage, Side, decode_server, each_row_list, encode_client};
use super::request::{Purpose, subscribe, whole_query};
use super::rows::split;
use super::schema::Schema;
use super::{SpacetimeLane, SpacetimeProfile};
use crate::bounds::{Bound, Reached, Running};
use crate::lane::conversation::in_words;
use crate::lane::http::{authorization, bearer};
use crate::lane::socket::{Bounds, Payload, Socket};
use crate::lane::{Endpoint, OpenError};
use cutover_core::plan::Compression;
use cutover_core::text::Secret;

/// The table of connections of our module.
pub const TABLE: &str = "active_connection";

const COLUMN: &str = "connection_id";

/// Which database is watched, and by whom.
#[derive(Debug, Clone)]
pub struct Seat {
    pub profile: SpacetimeProfile,
    pub database: String,
    pub table: String,
    pub schema: Schema,
    pub token: Option<Secret>,
    pub bounds: Bounds,
}

/// A connection that is subscribed to the table of connections.
pub struct Watcher {
    socket: Socket,
    protocol: Protocol,
    id: Option<ConnectionId>,
    table: String,
    schema: Schema,
    applied: bool,
    /// How often each connection is in the table, by its id as a decimal number.
    present: BTreeMap<String, i64>,
}

/// Why a watcher learned nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The connection or the subscription is over: why.
    Lost(String),
    Reached(Reached),
}

impl Seat {
    /// Opens a connection and subscribes. Returns once the rows of the table are there.
    pub async fn watch(&self, at: &Endpoint) -> Result<Watcher, OpenError> {
        let (socket, protocol) = self.connect(at, &self.profile.subprotocols).await?;
        let mut watcher = Watcher {
            socket,
            protocol,
            id: None,
            table: self.table.clone(),
            schema: self.schema.clone(),
            applied: false,
            present: BTreeMap::new(),
        };
        let failed = |ended: Ended| {
            OpenError::passing(format!("the table `{}` can't be watched: {}", self.table, ended.in_words()))
                .hint("does the module have the table, and may everybody read it?")
        };
        let mut running = self.bounds.open.begin();
        while watcher.id.is_none() {
            watcher.take(&mut running).await.map_err(failed)?;
        }
        let request = subscribe(protocol, Purpose::Heads.request_id(1), vec![whole_query(&self.table)]);
        let lost = |why: String| failed(Ended::Lost(why));
        let message = encode_client(&[request]).map_err(|error| lost(error.to_string()))?;
        watcher.socket.send(Payload::Binary(message)).await.map_err(|closed| lost(in_words(&closed)))?;
        let mut running = self.bounds.operation.begin();
        while !watcher.applied {
            watcher.take(&mut running).await.map_err(failed)?;
        }
        Ok(watcher)
    }

    /// The subprotocols that the server speaks, each offered alone.
    ///
    /// # Errors
    /// Why no socket was opened, where none was.
    pub async fn subprotocols(&self, at: &Endpoint) -> Result<Vec<String>, OpenError> {
        let mut spoken = Vec::new();
        let mut refused = None;
        for offered in &self.profile.subprotocols {
            match self.connect(at, std::slice::from_ref(offered)).await {
                Ok((mut socket, _)) => {
                    socket.close(self.bounds.close).await;
                    spoken.push(offered.clone());
                }
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if spoken.is_empty() => Err(error),
            _ => Ok(spoken),
        }
    }

    async fn connect(&self, at: &Endpoint, offered: &[String]) -> Result<(Socket, Protocol), OpenError> {
        let lane = SpacetimeLane::of_hosted(&self.profile, &self.database);
        let mut headers = authorization(self.token.as_ref().map(bearer))?;
        let offer = HeaderValue::from_str(&offered.join(", "));
        let offer = offer.map_err(|_| OpenError::lasting("the list of subprotocols can't stand in a header"))?;
        headers.push((http::header::SEC_WEBSOCKET_PROTOCOL, offer));
        let hint = |status| Some(lane.upgrade_hint(status));
        let target = lane.target(Compression::None);
        let (socket, chosen) = Socket::connect(at, &target, &headers, self.bounds.open, hint).await?;
        match chosen.as_deref().filter(|chosen| offered.iter().any(|offered| offered == chosen)).and_then(Protocol::of)
        {
            Some(protocol) => Ok((socket, protocol)),
            None => {
                let what = format!("the server picked the subprotocol {chosen:?}, which was not offered");
                Err(OpenError::lasting(what).hint("is this a SpacetimeDB server?"))
            }
        }
    }
}

impl Watcher {
    /// Its own connection's id, as a decimal number.
    pub fn id(&self) -> String {
        self.id.map(|id| id.to_u128().to_string()).unwrap_or_default()
    }

    /// The connections in the table, as this client was told.
    pub fn present(&self) -> BTreeSet<&str> {
        self.present.iter().filter(|(_, times)| **times > 0).map(|(id, _)| id.as_str()).collect()
    }

    /// Reads until the table has a connection, or no longer has it.
    pub async fn until(&mut self, id: &str, there: bool, within: Bound) -> Result<(), Ended> {
        let mut running = within.begin();
        while self.present().contains(id) != there {
            self.take(&mut running).await?;
        }
        Ok(())
    }

    /// Closes in good order.
    pub async fn close(mut self, within: Bound) {
        self.socket.close(within).await;
    }

    async fn take(&mut self, running: &mut Running) -> Result<(), Ended> {
        let payload = self.socket.recv_within(running).await.map_err(Ended::Reached)?;
        let bytes = match payload.map_err(|closed| Ended::Lost(in_words(&closed)))? {
            Payload::Binary(bytes) => bytes,
            Payload::Text(_) => return Err(Ended::Lost("the server sent a text frame".to_owned())),
        };
        let messages = decode_server(self.protocol, &bytes).map_err(|error| Ended::Lost(error.to_string()))?;
        for mut message in messages {
            self.rows(&mut message)?;
            match read(&mut message, &self.schema).kind {
                Kind::Greeting { connection } => self.id = Some(connection),
                Kind::Applied { .. } => self.applied = true,
                Kind::SubscribeFailed { message, .. } => return Err(Ended::Lost(message)),
                _ => {}
            }
        }
        Ok(())
    }

    fn rows(&mut self, message: &mut ServerMessage) -> Result<(), Ended> {
        let mut ids = Vec::new();
        let visited = each_row_list(message, &mut |side, table, list| {
            if table == self.table {
                let rows = split(TABLE, list).map_err(|error| error.to_string());
                let rows = rows.and_then(|rows| rows.iter().map(|row| self.id_in(row)).collect::<Result<Vec<_>, _>>());
                ids.push((side, rows));
            }
            Ok(false)
        });
        visited.map_err(|error| Ended::Lost(error.to_string()))?;
        for (side, rows) in ids {
            let step = if side == Side::Inserted { 1 } else { -1 };
            for id in rows.map_err(Ended::Lost)? {
                *self.present.entry(id).or_default() += step;
            }
        }
        Ok(())
    }

    fn id_in(&self, row: &[u8]) -> Result<String, String> {
        let columns = self.schema.columns(&self.table).ok_or("the schema has no such table")?;
        let at = columns.index_of_field_name(COLUMN).ok_or_else(|| format!("the table has no column `{COLUMN}`"))?;
        let row = bsatn::decode(&**columns, &mut &row[..]).map_err(|error| error.to_string())?;
        match row.elements.get(at) {
            Some(AlgebraicValue::U128(id)) => Ok({ id.0 }.to_string()),
            _ => Err(format!("the column `{COLUMN}` is no id of a connection")),
        }
    }
}

impl Ended {
    pub fn in_words(&self) -> String {
        match self {
            Ended::Lost(why) => why.clone(),
            Ended::Reached(reached) => reached.to_string(),
        }
    }
}
