//! One WebSocket: moves bytes, keeps time, closes with the right code.

mod session;
mod upgrade;

use std::{io, sync::Arc, time::Duration};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{Instant, sleep, sleep_until, timeout};

pub(crate) use self::session::{Close, Principal, Session};
pub(crate) use self::upgrade::{now_s, upgrade};
use crate::defects::{Defect, LIVE_LATE};
use crate::frame::{self, Decoder, Violation};
use crate::shared::Shared;

/// How long a closed socket is read on, so that bytes under way do not turn its end into a reset.
const DRAIN: Duration = Duration::from_millis(200);
const READ_BYTES: usize = 64 * 1024;

struct Socket<Io> {
    shared: Arc<Shared>,
    reader: ReadHalf<Io>,
    writer: WriteHalf<Io>,
    session: Session,
    decoder: Decoder,
    inbound: BytesMut,
    last_moved: Instant,
}

enum Ending {
    Close(u16),
    Gone,
}

impl From<Close> for Ending {
    fn from(close: Close) -> Self {
        Self::Close(close.0)
    }
}

impl From<Violation> for Ending {
    fn from(violation: Violation) -> Self {
        Self::Close(violation.0)
    }
}

pub(crate) async fn serve<Io: AsyncRead + AsyncWrite>(shared: Arc<Shared>, io: Io, session: Session) {
    let (reader, writer) = tokio::io::split(io);
    let decoder = Decoder::new(shared.config.limits.max_message_bytes);
    let last_moved = Instant::now();
    let mut socket = Socket { shared, reader, writer, session, decoder, inbound: BytesMut::new(), last_moved };
    let ending = socket.run().await;
    if let Ending::Close(code) = ending {
        frame::put(&mut socket.session.out.bytes, frame::OP_CLOSE, &code.to_be_bytes());
        let linger = socket.shared.config.timeouts.close_linger();
        // A client that does not take the close frame in time loses the connection without it.
        if timeout(linger, socket.flush()).await.is_ok_and(|flushed| flushed.is_ok()) {
            let _ = timeout(DRAIN, socket.drain()).await;
        }
    }
}

impl<Io: AsyncRead + AsyncWrite> Socket<Io> {
    async fn run(&mut self) -> Ending {
        let mailbox = self.session.mailbox();
        let shared = self.shared.clone();
        loop {
            if let Err(ending) = self.advance() {
                return ending;
            }
            let idle_at = self.last_moved + shared.config.timeouts.socket_idle();
            let wake_at = self.session.deadline().map_or(idle_at, |deadline| deadline.min(idle_at));
            let (can_write, can_read) = (!self.session.out.bytes.is_empty(), !self.session.is_busy());
            self.inbound.reserve(READ_BYTES);
            tokio::select! {
                () = shared.shutdown.cancelled() => return Ending::Close(frame::CLOSE_RESTART),
                written = self.writer.write_buf(&mut self.session.out.bytes), if can_write => match written {
                    Ok(count) if count > 0 => {
                        self.last_moved = Instant::now();
                        self.session.out.sent();
                    }
                    _ => return Ending::Gone,
                },
                read = self.reader.read_buf(&mut self.inbound), if can_read => match read {
                    Ok(count) if count > 0 => self.last_moved = Instant::now(),
                    _ => return Ending::Gone,
                },
                () = mailbox.notified() => {
                    if shared.config.defects.has(Defect::SlowLive) {
                        sleep(LIVE_LATE).await;
                    }
                }
                () = sleep_until(wake_at) => {
                    if Instant::now() >= self.last_moved + shared.config.timeouts.socket_idle() {
                        return Ending::Close(frame::CLOSE_PROTOCOL);
                    }
                }
            }
        }
    }

    /// Takes in all messages that have come, then does the work: so a join that came together with a leave finds the
    /// leave unanswered, as it is where a process of its own answers it.
    fn advance(&mut self) -> Result<(), Ending> {
        let now = Instant::now();
        loop {
            while !self.session.is_busy() {
                let Some(message) = self.decoder.next(&mut self.inbound)? else {
                    break;
                };
                self.session.receive(message, now)?;
            }
            let was_busy = self.session.is_busy();
            self.session.work(now)?;
            if !was_busy || self.session.is_busy() {
                return Ok(());
            }
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.writer.write_all(&self.session.out.bytes).await?;
        self.writer.shutdown().await
    }

    /// Reads until the client is done: closing with unread bytes would reset the connection, and a reset can overtake
    /// the close frame.
    async fn drain(&mut self) {
        loop {
            self.inbound.clear();
            self.inbound.reserve(READ_BYTES);
            match self.reader.read_buf(&mut self.inbound).await {
                Ok(count) if count > 0 => {}
                _ => return,
            }
        }
    }
}
