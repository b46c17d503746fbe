//! What comes to a program on the wire, and goes from it. An apply engine of the harness takes the same deliveries. Its
//! verdicts are what a right client makes of them, and by these the lane is judged.

use cutover_core::history::{Closed, Record, Refusal, Via, Word};
use cutover_core::ids::{ConnId, Cursor, Seq, StreamId};
use cutover_core::plan::MessageKind;
use tokio::time::Instant;

use super::words::{Conn, State, Subscriptions};
use crate::frame::{Body, Direction, FrameTag, View};
use crate::lane::{Arrival, Head};

/// The reducer that checks cursors, before a subscription that has them too.
const CHECK: &str = "resume_stream";

impl State {
    pub(super) fn end_connection(&mut self, number: Option<u32>, why: Closed) {
        let Some(conn) = self.conn.take_if(|conn| number.is_none_or(|number| conn.number == number)) else { return };
        self.last_end = Some(Instant::now());
        self.lost = self.last_end.filter(|_| self.follows(&conn) && !self.closed);
        let client = self.inbox.planned.id.clone();
        self.recorder.record(Record::Closed { client, conn: ConnId(conn.number), why });
    }

    /// It began to connect, and how long after its last connection.
    fn attempted(&mut self, number: u32, began: Instant) {
        let after = self.last_end.map(|end| began.saturating_duration_since(end));
        let after_us = after.map(|after| u64::try_from(after.as_micros()).unwrap_or(u64::MAX));
        self.note(Word::Attempted { after_us });
        self.last_number = number;
    }

    /// The lane took no connection of it, or ended it before a message.
    pub(super) fn not_opened(&mut self, number: u32, began: Instant, why: &Closed) {
        if self.conn.is_some() || number <= self.last_number {
            return;
        }
        self.attempted(number, began);
        self.last_end = Some(Instant::now());
        let (client, why) = (self.inbox.planned.id.clone(), Closed::NotOpened { why: why.to_string() });
        self.recorder.record(Record::Closed { client, conn: ConnId(number), why });
    }

    /// The first message of a connection. A program follows its streams on one at a time.
    fn opened(&mut self, number: u32, began: Instant) {
        if number <= self.last_number {
            return;
        }
        self.end_connection(None, Closed::ByClient);
        self.attempted(number, began);
        self.conn = Some(Conn { number, ..Conn::default() });
        let client = self.inbox.planned.id.clone();
        self.recorder.record(Record::Opened { client, conn: ConnId(number), spoken: None, habit: None });
    }

    pub(super) fn message(&mut self, number: u32, view: &View<'_>) {
        if let Some(began) = self.pending.remove(&number) {
            self.opened(number, began);
        }
        let Some(conn) = self.conn.as_mut().filter(|conn| conn.number == number) else { return };
        match (view.frame().direction, view.tag()) {
            (Direction::Upstream, _) if matches!(view.frame().body, Body::Close(_)) => {
                conn.leaves = conn.close_code.is_none();
            }
            (Direction::Upstream, FrameTag::Resume { cursors, .. }) => {
                let is_check = view.contents().names.iter().any(|name| name == CHECK);
                self.asks(number, cursors, is_check);
            }
            (Direction::Upstream, _) if view.facts().kinds.has(MessageKind::Resume) => {
                conn.asked.push_back(Vec::new());
            }
            (Direction::Downstream, tag) => {
                if let Body::Close(payload) = &view.frame().body {
                    let code = payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]));
                    conn.close_code = Some(code.unwrap_or(1005));
                }
                if let FrameTag::Delivery { via, .. } = tag {
                    let via = *via;
                    for event in &view.contents().events {
                        if let Some(seq) = event.seq {
                            self.delivered(number, (&event.stream, seq), &event.payload, via);
                        }
                    }
                }
                let waits = |conn: &Conn| !conn.check.is_empty() || !conn.asked.is_empty();
                if self.conn.as_ref().is_some_and(waits) {
                    match view.answer() {
                        Some(Ok(heads)) => self.accepted(&heads),
                        Some(Err(refusal)) => self.refused(&refusal),
                        None => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn asks(&mut self, number: u32, cursors: &[(StreamId, Option<Cursor>)], is_check: bool) {
        let mut asked = Subscriptions::new();
        for (stream, cursor) in cursors {
            if !self.inbox.planned.streams.contains(stream) {
                continue;
            }
            let Some(conn) = &mut self.conn else { return };
            let checked = conn.check.iter().position(|(of, at, _)| of == stream && at == cursor);
            if let Some(place) = checked.filter(|_| !is_check) {
                asked.push(conn.check.remove(place));
                continue;
            }
            conn.subscribed.insert(stream.clone());
            conn.accepted.remove(stream);
            let anew = self.anew.remove(stream);
            self.inbox.program_asked(ConnId(number), stream, *cursor, anew);
            if anew {
                self.applied.insert(stream.clone(), cursor.map_or(0, |cursor| cursor.0));
                self.moves += 1;
            }
            asked.push((stream.clone(), *cursor, self.inbox.sub_of(stream)));
        }
        if let Some(conn) = &mut self.conn {
            match is_check {
                true => conn.check = asked,
                false => conn.asked.push_back(asked),
            }
        }
    }

    fn accepted(&mut self, heads: &[(StreamId, Seq)]) {
        let Some(conn) = &mut self.conn else { return };
        for (stream, _, sub) in conn.asked.pop_front().unwrap_or_default() {
            if self.inbox.sub_of(&stream) == sub && conn.accepted.insert(stream.clone()) {
                let head = heads.iter().find(|(named, _)| *named == stream);
                self.inbox.accepted(&stream, head.map_or(Head::Unreported, |(_, head)| Head::At(*head)));
            }
        }
    }

    fn refused(&mut self, refusal: &Refusal) {
        let Some(conn) = &mut self.conn else { return };
        let refused = match conn.check.is_empty() {
            false => std::mem::take(&mut conn.check),
            true => conn.asked.pop_front().unwrap_or_default(),
        };
        let current = refused.into_iter().filter(|(stream, _, sub)| self.inbox.sub_of(stream) == *sub);
        let asked: Vec<(StreamId, Option<Cursor>)> = current.map(|(stream, cursor, _)| (stream, cursor)).collect();
        self.inbox.refused(&asked, refusal);
    }

    fn delivered(&mut self, number: u32, (stream, seq): (&StreamId, Seq), payload: &str, via: Via) {
        let subscribed = self.conn.as_ref().is_some_and(|conn| conn.subscribed.contains(stream));
        let conn = ConnId(number);
        let arrival = match subscribed {
            true => {
                let (stream, payload) = (stream.clone(), payload.to_owned());
                Arrival::Event { stream, seq, payload, declared: None, key: None, via }
            }
            false => Arrival::Ignored(format!("event {seq} of {stream}, which was not subscribed on this connection")),
        };
        self.inbox.take(conn, arrival);
    }
}
