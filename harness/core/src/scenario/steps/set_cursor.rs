//! `set-cursor`: overwrites the checkpoint of a client that is not connected.

use super::super::cursor::resolve;
use super::super::numbers::cursor;
use super::super::open::Choice;
use super::super::open::CursorWord;
use super::prelude::*;
use crate::ids::Cursor;
use crate::matrix::Part;

pub(super) const KIND: StepKind = StepKind {
    name: "set-cursor",
    keys: &["client", "stream", "to", "of"],
    what: "the checkpoint of a client that is not connected is overwritten",
    read,
};

#[derive(Debug)]
struct SetCursor {
    client: usize,
    stream: usize,
    to: At<CursorWord>,
}

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let client = section.need_text("client", mistakes);
    let client = client.and_then(|client| names.client(client, mistakes));
    let stream = names.need_stream(section, mistakes);
    let to = cursor(section, names, mistakes)?;
    Some(Box::new(SetCursor { client: client?, stream: stream?, to }))
}

impl Step for SetCursor {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        let SetCursor { client, stream, to } = *self;
        let name = rehearsal.client_name(client).to_owned();
        if rehearsal.world.clients[client].connected {
            let what = format!("`{name}` is connected, so its checkpoint is in use");
            rehearsal.refuse(what, "disconnect or crash it first");
        }
        if !rehearsal.world.subscribes(client, stream) {
            rehearsal.refuse(format!("`{name}` does not subscribe to `{}`", rehearsal.topic(stream)), None);
        }
        let own = rehearsal.world.clients[client].cursors[stream];
        let found = resolve(to.value, &rehearsal.world.streams, stream, own, rehearsal.world.binding);
        let choice = found.unwrap_or_else(|(what, hint)| {
            rehearsal.mistakes.once(to.at, what, hint);
            Choice::fixed(0)
        });
        // A drawn cursor is taken at its greatest, where the client applies the least.
        rehearsal.world.clients[client].cursors[stream] = Some(choice.high);
        rehearsal.world.earn(None, [Part::CarriedOver, Part::OtherHistory]);
        rehearsal.world.resumes(None, stream);
        let (client, stream) = (rehearsal.world.client_ids[client].clone(), rehearsal.world.stream_ids[stream].clone());
        rehearsal.then(move |planner| {
            let cursor = Cursor(planner.draw(choice));
            planner.push(plan::Step::SetCursor { client: client.clone(), stream: stream.clone(), cursor });
        });
    }
}
