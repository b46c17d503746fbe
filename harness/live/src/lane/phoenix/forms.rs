//! The forms of a service's messages: where the body of a payload lies, how its fields are found, and what a watermark
//! looks like. Whoever reads, writes or changes a message asks here.

use std::borrow::Cow;

use serde::Deserialize;

use crate::frame::pointer;

/// Stands for the number in the form of a watermark.
const SEQ: &str = "{seq}";
/// A number that no form contains.
const SAMPLE: &str = "918273645546372819";

/// Where the bodies lie in the payloads, as JSON pointers; `""` where the payload is the body.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Envelope {
    /// Of what the service sends by itself.
    pub push: String,
    /// Of the response to a request.
    pub reply: String,
    /// Of the response that refuses one.
    pub refusal: String,
    /// Of what a client sends.
    pub request: String,
    /// What stands beside the body in the envelope of a request.
    pub with: toml::Table,
}

impl Envelope {
    /// The keys and pointers of it.
    pub(super) fn pointers(&self) -> [(&'static str, &str); 4] {
        [
            ("envelope.push", &self.push),
            ("envelope.reply", &self.reply),
            ("envelope.refusal", &self.refusal),
            ("envelope.request", &self.request),
        ]
    }
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Forms {
    pub watermark: WatermarkForm,
    pub resume_after: ResumeForm,
}

/// How a subscribe names the cursors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResumeForm {
    /// An object from topic to watermark.
    #[default]
    Map,
    /// A list of objects with a topic and a watermark.
    List,
    /// The watermark alone, where a channel has one topic.
    One,
}

/// A watermark as JSON, with `{seq}` where the number stands: a number, text around it, or an object that has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct WatermarkForm {
    form: String,
    /// Where the value with the number stands.
    at: String,
    /// What stands around the number in a text; `None` where the value is a number.
    around: Option<(String, String)>,
}

impl Default for WatermarkForm {
    fn default() -> Self {
        WatermarkForm { form: SEQ.to_owned(), at: String::new(), around: None }
    }
}

impl TryFrom<String> for WatermarkForm {
    type Error = String;

    fn try_from(form: String) -> Result<Self, String> {
        let wrong = || {
            let forms = format!("'{SEQ}', '\"{SEQ}\"' or '{{\"seq\": {SEQ}}}'");
            format!("`{form}` is no form of a watermark; write JSON with `{SEQ}` in it: {forms}")
        };
        if form.matches(SEQ).count() != 1 {
            return Err(wrong());
        }
        let json: serde_json::Value = serde_json::from_str(&form.replace(SEQ, SAMPLE)).map_err(|_| wrong())?;
        let (at, around) = place_of_sample(&json, String::new()).ok_or_else(wrong)?;
        Ok(WatermarkForm { form, at, around })
    }
}

/// Where the sample stands in a value, and what is around it in a text.
#[allow(clippy::type_complexity, reason = "one use")]
fn place_of_sample(value: &serde_json::Value, at: String) -> Option<(String, Option<(String, String)>)> {
    use serde_json::Value;
    match value {
        Value::Number(number) => (number.to_string() == SAMPLE).then_some((at, None)),
        Value::String(text) => {
            let (before, behind) = text.split_once(SAMPLE)?;
            Some((at, Some((before.to_owned(), behind.to_owned()))))
        }
        Value::Array(list) => {
            list.iter().enumerate().find_map(|(index, value)| place_of_sample(value, format!("{at}/{index}")))
        }
        Value::Object(members) => members.iter().find_map(|(name, value)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            place_of_sample(value, format!("{at}/{name}"))
        }),
        _ => None,
    }
}

impl WatermarkForm {
    pub fn is_usual(&self) -> bool {
        self.at.is_empty() && self.around.is_none()
    }

    pub fn write(&self, seq: u64) -> String {
        self.form.replace(SEQ, &seq.to_string())
    }

    /// The number in a watermark; `None` where it is of another form. What else an object has does not matter.
    pub fn read(&self, text: &str) -> Option<u64> {
        let found = if self.at.is_empty() { text } else { pointer::find(text, &self.at)? };
        let Some((before, behind)) = &self.around else { return found.parse().ok() };
        let text: Cow<'_, str> = serde_json::from_str(found).ok()?;
        let number = text.strip_prefix(before.as_str())?.strip_suffix(behind.as_str())?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok()).flatten()
    }

    pub fn as_str(&self) -> &str {
        &self.form
    }
}

#[cfg(test)]
mod tests;
