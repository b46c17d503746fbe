//! Reads the JSON object of a request's body; refusals say what is wrong with it in JSON's terms.

use std::fmt;

use axum::{body::to_bytes, extract::Request};
use http::{StatusCode, header};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json, value::RawValue};

/// A refusal: a status, a code, and words; some have more fields.
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &str, message: &str) -> Self {
        Self { status, body: json!({"code": code, "message": message}) }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.body[name] = value.into();
        self
    }
}

pub(crate) struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    /// Reads a request's body of at most `limit` bytes. Where `known` is given, every key must be in it.
    pub(crate) async fn read(request: Request, limit: usize, known: Option<&[&str]>) -> Result<Self, Refusal> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.map(|kind| kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim());
        if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("application/json")) {
            let message = "a body is JSON, of the content type application/json";
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message));
        }
        let body = to_bytes(request.into_body(), limit).await.map_err(|_| too_large(limit))?;
        let text: &RawValue = serde_json::from_slice(&body).map_err(|error| {
            let message = match error.line() {
                _ if body.is_empty() => "the body is empty, where a JSON object is wanted".to_owned(),
                line => format!("the body is not JSON: line {line}, column {}", error.column()),
            };
            Refusal::new(StatusCode::BAD_REQUEST, "invalid_json", &message)
        })?;
        if !text.get().starts_with('{') {
            return Err(bad(format!("the body is {}, where an object is wanted", type_of(text))));
        }
        let fields: Fields = serde_json::from_str(text.get()).map_err(|_| bad("the keys of the body are not text"))?;
        for (at, (key, _)) in fields.0.iter().enumerate() {
            if fields.0[..at].iter().any(|(before, _)| before == key) {
                return Err(bad(format!("the body has the key {key:?} twice")));
            }
            if let Some(known) = known.filter(|known| !known.contains(&key.as_str())) {
                return Err(bad(format!("the key {key:?} is not known; known are {}", known.join(", "))));
            }
        }
        Ok(fields)
    }

    /// Removes a value, also a null.
    pub(crate) fn take(&mut self, name: &str) -> Option<Box<RawValue>> {
        let at = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.swap_remove(at).1)
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<String, Refusal> {
        let value = self.take(name).ok_or_else(|| bad(format!("{name} is missing")))?;
        serde_json::from_str(value.get()).map_err(|_| {
            bad(match type_of(&value) {
                "text" => format!("{name} holds half a surrogate pair"),
                other => format!("{name} is {other}, not text"),
            })
        })
    }

    /// An optional whole number from 0; null is the same as none.
    pub(crate) fn natural(&mut self, name: &str) -> Result<Option<u64>, Refusal> {
        let wanted = "a whole number from 0 to 18446744073709551615, without fraction and exponent";
        let read = |value: Box<RawValue>| match value.get() {
            "null" => Ok(None),
            text => text.parse().map(Some).map_err(|_| bad(format!("{name} is not {wanted}"))),
        };
        self.take(name).map_or(Ok(None), read)
    }
}

pub(crate) fn bad(message: impl AsRef<str>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "bad_request", message.as_ref())
}

pub(crate) fn too_large(limit: usize) -> Refusal {
    let message = format!("the payload is larger than {limit} bytes");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "frame_payload_too_large", &message).with("max_payload_bytes", limit)
}

fn type_of(value: &RawValue) -> &'static str {
    match value.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "text",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}
