//! Detects a resume from beyond the head, which this protocol does not report.
//!
//! A service accepts a cursor beyond the head, and then skips events up to it without a word (contract, "Client to
//! server"). The reply does not show it: its watermark is the channel's, which is the cursor that was sent. So if a
//! resume brings nothing, the session asks once more from the event before its cursor. A lane that has the event at
//! the cursor replays it. A lane that does not have it has another history.
//!
//! Events that the client had already are no deliveries when a probe brings them. The ref of a probe shows the proxy
//! that it is no resume of the client, so that a fault at "the second resume" fires at the same one on every lane.

use std::collections::BTreeMap;

use cutover_core::ids::{Cursor, Seq, StreamId};

use super::session::PhoenixSession;
use crate::lane::Completion;
use crate::lane::conversation::Conversation;

pub const PROBE_REF: &str = "probe-";

impl PhoenixSession {
    /// The streams whose cursors lie beyond their heads.
    pub(super) async fn probe(
        &mut self,
        streams: &[(StreamId, Option<Cursor>)],
        heads: &[(StreamId, Seq)],
        replay_batch: u32,
    ) -> Completion<Vec<StreamId>> {
        let doubtful: BTreeMap<_, _> = streams
            .iter()
            .filter_map(|(stream, cursor)| Some((stream, cursor.filter(|cursor| cursor.0 > 0)?)))
            .filter(|(stream, cursor)| {
                let reported = heads.iter().find(|(known, _)| known == *stream).map(|(_, head)| head.0);
                !self.newest.contains_key(*stream) && reported.is_none_or(|head| head <= cursor.0)
            })
            .map(|(stream, cursor)| (stream.clone(), (cursor, false)))
            .collect();
        if doubtful.is_empty() {
            return Ok(Vec::new());
        }
        self.probing = Some(doubtful);
        let probed = self.ask_before_the_cursors(replay_batch).await;
        let left = self.probing.take().unwrap_or_default();
        probed?;
        Ok(left.into_iter().filter(|(_, (_, came))| !came).map(|(stream, _)| stream).collect())
    }

    /// Asks again for the probed streams, each from the event before its cursor. Leaves out the streams that this makes
    /// stale: one that was just pruned, or one with a replay budget of 0, has its head at its cursor or behind it.
    async fn ask_before_the_cursors(&mut self, replay_batch: u32) -> Completion {
        loop {
            let probed = self.probing.iter().flatten();
            let asked: Vec<_> =
                probed.map(|(stream, (cursor, _))| (stream.clone(), Some(Cursor(cursor.0 - 1)))).collect();
            if asked.is_empty() {
                return Ok(());
            }
            let replies = self.ask_for(&asked, replay_batch).await?;
            let Some(refused) = replies.iter().find(|reply| !reply.ok) else {
                if !self.profile.has_every_field() {
                    // The replay may come behind its reply.
                    let came = |session: &PhoenixSession| session.probing.iter().flatten().all(|(_, (_, came))| *came);
                    self.take_until(self.connection.bounds.heartbeat, came).await;
                }
                return Ok(());
            };
            let stale = self.refusal_of(refused).stale;
            let stale: Vec<_> = stale.iter().map(|stale| &stale.stream).collect();
            let probing = self.probing.get_or_insert_default();
            let refused: Vec<_> = probing
                .iter()
                .filter(|(stream, _)| stale.contains(stream))
                .map(|(stream, (cursor, _))| (stream.clone(), Some(*cursor)))
                .collect();
            probing.retain(|stream, _| !stale.contains(&stream));
            if refused.is_empty() {
                // Refused for another reason: the probe tells nothing.
                probing.clear();
            } else if self.profile.joins_to_subscribe() {
                // A join ends the channel that was joined before, even a join that is refused.
                self.ask_for(&refused, replay_batch).await?;
            }
        }
    }

    /// Takes note of an event; true where it only answers a probe and is no delivery.
    pub(super) fn note(&mut self, stream: &StreamId, seq: Seq) -> bool {
        if let Some((cursor, came)) = self.probing.as_mut().and_then(|probing| probing.get_mut(stream)) {
            *came = true;
            if seq.0 <= cursor.0 {
                return true;
            }
        }
        let newest = self.newest.entry(stream.clone()).or_default();
        *newest = seq.max(*newest);
        false
    }
}
