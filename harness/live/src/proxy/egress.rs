//! The end of one direction: puts messages in order, passes bytes through the byte toxics, and writes them.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::Instant;

use super::conn::Conn;
use super::interceptor::MessageId;
use super::order::{Order, Way};
use crate::frame::{Direction, FrameTag};
use crate::toxic::{Chain, Ending, Out, Toxic};

/// How many bytes enter the chain at a time, so that long messages do not exceed its bound.
const PIECE_BYTES: usize = 32 * 1024;

/// How many bytes of short messages are gathered for one write.
const GATHERED_MAX_BYTES: usize = 16 * 1024;

/// How much room for them an idle connection may keep.
const IDLE_MAX_BYTES: usize = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteEnd {
    Broke,
    Stopped,
    Toxic(Ending),
}

impl From<io::Error> for WriteEnd {
    fn from(_: io::Error) -> WriteEnd {
        WriteEnd::Broke
    }
}

type Written = Result<(), WriteEnd>;
type Toxics = watch::Receiver<Arc<[Toxic]>>;

pub(super) struct Egress<W> {
    conn: Conn,
    direction: Direction,
    sink: W,
    gathered: BytesMut,
    order: Order,
    chain: Chain,
    toxics: Toxics,
    changed: bool,
    due: Option<Instant>,
    pub(super) frames: u64,
}

impl<W: AsyncWrite + Unpin> Egress<W> {
    pub(super) fn new(conn: Conn, direction: Direction, sink: W) -> Egress<W> {
        let shared = &conn.shared;
        let toxics = shared.toxics.subscribe();
        let chain = Chain::new(shared.interceptor.chance.of(conn.number, direction));
        let mut egress = Egress {
            direction,
            sink,
            gathered: BytesMut::new(),
            order: Order::default(),
            chain,
            changed: true,
            toxics,
            due: None,
            frames: 0,
            conn,
        };
        egress.follow();
        egress
    }

    pub(super) fn keeps(&self) -> bool {
        self.order.keeps()
    }

    /// Whether the sink is between two units, with nothing on its way.
    pub(super) fn is_clear(&self) -> bool {
        self.chain.held() == 0 && self.gathered.is_empty()
    }

    pub(super) fn has_toxics(&self) -> bool {
        !self.chain.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.chain.has_room()
    }

    fn follow(&mut self) {
        if !self.changed && !self.toxics.has_changed().unwrap_or(false) {
            return;
        }
        self.changed = false;
        let toxics = Arc::clone(&self.toxics.borrow_and_update());
        let (chance, number) = (&self.conn.shared.interceptor.chance, self.conn.number);
        let applies =
            |toxic: &&Toxic| self.direction == toxic.direction && chance.gives(number, &toxic.name, toxic.toxicity);
        let ours: Vec<Toxic> = toxics.iter().filter(applies).cloned().collect();
        let now = Instant::now();
        self.chain.set(&ours, now);
        // A toxic may have work to do before any data comes.
        self.due = Some(now).filter(|_| !self.chain.is_empty());
    }

