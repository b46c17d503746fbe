//! The call that publishes an event, in both forms that its arguments have: BSATN over the socket, JSON over HTTP and in the
//! JSON subprotocol.
//!
//! Its first three arguments are the stream, the idempotency key and the payload, all text; what follows differs by module,
//! and is left alone.

use bytes::Bytes;
use spacetimedb_lib::bsatn;

use super::sort::Sorter;
use crate::frame::{Carried, Edit, pointer};

/// The arguments that can be changed, by name, in order.
const NAMES: [&str; 3] = ["stream_id", "idempotency_key", "payload"];

/// Arguments of a publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call<'a> {
    texts: [String; 3],
    rest: Rest<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rest<'a> {
    Bsatn(&'a [u8]),
    /// The whole list.
    Json(&'a str),
}

impl<'a> Call<'a> {
    /// Reads arguments in BSATN.
    pub(super) fn of_bsatn(args: &'a [u8]) -> Option<Call<'a>> {
        let mut rest = args;
        let mut text = || bsatn::from_reader::<Box<str>>(&mut rest).map(String::from).ok();
        let texts = [text()?, text()?, text()?];
        Some(Call { texts, rest: Rest::Bsatn(rest) })
    }

    /// Reads arguments in JSON.
    pub(super) fn of_json(args: &'a str) -> Option<Call<'a>> {
        let elements = pointer::elements(args)?;
        let text = |at: usize| serde_json::from_str::<String>(elements.get(at)?).ok();
        Some(Call { texts: [text(0)?, text(1)?, text(2)?], rest: Rest::Json(args) })
    }

    /// The stream's name on the wire.
    pub(super) fn stream_id(&self) -> &str {
        &self.texts[0]
    }

    /// The event that is published.
    pub(super) fn event(&self, sorter: &Sorter) -> Option<Carried> {
        Some(Carried {
            stream: sorter.names.stream_of_candidate(self.stream_id())?,
            seq: None,
            payload: self.texts[2].clone(),
        })
    }

    /// The same with a value changed; `None` where the change does not apply.
    pub(super) fn edited(mut self, sorter: &Sorter, edit: &Edit) -> Option<Call<'a>> {
        if !sorter.means(edit, self.stream_id(), None) {
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

    /// Writes arguments that came in BSATN.
    pub(super) fn to_bsatn(&self) -> Option<Bytes> {
        let Rest::Bsatn(rest) = self.rest else { return None };
        let mut out = Vec::new();
        for text in &self.texts {
            bsatn::to_writer(&mut out, text.as_str()).ok()?;
        }
        out.extend_from_slice(rest);
        Some(Bytes::from(out))
    }

    /// Writes arguments that came in JSON; what was not changed stays the text that it was.
    pub(super) fn to_json(&self) -> Option<String> {
        let Rest::Json(args) = self.rest else { return None };
        let mut places = Vec::new();
        for (standing, text) in pointer::elements(args)?.into_iter().zip(&self.texts) {
            if serde_json::from_str::<String>(standing).ok().as_ref() != Some(text) {
                let new = serde_json::Value::from(text.as_str()).to_string();
                places.push((pointer::range_in(args, standing)?, new));
            }
        }
        pointer::spliced(args, places)
    }
}
