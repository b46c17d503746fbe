//! Moves of an operator, and of a writer that is wrong.

use super::dice::Dice;
use super::sketch::{Room, Sketch};
use crate::plan::SCRIPTS;

/// What can be wrong beside an event, in the words of `refused-publish`.
const WRONG: &[&str] =
    &["seq-low", "seq-high", "seq-zero", "seq-huge", "hash-other", "hash-end", "hash-upper", "hash-bare"];

/// The oldest events of a stream are removed: none, one, all but the last, all, or more than there are.
pub(super) fn prune(sketch: &mut Sketch, dice: &mut Dice<'_>, room: Room) {
    let Some(stream) =
        sketch.published(dice).filter(|stream| room.policies && sketch.streams[*stream].retention.is_some())
    else {
        return;
    };
    sketch.await_all();
    let (head, floor) = (sketch.streams[stream].head, sketch.streams[stream].floor);
    let up_to = dice.pick(&[0, 1, floor, floor + 1, head / 2, head - 1, head, head + 3]).unwrap_or(1);
    sketch.step(format!("\"prune\", stream = \"{}\", up_to = {up_to}", sketch.streams[stream].topic));
    let state = &mut sketch.streams[stream];
    state.head += u64::from(up_to >= head);
    state.floor = floor.max(up_to.min(head));
    sketch.prunes = true;
}

/// The lanes count the connected clients. With faults, the rehearsal leaves that out.
pub(super) fn count(sketch: &mut Sketch, _: &mut Dice<'_>, _: Room) {
    sketch.step("\"count\"".to_owned());
}

/// A client outside the scenario acknowledges cursors: the next one, the same, one back, one too far.
pub(super) fn checkpoint(sketch: &mut Sketch, dice: &mut Dice<'_>, _: Room) {
    let Some(stream) = sketch.published(dice) else { return };
    let head = sketch.streams[stream].head;
    for _ in 0..dice.between(1, 4) {
        let seq = dice.pick(&[0, 1, head / 2, head - 1, head, head + 1]).unwrap_or(1);
        let offset = match dice.one_in(3) {
            true => format!(", offset = {}", dice.pick(&[0u64, 1, 255, 256, 65_536]).unwrap_or(1)),
            false => String::new(),
        };
        let (topic, client) = (&sketch.streams[stream].topic, dice.pick(&["keeper", "keeper-2"]).unwrap_or("keeper"));
        sketch.step(format!("\"checkpoint\", stream = \"{topic}\", client = \"{client}\", seq = {seq}{offset}"));
    }
}

pub(super) fn inspect(sketch: &mut Sketch, dice: &mut Dice<'_>, _: Room) {
    let streams = sketch.some_streams(dice);
    sketch.step(format!("\"inspect\", streams = {}", sketch.quoted(&streams)));
}

/// Requests that every lane must refuse.
pub(super) fn misuse(sketch: &mut Sketch, dice: &mut Dice<'_>, _: Room) {
    let Some(stream) = sketch.published(dice) else { return };
    sketch.step(format!("\"misuse\", stream = \"{}\"", sketch.streams[stream].topic));
}

/// Some scripts of reducers, or all. A stream takes each once.
pub(super) fn reducers(sketch: &mut Sketch, dice: &mut Dice<'_>, _: Room) {
    let Some(stream) = sketch.published(dice).filter(|stream| !sketch.streams[*stream].reducers) else { return };
    sketch.streams[stream].reducers = true;
    let topic = &sketch.streams[stream].topic;
    let words: Vec<&str> = SCRIPTS.iter().map(|script| script.word).collect();
    let what = if dice.one_in(2) { format!(", scripts = {:?}", dice.some(&words)) } else { String::new() };
    sketch.step(format!("\"reducers\", stream = \"{topic}\"{what}"));
}

/// One publish is sent on several connections at once.
pub(super) fn together(sketch: &mut Sketch, dice: &mut Dice<'_>, _: Room) {
    let Some(stream) = sketch.published(dice) else { return };
    let (topic, count) = (&sketch.streams[stream].topic, dice.between(2, 4));
    sketch.step(format!("\"together\", stream = \"{topic}\", count = {count}, same = \"key-and-payload\""));
    sketch.streams[stream].together = true;
    sketch.streams[stream].head += 1;
    sketch.prune(stream);
}

