//! Our own SpacetimeDB lane, straight to the server, to be held against the official SDK.

use std::future::ready;
use std::sync::Arc;

use cutover_core::history::{Refusal, Via};
use cutover_core::ids::{Cursor, LaneId, StreamId};
use cutover_core::plan::{Compression, Serializer};
use cutover_core::text::Secret;
use cutover_live::lane::names::Names;
use cutover_live::lane::profile::SpacetimeProfile;
use cutover_live::lane::spacetime::SpacetimeLane;
use cutover_live::lane::{Answer, Arrival, Completion, Endpoint, Head, Lane, Op, Role, Session};
use tokio::runtime::Runtime;

use crate::client::{Client, DATABASE};
use crate::server::Server;
use crate::witness_tests::Seen;

/// A session of our lane.
pub struct OurLane {
    runtime: Runtime,
    session: Box<dyn Session>,
    names: Arc<Names>,
}

impl OurLane {
    /// Opens a subscriber's session.
    pub fn subscriber(server: &Server, client: &Client, topics: &[&str]) -> Self {
        let role = Role::Subscriber {
            client: "phone".to_owned(),
            serializer: Serializer::V2,
            compression: Compression::Brotli,
        };
        Self::open(server, client, topics, &role)
    }

    /// Opens the writer's session.
    pub fn writer(server: &Server, client: &Client, topics: &[&str]) -> Self {
        Self::open(server, client, topics, &Role::Writer)
    }

    fn open(server: &Server, client: &Client, topics: &[&str], role: &Role) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let profile = SpacetimeProfile::of_url(&format!("http://{}", server.address)).unwrap();
        let names = Arc::new(Names::new(topics.iter().copied().map(StreamId::new), None).unwrap());
        let token = Some(Secret::new(&client.token));
        let lane = SpacetimeLane::new(LaneId::Candidate, Arc::new(profile), DATABASE, token, names.clone());
        let endpoint = Endpoint { connect: server.address.parse().unwrap(), authority: server.address.clone() };
        let session = runtime.block_on(lane.open(&endpoint, role)).unwrap();
        Self { runtime, session, names }
    }

    /// Subscribes a topic, from a cursor or from the bootstrap; answers with its head.
    pub fn subscribe(&mut self, topic: &str, cursor: Option<u64>) -> Result<u64, Refusal> {
        let streams = vec![(StreamId::new(topic), cursor.map(Cursor))];
        match self.invoke(&Op::Subscribe { streams, replay_batch: 100 }) {
            Completion::Ok(Answer::Subscribed(heads)) => match heads[0].1 {
                Head::At(head) => Ok(head.0),
                other => panic!("the lane tells its head, but here it is {other:?}"),
            },
            Completion::Fail(refusal) => Err(refusal),
            other => panic!("{other:?}"),
        }
    }

    /// Publishes an event; answers with its seq.
    pub fn publish(&mut self, topic: &str, key: &str, payload: &str) -> u64 {
        let (stream, key, payload) = (StreamId::new(topic), key.to_owned(), payload.to_owned());
        match self.invoke(&Op::Publish { stream, key, payload }) {
            Completion::Ok(Answer::Published { seq, .. }) => seq.0,
            other => panic!("{other:?}"),
        }
    }

    /// All events that came since this was asked last, in the order in which they came.
    pub fn events(&mut self) -> Vec<Seen> {
        // Everything that the lane sent before its answer arrives before it, so nothing need be waited for after it.
        assert_eq!(self.invoke(&Op::Heartbeat), Completion::Ok(Answer::Done));
        let mut events = Vec::new();
        while let Some(arrival) = self.arrived() {
            let Arrival::Event { stream, seq, payload, declared, via } = arrival else { panic!("{arrival:?}") };
            events.push(Seen {
                stream_id: self.names.candidate(&stream).unwrap().to_owned(),
                seq: seq.0,
                payload_hash: declared.unwrap(),
                payload,
                of_snapshot: via == Via::Snapshot,
            });
        }
        events
    }

    fn invoke(&mut self, op: &Op) -> Completion {
        self.runtime.block_on(self.session.invoke(op))
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
