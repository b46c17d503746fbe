//! Moves one direction of a connection: bytes in, units, the faults' decision, bytes out.
//!
//! The stages stand in a row, so that each can be replaced or have another put before it: a reader, [`Line`] (bytes to
//! units), the [`Desk`](super::desk::Desk) (a fate for each message), [`Outlet`] (order, and the writer). What works on
//! bytes wraps the reader or the writer; what works on messages goes between line and outlet. There is no queue: while a
//! unit waits, nothing more is read, and the sender feels it.

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use cutover_core::plan::{Cut, Release, When};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::desk::Place;
use super::exchange::Exchange;
use super::line::{Extent, Line, Message, Step, Unit};
use super::outlet::Outlet;
use super::ws;
use crate::fault::Fate;
use crate::frame::{Body, Direction, Frame};

/// How many bytes are read at a time, at the most.
const READ_BYTES: usize = 32 * 1024;

/// Why a direction came to its end.
#[derive(Debug)]
pub(super) enum PumpEnd {
    /// The source ended, and the sink was told.
    Eof,
    /// A fault cuts the connection.
    Cut(Cut, When),
    /// A message was longer than the limit.
    TooBig,
    /// The connection stops; the sink stands between two units.
    Stopped,
    /// The source broke off.
    SourceBroke,
    /// The sink takes no more.
    SinkBroke,
}

/// What both directions of a connection know.
#[derive(Clone)]
pub(super) struct Conn {
    pub(super) number: u32,
    pub(super) shared: Arc<Shared>,
    pub(super) exchange: Arc<Exchange>,
    /// Asks both directions to stop between two units.
    pub(super) stop: CancellationToken,
}

/// One direction at work.
pub(super) struct Pump<R, W> {
    conn: Conn,
    direction: Direction,
    reader: R,
    line: Line,
    outlet: Outlet<W>,
    buf: BytesMut,
    /// Messages so far.
    frames: u64,
    /// A cut that waits for the rest of the message after which it falls.
    cut_after_rest: Option<Cut>,
}

/// Ends a step early: `Err` is the pump's end.
type Moved<T> = Result<T, PumpEnd>;

