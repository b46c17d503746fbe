//! A client of one lane: it follows its streams, comes back after each end, and tells what it applied.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cutover_core::apply::Applier;
use cutover_core::hash::{Canonicalizer, PayloadHash, sha256};
use cutover_core::history::Verdict;
use cutover_core::ids::{Cursor, LaneId, Seq, StreamId};
use cutover_core::plan::{Compression, Serializer};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bounds;
use crate::drive::Backoff;
use crate::environment::Observed;
use crate::lane::{Arrival, ClientOptions, Head, OpError, SubscriberSession};

/// The contract's size of a replay batch.
const REPLAY_BATCH: u32 = 200;
const HEARTBEAT_EVERY: Duration = Duration::from_secs(5);
/// Waits before it connects again. They grow past the end of the list.
const WAITS_MS: [u64; 4] = [200, 500, 1000, 2000];
/// So often a lane is asked again for an event that it left out.
const ASKED_AGAIN: u32 = 2;
const STALE_CURSOR: &str = "stale_cursor";

/// What a follower tells.
pub(super) enum News {
    Opened { took: Duration },
    Ended { why: String },
    NotOpened { why: String, refused: bool },
    Applied { stream: StreamId, seq: Seq, hash: PayloadHash, at_us: u64 },
    Duplicate { stream: StreamId },
    Skipped { stream: StreamId, came: Seq },
    Lost { stream: StreamId, next: Seq },
    Rebootstrap { stream: StreamId },
    WentBack { stream: StreamId, cursor: Cursor, head: Seq },
    DeclaredOtherwise { stream: StreamId, seq: Seq },
    Odd { what: String },
}

pub(super) struct Follower {
    lane: LaneId,
    began: Instant,
    observed: Observed,
    streams: Vec<StreamId>,
    tell: mpsc::Sender<(LaneId, News)>,
    applier: Applier,
    canonicalizer: Canonicalizer,
    /// How often a stream was asked for again without progress.
    asked_again: BTreeMap<StreamId, u32>,
    backoff: Backoff,
}

/// Why a connection is left.
enum Left {
    Stopped,
    /// It ended, or has to be replaced.
    Ended(String),
}

