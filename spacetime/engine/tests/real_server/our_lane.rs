//! Our own SpacetimeDB lane, straight to the server, to be held against the official SDK.

use std::future::ready;
use std::sync::Arc;

use cutover_core::history::{Refusal, Via};
use cutover_core::ids::{Cursor, StreamId};
use cutover_core::plan::{Compression, Serializer};
use cutover_core::text::Secret;
use cutover_live::lane::names::Names;
use cutover_live::lane::socket::Bounds;
use cutover_live::lane::spacetime::{Schema, SpacetimeLane, SpacetimeProfile, admin};
use cutover_live::lane::{
    Arrival, ClientOptions, Endpoint, Head, Lane, OpError, Publish, SubscriberSession, WriterSession,
};
use tokio::runtime::Runtime;

use crate::client::{Client, DATABASE};
use crate::server::Server;
use crate::witness_tests::Seen;

/// A subscriber of our lane.
pub struct OurSubscriber {
    runtime: Runtime,
    session: Box<dyn SubscriberSession>,
    names: Arc<Names>,
}

/// A writer of our lane.
pub struct OurWriter {
    runtime: Runtime,
    session: Box<dyn WriterSession>,
}

struct Opened {
    runtime: Runtime,
    lane: SpacetimeLane,
    endpoint: Endpoint,
    names: Arc<Names>,
}

fn lane(server: &Server, client: &Client, topics: &[&str]) -> Opened {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let profile = SpacetimeProfile::of_url(&format!("http://{}", server.address)).unwrap();
    let names = Arc::new(Names::new(topics.iter().copied().map(StreamId::new), None).unwrap());
    let token = Some(Secret::new(&client.token));
    let endpoint = Endpoint { connect: server.address.parse().unwrap(), authority: server.address.clone() };
    let mut http = SpacetimeLane::http(&endpoint, &profile, token.as_ref(), Bounds::default()).unwrap();
    let schema = runtime.block_on(admin::schema(&mut http, DATABASE)).unwrap().unwrap();
    // The lane's own copy of the schema stands in for servers that report none.
    assert_eq!(schema, *Schema::module(), "harness/live/src/lane/spacetime/schema/module.json is of another module");
    let lane = SpacetimeLane::new(Arc::new(profile), DATABASE, token, names.clone()).with_schema(Arc::new(schema));
    Opened { runtime, lane, endpoint, names }
}

impl OurWriter {
    /// Opens a session.
    pub fn open(server: &Server, client: &Client, topics: &[&str]) -> Self {
        let Opened { runtime, lane, endpoint, .. } = lane(server, client, topics);
        let session = runtime.block_on(lane.writer(&endpoint)).unwrap();
        Self { runtime, session }
    }

    /// Publishes an event; answers with its seq.
    pub fn publish(&mut self, topic: &str, key: &str, payload: &str) -> u64 {
        let stream = StreamId::new(topic);
        self.runtime.block_on(self.session.publish(Publish::new(&stream, key, payload))).unwrap().seq.0
    }
}

impl OurSubscriber {
    /// Opens a session.
    pub fn open(server: &Server, client: &Client, topics: &[&str]) -> Self {
        let options = ClientOptions {
            name: "phone".to_owned(),
            serializer: Serializer::V2,
            compression: Compression::Brotli,
            join: None,
        };
        let Opened { runtime, lane, endpoint, names } = lane(server, client, topics);
        let session = runtime.block_on(lane.subscriber(&endpoint, &options)).unwrap();
        Self { runtime, session, names }
    }

    /// Subscribes a topic, from a cursor or from the bootstrap; answers with its head.
    pub fn subscribe(&mut self, topic: &str, cursor: Option<u64>) -> Result<u64, Box<Refusal>> {
        let streams = [(StreamId::new(topic), cursor.map(Cursor))];
        match self.runtime.block_on(self.session.subscribe(&streams, 100)) {
            Ok(heads) => match heads[0].1 {
                Head::At(head) => Ok(head.0),
                other => panic!("the lane reports its head, but here it is {other:?}"),
            },
            Err(OpError::Refused(refusal)) => Err(refusal),
            Err(other) => panic!("{other:?}"),
        }
    }

    /// All events that came since this was asked last, in the order in which they came.
    pub fn events(&mut self) -> Vec<Seen> {
        // Everything that the lane sent before its answer arrives before it, so nothing need be waited for after it.
        assert_eq!(self.runtime.block_on(self.session.heartbeat()), Ok(()));
        let mut events = Vec::new();
        while let Some(arrival) = self.arrived() {
            let Arrival::Event { stream, seq, payload, declared, via, .. } = arrival else { panic!("{arrival:?}") };
            events.push(Seen {
                stream_id: self.names.stream_id(&stream).unwrap().to_owned(),
                seq: seq.0,
                payload_hash: declared.unwrap(),
                payload,
                of_snapshot: via == Via::Snapshot,
            });
        }
        events
    }

    fn arrived(&mut self) -> Option<Arrival> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                arrival = self.session.next() => Some(arrival),
                () = ready(()) => None,
            }
        })
    }
}
