//! Does what identities attempt: each time with a token, on a connection of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cutover_core::history::{Closed, Outcome, StoredCheckpoint};
use cutover_core::ids::{ClientId, Cursor, LaneId, Seq, StreamId};
use cutover_core::plan::{
    self, CONNECT, Compression, Deed, HELD, HOLD, Plan, PublishExpect, Refused, Serializer, Step, Token,
};
use futures_util::FutureExt;
use tokio::time::Instant;

use super::authority::Authority;
use super::recorder::Recorder;
use super::route::Route;
use super::stack::{DriveError, LaneStack};
use crate::bounds;
use crate::lane::{Arrival, ClientOptions, Completion, Head, Lane, OpError, Prune, Publish, SubscriberSession, Visit};

/// The names of its proxies. No client of a plan has a blank in its name.
const NAMES: [&str; 2] = ["the visitor", "the visitor's writer"];

/// The name under which it connects.
const CLIENT: &str = "visitor";

const REPLAY_BATCH: u32 = 200;

/// The tokens near the edge of the leeway keep more than this from it.
const EDGE: Duration = Duration::from_secs(5);

/// So large a budget changes nothing for a stream of a scenario with identities.
const BUDGET: u64 = 10_000;

/// The streams of which something came, and how the lane ended the connection, where it did.
type Seen = Completion<(Vec<StreamId>, Option<Closed>)>;

pub struct Visitor {
    lane: Arc<dyn Lane>,
    role: LaneId,
    authority: Arc<Authority>,
    socket: Route,
    writer: Route,
    /// Key and payload of the first event of each stream.
    first: BTreeMap<StreamId, (String, String)>,
    /// The connections that were kept, by identity and stream.
    held: BTreeMap<(String, StreamId), Box<dyn SubscriberSession>>,
}

pub struct Attempt<'a> {
    pub identity: &'a str,
    pub stream: &'a StreamId,
    pub token: &'static Token,
    pub deed: &'static Deed,
    pub allowed: bool,
}

impl Visitor {
    /// The visitor of a case; `None` where the run has no tokens.
    pub async fn start(
        plans: (&Plan, &plan::Case),
        stack: &LaneStack,
        recorder: &Recorder,
    ) -> Result<Option<Visitor>, DriveError> {
        let Some(authority) = stack.authority.clone() else { return Ok(None) };
        let [socket, writer] = NAMES.map(ClientId::new);
        let socket = Route::start(&socket, plans, (stack, &stack.socket), recorder).await?;
        let writer = Route::start(&writer, plans, (stack, &stack.writer), recorder).await?;
        let mut first = BTreeMap::new();
        for step in &plans.1.steps {
            if let Step::Publish { stream, key, payload, expect: PublishExpect::Accepted { seq: Seq(1) }, .. } = step {
                first.insert(stream.clone(), (key.clone(), payload.clone()));
            }
        }
        let (lane, role, held) = (stack.lane.clone(), stack.role, BTreeMap::new());
        Ok(Some(Visitor { lane, role, authority, socket, writer, first, held }))
    }

    /// Does one thing. What came of streams is an outcome of its own.
    pub async fn attempt(&mut self, attempt: &Attempt<'_>) -> Completion<Outcome> {
        let lacks = |word| self.authority.lacks(word);
        if attempt.deed.on(self.role) == Refused::Unknown || lacks(attempt.deed.word) || lacks(attempt.token.word) {
            return Ok(Outcome::NotOffered);
        }
        let reads = attempt.deed.needs == plan::Needs::Read;
        let minted = Instant::now();
        let done = bounds::WRITE.within(self.done(attempt)).await;
        // Time moves a token over the edge of the leeway. A machine that stood still proves nothing.
        if attempt.token.word.contains("leeway") && minted.elapsed() > EDGE {
            return Err(OpError::Later(format!("the answer took longer than {} s", EDGE.as_secs())));
        }
        match done.unwrap_or_else(|reached| Some(Err(OpError::Unknown(format!("no answer: {reached}"))))) {
            None => Ok(Outcome::NotOffered),
            Some(Ok((streams, ended))) if reads => Ok(Outcome::Seen { streams, ended }),
            Some(done) => done.map(|_| Outcome::Done),
        }
    }