    /// Writes bytes that are no message. What is kept back goes before them, since they may be a part of a message.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Written {
        if self.order.keeps() {
            self.release().await?;
        }
        self.through(bytes).await
    }

    pub(super) async fn pass(&mut self, tag: &FrameTag, raw: &Bytes, way: Way) -> Written {
        if way == Way::Now && !self.order.keeps() {
            return self.gather(raw).await;
        }
        let out = self.order.put(tag, raw.clone(), way);
        self.all(out).await
    }

    pub(super) async fn release(&mut self) -> Written {
        let out = self.order.release();
        self.all(out).await
    }

    /// Gathers a message with others for one write, where it is short and there are no toxics.
    async fn gather(&mut self, raw: &[u8]) -> Written {
        self.follow();
        if !self.chain.is_empty() || raw.len() > GATHERED_MAX_BYTES {
            return self.through(raw).await;
        }
        if self.gathered.len() + raw.len() > GATHERED_MAX_BYTES {
            self.flush().await?;
        }
        self.gathered.extend_from_slice(raw);
        Ok(())
    }

    /// Writes what was gathered. Call this before each wait.
    pub(super) async fn flush(&mut self) -> Written {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let gathered = self.gathered.split();
        if self.gathered.capacity() > IDLE_MAX_BYTES {
            self.gathered = BytesMut::new();
        }
        self.put(&gathered).await
    }

    async fn all(&mut self, out: Vec<Bytes>) -> Written {
        for raw in out {
            self.through(&raw).await?;
        }
        Ok(())
    }

    async fn through(&mut self, bytes: &[u8]) -> Written {
        self.flush().await?;
        self.follow();
        if self.chain.is_empty() {
            return self.put(bytes).await;
        }
        for piece in bytes.chunks(PIECE_BYTES) {
            while !self.chain.has_room() {
                self.await_chain().await?;
                self.advance().await?;
            }
            self.chain.push(Bytes::copy_from_slice(piece), Instant::now());
            self.advance().await?;
        }
        Ok(())
    }

    async fn put(&mut self, bytes: &[u8]) -> Written {
        self.sink.write_all(bytes).await?;
        self.conn.shared.stats.wrote(self.direction, bytes.len());
        Ok(self.sink.flush().await?)
    }

    /// Waits until a kept message, a chunk or a change of the toxics is due, maybe for ever. Cancel-safe.
    pub(super) async fn due(&mut self) {
        let due = self.due.into_iter().chain(self.order.due()).min();
        tokio::select! {
            Ok(()) = self.toxics.changed() => self.changed = true,
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            else => std::future::pending().await,
        }
    }

    pub(super) async fn advance(&mut self) -> Written {
        self.flush().await?;
        self.follow();
        if self.order.due().is_some_and(|due| due <= Instant::now()) {
            let out = self.order.expire(Instant::now());
            // `through` would call this again.
            for raw in out {
                if self.chain.is_empty() {
                    self.put(&raw).await?;
                } else {
                    self.chain.push(raw, Instant::now());
                }
            }
        }
        loop {
            let out = self.chain.poll(Instant::now());
            self.report();
            match out {
                Out::Bytes(bytes) => self.put(&bytes).await?,
                Out::Until(due) => {
                    self.due = Some(due);
                    return Ok(());
                }
                Out::Idle => {
                    self.due = None;
                    return Ok(());
                }
                Out::Ended(ending) => {
                    self.due = None;
                    return Err(WriteEnd::Toxic(ending));
                }
            }
        }
    }

    fn report(&mut self) {
        for name in self.chain.take_fired() {
            // A toxic works on bytes, so that its position is the last message before it fired.
            let id = MessageId { conn: self.conn.number, frame: self.frames };
            let toxics = self.toxics.borrow();
            let of = toxics.iter().find(|toxic| toxic.name == name);
            let what = of.map_or("toxic", |toxic| toxic.toxic.type_name());
            let hit = format!("{what} {}", self.direction.as_str());
            drop(toxics);
            self.conn.shared.interceptor.record(&name, id, &hit, None);
        }
    }

    async fn await_chain(&mut self) -> Written {
        let stop = self.conn.stop.clone();
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(WriteEnd::Stopped),
            () = self.due() => Ok(()),
        }
    }

    pub(super) async fn settle(&mut self) -> Written {
        self.advance().await?;
        while self.due.is_some() {
            self.await_chain().await?;
            self.advance().await?;
        }
        Ok(())
    }

    pub(super) async fn finish(&mut self) -> Written {
        self.release().await?;
        self.flush().await?;
        self.follow();
        if !self.chain.is_empty() {
            self.chain.end(Instant::now());
            loop {
                match self.advance().await {
                    Ok(()) => self.await_chain().await?,
                    Err(WriteEnd::Toxic(Ending::Eof)) => break,
                    Err(end) => return Err(end),
                }
            }
        }
        Ok(self.sink.shutdown().await?)
    }
}