pub(super) fn refused_publish(sketch: &mut Sketch, dice: &mut Dice<'_>, room: Room) {
    let all: Vec<usize> = (0..sketch.streams.len()).filter(|stream| sketch.streams[*stream].most > 6).collect();
    let Some(stream) = dice.pick(&all) else { return };
    let wrong: Vec<_> = WRONG.iter().filter(|word| room.hashes || !word.starts_with("hash")).copied().collect();
    let wrong: Vec<_> = dice.some(&wrong).into_iter().map(|word| format!("\"{word}\"")).collect();
    let topic = &sketch.streams[stream].topic;
    sketch.step(format!("\"refused-publish\", stream = \"{topic}\", wrong = [{}]", wrong.join(", ")));
    sketch.streams[stream].head += 1;
    sketch.prune(stream);
}

/// A server is killed the moment a client has an event.
pub(super) fn kill_as_seen(sketch: &mut Sketch, dice: &mut Dice<'_>, room: Room) {
    let lane = match room.kills_at_once {
        [true, true] => "both",
        [true, false] => "legacy",
        [false, true] => "candidate",
        [false, false] => return,
    };
    let connected = sketch.connected(true);
    let followed = connected.iter().flat_map(|client| sketch.clients[*client].streams.clone()).collect::<Vec<_>>();
    let Some(stream) =
        dice.pick(&followed).filter(|stream| sketch.streams[*stream].head < sketch.streams[*stream].most)
    else {
        return;
    };
    sketch.await_all();
    let topic = &sketch.streams[stream].topic;
    sketch.step(format!("\"kill-as-seen\", lane = \"{lane}\", stream = \"{topic}\""));
    sketch.streams[stream].head += 1;
    sketch.prune(stream);
    sketch.servers = true;
}

/// The module gets more tables and reducers, which its clients do not notice.
pub(super) fn update_module(sketch: &mut Sketch, dice: &mut Dice<'_>, room: Room) {
    if !room.updates || std::mem::replace(&mut sketch.updated, true) {
        return;
    }
    if dice.one_in(2) {
        sketch.await_all();
    }
    sketch.step("\"update-module\", update = \"additive\"".to_owned());
}

/// A backup is made, and restored whole or damaged. Clients are behind it, at its head or beyond it.
pub(super) fn backups(sketch: &mut Sketch, dice: &mut Dice<'_>, room: Room) {
    let prunes = sketch.prunes || sketch.streams.iter().any(|stream| stream.retention.is_some());
    let Some(stream) = sketch.published(dice).filter(|_| !prunes && room.kills == [true; 2]) else { return };
    sketch.await_all();
    let (topic, count) = (sketch.streams[stream].topic.clone(), dice.between(2, 8));
    let name = format!("backup-{}", sketch.steps.len());
    let how = match dice.one_in(3) {
        true => "how = \"cold\"".to_owned(),
        false => format!("how = \"hot\", stream = \"{topic}\", count = {count}"),
    };
    sketch.step(format!("\"backup\", backup = \"{name}\", {how}"));
    if how.contains("hot") {
        sketch.streams[stream].head += count;
    }
    sketch.servers = true;
    if dice.one_in(2) {
        sketch.publish(&[stream], dice.between(1, 4), true, None);
    }
    let damage = dice.pick(&["", ", damage = \"torn-tail\"", ", damage = \"missing-segment\""]).unwrap_or("");
    sketch.step(format!("\"restore\", backup = \"{name}\"{damage}"));
}

/// Payloads that have no canonical form are refused and take no seq. Their keys are used again afterwards.
pub(super) fn invalid(sketch: &mut Sketch, dice: &mut Dice<'_>, room: Room) {
    let Some(stream) = sketch.published(dice) else { return };
    let topic = &sketch.streams[stream].topic;
    let count = dice.between(2, 5);
    sketch.step(format!("\"publish\", stream = \"{topic}\", count = {count}, payload = \"invalid\""));
    sketch.publish(&[stream], dice.between(1, 3), true, None);
    if dice.one_in(3) {
        inspect(sketch, dice, room);
    }
}
