//! Every kind of fault on every wire format, on recordings of real servers.

#![allow(clippy::unwrap_used)]

mod edits;
mod filters;
mod kinds;
mod properties;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cutover_core::ids::{Cursor, FaultId, Seq, StreamId};
use cutover_core::plan::{
    self, Cut, FaultKind, MessageFilter, MessageKind, Mutation, PlannedFault, Position, Predicate, Release, Scope,
    Serializer, Times, When,
};

use super::{Effect, Fate, Fault, Seen, arm};
use crate::frame::{Body, Direction, Edit, Frame, FrameTag, FrameTagger, View};
use crate::lane::names::Names;
use crate::lane::phoenix;
use crate::lane::phoenix::PhoenixProfile;
use crate::lane::spacetime;
use crate::lane::spacetime::tests::recording;

/// A tagger that says one thing of every frame.
pub(crate) struct Canned(pub(crate) FrameTag);

impl FrameTagger for Canned {
    fn tag(&self, _: &Frame) -> FrameTag {
        self.0.clone()
    }

    fn edit(&self, _: &Frame, _: &Edit) -> Option<Frame> {
        None
    }
}

/// A wire format: its tagger, a recorded conversation in it, and a stream that is delivered there.
struct Wire {
    name: String,
    tagger: Arc<dyn FrameTagger>,
    frames: Vec<Frame>,
    stream: &'static str,
}

fn phoenix_wire(name: &str, serializer: Serializer, names: Names) -> Wire {
    let profile = PhoenixProfile::of_url("ws://lane.example").unwrap();
    Wire {
        name: name.to_owned(),
        tagger: Arc::new(phoenix::Tagger::new(serializer, Arc::new(profile), Arc::new(names))),
        frames: phoenix::tests::replay::recording(name).iter().filter_map(|row| row.frame()).collect(),
        stream: "run:r1:events",
    }
}

/// Both Phoenix serializers; the three subprotocols of SpacetimeDB in all compressions; its JSON.
fn wires() -> Vec<Wire> {
    let mut wires = vec![
        phoenix_wire("v1_official_client_1_2_1", Serializer::V1, Names::any()),
        phoenix_wire("v2_join_subscribe_live_leave", Serializer::V2, Names::any()),
        phoenix_wire("v2_join_subscribe_live_leave", Serializer::V2, phoenix::tests::replay::names()),
    ];
    for (name, protocol, rows) in recording::all() {
        let names = Arc::new(Names::any());
        wires.push(Wire {
            name,
            tagger: Arc::new(spacetime::Tagger::new(protocol, names, recording::schema())),
            frames: rows.iter().map(recording::Row::frame).collect(),
            stream: "s1",
        });
    }
    wires.push(Wire {
        name: "v1 in JSON".to_owned(),
        tagger: Arc::new(spacetime::Tagger::json(Arc::new(Names::any()), recording::schema())),
        frames: spacetime::tests::recording::in_json(),
        stream: "s1",
    });
    wires
}

fn deliveries() -> MessageFilter {
    MessageFilter { kind: Some(MessageKind::Delivery), ..MessageFilter::any(plan::Direction::Downstream) }
}

fn planned(filter: MessageFilter, kind: FaultKind, times: Times) -> PlannedFault {
    PlannedFault { id: FaultId::new("f"), lane: None, client: "c".into(), at: Position::Message(filter), kind, times }
}

fn armed(filter: MessageFilter, kind: FaultKind) -> Box<dyn Fault> {
    arm(&planned(filter, kind, Times::Once))
}

fn shown(fault: &mut dyn Fault, tagger: &dyn FrameTagger, frame: &Frame, conn: u32) -> Option<Effect> {
    let view = View::new(tagger, frame.clone());
    fault.on_frame(&Seen { view: &view, conn, nth: 0, op: None })
}

/// Which frames of the wire the fault fires, and how.
fn fires(wire: &Wire, fault: &mut dyn Fault) -> Vec<(usize, Fate)> {
    let frames = wire.frames.iter().enumerate();
    let fired = frames.filter_map(|(index, frame)| Some((index, shown(fault, &*wire.tagger, frame, 1)?.fate)));
    fired.collect()
}
