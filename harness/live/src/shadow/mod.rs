//! Follows the same streams on two live lanes, and compares what comes. It subscribes, and writes nothing: no event, no
//! policy, no checkpoint.

mod follow;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cutover_core::ids::{LaneId, StreamId};
use cutover_core::shadow::{Followed, LaneFollowed, Modules, Shadow};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Moment;
use crate::environment::{Environment, EnvironmentError};
use crate::lane::names::{Names, NamesError};
use follow::{Follower, News};

/// News of both lanes that wait. A lane is read no further meanwhile.
const QUEUE: usize = 4096;

/// How often the state is published.
const PUBLISH_EVERY: Duration = Duration::from_millis(500);

/// How long both lanes have at the end to come to the same event.
const LEVEL_WITHIN: Duration = Duration::from_secs(15);

#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ShadowError {
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    #[error(transparent)]
    Names(#[from] NamesError),
}

/// Follows the streams until `stop` is called, and some seconds longer where one lane has not yet what the other has.
/// `state` gets what was seen until then, and ends with it.
///
/// # Errors
/// A lane that cannot be reached at the begin, or streams whose names meet. What goes wrong later is in the result.
pub async fn shadow(
    environment: &Environment,
    streams: Vec<StreamId>,
    stop: CancellationToken,
    state: watch::Sender<Followed>,
) -> Result<Followed, ShadowError> {
    let names = Arc::new(Names::new(streams.iter().cloned(), None)?);
    let mut observed = Vec::new();
    for lane in LaneId::BOTH {
        observed.push((lane, environment.observe(lane, names.clone()).await?));
    }
    let (tell, mut told) = mpsc::channel(QUEUE);
    let began = Instant::now();
    let end = CancellationToken::new();
    let mut tasks = tokio::task::JoinSet::new();
    let mut lanes = BTreeMap::new();
    let mut modules = Modules::default();
    for (lane, observed) in observed {
        if lane == LaneId::Candidate {
            modules.begin.clone_from(&observed.module_digest);
        }
        lanes.insert(lane, LaneFollowed { version: observed.version.clone(), ..LaneFollowed::default() });
        let follower = Follower::new((lane, began), observed, streams.clone(), tell.clone());
        tasks.spawn(follower.run(end.clone()));
    }
    drop(tell);
    let mut watcher = Watcher { shadow: Shadow::new(streams), lanes, began, down: BTreeMap::new() };
    let mut publish = tokio::time::interval(PUBLISH_EVERY);
    let mut last: Option<Instant> = None;
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled(), if last.is_none() => last = Some(Instant::now() + LEVEL_WITHIN),
            _ = publish.tick() => {
                let _ = state.send(watcher.followed());
                if last.is_some_and(|last| Instant::now() > last || watcher.shadow.is_level()) {
                    break;
                }
            }
            news = told.recv() => match news {
                Some((lane, news)) => watcher.take(lane, news),
                None => break,
            },
        }
    }
    modules.end = environment.served_module(LaneId::Candidate).await;
    let followed = Followed { modules, ..watcher.followed() };
    end.cancel();
    // A follower that is about to tell something must not wait for room.
    drop(told);
    while tasks.join_next().await.is_some() {}
    let _ = state.send(followed.clone());
    Ok(followed)
}

/// Counts what the followers tell, and compares it.
struct Watcher {
    shadow: Shadow,
    lanes: BTreeMap<LaneId, LaneFollowed>,
    began: Instant,
    /// Since when a lane has no connection.
    down: BTreeMap<LaneId, Instant>,
}

impl Watcher {
    fn take(&mut self, lane: LaneId, news: News) {
        let counted = self.lanes.entry(lane).or_default();
        match news {
            News::Opened { took } => {
                counted.connections += 1;
                counted.connected = true;
                counted.longest_open_ms = counted.longest_open_ms.max(ms(took));
                if let Some(since) = self.down.remove(&lane) {
                    let down = ms(since.elapsed());
                    counted.down_ms += down;
                    counted.longest_down_ms = counted.longest_down_ms.max(down);
                }
            }
            News::Ended { why } => {
                counted.connected = false;
                counted.last_end = Some(why);
                self.down.entry(lane).or_insert_with(Instant::now);
            }
            News::NotOpened { why, refused } => {
                counted.failed_opens += 1;
                counted.last_end = Some(why);
                counted.refused += u64::from(refused);
                self.down.entry(lane).or_insert_with(Instant::now);
            }
            News::Applied { stream, seq, hash, at_us } => self.shadow.applied(lane, &stream, seq, hash, at_us),
            News::Duplicate { stream } => self.shadow.duplicate(lane, &stream),
            News::Skipped { stream, came } => self.shadow.skipped(lane, &stream, came),
            News::Lost { stream, next } => self.shadow.lost(lane, &stream, next),
            News::Rebootstrap { stream } => self.shadow.rebootstrapped(lane, &stream),
            News::WentBack { stream, cursor, head } => self.shadow.went_back(lane, &stream, cursor, head),
            News::DeclaredOtherwise { stream, seq } => self.shadow.declared_otherwise(lane, &stream, seq),
            News::Odd { what } => {
                counted.odd += 1;
                counted.first_odd.get_or_insert(what);
            }
        }
        self.shadow.stamp(|| Moment::now().rfc3339_ms());
    }

    fn followed(&self) -> Followed {
        let now_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut lanes = self.lanes.clone();
        for (lane, counted) in &mut lanes {
            counted.waiting = self.shadow.waiting_for(*lane);
            counted.behind_ms = self.shadow.behind_us(*lane, now_us) / 1000;
            if let Some(since) = self.down.get(lane) {
                let down = ms(since.elapsed());
                counted.down_ms += down;
                counted.longest_down_ms = counted.longest_down_ms.max(down);
            }
        }
        Followed { ran_ms: now_us / 1000, lanes, seen: self.shadow.seen(), modules: Modules::default() }
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
