//! `resubscribe`: clients unsubscribe and subscribe again without cursors, on the same connection.

use super::prelude::*;

pub(super) const KIND: StepKind = StepKind {
    name: "resubscribe",
    keys: &["clients", "stream", "streams"],
    what: "once each has applied every acknowledged event, they unsubscribe from `stream`, from `streams`, or from \
           all, give those cursors up, and subscribe again on the same connection: all that is retained comes again",
    read: |section, names, mistakes| {
        let some = section.has("stream") || section.has("streams");
        let streams = if some { names.streams(section, mistakes) } else { Vec::new() };
        Some(Box::new(Resubscribe { clients: names.clients(section, mistakes), streams }))
    },
};

#[derive(Debug)]
struct Resubscribe {
    clients: Option<Vec<usize>>,
    /// All of a client where this is empty.
    streams: Vec<usize>,
}

impl Step for Resubscribe {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("subscribing");
        for client in rehearsal.connected_of(self.clients.as_deref(), "resubscribe") {
            for &stream in &self.streams {
                if !rehearsal.world.subscribes(client, stream) {
                    let (name, topic) = (rehearsal.client_name(client), rehearsal.topic(stream));
                    rehearsal.refuse(format!("`{name}` does not subscribe to `{topic}`"), None);
                }
            }
            rehearsal.needs_progress(&[Some(client)]);
            rehearsal.world.resubscribe(client, &self.streams);
            let streams = self.streams.iter().map(|stream| rehearsal.world.stream_ids[*stream].clone()).collect();
            let client = rehearsal.world.client_ids[client].clone();
            rehearsal.push(plan::Step::Resubscribe { client, streams });
        }
    }
}
