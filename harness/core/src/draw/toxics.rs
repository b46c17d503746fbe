//! Draws byte toxics: some are on from the start, others for a stretch of the script in which they must strike.

use super::dice::Dice;
use super::sketch::{MAX_EVENTS, Sketch};

/// Toxics that end connections are armed during a connection; those that slow it down may be on throughout.
const WINDOWS: &[&str] = &["latency", "bandwidth", "slicer", "timeout", "reset_peer", "limit_data"];
const THROUGHOUT: &[&str] = &["latency", "bandwidth", "slicer", "slow_close"];

/// `large` says whether the client gets large payloads, which a thin or finely cut stream would take minutes for.
fn attributes(kind: &str, large: bool, dice: &mut Dice<'_>) -> String {
    match kind {
        "latency" => format!("latency = {}, jitter = {}", dice.between(1, 30), dice.between(0, 10)),
        "bandwidth" => format!("rate = {}", if large { 5_000 } else { dice.pick(&[100u64, 500]).unwrap_or(500) }),
        "slow_close" => format!("delay = {}", dice.between(20, 200)),
        // Smaller than any message that brings an event, so that it is sure to cut one.
        "slicer" => format!("average_size = {}", if large { 64 } else { dice.pick(&[8u64, 20]).unwrap_or(20) }),
        "limit_data" => format!("bytes = {}", dice.pick(&[1u64, 100, 700, 2_500]).unwrap_or(700)),
        _ => format!("timeout = {}", dice.pick(&[0u64, 50, 150]).unwrap_or(50)),
    }
}

fn line(sketch: &mut Sketch, kind: &str, client: &str, throughout: bool, dice: &mut Dice<'_>) -> String {
    let name = format!("{}-{}", kind.replace('_', "-"), sketch.toxics.len() + 1);
    let of_client = sketch.clients.iter().filter(|other| other.name == client).flat_map(|client| &client.streams);
    let large = of_client.into_iter().any(|stream| sketch.streams[*stream].most < MAX_EVENTS);
    let attributes = attributes(kind, large, dice);
    // A client sends little: nothing but a delay is sure to strike there.
    let way = if matches!(kind, "latency" | "bandwidth") && throughout && dice.one_in(3) {
        ", stream = \"upstream\""
    } else {
        ""
    };
    let line = format!("{{ type = \"{kind}\", name = \"{name}\", clients = [\"{client}\"]{way}, {attributes} }}");
    sketch.toxics.push(line);
    name
}

pub(super) fn from_the_start(sketch: &mut Sketch, dice: &mut Dice<'_>) {
    let kind = dice.word("type", THROUGHOUT);
    // The end of a connection is late only where it comes before the toxics are off.
    let clients = sketch.clients.iter().filter(|client| client.left || kind != "slow_close");
    let names: Vec<_> = clients.map(|client| client.name).collect();
    let Some(client) = dice.pick(&names) else { return };
    line(sketch, kind, client, true, dice);
}

/// A toxic strikes while events come, and goes before they are waited for.
pub(super) fn window(sketch: &mut Sketch, dice: &mut Dice<'_>) {
    let here = sketch.connected(true);
    let Some(client) = dice.pick(&here) else { return };
    let streams = sketch.clients[client].streams.clone();
    let Some(stream) = dice.pick(&streams) else { return };
    if sketch.events > 300 || sketch.streams[stream].most < 100 {
        return;
    }
    sketch.await_all();
    let kind = dice.word("type", WINDOWS);
    let name = line(sketch, kind, sketch.clients[client].name, false, dice);
    sketch.step(format!("\"arm\", toxics = [\"{name}\"]"));
    let bursts = sketch.clients[client].bursts.len();
    sketch.publish(&[stream], dice.between(12, 24), false, None);
    // The toxic can take these events from the client, so that no fault may wait for them.
    sketch.clients[client].bursts.truncate(bursts);
    sketch.step(format!("\"await-fault\", fault = \"{name}\""));
    sketch.step(format!("\"disarm\", toxics = [\"{name}\"]"));
    sketch.await_all();
}
