//! How a module spells its refusals: in the contract's JSON, or as plain text with patterns.

use cutover_core::history::Refusal;
use cutover_core::text::visible;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::template::matched;
use crate::lane::names::Names;
use crate::lane::refusal::{read_refusal, refusal};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    #[default]
    Json,
    Text,
}

/// A text that the module refuses with. `{name}` in it stands for a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    pub text: String,
    /// The contract's code for it.
    pub code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Refusals {
    pub form: Form,
    pub patterns: Vec<Pattern>,
}

impl Refusals {
    /// A refusal by the module's words. Words of no known form become the message of a `server_error`.
    pub fn read(&self, names: &Names, words: &str) -> Refusal {
        let by_pattern = self.patterns.iter().find_map(|pattern| Some((pattern, matched(&pattern.text, words)?)));
        if let Some((pattern, values)) = by_pattern {
            let numbers = values.into_iter().filter_map(|(name, value)| Some((name, value.parse().ok()?)));
            return Refusal { numbers: numbers.collect(), ..refusal(pattern.code.clone(), words) };
        }
        let json: Value = match self.form {
            Form::Json => serde_json::from_str(words).unwrap_or_default(),
            Form::Text => Value::Null,
        };
        read_refusal(&json, |name| names.stream_of_id(name)).unwrap_or_else(|| refusal("server_error", words))
    }

    pub(super) fn misfits(&self) -> Vec<(&'static str, String, String)> {
        let bad = self.patterns.iter().filter(|pattern| {
            let fixed = pattern.text.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
            fixed.collect::<String>().trim().is_empty() || pattern.code.is_empty()
        });
        let says = |pattern: &Pattern| {
            let what = format!("the pattern `{}` fits every text, or has no code", visible(&pattern.text));
            ("refusals.patterns", what, "give words that only this refusal has, and the contract's code".to_owned())
        };
        bad.map(says).collect()
    }
}

#[cfg(test)]
mod tests;
