//! Faults at messages: which messages a filter can match, and what a client must still be able to notice.

use super::super::draft::Draft;
use super::super::faults::{FaultPosition, Target};
use super::super::open::Settings;
use super::world::World;
use crate::plan::{Direction, MessageKind};

/// From this bound on there is time to notice that the answer to a resume was lost: the driver waits 10 s for one.
const NOTICES_LOST_RESUME_MS: u64 = 20_000;

fn kind_of(filter: &Settings<u64>) -> Option<MessageKind> {
    filter.word("kind").and_then(MessageKind::of)
}

/// Why a filter matches no message of this target, as far as its words say.
pub(super) fn never_matches(direction: Direction, filter: &Settings<u64>, target: Target) -> Option<String> {
    use MessageKind::{Ack, Delivery, Publish, Resume, ResumeReply};
    let kind = kind_of(filter)?;
    let word = kind.as_str();
    let way = match kind {
        Delivery | ResumeReply | Ack => Some(Direction::Downstream),
        Resume | Publish => Some(Direction::Upstream),
        _ => None,
    };
    if let Some(way) = way.filter(|way| *way != direction) {
        return Some(format!("a message of kind `{word}` goes {} only", way.as_str()));
    }
    let writers = matches!(kind, Publish | Ack);
    let subscribers = matches!(kind, Delivery | Resume | ResumeReply);
    match target {
        Target::Client(_) if writers => Some(format!("only the writer has messages of kind `{word}`")),
        Target::Writer if subscribers => Some(format!("the writer has no messages of kind `{word}`")),
        _ => None,
    }
}

/// What is wrong with a fault that loses messages or lets others pass them, and how to mend it: a gap that no client
/// notices, or only after the script gave up.
pub(super) fn unnoticed(world: &World<'_>, target: Target, position: &FaultPosition<u64>) -> Option<(String, String)> {
    let Target::Client(client) = target else {
        return None;
    };
    let kind = match position {
        FaultPosition::Delivery { stream, seqs } => {
            return seqs.iter().find_map(|seq| lost_delivery(world, client, *stream, *seq));
        }
        FaultPosition::Resume(_) | FaultPosition::ResumeReply(_) => Some(MessageKind::Resume),
        FaultPosition::Message(_, filter) => {
            if let Some((stream, seq)) = filter.event() {
                return lost_delivery(world, client, stream, seq);
            }
            if filter.get("kind").is_none() && filter.get("event").is_none() {
                let what = "any message may be lost or late here, the answer to a resume among them";
                return Some((what.to_owned(), "say of which `kind` or `event` the message is".to_owned()));
            }
            kind_of(filter)
        }
        _ => None,
    };
    let resumes = matches!(kind, Some(MessageKind::Resume | MessageKind::ResumeReply));
    (resumes && is_impatient(world.draft)).then(|| {
        let what = "a client whose resume is not answered asks again only after 10 s";
        let hint = format!("use do = \"cut\", or give converge_within_ms = {NOTICES_LOST_RESUME_MS}");
        (what.to_owned(), hint)
    })
}

fn is_impatient(draft: &Draft) -> bool {
    draft.converge_within_ms < NOTICES_LOST_RESUME_MS
}

/// An event that is lost or late is noticed by the next one of its stream, and by nothing else on a connection that
/// stays.
fn lost_delivery(world: &World<'_>, client: usize, stream: usize, seq: u64) -> Option<(String, String)> {
    let state = &world.clients[client];
    let name = &world.draft.clients[client].value.name;
    let index = usize::try_from(seq.checked_sub(1)?).ok()?;
    let published = *world.published_at[stream].get(index)?;
    if state.delivered[stream].get(&seq) == Some(&true) {
        let what =
            format!("the script waits for `{name}` at event {seq}, and nothing comes after it that shows the gap");
        let hint = "publish with pace = \"burst\", and await after a later event".to_owned();
        return Some((what, hint));
    }
    if state.replayed[stream].contains(&seq) {
        let what = format!("event {seq} reaches `{name}` in a replay, and what is lost of one is noticed after 10 s");
        let hint = "use do = \"cut\", or publish it while the client is connected".to_owned();
        return Some((what, hint));
    }
    let awaits = world.awaited.iter().filter(|(_, clients)| clients.contains(&client));
    let waited_at = awaits.map(|(step, _)| *step).find(|step| *step > published);
    let later = |next: &u64| {
        let index = usize::try_from(next - 1).unwrap_or(usize::MAX);
        let at = world.published_at[stream].get(index);
        at.is_some_and(|at| waited_at.is_none_or(|waited| *at < waited)) && !state.replayed[stream].contains(next)
    };
    let noticed = state.delivered[stream].range(seq + 1..).any(|(next, _)| later(next));
    (!noticed).then(|| {
        let what = format!("nothing of the stream follows event {seq}, so `{name}` can't know that it is missing");
        (what, "publish more to the stream before the script waits, or ends".to_owned())
    })
}
