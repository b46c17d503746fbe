//! A protocol small enough to be read in a test: words in text messages.

use std::sync::Arc;

use bytes::Bytes;
use cutover_core::history::Via;
use cutover_core::ids::{Cursor, Seq};

use crate::frame::{Body, Edit, Frame, FrameTag, FrameTagger, TaggerFactory};

/// `resume s=4 t=-`, `more s=4`, `reply`, `ev s:5 payload`, `copy s:5 payload`, `hb`, `hb-reply`; HTTP is the writer's.
pub(super) struct Toy;

fn text(frame: &Frame) -> Option<String> {
    match &frame.body {
        Body::Text(bytes) => String::from_utf8(bytes.to_vec()).ok(),
        _ => None,
    }
}

fn cursors(words: &[&str]) -> Vec<(cutover_core::ids::StreamId, Option<Cursor>)> {
    let pairs = words.iter().filter_map(|word| word.split_once('='));
    pairs.map(|(stream, cursor)| (stream.into(), cursor.parse().ok().map(Cursor))).collect()
}

impl FrameTagger for Toy {
    fn tag(&self, frame: &Frame) -> FrameTag {
        match &frame.body {
            Body::Http(bytes) if bytes.starts_with(b"HTTP/") => return FrameTag::Ack,
            Body::Http(_) => return FrameTag::Publish,
            Body::Pong(_) => return FrameTag::HeartbeatReply,
            _ => {}
        }
        let text = text(frame).unwrap_or_default();
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            [opening @ ("resume" | "more"), ref streams @ ..] => {
                FrameTag::Resume { cursors: cursors(streams), opens: opening == "resume" }
            }
            ["reply", ..] => FrameTag::ResumeReply,
            ["hb"] => FrameTag::Heartbeat,
            ["hb-reply"] => FrameTag::HeartbeatReply,
            [kind @ ("ev" | "copy"), event, ..] => {
                let Some((stream, seq)) = event.rsplit_once(':') else {
                    return FrameTag::Other;
                };
                let via = if kind == "ev" { Via::UpdateBatch } else { Via::Frame };
                let seq = seq.parse().map(Seq).unwrap_or_default();
                FrameTag::Delivery { events: vec![(stream.into(), seq)], via }
            }
            _ => FrameTag::Other,
        }
    }

    fn edit(&self, frame: &Frame, edit: &Edit) -> Option<Frame> {
        let text = text(frame)?;
        let changed = match edit {
            Edit::Cursor { stream, to } => {
                let words = text.split(' ').map(|word| match word.split_once('=') {
                    Some((name, _)) if name == stream.as_str() => format!("{name}={to}"),
                    _ => word.to_owned(),
                });
                words.collect::<Vec<_>>().join(" ")
            }
            Edit::RemoveEvent { .. } => "ev".to_owned(),
            Edit::ReplacePayload { payload, .. } => format!("{} {payload}", text.rsplit_once(' ')?.0),
            Edit::Misdeliver { to_stream, to_seq, .. } => format!("{text} also {to_stream}:{to_seq}"),
            Edit::SetJson { .. } | Edit::SetColumn { .. } => return None,
        };
        Some(Frame { direction: frame.direction, body: Body::Text(Bytes::from(changed)) })
    }
}

/// The same tagger for every connection.
pub(super) struct ToyFactory;

impl TaggerFactory for ToyFactory {
    fn tagger(&self, _: &str, _: Option<&str>) -> Arc<dyn FrameTagger> {
        Arc::new(Toy)
    }
}
