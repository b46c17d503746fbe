//! The chain of stages for one direction of one connection.

use bytes::Bytes;
use cutover_core::ids::FaultId;
use cutover_core::plan::ByteToxic;
use tokio::time::Instant;

use super::chunk::{CHUNK, Chunk, INBOX_BYTES, Inbox};
use super::dice::Dice;
use super::{Action, Ending, Out, Stage, Toxic, stage};

/// The most bytes that a chain holds, whatever its stages would take. Otherwise what removed toxics release could
/// accumulate.
const HELD_BYTES: usize = 2 * INBOX_BYTES;

const HELD_CHUNKS: usize = 4096;

#[derive(Debug)]
struct Link {
    name: FaultId,
    toxic: ByteToxic,
    /// `None` once the stream's end has left the stage: nothing reaches it any more.
    stage: Option<Box<dyn Stage>>,
    inbox: Inbox,
    fired: bool,
}

impl Link {
    /// Whether the link stays when `toxic` is requested: an update can't change a toxic's type.
    fn is(&self, toxic: &Toxic) -> bool {
        self.name == toxic.name && self.toxic.type_name() == toxic.toxic.type_name()
    }

    fn has_room(&self) -> bool {
        self.stage.as_ref().is_some_and(|stage| self.inbox.has_room(stage.chunks()))
    }

    fn is_finished(&self) -> bool {
        self.stage.is_none() || self.inbox.is_finished()
    }

    fn shut(&mut self) {
        self.stage = None;
        self.inbox = Inbox::default();
    }
}

/// The toxics of one direction of one connection, and all that they hold. It never loses, doubles or reorders a byte,
/// except where a toxic's effect is to lose bytes, and then the stream ends with it.
///
/// Its owner reads while [`Chain::has_room`], pushes what it read, and writes what [`Chain::poll`] gives, until that
/// gives an end.
#[derive(Debug)]
pub struct Chain {
    seed: u64,
    links: Vec<Link>,
    exit: Inbox,
    fired: Vec<FaultId>,
    /// The latest time seen. Time never goes back.
    clock: Option<Instant>,
}

impl Chain {
    /// A chain without toxics. Jitter and sizes of pieces are drawn from the seed and the toxics' names.
    pub fn new(rng_seed: u64) -> Chain {
        Chain { seed: rng_seed, links: Vec::new(), exit: Inbox::default(), fired: Vec::new(), clock: None }
    }

    /// Makes these the toxics, in this order. A toxic with the name and type of a present one keeps what that one holds
    /// and has counted, and takes over changed attributes. A removed one passes what it holds, in order, to what is
    /// behind it. The connection ends where it has swallowed data. A toxic that moved ahead of another is removed and
    /// added.
    pub fn set(&mut self, toxics: &[Toxic], now: Instant) {
        let now = self.tick(now);
        // For each requested toxic the old link that it keeps: the next of that name.
        let mut from = 0;
        let keeps: Vec<Option<usize>> = toxics
            .iter()
            .map(|toxic| {
                let at = from + self.links[from..].iter().position(|link| link.is(toxic))?;
                from = at + 1;
                Some(at)
            })
            .collect();
        for at in (0..self.links.len()).rev() {
            if !keeps.contains(&Some(at)) {
                self.remove(at, now);
            }
        }
        for (at, (toxic, keep)) in toxics.iter().zip(keeps).enumerate() {
            match keep {
                // All before it are in place, so this one is too.
                Some(_) => self.update(at, &toxic.toxic, now),
                None => self.insert(at, toxic, now),
            }
        }
    }

