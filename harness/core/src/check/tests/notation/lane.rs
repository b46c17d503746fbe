//! One lane's side of the notation: records, with each client's apply engine played along.

use std::collections::{BTreeMap, HashMap};

use super::plan::{PlanWriter, hash, payload};
use super::{events, words};
use crate::hash::PayloadHash;
use crate::history::{
    Closed, Completion, Fire, HISTORY_SCHEMA, Header, History, Phase, Record, Refusal, RewindReason, Rewrote,
    SlowNotice, Snapshot, StaleStream, UNSAID, Verdict, Via,
};
use crate::ids::{ClientId, ConnId, Cursor, FaultId, LaneId, OpId, Seed, Seq, StreamId, SubId};
use crate::plan::{Plan, Reading};

#[derive(Default)]
struct Client {
    conn: u32,
    open: bool,
    subs: BTreeMap<String, u32>,
    /// Streams that are accepted once what is being delivered has come.
    accepting: Vec<String>,
    /// The cursor, or `None` before the first event of a bootstrap.
    cursors: BTreeMap<String, Option<u64>>,
    marks: BTreeMap<String, u64>,
}

/// Gathers one lane's history.
pub(super) struct LaneWriter {
    lane: LaneId,
    records: Vec<Record>,
    clients: BTreeMap<String, Client>,
    counts: HashMap<String, usize>,
    subs: u32,
    interrupted: bool,
    healed: bool,
}

impl LaneWriter {
    /// A history that has begun.
    pub fn new(lane: LaneId) -> LaneWriter {
        let records = [Phase::Setup, Phase::Exercise].map(|phase| Record::Phase { phase }).to_vec();
        let (clients, counts) = (BTreeMap::new(), HashMap::new());
        LaneWriter { lane, records, clients, counts, subs: 0, interrupted: false, healed: false }
    }

    /// Writes a record of what is no client's doing. Subscriptions that were being replayed are accepted before it.
    pub fn push(&mut self, record: Record) {
        self.accept_all();
        self.records.push(record);
    }

    fn accept_all(&mut self) {
        let names: Vec<String> = self.clients.keys().cloned().collect();
        names.iter().for_each(|name| self.accept_pending(name));
    }

    fn accept_pending(&mut self, name: &str) {
        let accepting = self.clients.get_mut(name).map(|client| std::mem::take(&mut client.accepting));
        for stream in accepting.unwrap_or_default() {
            self.accept(name, &stream, None);
        }
    }

    /// Heals and converges.
    fn heal(&mut self) {
        if !std::mem::replace(&mut self.healed, true) {
            self.push(Record::Phase { phase: Phase::Heal });
            self.push(Record::Phase { phase: Phase::Converge });
        }
    }

    /// Begins to prove streams alive.
    pub fn prove(&mut self) {
        if !self.healed {
            self.heal();
            self.push(Record::Phase { phase: Phase::ProofOfLife });
        }
    }

    pub fn interrupt(&mut self) {
        self.interrupted = true;
    }

    fn counted(&mut self, key: String) -> usize {
        let count = self.counts.entry(key).or_default();
        *count += 1;
        *count
    }

    pub fn count_policy(&mut self) -> usize {
        self.counted("policy".to_owned())
    }

    pub fn count_call(&mut self) -> usize {
        self.counted("call".to_owned())
    }

    pub fn count_publish(&mut self, kind: &str, stream: &str, seq: u64) -> usize {
        self.counted(format!("{kind} {stream}{seq}"))
    }

    pub fn invoke(&mut self, op: OpId) {
        let attempt = self.counted(format!("attempt {op}")) as u32;
        self.push(Record::Invoke { op, attempt });
    }

    pub fn complete(&mut self, op: OpId, completion: Completion) {
        let attempt = self.counts.get(&format!("attempt {op}")).copied().unwrap_or(1) as u32;
        self.push(Record::Complete { op, attempt, completion });
    }

    pub fn fire(&mut self, fault: &str, client: &str, rewrote: Option<Rewrote>) {
        let conn = self.clients.get(client).map_or(1, |client| client.conn);
        let fire = Fire { conn, frame: 1, hit: "a frame".to_owned(), rewrote };
        self.records.push(Record::Fault { fault: FaultId::from(fault), client: ClientId::from(client), fire });
    }

