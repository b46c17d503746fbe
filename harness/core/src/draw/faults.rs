//! Draws faults at positions that the script is known to reach.

use super::dice::Dice;
use super::sketch::Sketch;
use crate::plan::fault::FAULTS;
use crate::plan::fault::spec::Effect;

const MOST: u64 = 4;

pub(super) fn draw(sketch: &mut Sketch, dice: &mut Dice<'_>) {
    for _ in 0..dice.between(0, MOST) {
        let words: Vec<_> = FAULTS.iter().filter(|spec| !spec.does(Effect::Defect)).map(|spec| spec.word).collect();
        let word = dice.word("do", &words);
        if let Some(line) = fault(sketch, word, dice) {
            sketch.faults.push(format!("{{ do = \"{word}\"{line} }}"));
        }
    }
}

fn fault(sketch: &Sketch, word: &str, dice: &mut Dice<'_>) -> Option<String> {
    let clients: Vec<usize> = (0..sketch.clients.len()).collect();
    let client = dice.pick(&clients)?;
    let attributes = match word {
        "cut" => cut(dice),
        "repeat" => format!(", more = {}", dice.pick(&[1u64, 2, 3, 255]).unwrap_or(1)),
        "delay" => format!(", ms = {}", dice.between(1, 120)),
        "hold" => return hold(sketch, client, dice),
        "rewrite-cursor" => return rewrite(sketch, client, dice),
        "reorder" => format!(", behind = {}", dice.between(1, 4)),
        "split" => format!(", frames = {}", dice.pick(&[2u64, 3, 17]).unwrap_or(2)),
        "merge" => format!(", messages = {}", dice.between(2, 5)),
        "starve-heartbeats" => return heartbeats(sketch, client, dice),
        _ => String::new(),
    };
    let lane = match dice.between(0, 7) {
        0 => ", lane = \"legacy\"",
        1 => ", lane = \"candidate\"",
        _ => "",
    };
    let (who, at) = match word {
        "drop" | "reorder" => in_burst(sketch, client, dice),
        "repeat" => alone(sketch, client, dice),
        _ => anywhere(sketch, client, dice),
    }?;
    Some(format!("{attributes}, clients = [\"{who}\"]{lane}, at = {{ {at} }}"))
}

fn cut(dice: &mut Dice<'_>) -> String {
    let how = dice.word("how", &["close", "drop", "reset"]);
    let when = dice.word("when", &["before", "after"]);
    let code = match how {
        "close" if dice.one_in(2) => format!(", code = {}", dice.pick(&[1000u64, 1001, 1011, 4000]).unwrap_or(1001)),
        _ => String::new(),
    };
    format!(", how = \"{how}\", when = \"{when}\"{code}")
}

type At = (&'static str, String);

fn alone(sketch: &Sketch, client: usize, dice: &mut Dice<'_>) -> Option<At> {
    let client = &sketch.clients[client];
    let (stream, seq) = dice.pick(&client.alone)?;
    Some((client.name, format!("delivery = \"{}\", seq = {seq}", sketch.streams[stream].topic)))
}

fn in_burst(sketch: &Sketch, client: usize, dice: &mut Dice<'_>) -> Option<At> {
    let client = &sketch.clients[client];
    let (stream, first, last) = dice.pick(&client.bursts)?;
    let seq = dice.between(first, last.saturating_sub(1).max(first));
    let topic = &sketch.streams[stream].topic;
    let at = match dice.one_in(2) {
        true => format!("delivery = \"{topic}\", seq = {seq}"),
        false => format!("message = \"downstream\", kind = \"delivery\", topic = \"{topic}\", seq = {seq}"),
    };
    Some((client.name, at))
}

fn anywhere(sketch: &Sketch, client: usize, dice: &mut Dice<'_>) -> Option<At> {
    let name = sketch.clients[client].name;
    let resumes = sketch.clients[client].resumes;
    let heads: Vec<_> = sketch.streams.iter().filter(|stream| stream.head > 0).map(|s| (&s.topic, s.head)).collect();
    match dice.word("at", &["delivery", "resume", "resume_reply", "ack", "message"]) {
        "delivery" => alone(sketch, client, dice),
        "resume" => Some((name, format!("resume = {}", dice.between(1, resumes.max(1))))),
        "resume_reply" => Some((name, format!("resume_reply = {}", dice.between(1, resumes.max(1))))),
        "ack" => {
            let (topic, head) = dice.pick(&heads)?;
            Some(("writer", format!("ack = \"{topic}\", seq = {}", dice.between(1, head))))
        }
        _ => {
            let (who, way, kind) = dice.pick(&[
                (name, "downstream", "join"),
                (name, "downstream", "delivery"),
                (name, "downstream", "resume-reply"),
                (name, "upstream", "resume"),
                ("writer", "upstream", "publish"),
                ("writer", "downstream", "ack"),
            ])?;
            Some((who, format!("message = \"{way}\", kind = \"{kind}\", nth = {}", dice.between(1, 2))))
        }
    }
}

/// An event is held until a later one of the same burst is acknowledged.
fn hold(sketch: &Sketch, client: usize, dice: &mut Dice<'_>) -> Option<String> {
    let client = &sketch.clients[client];
    let (stream, first, last) = dice.pick(&client.bursts)?;
    let topic = &sketch.streams[stream].topic;
    let seq = dice.between(first, last - 1);
    let until = format!("{{ acked = \"{topic}\", seq = {} }}", dice.between(seq + 1, last));
    Some(format!(", until = {until}, clients = [\"{}\"], at = {{ delivery = \"{topic}\", seq = {seq} }}", client.name))
}

fn rewrite(sketch: &Sketch, client: usize, dice: &mut Dice<'_>) -> Option<String> {
    let client = &sketch.clients[client];
    let stream = dice.pick(&client.streams)?;
    let topic = &sketch.streams[stream].topic;
    let to = dice.word("to", &["zero", "behind", "floor", "below-floor", "head", "beyond-head", "at-budget"]);
    let nth = dice.between(2, client.resumes.max(2));
    Some(format!(", stream = \"{topic}\", to = \"{to}\", clients = [\"{}\"], at = {{ resume = {nth} }}", client.name))
}

/// What waits for heartbeats takes seconds, so it is rare.
fn heartbeats(sketch: &Sketch, client: usize, dice: &mut Dice<'_>) -> Option<String> {
    dice.one_in(8).then(|| format!(", clients = [\"{}\"]", sketch.clients[client].name))
}