    /// Whether there is no toxic and nothing on its way, so that bytes may bypass the chain.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty() && self.exit.is_empty() && !self.exit.is_finished()
    }

    /// Whether a push is within the bounds: one chunk for a stage, or Toxiproxy's 1024 for `latency` up to 16 MiB.
    /// False for good once a toxic has ended the stream.
    pub fn has_room(&self) -> bool {
        let first = match self.links.first() {
            Some(link) => !link.is_finished() && link.has_room(),
            None => !self.exit.is_finished() && self.exit.is_empty(),
        };
        let chunks = |chain: &Chain| chain.exit.len() + chain.links.iter().map(|link| link.inbox.len()).sum::<usize>();
        first && self.held() < HELD_BYTES && chunks(self) < HELD_CHUNKS
    }

    #[allow(missing_docs, reason = "the name says it")]
    pub fn held(&self) -> usize {
        let held = |link: &Link| Some(link.stage.as_ref()?.held()?.data.len());
        let stage = |link: &Link| held(link).unwrap_or(0);
        self.exit.bytes() + self.links.iter().map(|link| link.inbox.bytes() + stage(link)).sum::<usize>()
    }

    /// Takes what was read from the source. What follows the end is dropped.
    pub fn push(&mut self, mut bytes: Bytes, now: Instant) {
        let now = self.tick(now);
        while !bytes.is_empty() {
            let most = if self.links.is_empty() { bytes.len() } else { CHUNK.min(bytes.len()) };
            let data = bytes.split_to(most);
            self.put(0, Chunk { data, stamp: now, came: now }, now);
        }
    }

    /// Takes the source's end, which passes the toxics behind the data.
    pub fn end(&mut self, now: Instant) {
        self.tick(now);
        self.finish(0, Ending::Eof);
    }

    /// Gives what is due. Call it again until it gives no more bytes.
    pub fn poll(&mut self, now: Instant) -> Out {
        let now = self.tick(now);
        loop {
            if let Some(chunk) = self.exit.take() {
                return Out::Bytes(chunk.data);
            }
            if let Some(ending) = self.exit.end() {
                return Out::Ended(ending);
            }
            match self.turn(now) {
                Turn::Moved => {}
                Turn::Still(Some(until)) => return Out::Until(until),
                Turn::Still(None) => return Out::Idle,
            }
        }
    }

    /// The toxics that fired for the first time since they were added, and since the last call.
    pub fn take_fired(&mut self) -> Vec<FaultId> {
        std::mem::take(&mut self.fired)
    }

    fn tick(&mut self, now: Instant) -> Instant {
        let now = self.clock.map_or(now, |clock| clock.max(now));
        *self.clock.insert(now)
    }

    /// Asks the stages, the last first, until one has done something.
    fn turn(&mut self, now: Instant) -> Turn {
        let mut until: Option<Instant> = None;
        for at in (0..self.links.len()).rev() {
            let room = self.links.get(at + 1).map_or(self.exit.is_empty(), Link::has_room);
            let Link { stage: Some(stage), inbox, .. } = &mut self.links[at] else {
                continue;
            };
            if !room && !stage.swallows() {
                continue;
            }
            let mut fired = false;
            let action = stage.poll(inbox, now, &mut fired);
            self.note(at, fired);
            match action {
                Action::Pass(chunk) => {
                    self.put(at + 1, chunk, now);
                    return Turn::Moved;
                }
                Action::Last(chunk, ending) => {
                    if let Some(chunk) = chunk {
                        self.put(at + 1, chunk, now);
                    }
                    self.finish(at + 1, ending);
                    return Turn::Moved;
                }
                Action::Wait(due) => until = Some(until.map_or(due, |until| until.min(due))),
                Action::Idle => {}
            }
        }
        Turn::Still(until)
    }

    fn note(&mut self, at: usize, fired: bool) {
        let link = &mut self.links[at];
        if fired && !link.fired {
            link.fired = true;
            self.fired.push(link.name.clone());
        }
    }

    fn inbox(&mut self, at: usize) -> &mut Inbox {
        match self.links.get_mut(at) {
            Some(link) => &mut link.inbox,
            None => &mut self.exit,
        }
    }

    /// Whether the stream's end has come to a link, or to the exit, or left it.
    fn is_finished(&self, at: usize) -> bool {
        self.links.get(at).map_or(self.exit.is_finished(), Link::is_finished)
    }

    fn put(&mut self, at: usize, chunk: Chunk, now: Instant) {
        if !self.is_finished(at) {
            self.inbox(at).put(chunk, now);
        }
    }

    fn finish(&mut self, at: usize, ending: Ending) {
        if !self.is_finished(at) {
            self.inbox(at).finish(ending);
        }
        self.links[..at].iter_mut().for_each(Link::shut);
    }

    fn insert(&mut self, at: usize, toxic: &Toxic, now: Instant) {
        let stage = stage(&toxic.toxic, Dice::new(self.seed, toxic.name.as_str()), now);
        // Where the end has passed already, nothing is left to do.
        let stage = Some(stage).filter(|_| !self.is_finished(at));
        let (name, toxic) = (toxic.name.clone(), toxic.toxic.clone());
        self.links.insert(at, Link { name, toxic, stage, inbox: Inbox::default(), fired: false });
    }

    fn update(&mut self, at: usize, toxic: &ByteToxic, now: Instant) {
        let link = &mut self.links[at];
        if link.toxic != *toxic {
            link.toxic = toxic.clone();
            if let Some(stage) = &mut link.stage {
                stage.update(toxic, now);
            }
        }
    }

    /// Removes a toxic. What it holds goes behind what the next one has.
    fn remove(&mut self, at: usize, now: Instant) {
        let mut fired = false;
        let left = self.links[at].stage.as_mut().map(|stage| stage.leave(&mut fired));
        self.note(at, fired);
        let link = self.links.remove(at);
        let Some(left) = left else { return };
        if let Some(chunk) = left.chunk {
            self.put(at, chunk, now);
        }
        match left.ending {
            Some(ending) => self.finish(at, ending),
            None => self.inbox(at).append(link.inbox, now),
        }
    }
}

enum Turn {
    Moved,
    /// Nothing moves before this time, or before something else happens.
    Still(Option<Instant>),
}
