//! The desk at which every message is shown to the faults: counts positions, asks the faults, keeps the ledger. One for
//! all connections of a client, so that its counts run on through reconnects.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cutover_core::history::{Fire, Rewrote};
use cutover_core::ids::{ClientId, FaultId, OpId};
use cutover_core::plan::{FaultKind, PlannedFault, Position};
use tokio::sync::watch;

use super::LedgerSink;
use super::line::Extent;
use crate::fault::{self, Fate, Fault, Seen};
use crate::frame::{Direction, Frame, FrameTag, FrameTagger, View};

/// What was decided on a message.
pub(super) struct Decision {
    /// What it carries, changes included.
    pub(super) tag: FrameTag,
    /// The message anew, where a fault changed it.
    pub(super) edited: Option<Frame>,
    /// What becomes of it; never [`Fate::Edit`].
    pub(super) fate: Fate,
}

/// Where a message came by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The connection, from 1.
    pub(super) conn: u32,
    /// The message's number on that connection and direction, from 1.
    pub(super) frame: u64,
}

pub(super) struct Desk {
    client: ClientId,
    ledger: Arc<dyn LedgerSink>,
    state: Mutex<State>,
    fired: watch::Sender<BTreeSet<FaultId>>,
    acked: watch::Sender<BTreeSet<OpId>>,
    planned: Vec<FaultId>,
}

struct State {
    faults: Vec<Armed>,
    tally: Tally,
    op: Option<OpId>,
}

struct Armed {
    id: FaultId,
    hit: String,
    defect: bool,
    fault: Box<dyn Fault>,
}

