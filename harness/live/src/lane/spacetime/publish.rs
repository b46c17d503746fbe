//! The arguments of the call that publishes an event, in both of their forms: BSATN over the socket, JSON over HTTP and
//! in the JSON subprotocol.
//!
//! The first three arguments are the stream, the idempotency key and the payload, all text. What follows differs by
//! module and stays as it came.

use bytes::Bytes;
use spacetimedb_lib::bsatn;

use super::classify::Classifier;
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
    Bsatn(&'a [u8]),
    Json(&'a str),
}

impl<'a> PublishArgs<'a> {
    pub(super) fn of_bsatn(args: &'a [u8]) -> Option<PublishArgs<'a>> {
        let mut rest = args;
        let mut text = || bsatn::from_reader::<Box<str>>(&mut rest).map(String::from).ok();
        let texts = [text()?, text()?, text()?];
        Some(PublishArgs { texts, rest: Rest::Bsatn(rest) })
    }

    pub(super) fn of_json(args: &'a str) -> Option<PublishArgs<'a>> {
        let elements = pointer::elements(args)?;
        let text = |at: usize| serde_json::from_str::<String>(elements.get(at)?).ok();
        Some(PublishArgs { texts: [text(0)?, text(1)?, text(2)?], rest: Rest::Json(args) })
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
        let Rest::Bsatn(rest) = self.rest else { return None };
        let mut out = Vec::new();
        for text in &self.texts {
            bsatn::to_writer(&mut out, text.as_str()).ok()?;
        }
        out.extend_from_slice(rest);
        Some(Bytes::from(out))
    }

    pub(super) fn to_json(&self) -> Option<String> {
        let Rest::Json(args) = self.rest else { return None };
        let mut places = Vec::new();
        for (element, text) in pointer::elements(args)?.into_iter().zip(&self.texts) {
            if serde_json::from_str::<String>(element).ok().as_ref() != Some(text) {
                places.push((pointer::range_in(args, element)?, quoted(text)));
            }
        }
        pointer::spliced(args, places)
    }
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
