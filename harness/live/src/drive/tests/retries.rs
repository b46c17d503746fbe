//! Clients and writers in front of lanes that refuse, end or put off: what they ask, how often, and what they record.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cutover_core::history::{self, Closed, Outcome, Record, Refusal, SlowNotice};
use cutover_core::ids::{Cursor, LaneId, OpId, Seq, StreamId};
use cutover_core::plan::{Compression, PlannedClient, Serializer};
use tokio::time::timeout;

use super::super::backoff::Backoff;
use super::super::checkpoints::CheckpointFile;
use super::super::client::ClientHandle;
use super::super::inbox::Inbox;
use super::super::recorder::Recorder;
use super::super::writer::{Write, Writer};
use crate::lane::{
    Arrival, ClientOptions, Completion, Endpoint, Head, Heads, Lane, OpError, OpenError, Publish, Published,
    SubscriberSession, WriterSession,
};

/// What a lane does when a connection is opened, by how many were before.
type OnOpen = fn(usize) -> Result<(), OpenError>;
/// Whether it does an operation, by how many operations were before on any connection.
type OnOp = fn(usize) -> Completion;

struct Fake {
    open: OnOpen,
    op: OnOp,
    /// How a subscribed connection ends at once; `None` leaves it open.
    ends: Option<Closed>,
    /// How long the first connection is told to wait, since it reads too slowly.
    strikes: Option<Duration>,
    may_strike: Arc<AtomicBool>,
    asks_to_wait: Option<Duration>,
    opened: AtomicUsize,
    asked: Arc<AtomicUsize>,
}

struct FakeSession {
    op: OnOp,
    ends: Option<Closed>,
    strikes: Option<Duration>,
    may_strike: Arc<AtomicBool>,
    asks_to_wait: Option<Duration>,
    asked: Arc<AtomicUsize>,
}

impl Fake {
    fn session(&self) -> Result<Box<FakeSession>, OpenError> {
        let before = self.opened.fetch_add(1, Ordering::SeqCst);
        (self.open)(before)?;
        Ok(Box::new(FakeSession {
            op: self.op,
            ends: self.ends.clone(),
            strikes: self.strikes.filter(|_| before == 0),
            may_strike: Arc::clone(&self.may_strike),
            asks_to_wait: self.asks_to_wait,
            asked: Arc::clone(&self.asked),
        }))
    }
}

impl FakeSession {
    fn answer(&self) -> Completion {
        (self.op)(self.asked.fetch_add(1, Ordering::SeqCst))
    }
}

#[async_trait]
impl Lane for Fake {
    async fn subscriber(&self, _: &Endpoint, _: &ClientOptions) -> Result<Box<dyn SubscriberSession>, OpenError> {
        Ok(self.session()?)
    }

    async fn writer(&self, _: &Endpoint) -> Result<Box<dyn WriterSession>, OpenError> {
        Ok(self.session()?)
    }
}

#[async_trait]
impl SubscriberSession for FakeSession {
    async fn subscribe(&mut self, streams: &[(StreamId, Option<Cursor>)], _: u32) -> Completion<Heads> {
        self.answer()?;
        Ok(streams.iter().map(|(stream, _)| (stream.clone(), Head::Unreported)).collect())
    }

    async fn unsubscribe(&mut self, _: &[StreamId]) -> Completion {
        self.answer()
    }

    async fn heartbeat(&mut self) -> Completion {
        self.answer()
    }

    async fn next(&mut self) -> Arrival {
        while self.strikes.is_some() && !self.may_strike.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        if let Some(wait) = self.strikes.take() {
            return Arrival::Struck { strike: SlowNotice::default(), wait };
        }
        match &self.ends {
            Some(end) => {
                // What comes before an answer is there at once; the end comes a moment later.
                tokio::time::sleep(Duration::from_millis(1)).await;
                Arrival::Closed(end.clone())
            }
            None => std::future::pending().await,
        }
    }

    async fn close(&mut self) {}
}

#[async_trait]
impl WriterSession for FakeSession {
    async fn publish(&mut self, _: Publish<'_>) -> Completion<Published> {
        self.answer()?;
        Ok(Published { seq: Seq(1), duplicate: Some(false), differs: Vec::new() })
    }

