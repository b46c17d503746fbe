//! Moves one direction of a connection: reads bytes, decodes them, hands messages to [`fate`](super::fate), and
//! writes the rest as it came. There is no queue but what toxics hold, and that is bounded: while a unit waits, nothing
//! more is read, so that the sender slows down.

use bytes::{Buf, BytesMut};
use cutover_core::plan::{Cut, When};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::Instant;

use super::conn::Conn;
use super::decoder::Decoder;
use super::egress::{Egress, WriteEnd};
use super::exchange::Switch;
use super::interest::Interest;
use super::unit::Decoded;
use crate::frame::Direction;
use crate::toxic::Ending;

/// How many bytes are read at a time, at the most.
const READ_MAX_BYTES: usize = 128 * 1024;

/// How many bytes are read at a time from a quiet connection. Thousands of them may wait with such a buffer each.
const READ_MIN_BYTES: usize = 4 * 1024;

/// How many bytes are read at a time where byte toxics are at work.
const CHUNK_BYTES: usize = 32 * 1024;

#[derive(Debug)]
pub(super) enum PumpEnd {
    Eof,
    Cut(Cut, When),
    Toxic(Ending),
    /// The connection stops; the sink stands between two units.
    Stopped,
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

pub(super) struct Pump<R, W> {
    pub(super) conn: Conn,
    pub(super) direction: Direction,
    reader: R,
    pub(super) decoder: Decoder,
    pub(super) egress: Egress<W>,
    buf: BytesMut,
    /// How many bytes are read at a time. It follows what came lately.
    read_bytes: usize,
    /// A cut that waits for the rest of its message.
    pub(super) cut_after_rest: Option<Cut>,
}

/// Ends a step early: `Err` is the pump's end.
pub(super) type Moved<T> = Result<T, PumpEnd>;

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Pump<R, W> {
    pub(super) fn new(conn: Conn, direction: Direction, reader: R, writer: W) -> Pump<R, W> {
        Pump {
            decoder: Decoder::new(conn.clone(), direction),
            egress: Egress::new(conn.clone(), direction, writer),
            conn,
            direction,
            reader,
            buf: BytesMut::new(),
            read_bytes: READ_MIN_BYTES,
            cut_after_rest: None,
        }
    }

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
            return match self.decoder.rest_of_frame(&mut self.buf) {
                None => Err(self.stopped().await),
                Some(rest) if rest.is_empty() => self.read(true).await,
                Some(rest) => Ok(self.egress.write(&rest).await?),
            };
        }
        let interest = self.conn.shared.interceptor.interest();
        let armed = interest.goes(self.direction);
        if !armed && self.egress.keeps() {
            self.egress.release().await?;
        }
        match self.decoder.next(&mut self.buf, interest) {
            Decoded::Skim(skimmed) => {
                self.report_blind(armed);
                self.egress.write(&self.buf[..skimmed.bytes]).await?;
                self.buf.advance(skimmed.bytes);
                self.egress.frames += skimmed.messages;
                self.conn.shared.stats.read_frames(self.direction, skimmed.messages);
            }
            Decoded::Peeked(range) => self.egress.write(&self.buf[range]).await?,
            Decoded::Bytes(bytes) => self.egress.write(&bytes).await?,
            Decoded::Unread(bytes) => {
                self.report_unread(armed, "a message had begun before anything was armed");
                self.egress.write(&bytes).await?;
            }
            Decoded::Message(message) => self.message(message).await?,
            Decoded::More => return self.read(true).await,
            Decoded::AwaitSwitch => return self.read(self.buf.len() < READ_MAX_BYTES).await,
            Decoded::WentRaw => self.went_raw(interest),
            Decoded::OverLimit(bytes) => self.over_limit(bytes, armed),
        }
        match self.cut_after_rest {
            Some(how) if !self.decoder.amid_message() => self.cut(how, When::After).await,
            _ => Ok(()),
        }
    }

    pub(super) async fn stopped(&mut self) -> PumpEnd {
        if self.egress.flush().await.is_ok() && self.egress.is_clear() { PumpEnd::Stopped } else { PumpEnd::SinkBroke }
    }

    /// The direction can't be read from here on, and often the other one can't either.
    fn went_raw(&self, interest: Interest) {
        self.conn.shared.stats.others().raw_fallbacks += 1;
        let both = matches!(self.conn.exchange.switch(), Switch::Raw(_));
        self.report_blind(interest.goes(self.direction) || (both && interest.any()));
    }

    /// A message passes unread, since it is longer than our limit.
    fn over_limit(&self, bytes: u64, armed: bool) {
        let shared = &self.conn.shared;
        shared.stats.others().too_big += 1;
        if !armed {
            return;
        }
        // This report names the reason. The rest of the message must not be reported again.
        self.conn.exchange.is_first_report();
        let limit = shared.limits.message_max_bytes;
        let why = format!("a message of {bytes} bytes or more is over our limit of {limit} bytes and passed unread");
        shared.interceptor.went_blind(self.conn.number, &why);
    }

    /// Reports once for each connection that what is armed can't see what passes. It may have been armed before or
    /// after the direction became unreadable.
    fn report_blind(&self, armed: bool) {
        if let Some(why) = self.decoder.unread() {
            self.report_unread(armed, why);
        }
    }

    fn report_unread(&self, armed: bool, why: &str) {
        if armed && self.conn.exchange.is_first_report() {
            self.conn.shared.interceptor.went_blind(self.conn.number, why);
        }
    }

    async fn read(&mut self, room: bool) -> Moved<()> {
        self.egress.flush().await?;
        let keeps = self.egress.keeps();
        let room = room && self.egress.has_room();
        let drain = self.conn.exchange.drains();
        let stops = !self.decoder.is_amid_frame();
        self.make_room(room);
        tokio::select! {
            biased;
            () = self.conn.stop.cancelled(), if stops => Err(self.stopped().await),
            () = self.conn.exchange.switched.notified(), if self.direction == Direction::Upstream => Ok(()),
            () = self.conn.shared.heal.cancelled(), if keeps => Ok(self.egress.release().await?),
            () = self.egress.due() => Ok(self.egress.advance().await?),
            () = tokio::time::sleep_until(drain.map_or_else(Instant::now, |(_, until)| until)), if drain.is_some() => {
                self.close_if_drained(true).await
            }
            read = self.reader.read_buf(&mut self.buf), if room => match read {
                Ok(0) => self.end_of_source().await,
                Ok(read) => {
                    self.conn.shared.stats.received(self.direction, read);
                    self.fit(read);
                    Ok(())
                }
                Err(_) => Err(PumpEnd::SourceBroke),
            },
        }
    }

    fn make_room(&mut self, room: bool) {
        // Toxics work on one read at a time, and Toxiproxy reads so much.
        let read_bytes = if self.egress.has_toxics() { CHUNK_BYTES } else { self.read_bytes };
        if self.buf.is_empty() && self.buf.capacity() > self.read_bytes.saturating_mul(4).max(CHUNK_BYTES) {
            // A burst needed this much; an idle connection does not.
            self.buf = BytesMut::new();
        }
        self.buf.reserve(if room { read_bytes } else { 0 });
    }

    fn fit(&mut self, read: usize) {
        if read >= self.read_bytes {
            self.read_bytes = (self.read_bytes * 2).min(READ_MAX_BYTES);
        } else if read < self.read_bytes / 8 {
            self.read_bytes = (self.read_bytes / 2).max(READ_MIN_BYTES);
        }
    }

    async fn end_of_source(&mut self) -> Moved<()> {
        self.egress.release().await?;
        let (pending, rest) = self.decoder.rest(&mut self.buf);
        self.egress.write(&pending).await?;
        self.egress.write(&rest).await?;
        self.egress.finish().await?;
        Err(PumpEnd::Eof)
    }
}