fn sink_broke(_: io::Error) -> PumpEnd {
    PumpEnd::SinkBroke
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Pump<R, W> {
    pub(super) fn new(conn: Conn, direction: Direction, reader: R, writer: W) -> Pump<R, W> {
        let shared = &conn.shared;
        let line = Line::new(
            direction,
            Arc::clone(&conn.exchange),
            Arc::clone(&shared.factory),
            shared.limits.clone(),
        );
        let outlet = Outlet::new(writer, direction, Arc::clone(&shared.stats));
        Pump {
            conn,
            direction,
            reader,
            line,
            outlet,
            buf: BytesMut::new(),
            frames: 0,
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
            return Err(PumpEnd::Stopped);
        }
        let armed = self.conn.shared.desk.armed();
        match self.line.next(&mut self.buf, armed) {
            Step::Unit(Unit::Bytes(bytes)) => self.outlet.write(&bytes).await.map_err(sink_broke)?,
            Step::Unit(Unit::Message(message)) => self.message(message).await?,
            Step::More => return self.read(true).await,
            Step::AwaitSwitch => return self.read(self.buf.len() < READ_BYTES).await,
            Step::WentRaw(why) => self.went_raw(why, armed),
            Step::TooBig => return Err(PumpEnd::TooBig),
        }
        match self.cut_after_rest {
            Some(how) if !self.line.amid_message() => Err(PumpEnd::Cut(how, When::After)),
            _ => Ok(()),
        }
    }

    fn went_raw(&self, why: &str, armed: bool) {
        let shared = &self.conn.shared;
        shared.stats.fell_back(why, armed);
        if armed {
            shared.desk.went_blind(self.conn.number, why);
        }
    }

    /// Reads more, or waits for what else can move the direction on.
    async fn read(&mut self, room: bool) -> Moved<()> {
        let keeps = self.outlet.keeps();
        self.buf.reserve(if room { READ_BYTES } else { 0 });
        let read = tokio::select! {
            biased;
            () = self.conn.stop.cancelled() => return Err(PumpEnd::Stopped),
            () = self.conn.exchange.switched.notified(), if self.direction == Direction::ToLane => return Ok(()),
            () = self.conn.shared.heal.cancelled(), if keeps => None,
            read = self.reader.read_buf(&mut self.buf), if room => Some(read),
        };
        match read {
            None => self.outlet.release().await.map_err(sink_broke),
            Some(Ok(0)) => self.end_of_source().await,
            Some(Ok(_)) => Ok(()),
            Some(Err(_)) => Err(PumpEnd::SourceBroke),
        }
    }

    /// The source has ended: so does the sink, after what is left.
    async fn end_of_source(&mut self) -> Moved<()> {
        self.outlet.release().await.map_err(sink_broke)?;
        let (pending, rest) = self.line.rest(&mut self.buf);
        self.outlet.write(&pending).await.map_err(sink_broke)?;
        self.outlet.write(&rest).await.map_err(sink_broke)?;
        self.outlet.finish().await.map_err(sink_broke)?;
        Err(PumpEnd::Eof)
    }

    async fn message(&mut self, message: Message) -> Moved<()> {
        self.frames += 1;
        let shared = Arc::clone(&self.conn.shared);
        shared.stats.read_frame(self.direction);
        let place = Place {
            conn: self.conn.number,
            frame: self.frames,
        };
        let Message {
            frame,
            raw,
            tagger,
            extent,
        } = message;
        let decision = shared.desk.decide(place, &frame, extent, &*tagger);
        let raw = match &decision.edited {
            Some(edited) => ws::encode(&edited.body, self.mask()),
            None => raw,
        };
        if is_close(&frame) {
            self.outlet.release().await.map_err(sink_broke)?;
        }
        match decision.fate {
            Fate::Drop => {
                self.line.discard();
                return Ok(());
            }
            Fate::Cut(how, When::Before) => return Err(PumpEnd::Cut(how, When::Before)),
            Fate::DeliverAfterNext => return self.outlet.keep(&decision.tag, raw).await.map_err(sink_broke),
            Fate::Delay(by) => self.pause(tokio::time::sleep(by)).await?,
            Fate::Hold(Release::Acked { op }) => self.pause(shared.desk.wait_acked(op)).await?,
            Fate::Hold(Release::Heal) => self.pause(std::future::pending()).await?,
            Fate::Repeat(more) => {
                self.line.repeat(more);
                for _ in 0..more {
                    self.outlet.pass(&decision.tag, raw.clone()).await.map_err(sink_broke)?;
                }
            }
            Fate::Pass
            | Fate::Edit(_)
            | Fate::Cut(_, When::After)
            | Fate::Reorder(..)
            | Fate::Split(_)
            | Fate::Merge(..)
            | Fate::Drain(..) => {}
        }
        self.outlet.pass(&decision.tag, raw).await.map_err(sink_broke)?;
        match decision.fate {
            Fate::Cut(how, When::After) if extent == Extent::Beginning => self.cut_after_rest = Some(how),
            Fate::Cut(how, When::After) => return Err(PumpEnd::Cut(how, When::After)),
            _ => {}
        }
        Ok(())
    }

    /// Waits, and all behind with it; heal ends every wait.
    async fn pause(&self, until: impl Future<Output = ()>) -> Moved<()> {
        tokio::select! {
            biased;
            () = self.conn.stop.cancelled() => Err(PumpEnd::Stopped),
            () = self.conn.shared.heal.cancelled() => Ok(()),
            () = until => Ok(()),
        }
    }

    /// The mask for a frame of our own making. RFC 6455 wants it unpredictable to guard other people's caches against
    /// scripts; here it only has to be there, and the same in every run.
    fn mask(&self) -> Option<[u8; 4]> {
        let key = (self.frames as u32).wrapping_mul(0x9e37_79b9) ^ self.conn.number;
        (self.direction == Direction::ToLane).then(|| key.to_be_bytes())
    }
}

fn is_close(frame: &Frame) -> bool {
    matches!(frame.body, Body::Close(_))
}
