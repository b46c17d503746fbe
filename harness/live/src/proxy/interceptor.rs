//! Shows every message to the faults: counts positions, asks the faults, keeps the ledger. There is one for all
//! connections of a client, so that its counts continue after a reconnect.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cutover_core::history::{Fire, Rewrote};
use cutover_core::ids::{ClientId, FaultId, OpId};
use cutover_core::plan::{FaultKind, PlannedFault, Position};
use tokio::sync::watch;

use super::chance::Chance;
use super::config::{LedgerSink, MessageToxic, Observer};
use super::interest::Interest;
use super::tally::Tally;
use super::unit::Message;
use crate::fault::{self, Fate, Fault, Seen};
use crate::frame::{Body, Frame, FrameTag, View};

/// The most names of fired faults and toxics that are kept: a service may get new ones for months. No plan has so many.
const FIRED_MAX: usize = 4096;

pub(super) struct Decision {
    pub(super) tag: FrameTag,
    pub(super) edited: Option<Frame>,
    /// What becomes of it; never [`Fate::Edit`].
    pub(super) fate: Fate,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct MessageId {
    /// The connection, from 1.
    pub(super) conn: u32,
    /// Its number on that connection and direction, from 1.
    pub(super) frame: u64,
}

pub(super) struct Interceptor {
    client: ClientId,
    pub(super) chance: Chance,
    ledger: Arc<dyn LedgerSink>,
    observer: Option<Arc<dyn Observer>>,
    state: Mutex<State>,
    interest: AtomicU8,
    fired: watch::Sender<BTreeSet<FaultId>>,
    acked: watch::Sender<BTreeSet<OpId>>,
}

struct State {
    faults: Vec<Armed>,
    tally: Tally,
    op: Option<OpId>,
}

struct Armed {
    planned: PlannedFault,
    hit: Option<String>,
    toxicity: f64,
    fault: Box<dyn Fault>,
}

fn arm(toxic: &MessageToxic) -> Armed {
    Armed {
        planned: toxic.fault.clone(),
        hit: describe(&toxic.fault.at),
        toxicity: toxic.toxicity,
        fault: fault::arm(&toxic.fault),
    }
}

fn interest<'a>(faults: impl Iterator<Item = &'a PlannedFault>) -> u8 {
    faults.map(Interest::of).fold(Interest::default(), Interest::and).bits()
}

impl Armed {
    /// What it hits in a message: its position, or what the message carries.
    fn hit(&self, view: &View<'_>) -> String {
        self.hit.clone().unwrap_or_else(|| view.summary())
    }
}

impl Interceptor {
    pub(super) fn new(
        client: ClientId,
        seed: u64,
        toxics: &[MessageToxic],
        ledger: Arc<dyn LedgerSink>,
    ) -> Interceptor {
        Interceptor {
            chance: Chance::new(seed, client.clone()),
            client,
            ledger,
            observer: None,
            state: Mutex::new(State { faults: toxics.iter().map(arm).collect(), tally: Tally::default(), op: None }),
            interest: AtomicU8::new(interest(toxics.iter().map(|toxic| &toxic.fault))),
            fired: watch::Sender::new(BTreeSet::new()),
            acked: watch::Sender::new(BTreeSet::new()),
        }
    }

    pub(super) fn observed_by(self, observer: Option<Arc<dyn Observer>>) -> Interceptor {
        Interceptor { observer, ..self }
    }

