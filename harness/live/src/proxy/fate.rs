//! What becomes of a message. The interceptor decides it; this carries it out, for WebSocket and HTTP messages alike:
//! what happens before the message, the way that it goes, and what happens after it.

use std::future::Future;
use std::sync::Arc;

use cutover_core::plan::{Cut, Release, When};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::interceptor::MessageId;
use super::order::Way;
use super::pump::{Moved, Pump, PumpEnd};
use super::unit::Message;
use super::ws;
use crate::fault::Fate;
use crate::frame::{Body, Direction};

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Pump<R, W> {
    pub(super) async fn message(&mut self, message: Message) -> Moved<()> {
        self.egress.frames += 1;
        let shared = Arc::clone(&self.conn.shared);
        shared.stats.read_frames(self.direction, 1);
        let id = MessageId { conn: self.conn.number, frame: self.egress.frames };
        let decision = shared.interceptor.decide(id, &message);
        let Message { frame, raw, is_whole, .. } = message;
        let body = decision.edited.as_ref().map_or(&frame.body, |edited| &edited.body);

        // Before: what waits in the egress, and what the message itself waits for.
        if matches!(frame.body, Body::Close(_)) {
            self.egress.release().await?;
        }
        match &decision.fate {
            Fate::Delay(by) => self.pause(tokio::time::sleep(*by)).await?,
            Fate::Hold(Release::Acked { op }) => self.pause(shared.interceptor.wait_acked(*op)).await?,
            Fate::Hold(Release::Heal) => self.pause(std::future::pending()).await?,
            Fate::Cut(how, When::Before) => return self.cut(*how, When::Before).await,
            Fate::Drain(code, within) => self.conn.exchange.drain(*code, *within),
            _ => {}
        }

        // The way: its bytes, how many times they go, and behind or together with which others.
        let raw = match decision.fate {
            Fate::Split(frames) => ws::encode_split(body, self.mask(), frames),
            Fate::Merge(..) => ws::encode(body, self.mask()),
            _ if decision.edited.is_some() => ws::encode(body, self.mask()),
            _ => raw,
        };
        let (copies, way) = match decision.fate {
            Fate::Drop => (0, Way::Now),
            Fate::Repeat(more) => (1 + usize::from(more), Way::Now),
            Fate::DeliverAfterNext => (1, Way::AfterNextDelivery),
            Fate::Reorder(behind, within) => (1, Way::Behind(behind, Instant::now() + within)),
            Fate::Merge(messages, within) => (1, Way::Together(messages, Instant::now() + within)),
            _ => (1, Way::Now),
        };
        self.decoder.passes(copies);
        for _ in 0..copies {
            self.egress.pass(&decision.tag, &raw, way).await?;
        }

        // After: the connection ends, or stays open.
        match decision.fate {
            Fate::Cut(how, _) if is_whole => self.cut(how, When::After).await,
            Fate::Cut(how, _) => {
                self.cut_after_rest = Some(how);
                self.close_if_drained(false).await
            }
            _ => self.close_if_drained(false).await,
        }
    }

    /// Cuts, behind all that is on its way.
    pub(super) async fn cut(&mut self, how: Cut, when: When) -> Moved<()> {
        self.egress.settle().await?;
        Err(PumpEnd::Cut(how, when))
    }

    /// Closes a connection that drains, once the lane owes it no answer or its time is up (`late`).
    pub(super) async fn close_if_drained(&mut self, late: bool) -> Moved<()> {
        match self.conn.exchange.drains() {
            Some((code, _)) if late || self.conn.shared.interceptor.settled(self.conn.number) => {
                self.egress.release().await?;
                self.cut(Cut::Close { code }, When::After).await
            }
            _ => Ok(()),
        }
    }

    /// Holds this message and all behind it, while earlier ones leave. Heal ends every wait.
    async fn pause(&mut self, until: impl Future<Output = ()>) -> Moved<()> {
        self.egress.flush().await?;
        let mut until = std::pin::pin!(until);
        loop {
            tokio::select! {
                biased;
                () = self.conn.stop.cancelled() => return Err(self.stopped().await),
                () = self.conn.shared.heal.cancelled() => return Ok(()),
                () = &mut until => return Ok(()),
                () = self.egress.due() => {}
            }
            self.egress.advance().await?;
        }
    }

    /// The mask of a frame that the proxy makes. RFC 6455 asks for an unpredictable one, to protect caches from
    /// scripts. No cache stands here, so that every run may have the same masks.
    fn mask(&self) -> Option<[u8; 4]> {
        let key = (self.egress.frames as u32).wrapping_mul(0x9e37_79b9) ^ self.conn.number;
        (self.direction == Direction::Upstream).then(|| key.to_be_bytes())
    }
}