    /// A client's statement.
    pub fn client(&mut self, name: &str, words: &[&str], plan: &PlanWriter) -> Option<()> {
        let id = ClientId::from(name);
        if let ["cut" | "ends" | "leave" | "crash" | "rewind" | "stuck" | "cursor" | "ask", ..] = *words {
            self.accept_pending(name);
        }
        match *words {
            ["sub", stream] => self.subscribe(name, stream, None, true),
            ["sub", stream, "from", cursor] => self.subscribe(name, stream, Some(cursor.parse().ok()?), true),
            ["ask", stream] => self.subscribe(name, stream, None, false),
            ["ask", stream, "from", cursor] => self.subscribe(name, stream, Some(cursor.parse().ok()?), false),
            ["ok", stream] => self.accept(name, stream, None),
            ["ok", stream, "head", head] => self.accept(name, stream, Some(Seq(head.parse().ok()?))),
            ["refused", stream, "by", sibling, reason] => {
                let refusal = stale(sibling, reason, &[])?;
                self.refuse(name, stream, refusal);
            }
            ["refused", stream, reason, ref fields @ ..] => {
                let refusal = stale(stream, reason, fields)?;
                self.refuse(name, stream, refusal);
            }
            ["cut"] => self.close(name, Closed::Lost { why: "connection reset".to_owned() }),
            ["ends", "silent"] => self.close(name, Closed::Silent),
            ["ends", "phx_error"] => {
                let event = "phx_error".to_owned();
                self.close(name, Closed::Channel { event });
            }
            ["ends", "over-limit"] => {
                let what = "a message of 99 bytes is over our limit of 64".to_owned();
                self.close(name, Closed::OurLimit { what });
            }
            ["ends", code] => {
                let code = code.parse().ok()?;
                self.close(name, Closed::CloseFrame { code });
            }
            ["no-door"] => {
                self.clients.entry(name.to_owned()).or_default().conn += 1;
                let why = "HTTP 503".to_owned();
                self.close(name, Closed::NotOpened { why });
            }
            ["unreadable"] => self.records.push(Record::Unreadable {
                client: id,
                conn: ConnId(self.clients.get(name)?.conn),
                what: "5 bytes are left over".to_owned(),
            }),
            ["gives-up"] => {
                let why = "HTTP 403".to_owned();
                self.records.push(Record::GaveUp { client: id, why, kept_away_by: None });
            }
            ["kept-away"] => {
                let (why, by) = ("closed with 1000".to_owned(), Closed::CloseFrame { code: 1000 });
                self.records.push(Record::GaveUp { client: id, why, kept_away_by: Some(by) });
            }
            ["leave"] => self.close(name, Closed::ByClient),
            ["crash"] => self.close(name, Closed::Crashed),
            ["cursor", ..] => {}
            ["rewind", stream] => {
                let cursors = &mut self.clients.entry(name.to_owned()).or_default().cursors;
                let from = Cursor(cursors.insert(stream.to_owned(), None).flatten().unwrap_or(0));
                let (stream, why) = (StreamId::from(stream), RewindReason::Stale);
                self.records.push(Record::Rewound { client: id, stream, from, why });
            }
            ["overdue", stream, head] => {
                let cursor = Cursor(self.cursor(name, stream));
                let conn = self.clients.entry(name.to_owned()).or_default().conn;
                self.records.push(Record::Overdue {
                    client: id,
                    conn: ConnId(conn),
                    stream: StreamId::from(stream),
                    cursor,
                    head: Seq(head.parse().ok()?),
                });
            }
            ["reads", ref slow @ ..] => {
                let slow = match *slow {
                    ["nothing"] => Some(Reading::Nothing),
                    ["slowly"] => Some(Reading::Slowly),
                    _ => None,
                };
                self.push(Record::Reads { client: id, slow });
            }
            ["struck", action, topic, ref fields @ ..] => {
                let conn = ConnId(self.clients.get(name)?.conn);
                let field = |name: &str| {
                    let found = fields.iter().find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
                    found.and_then(|number| number.parse().ok())
                };
                let strike = SlowNotice {
                    action: action.to_owned(),
                    topic: topic.to_owned(),
                    stream: Some(StreamId::from(topic)),
                    queue_depth: field("depth"),
                    queue_limit: field("limit"),
                    reconnect_after_ms: field("wait"),
                };
                self.records.push(Record::Struck { client: id, conn, strike });
            }
            ["says", ref said @ ..] => self.records.extend(words::said(&id, said)?),
            ["stuck", stream] => {
                let cursor = Cursor(self.cursor(name, stream));
                self.records.push(Record::Stuck { client: id, stream: StreamId::from(stream), cursor });
            }
            ["contradicts", stream, seq, rule] => {
                let conn = self.clients.entry(name.to_owned()).or_default().conn;
                self.records.push(Record::Contradicted {
                    client: id,
                    conn: ConnId(conn),
                    stream: Some(StreamId::from(stream)),
                    seq: Seq(seq.parse().ok()?),
                    what: serde_json::from_value(rule.into()).ok()?,
                    said: "otherwise".to_owned(),
                });
            }
            ["foreign", stranger, seq] => {
                let conn = ConnId(self.clients.entry(name.to_owned()).or_default().conn);
                let (stranger, seq) = (stranger.to_owned(), Seq(seq.parse().ok()?));
                self.records.push(Record::Foreign { client: id, conn, name: stranger, seq, via: Via::Transaction });
            }
            ["answers"] => {
                let conn = ConnId(self.clients.entry(name.to_owned()).or_default().conn);
                self.records.push(Record::RoundTrip { client: id, conn });
            }
            ["mark", stream, cursor] => {
                let marks = &mut self.clients.entry(name.to_owned()).or_default().marks;
                marks.insert(stream.to_owned(), cursor.parse().ok()?);
            }
            ["rewrote", stream, from, "to", to] => {
                let from = if from == "-" { None } else { Some(Cursor(from.parse().ok()?)) };
                let to = Cursor(to.parse().ok()?);
                self.fire("rewrite", name, Some(Rewrote { stream: StreamId::from(stream), from, to }));
            }
            _ => {
                for token in words {
                    self.delivery(name, token, plan)?;
                }
            }
        }
        Some(())
    }