impl Follower {
    pub(super) fn new(
        (lane, began): (LaneId, Instant),
        observed: Observed,
        streams: Vec<StreamId>,
        tell: mpsc::Sender<(LaneId, News)>,
    ) -> Follower {
        Follower {
            lane,
            began,
            observed,
            streams,
            tell,
            applier: Applier::default(),
            canonicalizer: Canonicalizer::new(),
            asked_again: BTreeMap::new(),
            backoff: Backoff::new(WAITS_MS.to_vec()),
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            let asked = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                asked = self.connection(&stop) => asked,
            };
            let Ok(asked) = asked else { return };
            let wait = self.backoff.after_failure(asked);
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// One connection, from its begin to its end. Returns how long the lane asked to wait; an error is the end of it
    /// all.
    async fn connection(&mut self, stop: &CancellationToken) -> Result<Option<Duration>, ()> {
        let options = ClientOptions {
            name: format!("shadow-{}", self.lane),
            serializer: Serializer::V2,
            compression: Compression::None,
            join: None,
        };
        let (lane, endpoint) = (Arc::clone(&self.observed.lane), self.observed.endpoint.clone());
        let before = Instant::now();
        let mut session = match lane.subscriber(&endpoint, &options).await {
            Ok(session) => session,
            Err(error) => {
                let asked = error.retry_after;
                self.say(News::NotOpened { why: error.to_string(), refused: !error.retryable }).await?;
                return Ok(asked);
            }
        };
        let left = match self.subscribe(&mut session).await? {
            Some(why) => Left::Ended(why),
            None => {
                self.say(News::Opened { took: before.elapsed() }).await?;
                self.listen(&mut session, stop).await?
            }
        };
        session.close().await;
        match left {
            Left::Stopped => Err(()),
            Left::Ended(why) => {
                self.say(News::Ended { why }).await?;
                Ok(None)
            }
        }
    }

    /// Subscribes from the cursors, and from the begin of what is retained where a cursor is stale. Returns why it
    /// could not.
    async fn subscribe(&mut self, session: &mut Box<dyn SubscriberSession>) -> Result<Option<String>, ()> {
        // Each refusal gives up one cursor at least.
        for _ in 0..=self.streams.len() {
            let mut asked = Vec::new();
            for stream in &self.streams {
                let cursor = self.applier.cursor(stream);
                if cursor.is_none() {
                    self.applier.begin_bootstrap(stream);
                }
                asked.push((stream.clone(), cursor));
            }
            let answer = bounds::IN_ALL.within(session.subscribe(&asked, REPLAY_BATCH)).await;
            let refusal = match answer {
                Ok(Ok(heads)) => {
                    if let Some(why) = self.drain(session).await? {
                        return Ok(Some(why));
                    }
                    return self.heads(&asked, &heads).await;
                }
                Ok(Err(OpError::Refused(refusal))) if refusal.code == STALE_CURSOR => refusal,
                Ok(Err(error)) => return Ok(Some(format!("not subscribed: {}", error.what()))),
                Err(reached) => return Ok(Some(format!("not subscribed: {reached}"))),
            };
            let named = |stream: &StreamId| {
                refusal.stale.is_empty() || refusal.stale.iter().any(|stale| stale.stream == *stream)
            };
            for (stream, _) in asked.into_iter().filter(|(stream, cursor)| cursor.is_some() && named(stream)) {
                self.applier.rewind(&stream);
                self.say(News::Rebootstrap { stream }).await?;
            }
        }
        Ok(Some("the lane called a bootstrap stale".to_owned()))
    }

    /// Streams whose replay is done. A head below the cursor is of another history.
    async fn heads(
        &mut self,
        asked: &[(StreamId, Option<Cursor>)],
        heads: &[(StreamId, Head)],
    ) -> Result<Option<String>, ()> {
        let mut back = None;
        for (stream, cursor) in asked {
            self.applier.replay_complete(stream);
            let head = heads.iter().find(|(named, _)| named == stream).map(|(_, head)| *head);
            let below = match (head, cursor) {
                (Some(Head::At(head)), Some(cursor)) if head.0 < cursor.0 => Some((*cursor, head)),
                (Some(Head::BelowCursor), Some(cursor)) => Some((*cursor, Seq(0))),
                _ => None,
            };
            if let Some((cursor, head)) = below {
                self.applier.rewind(stream);
                self.say(News::WentBack { stream: stream.clone(), cursor, head }).await?;
                back = Some(format!("{stream} has a head below what was seen of it"));
            }
        }
        Ok(back)
    }

    async fn listen(&mut self, session: &mut Box<dyn SubscriberSession>, stop: &CancellationToken) -> Result<Left, ()> {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(Left::Stopped),
                arrival = session.next() => {
                    if let Some(why) = self.take(arrival).await? {
                        return Ok(Left::Ended(why));
                    }
                }
                () = tokio::time::sleep(HEARTBEAT_EVERY) => {
                    match bounds::IN_ALL.within(session.heartbeat()).await {
                        Ok(Ok(()) | Err(OpError::Refused(_) | OpError::Later(_))) => self.backoff.reset(),
                        Ok(Err(error)) => return Ok(Left::Ended(error.what())),
                        Err(reached) => return Ok(Left::Ended(format!("no answer to a heartbeat: {reached}"))),
                    }
                }
            }
        }
    }

    async fn drain(&mut self, session: &mut Box<dyn SubscriberSession>) -> Result<Option<String>, ()> {
        use futures_util::FutureExt;
        while let Some(arrival) = session.next().now_or_never() {
            if let Some(why) = self.take(arrival).await? {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }

    /// Takes an arrival. Returns why the connection has to be left, where it has to be.
    async fn take(&mut self, arrival: Arrival) -> Result<Option<String>, ()> {
        match arrival {
            Arrival::Event { stream, seq, payload, declared, .. } => {
                return self.event(stream, seq, &payload, declared.as_deref()).await;
            }
            Arrival::Closed(why) => return Ok(Some(format!("{why:?}"))),
            Arrival::Struck { strike, .. } => return Ok(Some(format!("told to read faster: {strike:?}"))),
            Arrival::Contradiction { said, .. } => self.say(News::Odd { what: said }).await?,
            Arrival::Unreadable(what) => self.say(News::Odd { what }).await?,
            Arrival::Foreign { name, .. } => {
                self.say(News::Odd { what: format!("an event of {name}, which was not subscribed") }).await?;
            }
            Arrival::Ignored(_) => {}
        }
        Ok(None)
    }

    async fn event(
        &mut self,
        stream: StreamId,
        seq: Seq,
        payload: &str,
        declared: Option<&str>,
    ) -> Result<Option<String>, ()> {
        let mut verdict = self.applier.offer(&stream, seq, || Ok::<(), ()>(()));
        if verdict == Verdict::OutOfOrder {
            let again = self.asked_again.entry(stream.clone()).or_default();
            *again += 1;
            let (first, ask) = (*again == 1, *again <= ASKED_AGAIN);
            if first {
                self.say(News::Skipped { stream: stream.clone(), came: seq }).await?;
            }
            if ask {
                return Ok(Some(format!("seq {seq} of {stream} came too early: asking for what is before it")));
            }
            self.say(News::Lost { stream: stream.clone(), next: seq }).await?;
            self.applier.set_cursor(&stream, Cursor(seq.0.saturating_sub(1)));
            verdict = self.applier.offer(&stream, seq, || Ok::<(), ()>(()));
        }
        match verdict {
            Verdict::Applied => {}
            Verdict::Duplicate => {
                self.say(News::Duplicate { stream }).await?;
                return Ok(None);
            }
            other => {
                self.say(News::Odd { what: format!("seq {seq} of {stream}: {other:?}") }).await?;
                return Ok(None);
            }
        }
        self.asked_again.remove(&stream);
        let at_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let hash = match self.canonicalizer.payload_hash(payload.as_bytes()) {
            Ok(hash) => hash,
            Err(error) => {
                self.say(News::Odd { what: format!("the payload of seq {seq} of {stream}: {error}") }).await?;
                PayloadHash::of_canonical(payload.as_bytes())
            }
        };
        // An outside service may hash the text that it sends.
        let is_its_own = |declared: &str| declared == hash.to_string() || declared == sha256(payload.as_bytes());
        if declared.is_some_and(|declared| !is_its_own(declared)) {
            self.say(News::DeclaredOtherwise { stream: stream.clone(), seq }).await?;
        }
        self.say(News::Applied { stream, seq, hash, at_us }).await?;
        Ok(None)
    }

    /// An error is that nobody listens any more.
    async fn say(&self, news: News) -> Result<(), ()> {
        self.tell.send((self.lane, news)).await.map_err(drop)
    }
}
