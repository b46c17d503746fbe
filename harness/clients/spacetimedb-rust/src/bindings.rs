//! The part of the sync module that the client uses, for `spacetimedb-sdk` 2.10.1. Bindings of this version are made by
//! a tool that is not published as a crate, so these are written by hand: one table, one reducer, and what the official
//! client asks of a module.

use spacetimedb_sdk::__codegen::{self as sdk, __lib, __ws};

const EVENTS: &str = "sync_event";
const RESUME: &str = "resume_stream";

#[derive(__lib::ser::Serialize, __lib::de::Deserialize, Clone, PartialEq, Debug)]
#[sats(crate = __lib)]
pub struct SyncEvent {
    pub stream_id: String,
    pub seq: u64,
    pub idempotency_key: String,
    pub payload_hash: String,
    pub payload: String,
    pub committed_at: sdk::Timestamp,
    pub confirmed_read: bool,
}

#[derive(__lib::ser::Serialize, __lib::de::Deserialize, Clone, PartialEq, Debug)]
#[sats(crate = __lib)]
pub struct StreamCursor {
    pub stream_id: String,
    pub resume_after: u64,
}

#[derive(__lib::ser::Serialize, Clone, PartialEq, Debug)]
#[sats(crate = __lib)]
pub struct Resume {
    cursors: Vec<StreamCursor>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Reducer {
    Resume(Resume),
}

impl From<Resume> for Reducer {
    fn from(resume: Resume) -> Reducer {
        Reducer::Resume(resume)
    }
}

impl sdk::Reducer for Reducer {
    fn reducer_name(&self) -> &'static str {
        RESUME
    }

    fn args_bsatn(&self) -> Result<Vec<u8>, sdk::__sats::bsatn::EncodeError> {
        let Reducer::Resume(resume) = self;
        sdk::__sats::bsatn::to_vec(resume)
    }
}

#[derive(Debug)]
pub struct RemoteModule;

macro_rules! in_module {
    ($($type:ty),*) => {
        $(impl sdk::InModule for $type {
            type Module = RemoteModule;
        })*
    };
}
in_module!(SyncEvent, StreamCursor, Resume, Reducer, RemoteModule, RemoteTables, RemoteReducers, RemoteProcedures);
in_module!(DbUpdate, AppliedDiff<'_>, DbConnection, SubscriptionHandle);
in_module!(EventContext, ReducerEventContext, ProcedureEventContext, SubscriptionEventContext, ErrorContext);

impl sdk::SpacetimeModule for RemoteModule {
    type DbConnection = DbConnection;
    type EventContext = EventContext;
    type ReducerEventContext = ReducerEventContext;
    type ProcedureEventContext = ProcedureEventContext;
    type SubscriptionEventContext = SubscriptionEventContext;
    type ErrorContext = ErrorContext;
    type Reducer = Reducer;
    type DbView = RemoteTables;
    type Reducers = RemoteReducers;
    type Procedures = RemoteProcedures;
    type DbUpdate = DbUpdate;
    type AppliedDiff<'r> = AppliedDiff<'r>;
    type SubscriptionHandle = SubscriptionHandle;
    type QueryBuilder = sdk::QueryBuilder;

    const ALL_TABLE_NAMES: &'static [&'static str] = &[EVENTS];

    fn register_tables(cache: &mut sdk::ClientCache<Self>) {
        cache.get_or_make_table::<SyncEvent>(EVENTS);
    }
}

pub struct RemoteTables(sdk::DbContextImpl<RemoteModule>);
pub struct RemoteReducers(sdk::DbContextImpl<RemoteModule>);
pub struct RemoteProcedures;

impl RemoteTables {
    pub fn sync_event(&self) -> SyncEvents {
        SyncEvents(self.0.get_table(EVENTS))
    }
}

impl RemoteReducers {
    /// `then` is told how the call ended; the inner result is the reducer's own.
    pub fn resume_stream(
        &self,
        cursors: Vec<StreamCursor>,
        then: impl FnOnce(&ReducerEventContext, Result<Result<(), String>, sdk::InternalError>) + Send + 'static,
    ) -> sdk::Result<()> {
        self.0.invoke_reducer_with_callback(Resume { cursors }, then)
    }
}

pub struct SyncEvents(sdk::TableHandle<SyncEvent>);

impl sdk::Table for SyncEvents {
    type Row = SyncEvent;
    type EventContext = EventContext;
    type InsertCallbackId = sdk::CallbackId;
    type DeleteCallbackId = sdk::CallbackId;

    fn count(&self) -> u64 {
        self.0.count()
    }

    fn iter(&self) -> impl Iterator<Item = SyncEvent> + '_ {
        self.0.iter()
    }

    fn on_insert(&self, callback: impl FnMut(&EventContext, &SyncEvent) + Send + 'static) -> sdk::CallbackId {
        self.0.on_insert(callback)
    }

    fn remove_on_insert(&self, callback: sdk::CallbackId) {
        self.0.remove_on_insert(callback);
    }

    fn on_delete(&self, callback: impl FnMut(&EventContext, &SyncEvent) + Send + 'static) -> sdk::CallbackId {
        self.0.on_delete(callback)
    }

    fn remove_on_delete(&self, callback: sdk::CallbackId) {
        self.0.remove_on_delete(callback);
    }
}

#[derive(Default, Debug)]
pub struct DbUpdate(sdk::TableUpdate<SyncEvent>);

fn unknown(table: impl std::fmt::Display) -> sdk::Error {
    sdk::InternalError::unknown_name("table", table, "DbUpdate").into()
}

