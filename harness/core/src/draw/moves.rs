//! Draws the script of a scenario, move by move. A move is a few steps that belong together.

use super::dice::Dice;
use super::sketch::{Room, Sketch};
use super::{operator, toxics};
use crate::scenario::words::cursor_words;

type Move = fn(&mut Sketch, &mut Dice<'_>, Room);

/// Each with its weight and the word of the step that it is about.
const MOVES: &[(u64, &str, Move)] = &[
    (4, "pace lockstep", lockstep),
    (4, "pace burst", burst),
    (6, "do disconnect", absence),
    (4, "do crash", absence),
    (4, "do republish", repeats),
    (4, "do conflict", repeats),
    (4, "do policy", policy),
    (4, "do set-cursor", cursors),
    (3, "do resubscribe", resubscribe),
    (3, "do prune", operator::prune),
    (3, "do checkpoint", operator::checkpoint),
    (1, "do inspect", operator::inspect),
    (1, "do count", operator::count),
    (1, "do misuse", operator::misuse),
    (1, "do together", operator::together),
    (1, "do reducers", operator::reducers),
    (3, "do refused-publish", operator::refused_publish),
    (3, "payload invalid", operator::invalid),
    (3, "do server", servers),
    (1, "do update-module", operator::update_module),
    (1, "do backup", operator::backups),
    (1, "do restore", operator::backups),
    (1, "do kill-as-seen", operator::kill_as_seen),
    (3, "do arm", window),
];

const COUNTS: &[u64] = &[1, 2, 3, 7, 20, 60, 199, 200, 201, 255, 256, 257, 330];
const FEW: &[u64] = &[1, 2, 3, 5, 8];

pub(super) fn draw(sketch: &mut Sketch, dice: &mut Dice<'_>, room: Room) {
    let all: Vec<usize> = (0..sketch.clients.len()).collect();
    let first = if dice.one_in(3) { dice.some(&all) } else { all };
    sketch.connect(&first);
    let moves = dice.between(2, 6);
    let options: Vec<_> = MOVES.iter().map(|(weight, word, _)| (*weight, (*word).to_owned())).collect();
    lockstep(sketch, dice, room);
    for _ in 0..moves {
        let (_, _, play) = MOVES[dice.place(&options)];
        play(sketch, dice, room);
    }
    end(sketch, dice);
}

/// Everyone is there, every stream has events, and all of them arrive.
fn end(sketch: &mut Sketch, dice: &mut Dice<'_>) {
    let away = sketch.connected(false);
    if !away.is_empty() {
        sketch.connect(&away);
    }
    let silent: Vec<usize> = (0..sketch.streams.len()).filter(|stream| sketch.streams[*stream].head == 0).collect();
    if !silent.is_empty() {
        sketch.publish(&silent, silent.len() as u64, dice.one_in(2), None);
    }
    sketch.await_all();
}

fn lockstep(sketch: &mut Sketch, dice: &mut Dice<'_>, _: Room) {
    let streams = sketch.some_streams(dice);
    let count = dice.pick(FEW).unwrap_or(1).max(streams.len() as u64);
    let spread = dice.one_in(3).then(|| dice.word("spread", &["even", "shuffled", "skewed"]));
    sketch.publish(&streams, count, true, spread);
}

/// A number of events at an edge: of the tool's own numbers, or of what a stream retains and replays.
fn many(sketch: &Sketch, dice: &mut Dice<'_>, stream: usize) -> u64 {
    let state = &sketch.streams[stream];
    let own: Vec<u64> = [state.retention, state.budget].into_iter().flatten().collect();
    match dice.pick(&own) {
        Some(edge) if dice.one_in(2) => (edge + dice.between(0, 2)).saturating_sub(1).max(1),
        _ if dice.one_in(2) => dice.pick(FEW).unwrap_or(1),
        _ => dice.number("count", COUNTS),
    }
}

fn burst(sketch: &mut Sketch, dice: &mut Dice<'_>, _: Room) {
    let streams = sketch.some_streams(dice);
    let Some(first) = streams.first() else { return };
    let count = many(sketch, dice, *first).max(streams.len() as u64);
    let spread = dice.one_in(2).then(|| dice.word("spread", &["even", "shuffled", "skewed"]));
    sketch.publish(&streams, count, false, spread);
    if !dice.one_in(3) {
        sketch.await_all();
    }
}

/// Clients leave and miss events, mostly about as many as are retained or replayed.
fn leave(sketch: &mut Sketch, dice: &mut Dice<'_>) {
    let here = sketch.connected(true);
    if here.is_empty() {
        return;
    }
    if dice.one_in(6) {
        sketch.hasty = true;
    } else {
        sketch.await_all();
    }
    let leaving = if dice.one_in(2) { here.clone() } else { dice.some(&here) };
    let word = dice.word("do", &["disconnect", "crash"]);
    match leaving == here {
        true => sketch.step(format!("\"{word}\"")),
        false => sketch.step(format!("\"{word}\", clients = {}", sketch.names(&leaving))),
    }
    for client in &leaving {
        sketch.clients[*client].connected = false;
        sketch.clients[*client].left |= word == "disconnect";
    }
}

fn come_back(sketch: &mut Sketch, dice: &mut Dice<'_>) {
    let away = sketch.connected(false);
    if !away.is_empty() {
        sketch.connect(&away);
        if !dice.one_in(3) {
            sketch.await_all();
        }
    }
}

fn absence(sketch: &mut Sketch, dice: &mut Dice<'_>, room: Room) {
    leave(sketch, dice);
    for _ in 0..dice.between(1, 2) {
        let streams = sketch.some_streams(dice);
        let Some(first) = streams.first() else { return };
        let count = many(sketch, dice, *first).max(streams.len() as u64);
        sketch.publish(&streams, count, false, None);
    }
    if dice.one_in(3) {
        policy(sketch, dice, room);
    }
    if !dice.one_in(4) {
        come_back(sketch, dice);
    }
}

fn cursors(sketch: &mut Sketch, dice: &mut Dice<'_>, room: Room) {
    if sketch.connected(false).is_empty() {
        leave(sketch, dice);
    }
    if dice.one_in(2) {
        burst(sketch, dice, room);
    }
    for client in sketch.connected(false) {
        for stream in sketch.clients[client].streams.clone() {
            if dice.one_in(3) {
                continue;
            }
            let words = cursor_words();
            let to = dice.word("to", &words);
            let head = sketch.streams[stream].head;
            let near = [0, 1, 199, 200, 201, 255, 256].into_iter().filter(|lag| *lag <= head);
            let near = dice.pick(&near.collect::<Vec<u64>>()).filter(|_| dice.one_in(4));
            let of = match to {
                "foreign" => {
                    let others: Vec<usize> = (0..sketch.streams.len()).filter(|other| *other != stream).collect();
                    let Some(of) = dice.pick(&others) else { continue };
                    format!(", of = \"{}\"", sketch.streams[of].topic)
                }
                _ => String::new(),
            };
            sketch.strays |= matches!(to, "foreign" | "beyond-head" | "random");
            let (name, topic) = (sketch.clients[client].name, &sketch.streams[stream].topic);
            let to = near.map_or(format!("\"{to}\"{of}"), |lag| (head - lag).to_string());
            sketch.step(format!("\"set-cursor\", client = \"{name}\", stream = \"{topic}\", to = {to}"));
        }
    }
    come_back(sketch, dice);
}

fn policy(sketch: &mut Sketch, dice: &mut Dice<'_>, room: Room) {
    if !room.policies {
        return;
    }
    if !dice.one_in(6) {
        sketch.await_all();
    } else {
        sketch.hasty |= !sketch.connected(true).is_empty();
    }
    let streams = sketch.some_streams(dice);
    let sets = dice.between(1, 3);
    let retention = (sets & 1 > 0).then(|| dice.number("retention", &[1, 2, 7, 20, 60, 200, 201, 256, 1000]));
    let budget = (sets & 2 > 0).then(|| dice.number("replay_budget", &[0, 1, 2, 7, 20, 60, 200, 201, 256, 1000]));
    let mut step = match streams.as_slice() {
        [only] => format!("\"policy\", stream = \"{}\"", sketch.streams[*only].topic),
        several => format!("\"policy\", streams = {}", sketch.quoted(several)),
    };
    for (key, number) in [("retention", retention), ("replay_budget", budget)] {
        if let Some(number) = number {
            step += &format!(", {key} = {number}");
        }
    }
    sketch.step(step);
    for stream in streams {
        sketch.streams[stream].retention = retention.or(sketch.streams[stream].retention);
        sketch.streams[stream].budget = budget.or(sketch.streams[stream].budget);
        sketch.prune(stream);
    }
}

/// Events that were published are published again, the same or with another payload: the first and the last one, those
/// at the floor, and pruned ones.
fn repeats(sketch: &mut Sketch, dice: &mut Dice<'_>, room: Room) {
    let prunes = sketch.streams.iter().any(|stream| stream.retention.is_some());
    let Some(stream) = sketch.published(dice).filter(|_| room.repeats_pruned || !prunes) else {
        return;
    };
    let (head, floor) = (sketch.streams[stream].head, sketch.streams[stream].floor);
    for _ in 0..dice.between(1, 2) {
        let edges: Vec<u64> = [1, 2, floor, floor + 1, head / 2, head.saturating_sub(1), head]
            .into_iter()
            .filter(|seq| (1..=head).contains(seq))
            .collect();
        let mut seqs: Vec<u64> = dice.some(&edges);
        seqs.sort_unstable();
        seqs.dedup();
        let word = dice.word("do", &["republish", "conflict"]);
        let topic = &sketch.streams[stream].topic;
        let how = match word {
            "republish" if dice.one_in(2) => ", spelled = \"otherwise\"",
            "conflict" if dice.one_in(2) => ", with = \"nearly-the-same\"",
            _ => "",
        };
        let step = format!("\"{word}\", stream = \"{topic}\", seqs = {seqs:?}{how}");
        sketch.step(step);
    }
}

fn resubscribe(sketch: &mut Sketch, dice: &mut Dice<'_>, room: Room) {
    let here = sketch.connected(true);
    if here.is_empty() || !room.resubscribes {
        return;
    }
    let some = dice.some(&here);
    let step = format!("\"resubscribe\", clients = {}", sketch.names(&some));
    sketch.step(step);
    for client in some {
        sketch.clients[client].resumes += 1;
        sketch.clients[client].resubscribed = true;
    }
}

/// Servers are killed and started again, or paused, once or twice.
fn servers(sketch: &mut Sketch, dice: &mut Dice<'_>, room: Room) {
    let [legacy, candidate] = room.kills;
    let mut lanes = Vec::new();
    lanes.extend((legacy && candidate).then_some("both"));
    lanes.extend(legacy.then_some(["legacy"; 2]).into_iter().flatten());
    lanes.extend(candidate.then_some("candidate"));
    let Some(lane) = dice.pick(&lanes) else { return };
    for _ in 0..dice.between(1, 2) {
        sketch.await_all();
        let (down, up) = if dice.one_in(4) { ("pause", "resume") } else { ("kill", "restart") };
        let [legacy, candidate] = room.kills_at_once;
        let at_once = match lane {
            "legacy" => legacy,
            "candidate" => candidate,
            _ => legacy && candidate,
        };
        let when = if down == "kill" && at_once && dice.one_in(2) { ", when = \"at-once\"" } else { "" };
        sketch.step(format!("\"server\", lane = \"{lane}\", action = \"{down}\"{when}"));
        sketch.step(format!("\"server\", lane = \"{lane}\", action = \"{up}\""));
        sketch.servers = true;
        if dice.one_in(2) {
            repeats(sketch, dice, room);
        }
        lockstep(sketch, dice, room);
    }
}

fn window(sketch: &mut Sketch, dice: &mut Dice<'_>, _: Room) {
    toxics::window(sketch, dice);
}
