//! Adds the steps of a case to its plan, in the order of the script. Here each event gets its key, payload, hash and
//! operation.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use super::super::cast::{Keys, Stream};
use super::super::open::Choice;
use super::keys::key;
use super::payload::invalid::INVALID;
use super::payload::{Decks, Payload, Place, payload};
use crate::chance::Chance;
use crate::hash::payload::HASH_PREFIX;
use crate::hash::{PayloadHash, payload_hash};
use crate::ids::{FaultId, LaneId, OpId, Seq, StreamId};
use crate::plan::{
    Claims, ENQUEUE, HASH_MISMATCH, IDEMPOTENCY_CONFLICT, INVALID_PAYLOAD, NextSeq, PublishExpect, STREAM, Step,
};

/// What a rehearsed step adds to the plan. All of it is known but what the seed decides.
#[derive(Clone)]
pub(crate) struct Act(Arc<dyn Fn(&mut StepPlanner<'_>) + Send + Sync>);

impl Act {
    pub(crate) fn new(act: impl Fn(&mut StepPlanner<'_>) + Send + Sync + 'static) -> Act {
        Act(Arc::new(act))
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Act")
    }
}

pub(crate) struct Event {
    pub(crate) op: OpId,
    key: String,
    /// Distinguishes its payload from every other.
    pub(crate) mark: String,
    pub(crate) payload: String,
}

pub(crate) type Published = BTreeMap<(usize, u64), Event>;

pub(crate) struct StepPlanner<'p> {
    pub(crate) chance: &'p mut Chance,
    last_op: &'p mut u32,
    streams: &'p [Stream],
    /// The faults and toxics that each one of the file became in this case.
    fault_ids: &'p BTreeMap<String, Vec<FaultId>>,
    /// Whether publishes name their seq and hash. One with a planted defect is judged by its own findings only.
    claims: bool,
    /// Whether each event is put into the outbox, too.
    pub(super) mirrors: bool,
    pub(super) steps: Vec<Step>,
    pub(super) published: Published,
    pub(super) heads: Vec<u64>,
    decks: Decks,
    /// Keys of refused publishes, by stream. The next publishes use them: a refusal leaves a key as new as it was.
    refused_keys: BTreeMap<usize, VecDeque<String>>,
}

impl<'p> StepPlanner<'p> {
    pub(super) fn new(
        chance: &'p mut Chance,
        last_op: &'p mut u32,
        streams: &'p [Stream],
        fault_ids: &'p BTreeMap<String, Vec<FaultId>>,
        claims: bool,
        heads: Vec<u64>,
    ) -> StepPlanner<'p> {
        StepPlanner {
            chance,
            last_op,
            streams,
            fault_ids,
            claims,
            mirrors: false,
            steps: Vec::new(),
            published: Published::new(),
            heads,
            decks: Decks::default(),
            refused_keys: BTreeMap::new(),
        }
    }

    pub(super) fn plan(&mut self, act: &Act) {
        (act.0)(self);
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// The lane's next turn begins here.
    pub(crate) fn take_turn(&mut self, spare: bool) {
        let before = self.steps.iter().filter(|step| matches!(step, Step::TakeTurn { .. })).count();
        let block = u32::try_from(before + 1).unwrap_or(u32::MAX);
        self.steps.push(Step::TakeTurn { block, spare });
    }

    /// The last event is to be sent so long after the beginning of the turn.
    pub(crate) fn due(&mut self, us: u64) {
        if let Some(Step::Publish { due_us, .. }) = self.steps.last_mut() {
            *due_us = Some(us);
        }
    }

    pub(crate) fn op(&mut self) -> OpId {
        *self.last_op += 1;
        OpId(*self.last_op)
    }

    pub(crate) fn fault_ids(&self, name: &str) -> Vec<FaultId> {
        self.fault_ids.get(name).cloned().unwrap_or_default()
    }

    /// Publishes an event with a payload of this family, or of the stream's.
    pub(crate) fn publish(&mut self, stream: usize, family: Option<Payload>) {
        self.event(stream, family.unwrap_or(self.streams[stream].payload));
    }

    /// An event that no lane gets from its writer: its key, its payload and the payload's hash.
    pub(crate) fn apart(&mut self, stream: usize) -> (String, String, PayloadHash) {
        let key = format!("{}:apart:{:08x}", self.streams[stream].topic, self.chance.below(1 << 32));
        let place = Place { mark: &key, stream, nth: 1 };
        let payload = payload(self.chance, &mut self.decks, Payload::Small, place);
        let hash = hash_of(&payload);
        (key, payload, hash)
    }

    /// Publishes a text that is no payload.
    pub(crate) fn publish_invalid(&mut self, stream: usize) {
        let op = self.op();
        let nth = self.decks.next(self.chance, "invalid", stream, INVALID.len());
        let key = format!("{}:refused:{:08x}", self.streams[stream].topic, self.chance.below(1 << 32));
        let expect = PublishExpect::Refused { code: INVALID_PAYLOAD.to_owned() };
        self.step(op, stream, &key, INVALID[nth].to_owned(), Claims::default(), expect);
        if self.streams[stream].keys == Keys::Own {
            self.refused_keys.entry(stream).or_default().push_back(key);
        }
    }

    /// Publishes the event that proves a stream alive. It is small whatever the stream's payloads are, since only its
    /// arrival matters.
    pub(super) fn proof(&mut self, stream: usize) {
        self.event(stream, Payload::Small);
    }

    fn event(&mut self, stream: usize, kind: Payload) {
        self.event_after(stream, kind, &[]);
    }

    /// One event that is first refused once for each of these wrong words beside it, and then written.
    pub(crate) fn publish_refused(&mut self, stream: usize, wrongs: &[Wrong]) {
        self.event_after(stream, self.streams[stream].payload, wrongs);
    }

    /// Publishes at the same moment: repeats of one event, its key with other payloads, or its payload under other
    /// keys.
    pub(crate) fn publish_together(&mut self, stream: usize, kind: Together, count: u64) {
        let first = self.steps.len();
        self.heads[stream] += 1;
        let (group, seq) = (self.op(), self.heads[stream]);
        let mark = format!("{}:{seq}:{:08x}", self.streams[stream].topic, self.chance.below(1 << 32));
        let place = Place { mark: &mark, stream, nth: seq };
        let text = payload(self.chance, &mut self.decks, Payload::Small, place);
        let accepted = |seq| PublishExpect::Accepted { seq: Seq(seq) };
        self.step(group, stream, &mark, text.clone(), Claims::default(), accepted(seq));
        for nth in 1..count {
            let op = self.op();
            let (key, payload, expect) = match kind {
                Together::Repeats => (mark.clone(), text.clone(), PublishExpect::Repeated { seq: Seq(seq) }),
                Together::Conflicts => {
                    let refused = PublishExpect::Refused { code: IDEMPOTENCY_CONFLICT.to_owned() };
                    (mark.clone(), self.other_payload(&mark, nth, stream), refused)
                }
                Together::Apart => {
                    self.heads[stream] += 1;
                    let other = self.other_payload(&mark, nth, stream);
                    (format!("{mark}:{nth}"), other, accepted(self.heads[stream]))
                }
                Together::Equals => {
                    self.heads[stream] += 1;
                    (format!("{mark}:{nth}"), text.clone(), accepted(self.heads[stream]))
                }
            };
            self.step(op, stream, &key, payload, Claims::default(), expect);
        }
        for step in &mut self.steps[first..] {
            if let Step::Publish { together, .. } = step {
                *together = Some(group);
            }
        }
    }

    fn other_payload(&mut self, mark: &str, nth: u64, stream: usize) -> String {
        let apart = format!("{mark}:{nth}");
        let place = Place { mark: &apart, stream, nth: self.heads[stream] };
        payload(self.chance, &mut self.decks, Payload::Small, place)
    }

    fn event_after(&mut self, stream: usize, kind: Payload, wrongs: &[Wrong]) {
        let refused: Vec<_> = wrongs.iter().map(|_| self.op()).collect();
        self.heads[stream] += 1;
        let (op, seq) = (self.op(), self.heads[stream]);
        let mark = format!("{}:{seq}:{:08x}", self.streams[stream].topic, self.chance.below(1 << 32));
        let refused_before = self.refused_keys.get_mut(&stream).and_then(VecDeque::pop_front);
        let key = refused_before.unwrap_or_else(|| key(self.streams, stream, seq, &mark));
        let place = Place { mark: &mark, stream, nth: seq };
        let payload = payload(self.chance, &mut self.decks, kind, place);
        for (op, wrong) in refused.into_iter().zip(wrongs) {
            let (claims, code, lane) = wrong.claims(seq, &payload);
            let expect = PublishExpect::Refused { code: code.to_owned() };
            self.step(op, stream, &key, payload.clone(), claims, expect);
            if let Some(Step::Publish { lane: only, .. }) = self.steps.last_mut() {
                *only = lane;
            }
        }
        let claims = match (self.claims, wrongs) {
            (false, _) => Claims::default(),
            (true, []) => claims(&mark, NextSeq::Right, &payload),
            // What was wrong before is right now.
            (true, _) => Claims { next_seq: Some(NextSeq::Right), payload_hash: Some(hash_of(&payload).to_string()) },
        };
        self.step(op, stream, &key, payload.clone(), claims, PublishExpect::Accepted { seq: Seq(seq) });
        if self.mirrors {
            self.enqueue(stream, &key, &payload);
        }
        self.published.insert((stream, seq), Event { op, key, mark, payload });
    }

    /// Puts an event into the outbox, under a key of its own.
    fn enqueue(&mut self, stream: usize, key: &str, payload: &str) {
        let (op, event_key) = (self.op(), format!("{STREAM}/{key}"));
        let args = serde_json::json!([event_key, STREAM, payload, ""]).to_string();
        let stream = StreamId::new(&self.streams[stream].topic);
        self.steps.push(Step::Call { op, stream, reducer: ENQUEUE.to_owned(), args, refused: None });
    }

    pub(crate) fn publish_again(
        &mut self,
        stream: usize,
        seq: u64,
        what: impl Fn(&mut Chance, &mut Decks, &Event) -> (String, PublishExpect),
    ) {
        let op = self.op();
        if let Some(event) = self.published.get(&(stream, seq)) {
            let (payload, expect) = what(self.chance, &mut self.decks, event);
            let key = event.key.clone();
            // The seq that was right for the first one.
            let claims = if self.claims { claims(&event.mark, NextSeq::Is(seq), &payload) } else { Claims::default() };
            self.step(op, stream, &key, payload, claims, expect);
        }
    }

    fn step(&mut self, op: OpId, stream: usize, key: &str, payload: String, claims: Claims, expect: PublishExpect) {
        let (stream, hash) = (StreamId::new(&self.streams[stream].topic), hash_of(&payload));
        self.steps.push(Step::Publish {
            op,
            stream,
            key: key.to_owned(),
            payload,
            hash,
            claims,
            lane: None,
            together: None,
            due_us: None,
            expect,
        });
    }

    pub(crate) fn draw(&mut self, choice: Choice) -> u64 {
        draw(self.chance, choice)
    }
}

pub(super) fn draw(chance: &mut Chance, choice: Choice) -> u64 {
    if choice.low >= choice.high { choice.high } else { chance.between(choice.low, choice.high) }
}

/// What overlapping publishes have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Together {
    /// Key and payload.
    Repeats,
    /// The key.
    Conflicts,
    /// The payload.
    Equals,
    /// Nothing.
    Apart,
}

/// What is wrong beside an event that is refused for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The seq of the stream's last event is expected.
    SeqLow,
    SeqHigh,
    SeqZero,
    /// Beyond what a double holds exactly.
    SeqHuge,
    /// The hash is of another payload.
    HashOther,
    /// The hash has another last digit.
    HashEnd,
    HashUpper,
    HashBare,
}

