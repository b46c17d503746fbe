//! A session's resume: a check of the cursors, then a subscription to the events, then one to the streams' rows.
//!
//! The last is sent when the events have arrived. So its answer comes after the whole replay, as the legacy lane's
//! reply does.

use cutover_core::ids::{Cursor, Seq, StreamId};

use super::request::{self, Purpose};
use super::rows::StreamRow;
use super::session::SpacetimeSession;
use crate::lane::{Completion, Head, Heads};

pub(super) struct QuerySet {
    id: u32,
    pub(super) streams: Vec<StreamId>,
}

impl SpacetimeSession {
    pub(super) async fn resume(&mut self, streams: &[(StreamId, Option<Cursor>)]) -> Completion<Heads> {
        let mut asked = Vec::new();
        for (stream, cursor) in streams {
            asked.push((stream.clone(), self.wire_name(stream)?, *cursor));
        }
        let cursors: Vec<(String, u64)> =
            asked.iter().filter_map(|(_, name, cursor)| Some((name.clone(), (*cursor)?.0))).collect();
        let checks = !cursors.is_empty() && self.shape().checks_cursors();
        if checks {
            let request_id = self.request_id(Purpose::Check);
            let reducer = self.shape().resume.reducer.clone();
            let check = self.call(request_id, &reducer, request::resume_args(&cursors));
            self.ask(request_id, check).await?;
        }
        let kept = self.drop_sets(streams).await?;
        // Without a call that judges the cursors, the query alone begins the resume.
        let purpose = if checks { Purpose::Events } else { Purpose::Bootstrap };
        let fresh =
            asked.iter().map(|(stream, name, cursor)| (stream.clone(), name.clone(), cursor.map_or(0, |at| at.0)));
        let sets: Vec<(StreamId, String, u64)> = fresh.chain(kept).collect();
        let heads = self.apply(purpose, &sets).await?;
        let head = |name: &str| heads.iter().find(|row| row.stream_id == name).map(|row| Seq(row.head_seq));
        let told = !self.shape().heads.table.is_empty();
        // A stream without a row has no events, so its head is 0.
        let head = |name: &str| if told { Head::At(head(name).unwrap_or_default()) } else { Head::Unreported };
        Ok(asked.into_iter().map(|(stream, name, _)| (stream, head(&name))).collect())
    }

    /// Unsubscribes streams. The other streams of their sets are subscribed again.
    pub(super) async fn unsubscribe_streams(&mut self, streams: &[StreamId]) -> Completion {
        let streams: Vec<(StreamId, Option<Cursor>)> = streams.iter().map(|stream| (stream.clone(), None)).collect();
        let kept = self.drop_sets(&streams).await?;
        if !kept.is_empty() {
            self.apply(Purpose::Events, &kept).await?;
        }
        Ok(())
    }

    /// Unsubscribes every set that has one of these streams, and returns the other streams of those sets, each with its
    /// name on the wire and its last seq.
    ///
    /// Old sets must end before a new one begins: of overlapping sets, each gets the rows of a transaction.
    async fn drop_sets(&mut self, streams: &[(StreamId, Option<Cursor>)]) -> Completion<Vec<(StreamId, String, u64)>> {
        let asked = |stream: &StreamId| streams.iter().any(|(asked, _)| asked == stream);
        let (hit, rest): (Vec<QuerySet>, Vec<QuerySet>) =
            std::mem::take(&mut self.sets).into_iter().partition(|set| set.streams.iter().any(asked));
        self.sets = rest;
        let mut kept: Vec<(StreamId, String, u64)> = Vec::new();
        for set in hit {
            set.streams.iter().for_each(|stream| self.known.forget(stream));
            let request_id = self.request_id(Purpose::Unsubscribe);
            let message = request::unsubscribe(self.protocol, request_id, set.id);
            self.ask(request_id, message).await?;
            for stream in set.streams.into_iter().filter(|stream| !asked(stream)) {
                let after = self.last_seen.iter().find(|(seen, _)| *seen == stream).map_or(0, |(_, seq)| *seq);
                let name = self.wire_name(&stream)?;
                if !kept.iter().any(|(known, _, _)| *known == stream) {
                    kept.push((stream, name, after));
                }
            }
        }
        Ok(kept)
    }

    /// Subscribes to the events, and when they have arrived, to the streams' rows.
    async fn apply(&mut self, purpose: Purpose, streams: &[(StreamId, String, u64)]) -> Completion<Vec<StreamRow>> {
        let named: Vec<StreamId> = streams.iter().map(|(stream, _, _)| stream.clone()).collect();
        self.last_seen.retain(|(seen, _)| !named.contains(seen));
        self.last_seen.extend(streams.iter().map(|(stream, _, after)| (stream.clone(), *after)));
        let events = streams.iter().map(|(_, name, after)| self.shape().events_query(name, *after)).collect();
        let request_id = self.request_id(purpose);
        self.ask(request_id, request::subscribe(self.protocol, request_id, events)).await?;
        self.sets.push(QuerySet { id: request_id, streams: named.clone() });
        let rows = streams.iter().map(|(_, name, _)| self.shape().stream_query(name)).collect();
        let request_id = self.request_id(Purpose::Heads);
        let heads = self.ask(request_id, request::subscribe(self.protocol, request_id, rows)).await?;
        self.sets.push(QuerySet { id: request_id, streams: named });
        Ok(heads)
    }
}
