//! Reads a service's refusals in the contract's words: what its fields and its codes are called.

use serde_json::{Map, Value};

use super::profile::{PhoenixProfile, RefusalNames};
use crate::frame::pointer;

impl PhoenixProfile {
    /// The response that refuses a request, in the contract's words.
    pub(super) fn refused(&self, response: &str) -> Value {
        self.in_words_of_contract(response, &self.envelope.refusal)
    }

    /// An error that the service sends by itself, in the contract's words.
    pub(super) fn error_of(&self, payload: &str) -> Value {
        self.in_words_of_contract(payload, &self.envelope.push)
    }

    pub(super) fn in_words_of_contract(&self, text: &str, at: &str) -> Value {
        let body = pointer::find(text, at).unwrap_or(text);
        let mut json = match serde_json::from_str(body).unwrap_or_default() {
            Value::String(code) => serde_json::json!({ "code": code }),
            other => other,
        };
        if self.refusal == RefusalNames::default() && self.codes.is_usual() && self.forms.watermark.is_usual() {
            return json;
        }
        self.rename(&mut json);
        for word in ["code", "reason"] {
            self.translate(json.get_mut(word));
        }
        json.get_mut("reason_codes").and_then(Value::as_array_mut).into_iter().flatten().for_each(|reason| {
            self.translate(Some(reason));
        });
        for entry in json.get_mut("stale_topics").and_then(Value::as_array_mut).into_iter().flatten() {
            self.rename(entry);
            self.translate(entry.get_mut("reason"));
        }
        json
    }

    /// The contract's names for the fields of an object, and numbers for its watermarks.
    fn rename(&self, object: &mut Value) {
        let renamed: Map<String, Value> = self
            .refusal
            .pairs()
            .into_iter()
            .filter_map(|(usual, own)| {
                let found = if own.starts_with('/') { object.pointer(own) } else { object.get(own) };
                Some((usual.to_owned(), found?.clone()))
            })
            .collect();
        let Some(object) = object.as_object_mut() else { return };
        object.extend(renamed);
        for name in ["resume_after", "retention_floor", "head_watermark"] {
            if let Some(value) = object.get_mut(name)
                && let Some(seq) = self.forms.watermark.read(&value.to_string())
            {
                *value = seq.into();
            }
        }
    }

    fn translate(&self, word: Option<&mut Value>) {
        if let Some(Value::String(word)) = word {
            *word = self.codes.word(word).to_owned();
        }
    }
}

#[cfg(test)]
mod tests;