    async fn set_policy(&mut self, _: &StreamId, _: Option<u64>, _: Option<u64>) -> Completion {
        self.answer()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.asks_to_wait
    }
}

fn published() -> Outcome {
    Outcome::Published { seq: Seq(1), duplicate: Some(false), differs: Vec::new() }
}

/// What seven waits take, of which the first is 1 ms and each further one twice the last.
const SEVEN_WAITS: Duration = Duration::from_millis(127);
/// A lane that does not answer: not to a connection, or not to what is asked on one.
struct Silent {
    opens: bool,
}

struct SilentSession;

#[async_trait]
impl Lane for Silent {
    async fn subscriber(&self, _: &Endpoint, _: &ClientOptions) -> Result<Box<dyn SubscriberSession>, OpenError> {
        match self.opens {
            true => Ok(Box::new(SilentSession)),
            false => std::future::pending().await,
        }
    }

    async fn writer(&self, _: &Endpoint) -> Result<Box<dyn WriterSession>, OpenError> {
        std::future::pending().await
    }
}

#[async_trait]
impl SubscriberSession for SilentSession {
    async fn subscribe(&mut self, _: &[(StreamId, Option<Cursor>)], _: u32) -> Completion<Heads> {
        std::future::pending().await
    }

    async fn unsubscribe(&mut self, _: &[StreamId]) -> Completion {
        std::future::pending().await
    }

    async fn heartbeat(&mut self) -> Completion {
        std::future::pending().await
    }

    async fn next(&mut self) -> Arrival {
        std::future::pending().await
    }

    async fn close(&mut self) {}
}

fn fake(open: OnOpen, op: OnOp) -> Fake {
    let (opened, asked) = (AtomicUsize::new(0), Arc::default());
    let may_strike = Arc::new(AtomicBool::new(true));
    Fake { open, op, ends: None, strikes: None, may_strike, asks_to_wait: None, opened, asked }
}

fn refused(what: &str, retryable: bool) -> OpenError {
    if retryable { OpenError::passing(what) } else { OpenError::lasting(what) }
}

fn accepts(_: usize) -> Completion {
    Ok(())
}

fn endpoint() -> Endpoint {
    Endpoint { connect: ([127, 0, 0, 1], 9).into(), authority: "lane.example".to_owned() }
}

fn recorder() -> Recorder {
    Recorder::start("some".to_owned(), LaneId::Legacy, Arc::new(super::NoEvents))
}

fn publish() -> Write {
    Write::Publish {
        stream: StreamId::from("a"),
        key: "k".to_owned(),
        payload: "1".to_owned(),
        next_seq: None,
        hash: None,
    }
}

async fn client(lane: Arc<dyn Lane>, waits: &[u64], dir: &tempfile::TempDir) -> (ClientHandle, Recorder) {
    let recorder = recorder();
    let planned = PlannedClient {
        id: "desk".into(),
        streams: vec!["a".into()],
        replay_batch: 10,
        serializer: Serializer::V2,
        compression: Compression::None,
        identity: None,
        backoff_ms: waits.to_vec(),
        habit: None,
        join: None,
        passes_off: false,
        programs: None,
        refused: None,
    };
    let file = CheckpointFile::of(dir.path(), "desk");
    let inbox = Inbox::new(planned, Arc::default(), recorder.clone(), file);
    let handle = ClientHandle::spawn((lane, None), endpoint(), inbox, recorder.clone());
    handle.connect().await;
    (handle, recorder)
}

#[tokio::test]
async fn a_publish_that_is_put_off_is_tried_again_when_the_lane_says_and_wrote_nothing() {
    let mut lane = fake(
        |_| Ok(()),
        |nth| match nth {
            0 => Err(OpError::Later("HTTP 429".to_owned())),
            _ => Ok(()),
        },
    );
    lane.asks_to_wait = Some(Duration::from_millis(80));
    let recorder = recorder();
    let mut writer = Writer::new(Arc::new(lane), endpoint(), recorder.clone(), Backoff::new(vec![1]));
    let started = Instant::now();
    let completion = writer.invoke(OpId(1), &publish()).await;
    assert_eq!(completion, Ok(published()));
    assert!(started.elapsed() >= Duration::from_millis(80));
    let records = recorder.snapshot().records;
    assert!(matches!(&records[1], Record::Complete { completion: history::Completion::Later { .. }, .. }));
    assert_eq!(records.len(), 4);
}

