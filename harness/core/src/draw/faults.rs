//! Draws faults at positions that the script is known to reach.

use super::dice::Dice;
use super::sketch::Sketch;
use crate::plan::fault::FAULTS;
use crate::plan::fault::spec::Effect;

const MOST: u64 = 4;

/// Who a fault applies to, and where it fires.
type At = (&'static str, String);

pub(super) fn draw(sketch: &mut Sketch, dice: &mut Dice<'_>) {
    for _ in 0..dice.between(0, MOST) {
        let words: Vec<_> = FAULTS.iter().filter(|spec| !spec.does(Effect::Defect)).map(|spec| spec.word).collect();
        let word = dice.word("do", &words);
        let clients: Vec<usize> = (0..sketch.clients.len()).collect();
        let Some(client) = dice.pick(&clients) else { return };
        let fault = match word {
            "starve-heartbeats" => heartbeats(sketch, client, dice),
            "hold" => hold(sketch, client, dice),
            "rewrite-cursor" => rewrite(sketch, client, dice),
            _ => fault(sketch, word, client, dice),
        };
        if let Some(fault) = fault {
            let fault = if fault.contains("heartbeat_reply") { format!(", name = \"beat\"{fault}") } else { fault };
            sketch.faults.push(format!("{{ do = \"{word}\"{fault} }}"));
        }
    }
}

fn fault(sketch: &mut Sketch, word: &str, client: usize, dice: &mut Dice<'_>) -> Option<String> {
    let attributes = match word {
        "cut" => cut(dice),
        "repeat" => {
            let large =
                sketch.clients[client].streams.iter().any(|stream| sketch.streams[*stream].payload == "mebibyte");
            let most: &[u64] = if large { &[1, 2, 3] } else { &[1, 2, 3, 255] };
            format!(", more = {}", dice.pick(most).unwrap_or(1))
        }
        "delay" => format!(", ms = {}", dice.between(1, 120)),
        "reorder" => format!(", behind = {}", dice.between(1, 4)),
        "split" => format!(", frames = {}", dice.pick(&[2u64, 3, 17]).unwrap_or(2)),
        "merge" => format!(", messages = {}", dice.between(2, 5)),
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
        _ if dice.one_in(24) => heartbeat_reply(sketch, client),
        _ => anywhere(sketch, client, dice),
    }?;
    // The writer sends nothing more before it has its answer, so that no two of its messages can be merged. Over HTTP,
    // it sends no frames that can be split.
    if matches!(word, "merge" | "split") && who == "writer" {
        return None;
    }
    let lane = if at.contains("lane") || at.contains("heartbeat") { "" } else { lane };
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

/// Each delivery, and each burst, is for one fault: another one could take its message away.
fn alone(sketch: &mut Sketch, client: usize, dice: &mut Dice<'_>) -> Option<At> {
    let client = &mut sketch.clients[client];
    let (stream, seq) = dice.pick(&client.alone)?;
    client.alone.retain(|other| *other != (stream, seq));
    Some((client.name, format!("delivery = \"{}\", seq = {seq}", sketch.streams[stream].topic)))
}

fn burst(sketch: &mut Sketch, client: usize, dice: &mut Dice<'_>) -> Option<(usize, u64, u64)> {
    let bursts = &mut sketch.clients[client].bursts;
    let burst = dice.pick(bursts)?;
    bursts.retain(|other| *other != burst);
    Some(burst)
}

fn in_burst(sketch: &mut Sketch, client: usize, dice: &mut Dice<'_>) -> Option<At> {
    let (stream, first, last) = burst(sketch, client, dice)?;
    let client = &sketch.clients[client];
    let seq = dice.between(first, last.saturating_sub(1).max(first));
    let topic = &sketch.streams[stream].topic;
    let at = match dice.one_in(2) {
        true => format!("delivery = \"{topic}\", seq = {seq}"),
        false => format!("message = \"downstream\", kind = \"delivery\", topic = \"{topic}\", seq = {seq}"),
    };
    Some((client.name, at))
}

/// A fault that waits for something else than a delivery is alone with its client, or with the writer: another one
/// could take its message away.
fn anywhere(sketch: &mut Sketch, client: usize, dice: &mut Dice<'_>) -> Option<At> {
    let (name, resumes) = (sketch.clients[client].name, sketch.clients[client].resumes.max(1));
    // Publishes that are sent together have connections of their own.
    let heads = sketch.streams.iter().filter(|stream| stream.head > 0 && !stream.together);
    let heads: Vec<_> = heads.map(|stream| (stream.topic.clone(), stream.head)).collect();
    let at = dice.word("at", &["delivery", "resume", "resume_reply", "ack", "message"]);
    if at == "delivery" {
        return alone(sketch, client, dice);
    }
    let (who, at) = match at {
        "resume" | "resume_reply" => (name, format!("{at} = {}", dice.between(1, resumes))),
        "ack" => {
            let (topic, head) = heads.get(usize::try_from(dice.between(1, heads.len() as u64)).ok()? - 1)?;
            ("writer", format!("ack = \"{topic}\", seq = {}", dice.between(1, *head)))
        }
        _ => {
            let (who, way, kind) = dice.pick(&[
                (name, "downstream", "delivery"),
                (name, "downstream", "resume-reply"),
                (name, "upstream", "resume"),
                ("writer", "upstream", "publish"),
                ("writer", "downstream", "ack"),
            ])?;
            (who, format!("message = \"{way}\", kind = \"{kind}\", nth = 1"))
        }
    };
    let taken = match who {
        "writer" => &mut sketch.writer_faulted,
        _ => &mut sketch.clients[client].faulted,
    };
    (!std::mem::replace(taken, true)).then_some((who, at))
}

/// An event is held until a later one of the same burst is acknowledged.
fn hold(sketch: &mut Sketch, client: usize, dice: &mut Dice<'_>) -> Option<String> {
    let (stream, first, last) = burst(sketch, client, dice)?;
    let client = &sketch.clients[client];
    let topic = &sketch.streams[stream].topic;
    let seq = dice.between(first, last - 1);
    let until = format!("{{ acked = \"{topic}\", seq = {} }}", dice.between(seq + 1, last));
    Some(format!(", until = {until}, clients = [\"{}\"], at = {{ delivery = \"{topic}\", seq = {seq} }}", client.name))
}

/// Never forwards: what a lane then leaves out, a client notices at the next event only, or not at all.
fn rewrite(sketch: &mut Sketch, client: usize, dice: &mut Dice<'_>) -> Option<String> {
    let client = &mut sketch.clients[client];
    // A first subscription, and one that is made anew, have no cursor to rewrite.
    if client.resumes < 2 || client.resubscribed || std::mem::replace(&mut client.faulted, true) {
        return None;
    }
    let stream = dice.pick(&client.streams)?;
    let topic = &sketch.streams[stream].topic;
    let to = dice.word("to", &["zero", "behind", "below-floor"]);
    let nth = dice.between(2, client.resumes);
    Some(format!(", stream = \"{topic}\", to = \"{to}\", clients = [\"{}\"], at = {{ resume = {nth} }}", client.name))
}

/// What waits for heartbeats takes seconds, so it is rare.
fn heartbeats(sketch: &mut Sketch, client: usize, dice: &mut Dice<'_>) -> Option<String> {
    if !dice.one_in(8) || !sketch.toxics.is_empty() || sketch.servers {
        return None;
    }
    let name = sketch.clients[client].name;
    await_beat(sketch);
    Some(format!(", name = \"beat\", clients = [\"{name}\"]"))
}

fn heartbeat_reply(sketch: &mut Sketch, client: usize) -> Option<At> {
    if sketch.steps.iter().any(|step| step.contains("beat")) || !sketch.toxics.is_empty() || sketch.servers {
        return None;
    }
    await_beat(sketch);
    Some((sketch.clients[client].name, "heartbeat_reply = 1".to_owned()))
}

/// At the end, all clients are connected, and nothing happens until the fault has fired.
fn await_beat(sketch: &mut Sketch) {
    if !sketch.steps.iter().any(|step| step.contains("beat")) {
        sketch.step("\"await-fault\", fault = \"beat\"".to_owned());
        sketch.await_all();
    }
}
