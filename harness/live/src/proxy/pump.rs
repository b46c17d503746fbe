//! Moves one direction of a connection: bytes in, units, the faults' decision, bytes out.
//!
//! The stages stand in a row: a reader, [`Line`] (bytes to units), the [`Desk`](super::desk::Desk) (a fate for each
//! message), [`Outlet`] (order, byte toxics, and the writer). There is no queue but what toxics hold, and that is bounded:
//! while a unit waits, nothing more is read, and the sender feels it.

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use cutover_core::plan::{Cut, Release, When};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::desk::Place;
use super::drain::Drain;
use super::exchange::{Exchange, Switch};
use super::interest::Interest;
use super::line::{Extent, Line, Message, Step, Unit};
use super::order::Way;
use super::outlet::{Outlet, WriteEnd};
use super::{stats, ws};
use crate::fault::Fate;
use crate::frame::{Body, Direction, Frame};
use crate::toxic::Ending;

/// How many bytes are read at a time, at the most.
const READ_MAX_BYTES: usize = 128 * 1024;

/// How many bytes a connection that says little is read by at a time: thousands of them wait with such a buffer each.
const READ_MIN_BYTES: usize = 4 * 1024;

/// How many bytes are read at a time where byte toxics are at work.
const CHUNK_BYTES: usize = 32 * 1024;

/// Why a direction came to its end.
#[derive(Debug)]
pub(super) enum PumpEnd {
    /// The source ended, and the sink was told.
    Eof,
    /// A fault cuts the connection.
    Cut(Cut, When),
    /// A toxic ends the connection.
    Toxic(Ending),
    /// The connection stops; the sink stands between two units.
    Stopped,
    /// The source broke off.
    SourceBroke,
    /// The sink takes no more, or stands in the middle of a unit.
    SinkBroke,
}

impl From<WriteEnd> for PumpEnd {
    fn from(end: WriteEnd) -> PumpEnd {
        match end {
            WriteEnd::Broke | WriteEnd::Stopped => PumpEnd::SinkBroke,
            WriteEnd::Toxic(ending) => PumpEnd::Toxic(ending),
        }
    }
}

/// What both directions of a connection know.
#[derive(Clone)]
pub(super) struct Conn {
    pub(super) number: u32,
    pub(super) shared: Arc<Shared>,
    pub(super) exchange: Arc<Exchange>,
    /// Asks both directions to stop between two units.
    pub(super) stop: CancellationToken,
    pub(super) drain: Arc<Drain>,
}

/// One direction at work.
pub(super) struct Pump<R, W> {
    conn: Conn,
    direction: Direction,
    reader: R,
    line: Line,
    outlet: Outlet<W>,
    buf: BytesMut,
    /// How many bytes are read at a time, by what came lately.
    read_bytes: usize,
    /// A cut that waits for the rest of the message after which it falls.
    cut_after_rest: Option<Cut>,
}

/// Ends a step early: `Err` is the pump's end.
type Moved<T> = Result<T, PumpEnd>;