    fn cursor(&self, client: &str, stream: &str) -> u64 {
        self.clients.get(client).and_then(|client| client.cursors.get(stream).copied().flatten()).unwrap_or(0)
    }

    fn subscribe(&mut self, name: &str, stream: &str, cursor: Option<u64>, accepted: bool) {
        let waits = |client: &Client| client.accepting.iter().any(|waiting| waiting == stream);
        if self.clients.get(name).is_some_and(waits) {
            self.accept_pending(name);
        }
        self.subs += 1;
        let sub = self.subs;
        let client = self.clients.entry(name.to_owned()).or_default();
        let opens = !std::mem::replace(&mut client.open, true);
        client.conn += u32::from(opens);
        client.subs.insert(stream.to_owned(), sub);
        client.cursors.insert(stream.to_owned(), cursor);
        let conn = ConnId(client.conn);
        if opens {
            self.records.push(Record::Opened { client: ClientId::from(name), conn, spoken: None, habit: None });
        }
        self.records.push(Record::Subscribed {
            client: ClientId::from(name),
            conn,
            sub: SubId(sub),
            stream: StreamId::from(stream),
            cursor: cursor.map(Cursor),
        });
        if accepted {
            let client = self.clients.entry(name.to_owned()).or_default();
            client.accepting.push(stream.to_owned());
        }
    }

    fn sub(&self, name: &str, stream: &str) -> SubId {
        SubId(self.clients.get(name).and_then(|client| client.subs.get(stream).copied()).unwrap_or(0))
    }

    fn accept(&mut self, name: &str, stream: &str, head: Option<Seq>) {
        let sub = self.sub(name, stream);
        self.records.push(Record::Accepted { client: ClientId::from(name), sub, stream: StreamId::from(stream), head });
    }

    fn refuse(&mut self, name: &str, stream: &str, refusal: Refusal) {
        let sub = self.sub(name, stream);
        self.records.push(Record::Refused {
            client: ClientId::from(name),
            sub,
            stream: StreamId::from(stream),
            refusal,
        });
    }

    fn close(&mut self, name: &str, why: Closed) {
        let client = self.clients.entry(name.to_owned()).or_default();
        client.open = false;
        let conn = ConnId(client.conn);
        self.records.push(Record::Closed { client: ClientId::from(name), conn, why });
    }

    fn delivery(&mut self, name: &str, token: &str, _plan: &PlanWriter) -> Option<()> {
        let ends = |end: char| token.ends_with(end);
        let (force, declared) = (ends('!'), ends('~').then(|| "sha256:00".to_owned()));
        let key = ends('^').then(|| "another key".to_owned());
        let vias: &[Via] = match (self.lane, token.chars().last()?) {
            (LaneId::Candidate, _) => &[Via::Transaction],
            (LaneId::Legacy, 'u') => &[Via::UpdateBatch],
            (LaneId::Legacy, 'f') => &[Via::Frame],
            (LaneId::Legacy, _) => &[Via::UpdateBatch, Via::Frame],
        };
        let bare = token.trim_end_matches(['!', '~', '^', 'u', 'f']);
        let (event, other) = bare.split_once('=').map_or((bare, None), |(event, other)| (event, Some(other)));
        let (stream, seqs) = events(event)?;
        for seq in seqs {
            let hash = delivered_hash(stream, seq, other)?;
            for (copy, via) in vias.iter().enumerate() {
                let verdict = self.apply(name, stream, seq, force && copy == 0);
                let client = self.clients.get(name)?;
                let (conn, sub) = (ConnId(client.conn), self.sub(name, stream));
                self.records.push(Record::Delivered {
                    client: ClientId::from(name),
                    conn,
                    sub,
                    stream: StreamId::from(stream),
                    seq: Seq(seq),
                    hash,
                    declared: declared.clone(),
                    key: key.clone(),
                    via: *via,
                    verdict,
                    payload: (other == Some("*")).then(|| OTHER_PAYLOAD.to_owned()),
                });
            }
        }
        Some(())
    }

