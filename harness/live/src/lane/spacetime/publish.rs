//! The arguments of the call that publishes an event, in both of their forms: BSATN over the socket, JSON over HTTP and
//! in the JSON subprotocol.
//!
//! The stream, the idempotency key and the payload are text, at the places that the profile gives them. What else there
//! is differs by module and stays as it came.

use std::ops::Range;

use bytes::Bytes;
use spacetimedb_lib::bsatn;
use spacetimedb_sats::AlgebraicValue;

use super::classify::Classifier;
use super::schema::Schema;
use super::shape::ModuleShape;
use crate::frame::{Carried, Edit, pointer};

/// The arguments that can be changed, by name, in order.
const NAMES: [&str; 3] = ["stream_id", "idempotency_key", "payload"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublishArgs<'a> {
    texts: [String; 3],
    rest: Rest<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rest<'a> {
    /// All arguments, and where in them the texts are.
    Bsatn(&'a [u8], [Range<usize>; 3]),
    /// All arguments, and the places of the texts among them.
    Json(&'a str, [usize; 3]),
}

impl<'a> PublishArgs<'a> {
    pub(super) fn of_bsatn(schema: &Schema, args: &'a [u8]) -> Option<PublishArgs<'a>> {
        let places = places(schema.shape())?;
        let types = &schema.arguments(&schema.shape().append.reducer)?.elements;
        let mut rest = args;
        let mut ranges = Vec::new();
        for argument in types.get(..=places.into_iter().max()?)? {
            let start = args.len() - rest.len();
            AlgebraicValue::decode(&argument.algebraic_type, &mut rest).ok()?;
            ranges.push(start..args.len() - rest.len());
        }
        let [stream, key, payload] = places.map(|at| ranges[at].clone());
        let text = |range: &Range<usize>| bsatn::from_slice::<Box<str>>(&args[range.clone()]).map(String::from).ok();
        let texts = [text(&stream)?, text(&key)?, text(&payload)?];
        Some(PublishArgs { texts, rest: Rest::Bsatn(args, [stream, key, payload]) })
    }

    pub(super) fn of_json(shape: &ModuleShape, args: &'a str) -> Option<PublishArgs<'a>> {
        let places = places(shape)?;
        let elements = pointer::elements(args)?;
        let text = |at: usize| serde_json::from_str::<String>(elements.get(at)?).ok();
        let [stream, key, payload] = places.map(text);
        Some(PublishArgs { texts: [stream?, key?, payload?], rest: Rest::Json(args, places) })
    }

    pub(super) fn event(&self, classifier: &Classifier) -> Option<Carried> {
        let [stream_id, _, payload] = &self.texts;
        let stream = classifier.names.stream_of_id(stream_id)?;
        Some(Carried { stream, seq: None, payload: payload.clone() })
    }

    pub(super) fn edited(mut self, classifier: &Classifier, edit: &Edit) -> Option<PublishArgs<'a>> {
        if !classifier.applies(edit, &self.texts[0], None) {
            return None;
        }
        match edit {
            Edit::SetJson { pointer, value, .. } => self.texts[2] = pointer::replaced(&self.texts[2], pointer, value)?,
            Edit::SetColumn { column, value, .. } => {
                let at = NAMES.iter().position(|name| name == column)?;
                *self.texts.get_mut(at)? = serde_json::from_str(value).ok()?;
            }
            _ => return None,
        }
        Some(self)
    }

    pub(super) fn to_bsatn(&self) -> Option<Bytes> {
        let Rest::Bsatn(args, ranges) = &self.rest else { return None };
        let mut texts: Vec<(&Range<usize>, &String)> = ranges.iter().zip(&self.texts).collect();
        texts.sort_by_key(|(range, _)| range.start);
        let (mut out, mut done) = (Vec::new(), 0);
        for (range, text) in texts {
            out.extend_from_slice(&args[done..range.start]);
            bsatn::to_writer(&mut out, text.as_str()).ok()?;
            done = range.end;
        }
        out.extend_from_slice(&args[done..]);
        Some(Bytes::from(out))
    }

    pub(super) fn to_json(&self) -> Option<String> {
        let Rest::Json(args, at) = &self.rest else { return None };
        let mut places = Vec::new();
        let elements = pointer::elements(args)?;
        for (element, text) in at.iter().filter_map(|at| elements.get(*at)).zip(&self.texts) {
            if serde_json::from_str::<String>(element).ok().as_ref() != Some(text) {
                places.push((pointer::range_in(args, element)?, quoted(text)));
            }
        }
        pointer::spliced(args, places)
    }
}

/// Where stream, key and payload are among the arguments.
fn places(shape: &ModuleShape) -> Option<[usize; 3]> {
    let place = |name: &str| shape.append.arguments.place_of(name);
    Some([place("stream")?, place("key")?, place("payload")?])
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