impl Wrong {
    pub(crate) fn is_of_hash(self) -> bool {
        matches!(self, Wrong::HashOther | Wrong::HashEnd | Wrong::HashUpper | Wrong::HashBare)
    }

    /// What the publish of the event of this seq names, the code of its refusal, and the only lane that takes it.
    fn claims(self, seq: u64, payload: &str) -> (Claims, &'static str, Option<LaneId>) {
        let of_seq = |seq| {
            let claims = Claims { next_seq: Some(NextSeq::Is(seq)), payload_hash: None };
            (claims, "sequence_conflict", None)
        };
        let of_hash = |hash: String| {
            let claims = Claims { next_seq: Some(NextSeq::Right), payload_hash: Some(hash) };
            // The legacy publish takes no hash.
            (claims, HASH_MISMATCH, Some(LaneId::Candidate))
        };
        let hash = || hash_of(payload).to_string();
        match self {
            Wrong::SeqLow => of_seq(seq - 1),
            Wrong::SeqHigh => of_seq(seq + 1),
            Wrong::SeqZero => of_seq(0),
            Wrong::SeqHuge => of_seq((1 << 53) + seq),
            Wrong::HashOther => of_hash(hash_of(&format!("[{payload}]")).to_string()),
            Wrong::HashEnd => {
                let mut hash = hash();
                let other = if hash.pop() == Some('0') { '1' } else { '0' };
                hash.push(other);
                of_hash(hash)
            }
            Wrong::HashUpper => of_hash(format!("{HASH_PREFIX}{}", hash()[HASH_PREFIX.len()..].to_uppercase())),
            Wrong::HashBare => of_hash(hash()[HASH_PREFIX.len()..].to_owned()),
        }
    }
}

/// What a publish names: half of them the seq, half of them the hash, by the drawn word in their mark.
fn claims(mark: &str, next_seq: NextSeq, payload: &str) -> Claims {
    let drawn = mark.bytes().last().unwrap_or_default();
    let payload_hash = (drawn & 2 == 0).then(|| hash_of(payload).to_string());
    Claims { next_seq: (drawn & 1 == 0).then_some(next_seq), payload_hash }
}

/// The hash of a payload that was generated here: of its canonical form, or, where it is invalid, of its text.
fn hash_of(payload: &str) -> PayloadHash {
    payload_hash(payload.as_bytes()).unwrap_or_else(|_| PayloadHash::of_canonical(payload.as_bytes()))
}