#[tokio::test]
async fn a_writer_before_a_lane_in_trouble_backs_off() {
    let lane = Arc::new(fake(|_| Ok(()), |_| Err(OpError::Unknown("HTTP 503".to_owned()))));
    let mut writer = Writer::new(Arc::clone(&lane) as Arc<dyn Lane>, endpoint(), recorder(), Backoff::new(vec![1]));
    let started = Instant::now();
    let asked_often = async {
        while lane.asked.load(Ordering::SeqCst) < 8 {
            tokio::task::yield_now().await;
        }
    };
    let op = publish();
    tokio::select! {
        completion = writer.invoke(OpId(1), &op) => panic!("{completion:?}"),
        () = asked_often => {}
    }
    assert!(started.elapsed() >= SEVEN_WAITS, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_writer_that_can_not_connect_sent_nothing() {
    let lane = fake(
        |nth| {
            if nth == 0 { Err(refused("HTTP 503", true)) } else { Ok(()) }
        },
        accepts,
    );
    let recorder = recorder();
    let mut writer = Writer::new(Arc::new(lane), endpoint(), recorder.clone(), Backoff::new(vec![1]));
    assert_eq!(writer.invoke(OpId(1), &publish()).await, Ok(published()));
    assert!(matches!(
        &recorder.snapshot().records[1],
        Record::Complete {
            completion: history::Completion::Later { why },
            ..
        } if why == "HTTP 503"
    ));
}

#[tokio::test]
async fn a_connection_that_ends_once_it_is_subscribed_does_not_end_the_back_off() {
    let mut lane = fake(|_| Ok(()), accepts);
    lane.ends = Some(Closed::CloseFrame { code: 4001 });
    let (lane, dir) = (Arc::new(lane), tempfile::tempdir().unwrap());
    let started = Instant::now();
    let (handle, _) = client(lane.clone(), &[1], &dir).await;
    let mut status = handle.status.clone();
    while lane.opened.load(Ordering::SeqCst) < 8 {
        status.changed().await.unwrap();
    }
    assert!(started.elapsed() >= SEVEN_WAITS, "{:?}", started.elapsed());
    handle.stop().await;
}

#[tokio::test]
async fn a_client_that_was_let_in_before_takes_a_refusal_for_one_in_passing() {
    fn second_is_refused(nth: usize) -> Result<(), OpenError> {
        if nth == 1 { Err(refused("HTTP 403", false)) } else { Ok(()) }
    }
    let mut lane = fake(second_is_refused, accepts);
    lane.ends = Some(Closed::CloseFrame { code: 1012 });
    let (lane, dir) = (Arc::new(lane), tempfile::tempdir().unwrap());
    let (handle, recorder) = client(lane.clone(), &[1], &dir).await;
    let third = async {
        while lane.opened.load(Ordering::SeqCst) < 3 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), third).await.unwrap();
    handle.stop().await;
    let gave_up = recorder.snapshot().records.iter().any(|it| matches!(it, Record::GaveUp { .. }));
    assert!(!gave_up);
}

#[tokio::test]
async fn a_client_that_was_never_let_in_gives_up_at_once_and_says_why() {
    let lane = fake(|_| Err(refused("HTTP 403", false)), accepts);
    let dir = tempfile::tempdir().unwrap();
    let (handle, recorder) = client(Arc::new(lane), &[1], &dir).await;
    let mut status = handle.status.clone();
    status.wait_for(|status| status.gave_up.is_some()).await.unwrap();
    handle.stop().await;
    let records = recorder.snapshot().records;
    assert!(records.iter().any(|it| matches!(it, Record::GaveUp { why, .. } if why == "HTTP 403")));
}

#[tokio::test]
async fn a_subscription_that_is_rate_limited_is_asked_for_again() {
    fn limited(nth: usize) -> Completion {
        match nth {
            0 => Err(OpError::from(Refusal { code: "rate_limited".to_owned(), ..Refusal::default() })),
            _ => Ok(()),
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let (handle, _) = client(Arc::new(fake(|_| Ok(()), limited)), &[1], &dir).await;
    let mut status = handle.status.clone();
    status.wait_for(|status| status.subscribed).await.unwrap();
    handle.stop().await;
}

#[tokio::test]
async fn a_client_in_front_of_a_silent_lane_obeys_at_once() {
    for (opens, crash) in [(false, false), (false, true), (true, false), (true, true)] {
        let dir = tempfile::tempdir().unwrap();
        let (handle, recorder) = client(Arc::new(Silent { opens }), &[1], &dir).await;
        while opens && recorder.snapshot().records.is_empty() {
            tokio::task::yield_now().await;
        }
        let obeyed = async {
            match crash {
                true => handle.crash().await,
                false => handle.disconnect().await,
            }
            handle.connect().await;
            handle.stop().await;
        };
        timeout(Duration::from_secs(2), obeyed).await.unwrap();
        let records = recorder.snapshot().records;
        let first = records.iter().find_map(|record| match record {
            Record::Closed { why, .. } => Some(why.clone()),
            _ => None,
        });
        // A connection that was never opened has no end.
        let end = if crash { Closed::Crashed } else { Closed::ByClient };
        assert_eq!(first, opens.then_some(end), "{records:?}");
    }
}

#[tokio::test]
async fn what_is_asked_of_a_client_that_is_opening_a_connection_is_answered_on_that_connection() {
    let dir = tempfile::tempdir().unwrap();
    let (handle, recorder) = client(Arc::new(fake(|_| Ok(()), accepts)), &[1], &dir).await;
    handle.settle().await;
    assert!(handle.answers_heartbeat().await);
    handle.disconnect().await;
    handle.stop().await;
    let records = recorder.snapshot().records;
    let opened = records.iter().filter(|record| matches!(record, Record::Opened { .. }));
    assert_eq!(opened.count(), 1, "{records:?}");
}

#[tokio::test]
async fn a_client_that_is_told_that_it_reads_too_slowly_goes_and_waits_as_long_as_it_is_told() {
    let wait = Duration::from_millis(80);
    let mut lane = fake(|_| Ok(()), accepts);
    lane.strikes = Some(wait);
    let (lane, dir) = (Arc::new(lane), tempfile::tempdir().unwrap());
    let started = Instant::now();
    let (handle, recorder) = client(lane.clone(), &[1], &dir).await;
    // What the script asks meanwhile does not shorten the wait.
    while lane.opened.load(Ordering::SeqCst) < 2 {
        handle.replay_if_overdue([("a".into(), Seq(1))].into()).await;
        tokio::task::yield_now().await;
    }
    assert!(started.elapsed() >= wait, "{:?}", started.elapsed());
    handle.stop().await;
    let records = recorder.snapshot().records;
    let struck = records.iter().position(|record| matches!(record, Record::Struck { .. })).unwrap();
    let ends = records[struck..].iter().find_map(|record| match record {
        Record::Closed { why, .. } => Some(why.clone()),
        _ => None,
    });
    assert_eq!(ends, Some(Closed::Channel { event: "sync:error slow_consumer".to_owned() }), "{records:?}");
}

#[tokio::test]
async fn a_client_that_does_not_read_asks_nothing_and_takes_nothing() {
    let mut lane = fake(|_| Ok(()), accepts);
    lane.strikes = Some(Duration::ZERO);
    let may_strike = Arc::clone(&lane.may_strike);
    may_strike.store(false, Ordering::SeqCst);
    let (lane, dir) = (Arc::new(lane), tempfile::tempdir().unwrap());
    let (handle, recorder) = client(lane.clone(), &[1], &dir).await;
    handle.reads(false).await;
    may_strike.store(true, Ordering::SeqCst);
    let asked = lane.asked.load(Ordering::SeqCst);
    handle.replay_if_overdue([("a".into(), Seq(1))].into()).await;
    assert_eq!(lane.asked.load(Ordering::SeqCst), asked);
    let struck = || recorder.snapshot().records.iter().any(|record| matches!(record, Record::Struck { .. }));
    assert!(!struck());
    handle.reads(true).await;
    while !struck() {
        tokio::task::yield_now().await;
    }
    handle.stop().await;
}