impl Desk {
    pub(super) fn new(client: ClientId, planned: &[PlannedFault], ledger: Arc<dyn LedgerSink>) -> Desk {
        let arm = |planned: &PlannedFault| Armed {
            id: planned.id.clone(),
            hit: describe(&planned.at),
            defect: matches!(planned.kind, FaultKind::Mutate { .. }),
            fault: fault::arm(planned),
        };
        let faults = planned.iter().map(arm).collect();
        Desk {
            client,
            ledger,
            state: Mutex::new(State {
                faults,
                tally: Tally::default(),
                op: None,
            }),
            fired: watch::Sender::new(BTreeSet::new()),
            acked: watch::Sender::new(BTreeSet::new()),
            planned: planned.iter().map(|planned| planned.id.clone()).collect(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any fault may still want to see a message.
    pub(super) fn armed(&self) -> bool {
        !self.state().faults.is_empty()
    }

    /// Takes all faults off. What a planted defect does stays: a broken lane does not heal.
    pub(super) fn disarm(&self) {
        self.state().faults.retain(|armed| armed.defect);
    }

    pub(super) fn expect_ack(&self, op: Option<OpId>) {
        self.state().op = op;
    }

    pub(super) fn acked(&self, op: OpId) {
        self.acked.send_if_modified(|acked| acked.insert(op));
    }

    pub(super) async fn wait_acked(&self, op: OpId) {
        // The sender lives in `self`, so this can't fail.
        let _ = self.acked.subscribe().wait_for(|acked| acked.contains(&op)).await;
    }

    pub(super) async fn wait_fired(&self, fault: &FaultId) {
        let _ = self.fired.subscribe().wait_for(|fired| fired.contains(fault)).await;
    }

    pub(super) fn unfired(&self) -> Vec<FaultId> {
        let fired = self.fired.borrow();
        self.planned.iter().filter(|id| !fired.contains(id)).cloned().collect()
    }

    /// A connection can't be read any more.
    pub(super) fn went_blind(&self, conn: u32, why: &str) {
        self.ledger.went_blind(&self.client, conn, why);
    }

    /// Decides on a message. Whoever strikes is in the ledger when this returns.
    pub(super) fn decide(&self, place: Place, frame: &Frame, extent: Extent, tagger: &dyn FrameTagger) -> Decision {
        let mut state = self.state();
        if state.faults.is_empty() {
            return Decision {
                tag: FrameTag::Other,
                edited: None,
                fate: Fate::Pass,
            };
        }
        let mut view = View::new(tagger, frame.clone());
        let nth = state.tally.count(place.conn, frame.direction, view.tag());
        let op = state.op;
        if extent == Extent::End {
            return Decision {
                tag: view.tag().clone(),
                edited: None,
                fate: Fate::Pass,
            };
        }
        let mut edited = false;
        let mut decided = None;
        for armed in &mut state.faults {
            let seen = Seen {
                view: &view,
                conn: place.conn,
                nth,
                op,
            };
            if decided.is_some() {
                armed.fault.pass_by(&seen);
                continue;
            }
            let Some(strike) = armed.fault.on_frame(&seen) else {
                continue;
            };
            match strike.fate {
                Fate::Edit(edit) => {
                    let changed = if extent == Extent::Whole {
                        view.edited(&edit)
                    } else {
                        None
                    };
                    let Some(changed) = changed else { continue };
                    view = View::new(tagger, changed);
                    edited = true;
                    if !strike.again {
                        self.record(armed, place, strike.rewrote);
                    }
                }
                fate if possible(&fate, extent) => {
                    self.record(armed, place, strike.rewrote);
                    decided = Some(fate);
                }
                _ => {}
            }
        }
        Decision {
            tag: view.tag().clone(),
            edited: edited.then(|| view.frame().clone()),
            fate: decided.unwrap_or(Fate::Pass),
        }
    }

    /// A connection has ended.
    pub(super) fn forget(&self, conn: u32) {
        for armed in &mut self.state().faults {
            armed.fault.forget(conn);
        }
    }

    fn record(&self, armed: &Armed, Place { conn, frame }: Place, rewrote: Option<Rewrote>) {
        let fire = Fire {
            conn,
            frame,
            hit: armed.hit.clone(),
            rewrote,
        };
        self.ledger.fired(&armed.id, &self.client, fire);
        self.fired.send_if_modified(|fired| fired.insert(armed.id.clone()));
    }
}

/// Whether a fate can be had where only the beginning of a message is at hand.
fn possible(fate: &Fate, extent: Extent) -> bool {
    extent == Extent::Whole || !matches!(fate, Fate::Repeat(_) | Fate::DeliverAfterNext)
}

fn describe(at: &Position) -> String {
    match at {
        Position::Delivery { stream, seq } => format!("delivery {stream} {seq}"),
        Position::Resume { nth } => format!("resume {nth}"),
        Position::ResumeReply { nth } => format!("resume-reply {nth}"),
        Position::HeartbeatReply { nth } => format!("heartbeat-reply {nth}"),
        Position::Ack { op } => format!("ack {op}"),
        Position::Message(pick) => format!("message {}", pick.direction.as_str()),
    }
}

/// Counts positions.
#[derive(Default)]
struct Tally {
    resumes: u32,
    heartbeat_replies: u32,
    /// Per connection, the resumes that the lane has not answered. A reply answers the oldest of its connection, so that
    /// a resume whose connection was cut does not take the next one's reply.
    unanswered: BTreeMap<u32, VecDeque<u32>>,
}

impl Tally {
    /// Counts a message, and says which one of its kind it is ([`Seen::nth`]).
    fn count(&mut self, conn: u32, direction: Direction, tag: &FrameTag) -> u32 {
        match (direction, tag) {
            (Direction::ToLane, FrameTag::Resume { opens: true, .. }) => {
                self.resumes += 1;
                // Connections are numbered as they open, and a client has one at a time but for moments.
                while self.unanswered.len() > 64 {
                    self.unanswered.pop_first();
                }
                self.unanswered.entry(conn).or_default().push_back(self.resumes);
                self.resumes
            }
            (Direction::ToClient, FrameTag::ResumeReply) => self
                .unanswered
                .get_mut(&conn)
                .and_then(VecDeque::pop_front)
                .unwrap_or(0),
            (Direction::ToClient, FrameTag::HeartbeatReply) => {
                self.heartbeat_replies += 1;
                self.heartbeat_replies
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_belongs_to_the_oldest_unanswered_resume_of_its_connection() {
        let mut tally = Tally::default();
        let resume = FrameTag::Resume {
            cursors: vec![],
            opens: true,
        };
        assert_eq!(tally.count(1, Direction::ToLane, &resume), 1);
        assert_eq!(
            tally.count(2, Direction::ToLane, &resume),
            2,
            "the first connection was cut before its reply"
        );
        assert_eq!(tally.count(2, Direction::ToLane, &resume), 3);
        assert_eq!(tally.count(2, Direction::ToClient, &FrameTag::ResumeReply), 2);
        assert_eq!(tally.count(2, Direction::ToClient, &FrameTag::ResumeReply), 3);
        assert_eq!(
            tally.count(2, Direction::ToClient, &FrameTag::ResumeReply),
            0,
            "nothing was asked"
        );
    }
}