    async fn done(&mut self, attempt: &Attempt<'_>) -> Option<Seen> {
        let kept = (attempt.identity.to_owned(), attempt.stream.clone());
        if attempt.deed.word == HELD {
            return Some(match self.held.remove(&kept) {
                Some(session) => held(session).await,
                None => Err(OpError::Later("no connection was kept".to_owned())),
            });
        }
        let token = match self.authority.token(attempt.identity, CLIENT, attempt.token).await {
            Ok(token) => token,
            Err(why) => return Some(Err(OpError::Later(why))),
        };
        let lane = self.lane.bearing(token)?;
        let (key, payload) = self.first.get(attempt.stream).map_or(("", ""), |(key, payload)| (key, payload));
        // A repeat of what was written changes nothing, so an allowed publish leaves the stream as it is.
        let event = if attempt.allowed { (key, payload) } else { ("beyond a right", "{\"beyond\":\"a right\"}") };
        let client = ClientOptions {
            name: CLIENT.to_owned(),
            serializer: Serializer::V2,
            compression: Compression::None,
            join: None,
        };
        let (socket, writer) = (self.socket.endpoint(), self.writer.endpoint());
        let visit = Visit { socket: &socket, writer: &writer, client: &client, stream: attempt.stream, event };
        match lane.deed(attempt.deed.word, &visit).await {
            Some(done) => Some(done.map(|streams| (streams, None))),
            None if [CONNECT, "subscribe", "resume", HOLD].contains(&attempt.deed.word) => {
                let opened = lane.subscriber(&socket, &client).await;
                let mut session = match opened {
                    Ok(session) => session,
                    Err(error) => return Some(Err(error.into())),
                };
                let cursor = (attempt.deed.word == "resume").then_some(Cursor(0));
                let seen = match attempt.deed.word {
                    CONNECT => Ok((Vec::new(), None)),
                    _ => subscribed(&mut session, attempt.stream, cursor).await,
                };
                if attempt.deed.word == HOLD && seen.is_ok() {
                    self.held.insert(kept, session);
                } else {
                    session.close().await;
                }
                Some(seen)
            }
            None => Some(written(&*lane, attempt.deed.word, &visit).await),
        }
    }

    pub async fn end(self) {
        for mut session in self.held.into_values() {
            session.close().await;
        }
        self.socket.shutdown().await;
        self.writer.shutdown().await;
    }
}

/// Subscribes to a stream, and says of which streams something came: an event, or a head.
async fn subscribed(session: &mut Box<dyn SubscriberSession>, stream: &StreamId, cursor: Option<Cursor>) -> Seen {
    let heads = session.subscribe(&[(stream.clone(), cursor)], REPLAY_BATCH).await?;
    let shown = heads.into_iter().filter(|(_, head)| matches!(head, Head::At(seq) if seq.0 > 0));
    let mut seen: BTreeSet<StreamId> = shown.map(|(stream, _)| stream).collect();
    arrived(session, &mut seen);
    Ok((seen.into_iter().collect(), None))
}

/// What came on a connection since it was subscribed. A lane that ended it, or refuses its requests, delivers nothing.
async fn held(mut session: Box<dyn SubscriberSession>) -> Seen {
    // What the lane sent before its answer arrives before it.
    let _ = session.heartbeat().await;
    let mut seen = BTreeSet::new();
    let ended = arrived(&mut session, &mut seen);
    session.close().await;
    Ok((seen.into_iter().collect(), ended))
}

fn arrived(session: &mut Box<dyn SubscriberSession>, seen: &mut BTreeSet<StreamId>) -> Option<Closed> {
    while let Some(arrival) = session.next().now_or_never() {
        match arrival {
            Arrival::Event { stream, .. } => drop(seen.insert(stream)),
            Arrival::Foreign { name, .. } => drop(seen.insert(StreamId::new(name))),
            Arrival::Closed(why) => return Some(why),
            _ => {}
        }
    }
    None
}

async fn written(lane: &dyn Lane, deed: &str, visit: &Visit<'_>) -> Seen {
    let mut writer = lane.writer(visit.writer).await?;
    let (stream, (key, payload)) = (visit.stream, visit.event);
    match deed {
        "append" => writer.publish(Publish::new(stream, key, payload)).await.map(drop)?,
        "policy" => writer.set_policy(stream, None, Some(BUDGET)).await?,
        "prune" => {
            let prune = Prune { up_to: Seq(0), head: Seq(0), retention: BUDGET };
            writer.prune(stream, prune).await.map(drop)?;
        }
        _ => {
            let checkpoint = StoredCheckpoint { client: "another".to_owned(), seq: 0, durable_offset: 0 };
            writer.checkpoint(stream, &checkpoint).await.unwrap_or(Ok(()))?;
        }
    }
    Ok((Vec::new(), None))
}
