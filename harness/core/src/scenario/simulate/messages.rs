//! Message toxics: where they strike, and what a client must still be able to notice of what they lose or hold back.

use super::super::draft::{Draft, FaultDraft, Number, PickDraft, PlaceDraft};
use super::super::read::At;
use super::super::script::{Pick, Place, Victim};
use super::world::World;
use crate::plan::{Direction, MessageKind};

/// From this bound on there is time to notice that the answer to a resume was lost: the driver waits 10 s for one.
const NOTICES_LOST_RESUME_MS: u64 = 20_000;

/// The pick of one case; nothing where a number is left to a position that there is not.
pub(super) fn pick(world: &World<'_>, draft: &PickDraft) -> Option<Pick> {
    let counted = |found: &Option<At<Number>>| match found {
        None => Some(None),
        Some(found) => world.number(found.value).map(Some),
    };
    Some(Pick {
        direction: draft.direction,
        kind: draft.kind,
        event: draft.event.clone(),
        stream: draft.stream,
        seq: counted(&draft.seq)?,
        payload: draft.payload.clone(),
        nth: counted(&draft.nth)?.and_then(|nth| u32::try_from(nth).ok()),
        per: draft.per,
    })
}

/// Why no message of this victim is ever picked, as far as its words tell.
pub(super) fn never_picked(pick: &Pick, victim: Victim) -> Option<String> {
    use MessageKind::{Ack, Delivery, Publish, Resume, ResumeReply};
    let kind = pick.kind?;
    let word = kind.as_str();
    let way = match kind {
        Delivery | ResumeReply | Ack => Some(Direction::Downstream),
        Resume | Publish => Some(Direction::Upstream),
        _ => None,
    };
    if let Some(way) = way.filter(|way| *way != pick.direction) {
        return Some(format!("a message of kind `{word}` goes {} only", way.as_str()));
    }
    let writers = matches!(kind, Publish | Ack);
    let subscribers = matches!(kind, Delivery | Resume | ResumeReply);
    match victim {
        Victim::Client(_) if writers => Some(format!("only the writer has messages of kind `{word}`")),
        Victim::Writer if subscribers => Some(format!("the writer has no messages of kind `{word}`")),
        _ => None,
    }
}

/// What is wrong with a fault that loses messages or lets others pass them, and how to mend it: what no client would
/// notice, or only after the script gave up.
pub(super) fn unnoticed(
    world: &World<'_>,
    fault: &FaultDraft,
    victim: Victim,
    place: &Place,
) -> Option<(String, String)> {
    let Victim::Client(client) = victim else {
        return None;
    };
    let kind = match (&fault.at.value, place) {
        (_, Place::Delivery { stream, seqs }) => {
            return seqs.iter().find_map(|seq| lost_delivery(world, client, *stream, *seq));
        }
        (_, Place::Resume(_) | Place::ResumeReply(_)) => Some(MessageKind::Resume),
        (PlaceDraft::Message(draft), Place::Message(pick)) => {
            if let (Some(stream), Some(seq)) = (pick.stream, pick.seq) {
                return lost_delivery(world, client, stream, seq);
            }
            if draft.kind.is_none() && draft.event.is_none() {
                let what = "any message may be lost or late here, the answer to a resume among them";
                return Some((what.to_owned(), "say of which `kind` or `event` the message is".to_owned()));
            }
            draft.kind
        }
        _ => None,
    };
    let resumes = matches!(kind, Some(MessageKind::Resume | MessageKind::ResumeReply));
    (resumes && is_impatient(world.draft)).then(|| {
        let what = "a client that hears nothing of its resume asks again only after 10 s";
        let hint = format!("use do = \"cut\", or give converge_within_ms = {NOTICES_LOST_RESUME_MS}");
        (what.to_owned(), hint)
    })
}

fn is_impatient(draft: &Draft) -> bool {
    draft.converge_within_ms < NOTICES_LOST_RESUME_MS
}

/// An event that is lost or late is noticed by the next one of its stream, and by nothing else on a connection that stays.
fn lost_delivery(world: &World<'_>, client: usize, stream: usize, seq: u64) -> Option<(String, String)> {
    let state = &world.clients[client];
    let name = &world.draft.clients[client].value.name;
    let index = usize::try_from(seq.checked_sub(1)?).ok()?;
    let struck = *world.streams[stream].published_at.get(index)?;
    if state.delivered[stream].get(&seq) == Some(&true) {
        let what = format!("the script waits for `{name}` at event {seq}, and nothing comes after it that would tell");
        let hint = "publish with pace = \"burst\", and await after a later event".to_owned();
        return Some((what, hint));
    }
    if state.replayed[stream].contains(&seq) {
        let what = format!("event {seq} reaches `{name}` in a replay, and what is lost of one is noticed after 10 s");
        let hint = "use do = \"cut\", or publish it while the client is connected".to_owned();
        return Some((what, hint));
    }
    let awaits = world.awaited.iter().filter(|(_, clients)| clients.contains(&client));
    let waited_at = awaits.map(|(step, _)| *step).find(|step| *step > struck);
    let later = |next: &u64| {
        let index = usize::try_from(next - 1).unwrap_or(usize::MAX);
        let at = world.streams[stream].published_at.get(index);
        at.is_some_and(|at| waited_at.is_none_or(|waited| *at < waited)) && !state.replayed[stream].contains(next)
    };
    let told = state.delivered[stream].range(seq + 1..).any(|(next, _)| later(next));
    (!told).then(|| {
        let what = format!("nothing of the stream follows event {seq}, so `{name}` can't know that it is missing");
        (what, "publish more to the stream before the script waits, or ends".to_owned())
    })
}