    pub(super) fn observer(&self) -> Option<&dyn Observer> {
        self.observer.as_deref()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn interest(&self) -> Interest {
        let interest = Interest::from_bits(self.interest.load(Ordering::Acquire));
        if self.observer.is_some() { interest.observed() } else { interest }
    }

    /// Changes the faults. Unchanged ones keep their counts.
    pub(super) fn set(&self, toxics: &[MessageToxic]) {
        let mut state = self.state();
        let mut standing = std::mem::take(&mut state.faults);
        state.faults = toxics
            .iter()
            .map(|toxic| {
                let same = |armed: &Armed| armed.planned == toxic.fault;
                match standing.iter().position(same) {
                    Some(at) => Armed { toxicity: toxic.toxicity, ..standing.swap_remove(at) },
                    None => arm(toxic),
                }
            })
            .collect();
        self.look_for(&state);
    }

    /// Removes all faults but planted defects: a broken lane does not heal.
    pub(super) fn disarm(&self) {
        let mut state = self.state();
        let defect = |armed: &Armed| matches!(armed.planned.kind, FaultKind::Mutate { .. });
        state.faults.retain(defect);
        self.look_for(&state);
    }

    fn look_for(&self, state: &State) {
        let planned = state.faults.iter().map(|armed| &armed.planned);
        self.interest.store(interest(planned), Ordering::Release);
    }

    pub(super) fn settled(&self, conn: u32) -> bool {
        self.state().tally.settled(conn)
    }

    pub(super) fn forget(&self, conn: u32) {
        let mut state = self.state();
        state.tally.forget(conn);
        for armed in &mut state.faults {
            armed.fault.forget(conn);
        }
    }

    pub(super) fn expect_ack(&self, op: Option<OpId>) {
        self.state().op = op;
    }

    pub(super) fn acked(&self, op: OpId) {
        self.acked.send_if_modified(|acked| acked.insert(op));
    }

    pub(super) async fn wait_acked(&self, op: OpId) {
        // The sender is in `self`, so this can't fail.
        let _ = self.acked.subscribe().wait_for(|acked| acked.contains(&op)).await;
    }

    pub(super) async fn wait_fired(&self, fault: &FaultId) {
        let _ = self.fired.subscribe().wait_for(|fired| fired.contains(fault)).await;
    }

    pub(super) fn went_blind(&self, conn: u32, why: &str) {
        self.ledger.went_blind(&self.client, conn, why);
    }

    pub(super) fn unreachable(&self, conn: u32, why: &str) {
        self.ledger.unreachable(&self.client, conn, why);
    }

    /// Decides on a message. What fires is in the ledger when this returns.
    pub(super) fn decide(&self, id: MessageId, message: &Message) -> Decision {
        let Message { frame, tagger, is_whole, .. } = message;
        if !self.interest().any() {
            return Decision { tag: FrameTag::Other, edited: None, fate: Fate::Pass };
        }
        // Reading a message is the most expensive part, so it is done before the lock is taken.
        let mut view = View::new(&**tagger, frame.clone());
        if let Some(observer) = self.observer().filter(|_| !matches!(frame.body, Body::Http(_))) {
            observer.message(id.conn, &view);
        }
        let mut state = self.state();
        let state = &mut *state;
        let nth = state.tally.count(id.conn, frame.direction, view.tag());
        let op = state.op;
        let mut edited = false;
        let mut decided = None;
        for armed in &mut state.faults {
            if !self.chance.gives(id.conn, &armed.planned.id, armed.toxicity) {
                continue;
            }
            let seen = Seen { view: &view, conn: id.conn, nth, op };
            if decided.is_some() {
                armed.fault.pass_by(&seen);
                continue;
            }
            let Some(effect) = armed.fault.on_frame(&seen) else {
                continue;
            };
            match effect.fate {
                Fate::Edit(edit) => {
                    let changed = if *is_whole { view.edited(&edit) } else { None };
                    let Some(changed) = changed else { continue };
                    let hit = armed.hit(&view);
                    view = View::new(&**tagger, changed);
                    edited = true;
                    if !effect.again {
                        self.record(&armed.planned.id, id, &hit, effect.rewrote);
                    }
                }
                fate if *is_whole || !fate.needs_whole() => {
                    self.record(&armed.planned.id, id, &armed.hit(&view), effect.rewrote);
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

    pub(super) fn record(
        &self,
        fault: &FaultId,
        MessageId { conn, frame }: MessageId,
        hit: &str,
        rewrote: Option<Rewrote>,
    ) {
        let fire = Fire { conn, frame, hit: hit.to_owned(), rewrote };
        self.ledger.fired(fault, &self.client, fire);
        self.fired.send_if_modified(|fired| {
            if fired.len() >= FIRED_MAX {
                fired.pop_first();
            }
            fired.insert(fault.clone())
        });
    }
}

fn describe(at: &Position) -> Option<String> {
    let hit = match at {
        Position::Delivery { stream, seq } => format!("delivery {stream} {seq}"),
        Position::Resume { nth } => format!("resume {nth}"),
        Position::ResumeReply { nth } => format!("resume-reply {nth}"),
        Position::HeartbeatReply { nth } => format!("heartbeat-reply {nth}"),
        Position::Ack { op } => format!("ack {op}"),
        Position::Message(_) => return None,
    };
    Some(hit)
}
