//! Two clients of one database come and go, and are counted meanwhile.

use std::time::Duration;

use cutover_core::stage::handshake::{Counted, Round, Waited};
use tokio::time::{Instant, sleep};

use super::Line;
use crate::bounds::{self, Bound};
use crate::lane::http::HttpClient;
use crate::lane::spacetime::operate;
use crate::lane::spacetime::presence::{Ended, Seat, Watcher};

/// What a handshake is to do.
#[derive(Debug, Clone)]
pub struct Handshake {
    pub seat: Seat,
    pub rounds: u32,
    /// How long a client waits until it is told that the other one came or went.
    pub within: Bound,
    /// Also silence a client, and wait so long until the server notices.
    pub half_open: Option<Bound>,
}

const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Does the rounds. `begun` is called before each, with its number from 1.
pub async fn shake(line: &Line, handshake: &Handshake, begun: &mut dyn FnMut(u32)) -> Vec<Round> {
    let mut rounds = Vec::new();
    for nth in 1..=handshake.rounds {
        begun(nth);
        let mut round = Round::default();
        let shaken = Shaking { line, handshake, round: &mut round, ours: Vec::new() }.round().await;
        round.trouble = shaken.err();
        let over = round.trouble.is_some();
        rounds.push(round);
        if over {
            break;
        }
    }
    rounds
}

struct Shaking<'a> {
    line: &'a Line,
    handshake: &'a Handshake,
    round: &'a mut Round,
    /// The ids of the connections that this round made.
    ours: Vec<String>,
}

impl Shaking<'_> {
    async fn round(&mut self) -> Result<(), String> {
        let seat = &self.handshake.seat;
        let mut http = self.line.http(seat.token.as_ref(), bounds::OPERATION).map_err(|error| error.to_string())?;
        self.round.before = Some(self.count(&mut http).await?);
        let mut first = self.watcher(self.line).await?;

        let (second, joined) = self.join(&mut first, self.line).await?;
        self.round.joined = Some(joined);
        self.round.during = Some(self.count(&mut http).await?);
        let id = second.id();
        let since = Instant::now();
        second.close(bounds::CLOSE).await;
        self.round.closed = Some(self.told(&mut first, &id, false, since).await?);
        self.round.after_close = Some(self.count(&mut http).await?);

        let (second, _) = self.join(&mut first, self.line).await?;
        let id = second.id();
        let since = Instant::now();
        // The connection ends without a close frame, as that of a process that is killed.
        drop(second);
        self.round.killed = Some(self.told(&mut first, &id, false, since).await?);
        self.round.after_kill = Some(self.count(&mut http).await?);

        if let Some(within) = self.handshake.half_open {
            self.half_open(&mut first, within).await?;
        }
        let since = Instant::now();
        first.close(bounds::CLOSE).await;
        self.round.ended = Some(self.ended(&mut http, since).await?);
        self.round.after = Some(self.count(&mut http).await?);
        Ok(())
    }

    async fn half_open(&mut self, first: &mut Watcher, within: Bound) -> Result<(), String> {
        let line = Line::open(self.line.profile.clone()).await.map_err(|error| error.to_string())?;
        let (second, _) = self.join(first, &line).await?;
        let id = second.id();
        let since = Instant::now();
        line.silence();
        let waited = wait(first, &id, false, within, since).await;
        // Now the server gets to know.
        drop(second);
        line.close().await;
        self.round.half_open = Some(waited?);
        Ok(())
    }

    async fn watcher(&mut self, line: &Line) -> Result<Watcher, String> {
        let watcher = self.handshake.seat.watch(line.at()).await.map_err(|error| error.to_string())?;
        self.ours.push(watcher.id());
        Ok(watcher)
    }

    /// A second client, and how long the first one waited for it.
    async fn join(&mut self, first: &mut Watcher, line: &Line) -> Result<(Watcher, Waited), String> {
        let since = Instant::now();
        let second = self.watcher(line).await?;
        let waited = self.told(first, &second.id(), true, since).await?;
        Ok((second, waited))
    }

    async fn told(&self, first: &mut Watcher, id: &str, there: bool, since: Instant) -> Result<Waited, String> {
        wait(first, id, there, self.handshake.within, since).await
    }

    /// Asks until none of this round's connections is counted any more.
    async fn ended(&self, http: &mut HttpClient, since: Instant) -> Result<Waited, String> {
        let gone = async {
            while self.count(http).await?.ours > 0 {
                sleep(ASK_AGAIN).await;
            }
            Ok::<(), String>(())
        };
        let came = match self.handshake.within.within(gone).await {
            Ok(asked) => asked.map(|()| true)?,
            Err(_) => false,
        };
        Ok(Waited { ms: ms(since), came })
    }

    async fn count(&self, http: &mut HttpClient) -> Result<Counted, String> {
        let seat = &self.handshake.seat;
        let there =
            operate::connection_ids(http, &seat.database, &seat.table).await.map_err(|error| error.to_string())?;
        let ours = there.iter().filter(|id| self.ours.contains(id)).count();
        Ok(Counted { ours: ours as u64, others: (there.len() - ours) as u64 })
    }
}

async fn wait(first: &mut Watcher, id: &str, there: bool, within: Bound, since: Instant) -> Result<Waited, String> {
    match first.until(id, there, within).await {
        Ok(()) => Ok(Waited { ms: ms(since), came: true }),
        Err(Ended::Reached(_)) => Ok(Waited { ms: ms(since), came: false }),
        Err(Ended::Lost(why)) => Err(format!("the first client: {why}")),
    }
}

fn ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