    fn apply(&mut self, name: &str, stream: &str, seq: u64, force: bool) -> Verdict {
        let cursors = &mut self.clients.entry(name.to_owned()).or_default().cursors;
        let cursor = cursors.entry(stream.to_owned()).or_default();
        match *cursor {
            _ if force => Verdict::Applied,
            Some(at) if seq <= at => Verdict::Duplicate,
            Some(at) if seq > at + 1 => Verdict::OutOfOrder,
            _ => {
                *cursor = Some(seq);
                Verdict::Applied
            }
        }
    }

    /// The finished history.
    pub fn finish(mut self, plan: &Plan) -> History {
        if !self.interrupted {
            self.accept_all();
            self.heal();
            for (name, client) in std::mem::take(&mut self.clients) {
                for (stream, cursor) in client.cursors.iter().filter(|_| client.open) {
                    let cursor = client.marks.get(stream).copied().unwrap_or(cursor.unwrap_or(0));
                    let (client, stream) = (ClientId::from(name.as_str()), StreamId::from(stream.as_str()));
                    self.push(Record::Watermark { client, stream, cursor: Cursor(cursor) });
                }
            }
            self.push(Record::Phase { phase: Phase::Drain });
            self.push(Record::Phase { phase: Phase::Done });
        }
        let header = Header {
            schema: HISTORY_SCHEMA.to_owned(),
            scenario: plan.scenario.clone(),
            seed: Seed(1),
            lane: self.lane,
            plan_digest: String::new(),
        };
        History { header, records: self.records }
    }
}

const OTHER_PAYLOAD: &str = "{\"event\":\"nobody's\"}";

/// The hash of what is delivered in an event's place.
pub(super) fn delivered_hash(stream: &str, seq: u64, other: Option<&str>) -> Option<Option<PayloadHash>> {
    Some(match other {
        None => Some(hash(&payload("pub", stream, seq))),
        Some("?") => None,
        Some("*") => Some(hash(OTHER_PAYLOAD)),
        Some(other) => {
            let (stream, seqs) = events(other)?;
            Some(hash(&payload("pub", stream, *seqs.start())))
        }
    })
}

/// A stale refusal that lists one stream; fields that are not given are not told.
fn stale(stream: &str, reason: &str, fields: &[&str]) -> Option<Refusal> {
    let reason = match reason {
        "floor" => "retention_floor_breach",
        "budget" => "replay_budget_exceeded",
        "unsaid" => UNSAID,
        code => return Some(Refusal { code: code.to_owned(), ..Refusal::default() }),
    };
    let text = |name: &str| {
        let found = fields.iter().find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        found.map(str::to_owned)
    };
    let field = |name: &str| {
        let found = fields.iter().find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        found.and_then(|number| number.parse().ok())
    };
    let entry = StaleStream {
        stream: StreamId::from(stream),
        reason: reason.to_owned(),
        qos_tier: text("tier"),
        resume_after: field("cursor"),
        retention_floor: field("floor"),
        head_watermark: field("head"),
        replay_lag: field("lag"),
        replay_budget_events: field("budget"),
    };
    let snapshot = text("snapshot").map(|of| Snapshot {
        stream: StreamId::new(of),
        head_watermark: field("snapshot-head"),
        described: !fields.contains(&"bare"),
    });
    Some(Refusal {
        code: "stale_cursor".to_owned(),
        reasons: vec![reason.to_owned(); if fields.contains(&"reason-again") { 2 } else { 1 }],
        stale: vec![entry; if fields.contains(&"again") { 2 } else { 1 }],
        full_resync: text("full").map(|word| word == "true"),
        snapshot_format: text("format"),
        snapshots: snapshot.into_iter().collect(),
        ..Refusal::default()
    })
}
