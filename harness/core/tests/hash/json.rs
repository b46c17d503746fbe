//! Arbitrary I-JSON documents, and arbitrary spellings of one.

use proptest::prelude::*;
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

/// A document that I-JSON allows, in an order of members of its own.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Number(value) => serializer.serialize_f64(*value),
            Json::Text(text) => serializer.serialize_str(text),
            Json::Array(elements) => {
                let mut seq = serializer.serialize_seq(Some(elements.len()))?;
                elements.iter().try_for_each(|element| seq.serialize_element(element))?;
                seq.end()
            }
            Json::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
        }
    }
}

pub fn text() -> impl Strategy<Value = String> {
    let special = "\"\\/\u{0}\u{8}\t\n\u{c}\r\u{1f} \u{7f}\u{80}éÅ€\u{2028}\u{d7ff}\u{e000}\u{fb33}\u{ffff}\u{10000}😀\u{10ffff}ab10~";
    let special: Vec<char> = special.chars().collect();
    let character = prop_oneof![prop::sample::select(special), any::<char>(), prop::char::range(' ', '~')];
    prop::collection::vec(character, 0..12).prop_map(String::from_iter)
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("JSON has finite numbers", |value| value.is_finite()),
        (-(1i64 << 53) + 1..(1i64 << 53)).prop_map(|value| value as f64),
        (-1_000_000i64..1_000_000, 0u32..12).prop_map(|(value, scale)| value as f64 / 10f64.powi(scale as i32)),
        prop::sample::select(vec![0.0, -0.0, 1e21, 1e20, 1e-6, 1e-7, 5e-324, f64::MAX, 0.1, 1.5]),
    ]
}

pub fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        number().prop_map(Json::Number),
        text().prop_map(Json::Text),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
            prop::collection::hash_map(text(), inner, 0..8).prop_map(|members| {
                let mut members: Vec<_> = members.into_iter().collect();
                members.sort_by(|a, b| a.0.cmp(&b.0));
                Json::Object(members)
            }),
        ]
    })
}

/// Spells a document: every choice there is (white space, escapes, order, form of a number) is drawn from `choices`.
pub fn spell(json: &Json, choices: &[u8]) -> String {
    let mut speller = Speller { choices, at: 0, out: String::new() };
    speller.space();
    speller.value(json);
    speller.space();
    speller.out
}

struct Speller<'a> {
    choices: &'a [u8],
    at: usize,
    out: String,
}

impl Speller<'_> {
    fn choose(&mut self, options: usize) -> usize {
        self.at += 1;
        self.choices.get(self.at % self.choices.len().max(1)).map_or(0, |&choice| usize::from(choice) % options)
    }

    fn space(&mut self) {
        let space = ["", "", "", " ", "\n", "\t", "\r\n ", "        "][self.choose(8)];
        self.out.push_str(space);
    }

    fn value(&mut self, json: &Json) {
        match json {
            Json::Null => self.out.push_str("null"),
            Json::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Json::Number(value) => self.number(*value),
            Json::Text(text) => self.text(text),
            Json::Array(elements) => {
                self.out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    self.out.push_str(if index > 0 { "," } else { "" });
                    self.space();
                    self.value(element);
                    self.space();
                }
                self.out.push(']');
            }
            Json::Object(members) => {
                let mut left: Vec<_> = members.iter().collect();
                self.out.push('{');
                while !left.is_empty() {
                    let (name, value) = left.swap_remove(self.choose(left.len()));
                    self.space();
                    self.text(name);
                    self.space();
                    self.out.push(':');
                    self.space();
                    self.value(value);
                    self.space();
                    self.out.push_str(if left.is_empty() { "" } else { "," });
                }
                self.out.push('}');
            }
        }
    }

    fn number(&mut self, value: f64) {
        let safe = value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0;
        let spelled = match self.choose(5) {
            0 => format!("{value:e}"),
            1 => format!("{value:E}"),
            2 => format!("{value:.17e}"),
            3 if value.abs() < 1e15 => format!("{value:.400}"),
            _ if safe => format!("{value}"),
            _ => format!("{value:e}"),
        };
        self.out.push_str(&spelled);
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            let must = matches!(c, '"' | '\\' | '\0'..='\u{1f}');
            match (self.choose(4), c) {
                (0, _) => self.escape(c, false),
                (1, _) => self.escape(c, true),
                (2, '/') => self.out.push_str("\\/"),
                (_, '"' | '\\') => self.out.extend(['\\', c]),
                (_, '\n') => self.out.push_str("\\n"),
                (_, '\u{8}') => self.out.push_str("\\b"),
                (_, _) if must => self.escape(c, false),
                (_, _) => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    fn escape(&mut self, c: char, capitals: bool) {
        for unit in c.encode_utf16(&mut [0; 2]) {
            self.out.push_str(&if capitals { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") });
        }
    }
}