impl DbUpdate {
    fn of_rows(
        rows: __ws::v2::QueryRows,
        read: impl Fn(__ws::common::BsatnRowList) -> sdk::Result<sdk::TableUpdate<SyncEvent>>,
    ) -> sdk::Result<DbUpdate> {
        let mut update = DbUpdate::default();
        for table in rows.tables {
            match &table.table[..] {
                EVENTS => update.0.append(read(table.rows)?),
                other => return Err(unknown(other)),
            }
        }
        Ok(update)
    }
}

impl TryFrom<__ws::v2::TransactionUpdate> for DbUpdate {
    type Error = sdk::Error;

    fn try_from(raw: __ws::v2::TransactionUpdate) -> sdk::Result<DbUpdate> {
        let mut update = DbUpdate::default();
        for table in sdk::transaction_update_iter_table_updates(raw) {
            match &table.table_name[..] {
                EVENTS => update.0.append(sdk::TableUpdate::parse_table_update(table)?),
                other => return Err(unknown(other)),
            }
        }
        Ok(update)
    }
}

impl sdk::DbUpdate for DbUpdate {
    fn apply_to_client_cache(&self, cache: &mut sdk::ClientCache<RemoteModule>) -> AppliedDiff<'_> {
        AppliedDiff(cache.apply_diff_to_table(EVENTS, &self.0))
    }

    fn parse_initial_rows(rows: __ws::v2::QueryRows) -> sdk::Result<DbUpdate> {
        DbUpdate::of_rows(rows, sdk::parse_row_list_as_inserts)
    }

    fn parse_unsubscribe_rows(rows: __ws::v2::QueryRows) -> sdk::Result<DbUpdate> {
        DbUpdate::of_rows(rows, sdk::parse_row_list_as_deletes)
    }
}

pub struct AppliedDiff<'r>(sdk::TableAppliedDiff<'r, SyncEvent>);

impl<'r> sdk::AppliedDiff<'r> for AppliedDiff<'r> {
    fn invoke_row_callbacks(&self, event: &EventContext, callbacks: &mut sdk::DbCallbacks<RemoteModule>) {
        callbacks.invoke_table_row_callbacks(EVENTS, &self.0, event);
    }
}

#[derive(Clone)]
pub struct SubscriptionHandle(sdk::SubscriptionHandleImpl<RemoteModule>);

impl sdk::SubscriptionHandle for SubscriptionHandle {
    fn new(imp: sdk::SubscriptionHandleImpl<RemoteModule>) -> Self {
        Self(imp)
    }

    fn is_ended(&self) -> bool {
        self.0.is_ended()
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn unsubscribe_then(self, on_end: sdk::OnEndedCallback<RemoteModule>) -> sdk::Result<()> {
        self.0.unsubscribe_then(Some(on_end))
    }

    fn unsubscribe(self) -> sdk::Result<()> {
        self.0.unsubscribe_then(None)
    }
}

pub trait RemoteDbContext:
    sdk::DbContext<DbView = RemoteTables, SubscriptionBuilder = sdk::SubscriptionBuilder<RemoteModule>>
{
}

/// A context has a connection, and what it is the context of.
macro_rules! context {
    ($name:ident, $event:ty) => {
        pub struct $name {
            db: RemoteTables,
            reducers: RemoteReducers,
            #[allow(dead_code)]
            pub event: $event,
        }

        impl $name {
            fn of(imp: sdk::DbContextImpl<RemoteModule>, event: $event) -> Self {
                Self { db: RemoteTables(imp.clone()), reducers: RemoteReducers(imp), event }
            }
        }

        impl RemoteDbContext for $name {}

        impl sdk::DbContext for $name {
            type DbView = RemoteTables;
            type Reducers = RemoteReducers;
            type Procedures = RemoteProcedures;
            type SubscriptionBuilder = sdk::SubscriptionBuilder<RemoteModule>;

            fn db(&self) -> &RemoteTables {
                &self.db
            }

            fn reducers(&self) -> &RemoteReducers {
                &self.reducers
            }

            fn procedures(&self) -> &RemoteProcedures {
                &RemoteProcedures
            }

            fn is_active(&self) -> bool {
                self.db.0.is_active()
            }

            fn disconnect(&self) -> sdk::Result<()> {
                self.db.0.disconnect()
            }

            fn subscription_builder(&self) -> Self::SubscriptionBuilder {
                sdk::SubscriptionBuilder::new(&self.db.0)
            }

            fn try_identity(&self) -> Option<sdk::Identity> {
                self.db.0.try_identity()
            }

            fn connection_id(&self) -> sdk::ConnectionId {
                self.db.0.connection_id()
            }

            fn try_connection_id(&self) -> Option<sdk::ConnectionId> {
                self.db.0.try_connection_id()
            }
        }
    };
    ($name:ident, $event:ty, callback) => {
        context!($name, $event);

        impl sdk::$name for $name {}

        impl sdk::AbstractEventContext for $name {
            type Event = $event;

            fn event(&self) -> &$event {
                &self.event
            }

            fn new(imp: sdk::DbContextImpl<RemoteModule>, event: $event) -> Self {
                Self::of(imp, event)
            }
        }
    };
}

context!(DbConnection, ());
context!(EventContext, sdk::Event<Reducer>, callback);
context!(ReducerEventContext, sdk::ReducerEvent<Reducer>, callback);
context!(ProcedureEventContext, (), callback);
context!(SubscriptionEventContext, (), callback);
context!(ErrorContext, Option<sdk::Error>, callback);

impl DbConnection {
    pub fn builder() -> sdk::DbConnectionBuilder<RemoteModule> {
        sdk::DbConnectionBuilder::new()
    }

    pub fn run_threaded(&self) -> std::thread::JoinHandle<()> {
        self.db.0.run_threaded()
    }
}

impl sdk::DbConnection for DbConnection {
    fn new(imp: sdk::DbContextImpl<RemoteModule>) -> Self {
        Self::of(imp, ())
    }
}
