//! The end of one direction: writes what passes, and keeps back deliveries that are to change places with the next one.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use cutover_core::ids::{Seq, StreamId};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::stats::Stats;
use crate::frame::{Direction, FrameTag};

/// The most copies of a delivery that are kept back; past that, all of them go.
const KEPT_MAX: usize = 64;

/// Where a direction's bytes go.
pub(super) struct Outlet<W> {
    sink: W,
    kept: Option<Kept>,
    stats: Arc<Stats>,
    direction: Direction,
}

/// Deliveries that wait for the next one.
struct Kept {
    events: BTreeSet<(StreamId, Seq)>,
    raws: Vec<Bytes>,
}

impl<W: AsyncWrite + Unpin> Outlet<W> {
    pub(super) fn new(sink: W, direction: Direction, stats: Arc<Stats>) -> Outlet<W> {
        Outlet {
            sink,
            kept: None,
            stats,
            direction,
        }
    }

    /// Whether deliveries are kept back.
    pub(super) fn keeps(&self) -> bool {
        self.kept.is_some()
    }

    /// Bytes that no fault looked at.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sink.write_all(bytes).await?;
        self.stats.wrote(self.direction, bytes.len());
        self.sink.flush().await
    }

    /// A message that passes. A further copy of what is kept back is kept back with it; the next delivery of the same
    /// stream passes, and lets the kept ones follow.
    pub(super) async fn pass(&mut self, tag: &FrameTag, raw: Bytes) -> io::Result<()> {
        let Some(kept) = &mut self.kept else {
            return self.write(&raw).await;
        };
        let events: &[(StreamId, Seq)] = match tag {
            FrameTag::Delivery { events, .. } => events,
            _ => &[],
        };
        if !events.is_empty() && events.iter().all(|event| kept.events.contains(event)) && kept.raws.len() < KEPT_MAX {
            kept.raws.push(raw);
            return Ok(());
        }
        let of_a_kept_stream = |stream: &StreamId| kept.events.iter().any(|(kept, _)| kept == stream);
        let releases = events.iter().any(|event| of_a_kept_stream(&event.0));
        self.write(&raw).await?;
        if releases { self.release().await } else { Ok(()) }
    }

    /// A delivery that goes after the next one of its stream.
    pub(super) async fn keep(&mut self, tag: &FrameTag, raw: Bytes) -> io::Result<()> {
        let kept = self.kept.get_or_insert_with(|| Kept {
            events: BTreeSet::new(),
            raws: Vec::new(),
        });
        if let FrameTag::Delivery { events, .. } = tag {
            kept.events.extend(events.iter().cloned());
        }
        kept.raws.push(raw);
        if kept.raws.len() > KEPT_MAX {
            self.release().await
        } else {
            Ok(())
        }
    }

    /// Lets go what was kept back.
    pub(super) async fn release(&mut self) -> io::Result<()> {
        for raw in self.kept.take().map(|kept| kept.raws).unwrap_or_default() {
            self.write(&raw).await?;
        }
        Ok(())
    }

    /// Ends the direction: FIN.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        self.release().await?;
        self.sink.shutdown().await
    }
}