/// What a direction that waits has been woken by.
enum Woken {
    Stopped,
    Read(std::io::Result<usize>),
    Switched,
    Healed,
    Due,
    Drained,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Pump<R, W> {
    pub(super) fn new(conn: Conn, direction: Direction, reader: R, writer: W) -> Pump<R, W> {
        let shared = &conn.shared;
        let line = Line::new(direction, Arc::clone(&conn.exchange), Arc::clone(&shared.factory), shared.limits.clone());
        Pump {
            outlet: Outlet::new(conn.clone(), direction, writer),
            conn,
            direction,
            reader,
            line,
            buf: BytesMut::new(),
            read_bytes: READ_MIN_BYTES,
            cut_after_rest: None,
        }
    }

    /// Runs to the direction's end.
    pub(super) async fn run(&mut self) -> PumpEnd {
        loop {
            if let Err(end) = self.step().await {
                return end;
            }
        }
    }

    async fn step(&mut self) -> Moved<()> {
        if self.conn.stop.is_cancelled() {
            // A frame that has gone on in part is completed: nothing else may follow before that.
            return match self.line.rest_of_frame(&mut self.buf) {
                None => Err(self.stopped().await),
                Some(rest) if rest.is_empty() => self.read(true).await,
                Some(rest) => Ok(self.outlet.write(&rest).await?),
            };
        }
        let interest = self.conn.shared.desk.interest();
        let armed = interest.goes(self.direction);
        if !armed && self.outlet.keeps() {
            self.outlet.release().await?;
        }
        match self.line.next(&mut self.buf, interest) {
            Step::Skim(skimmed) => {
                self.tell_blind(armed);
                self.outlet.write(&self.buf[..skimmed.bytes]).await?;
                self.buf.advance(skimmed.bytes);
                self.outlet.frames += skimmed.messages;
                self.conn.shared.stats.read_frames(self.direction, skimmed.messages);
            }
            Step::Peeked(range) => self.outlet.write(&self.buf[range]).await?,
            Step::Unit(Unit::Bytes(bytes)) => self.outlet.write(&bytes).await?,
            Step::Unit(Unit::Unread(bytes)) => {
                self.tell_unread(armed, "a message had begun before anything was armed");
                self.outlet.write(&bytes).await?;
            }
            Step::Unit(Unit::Message(message)) => self.message(message).await?,
            Step::More => return self.read(true).await,
            Step::AwaitSwitch => return self.read(self.buf.len() < READ_MAX_BYTES).await,
            Step::WentRaw(why) => self.went_raw(why, interest),
            Step::OverLimit(bytes) => self.over_limit(bytes, armed),
        }
        match self.cut_after_rest {
            Some(how) if !self.line.amid_message() => self.cut(how, When::After).await,
            _ => Ok(()),
        }
    }

    /// The end of a direction that was asked to stop: between two units, unless bytes are still on their way.
    async fn stopped(&mut self) -> PumpEnd {
        if self.outlet.flush().await.is_ok() && self.outlet.is_clear() { PumpEnd::Stopped } else { PumpEnd::SinkBroke }
    }

    /// The direction can't be read from here on, and often the other one can't either.
    fn went_raw(&self, why: &str, interest: Interest) {
        self.conn.shared.stats.fell_back(why);
        let both = matches!(self.conn.exchange.switch(), Switch::Raw(_));
        self.tell_blind(interest.goes(self.direction) || (both && interest.any()));
    }

    /// A message passes that no fault can see, since it is longer than we put together.
    fn over_limit(&self, bytes: u64, armed: bool) {
        let shared = &self.conn.shared;
        stats::count(&shared.stats.too_big);
        if !armed {
            return;
        }
        // What passes unread of it is told with this reason, and not once more.
        self.conn.exchange.is_first_to_tell();
        let limit = shared.limits.message_max_bytes;
        let why = format!("a message of {bytes} bytes or more is over our limit of {limit} bytes and passed unread");
        shared.desk.went_blind(self.conn.number, &why);
    }

    /// Tells once for the connection that what is armed can't see what passes, be it armed before the direction was given up or after.
    fn tell_blind(&self, armed: bool) {
        if let Some(why) = self.line.unread() {
            self.tell_unread(armed, why);
        }
    }

    fn tell_unread(&self, armed: bool, why: &str) {
        if armed && self.conn.exchange.is_first_to_tell() {
            self.conn.shared.desk.went_blind(self.conn.number, why);
        }
    }

    /// Reads more, or waits for what else can move the direction on.
    async fn read(&mut self, room: bool) -> Moved<()> {
        self.outlet.flush().await?;
        let keeps = self.outlet.keeps();
        let room = room && self.outlet.has_room();
        let drain = self.conn.drain.plan();
        let stops = !self.line.is_amid_frame();
        self.make_room(room);
        let woken = tokio::select! {
            biased;
            () = self.conn.stop.cancelled(), if stops => Woken::Stopped,
            () = self.conn.exchange.switched.notified(), if self.direction == Direction::ToLane => Woken::Switched,
            () = self.conn.shared.heal.cancelled(), if keeps => Woken::Healed,
            () = self.outlet.due() => Woken::Due,
            () = tokio::time::sleep_until(drain.map_or_else(Instant::now, |(_, until)| until)), if drain.is_some() => {
                Woken::Drained
            }
            read = self.reader.read_buf(&mut self.buf), if room => Woken::Read(read),
        };
        match woken {
            Woken::Stopped => Err(self.stopped().await),
            Woken::Switched => Ok(()),
            Woken::Read(Ok(read @ 1..)) => {
                self.conn.shared.stats.received(self.direction, read);
                self.fit(read);
                Ok(())
            }
            Woken::Healed => Ok(self.outlet.release().await?),
            Woken::Due => Ok(self.outlet.advance().await?),
            Woken::Drained => self.drained(true).await,
            Woken::Read(Ok(0)) => self.end_of_source().await,
            Woken::Read(Err(_)) => Err(PumpEnd::SourceBroke),
        }
    }

    fn make_room(&mut self, room: bool) {
        // Toxics count in what is read at a time, and Toxiproxy reads so much.
        let read_bytes = if self.outlet.has_toxics() { CHUNK_BYTES } else { self.read_bytes };
        if self.buf.is_empty() && self.buf.capacity() > self.read_bytes.saturating_mul(4).max(CHUNK_BYTES) {
            // What a burst has needed is given back.
            self.buf = BytesMut::new();
        }
        self.buf.reserve(if room { read_bytes } else { 0 });
    }

    /// Reads more at a time where a read was filled, and less where little came.
    fn fit(&mut self, read: usize) {
        if read >= self.read_bytes {
            self.read_bytes = (self.read_bytes * 2).min(READ_MAX_BYTES);
        } else if read < self.read_bytes / 8 {
            self.read_bytes = (self.read_bytes / 2).max(READ_MIN_BYTES);
        }
    }

    /// The source has ended: so does the sink, after what is left.
    async fn end_of_source(&mut self) -> Moved<()> {
        self.outlet.release().await?;
        let (pending, rest) = self.line.rest(&mut self.buf);
        self.outlet.write(&pending).await?;
        self.outlet.write(&rest).await?;
        self.outlet.finish().await?;
        Err(PumpEnd::Eof)
    }

    async fn message(&mut self, message: Message) -> Moved<()> {
        self.outlet.frames += 1;
        let shared = Arc::clone(&self.conn.shared);
        shared.stats.read_frames(self.direction, 1);
        let place = Place { conn: self.conn.number, frame: self.outlet.frames };
        let Message { frame, raw, tagger, extent } = message;
        let decision = shared.desk.decide(place, &frame, extent, &*tagger);
        let edited = decision.edited.as_ref();
        let body = &edited.unwrap_or(&frame).body;
        let (raw, way) = match decision.fate {
            Fate::Split(frames) => (ws::encode_split(body, self.mask(), frames), Way::Now),
            Fate::Merge(messages, within) => {
                (ws::encode(body, self.mask()), Way::Together(messages, Instant::now() + within))
            }
            Fate::Reorder(behind, within) => (raw, Way::Behind(behind, Instant::now() + within)),
            Fate::DeliverAfterNext => (raw, Way::AfterNextDelivery),
            _ if edited.is_some() => (ws::encode(body, self.mask()), Way::Now),
            _ => (raw, Way::Now),
        };
        if is_close(&frame) {
            self.outlet.release().await?;
        }
        match decision.fate {
            Fate::Drop => {
                self.line.discard();
                return self.drained(false).await;
            }
            Fate::Cut(how, When::Before) => return self.cut(how, When::Before).await,
            Fate::Delay(by) => self.pause(tokio::time::sleep(by)).await?,
            Fate::Hold(Release::Acked { op }) => self.pause(shared.desk.wait_acked(op)).await?,
            Fate::Hold(Release::Heal) => self.pause(std::future::pending()).await?,
            Fate::Repeat(more) => {
                self.line.repeat(more);
                for _ in 0..more {
                    self.outlet.pass(&decision.tag, raw.clone(), Way::Now).await?;
                }
            }
            Fate::Drain(code, within) => self.conn.drain.begin(code, within),
            _ => {}
        }
        self.outlet.pass(&decision.tag, raw, way).await?;
        match decision.fate {
            Fate::Cut(how, When::After) if extent == Extent::Beginning => self.cut_after_rest = Some(how),
            Fate::Cut(how, When::After) => return self.cut(how, When::After).await,
            _ => {}
        }
        self.drained(false).await
    }

    /// Cuts, behind all that is on its way.
    async fn cut(&mut self, how: Cut, when: When) -> Moved<()> {
        self.outlet.settle().await?;
        Err(PumpEnd::Cut(how, when))
    }

    /// Closes a connection that drains, once the lane owes it no answer or its time is up.
    async fn drained(&mut self, late: bool) -> Moved<()> {
        match self.conn.drain.plan() {
            Some((code, _)) if late || self.conn.shared.desk.settled(self.conn.number) => {
                self.outlet.release().await?;
                self.cut(Cut::Close { code }, When::After).await
            }
            _ => Ok(()),
        }
    }

    /// Waits, and all behind with it, while what went before goes on; heal ends every wait.
    async fn pause(&mut self, until: impl Future<Output = ()>) -> Moved<()> {
        self.outlet.flush().await?;
        let mut until = std::pin::pin!(until);
        loop {
            tokio::select! {
                biased;
                () = self.conn.stop.cancelled() => return Err(self.stopped().await),
                () = self.conn.shared.heal.cancelled() => return Ok(()),
                () = &mut until => return Ok(()),
                () = self.outlet.due() => {}
            }
            self.outlet.advance().await?;
        }
    }

    /// The mask for a frame of our own making. RFC 6455 wants it unpredictable to guard other people's caches against
    /// scripts; here it only has to be there, and the same in every run.
    fn mask(&self) -> Option<[u8; 4]> {
        let key = (self.outlet.frames as u32).wrapping_mul(0x9e37_79b9) ^ self.conn.number;
        (self.direction == Direction::ToLane).then(|| key.to_be_bytes())
    }
}

fn is_close(frame: &Frame) -> bool {
    matches!(frame.body, Body::Close(_))
}
