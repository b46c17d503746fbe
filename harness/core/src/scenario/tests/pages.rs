//! The pages and the schema for editors have the faults and toxics as their specifications have them.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::rehearsal::StepKind;
use super::*;
use crate::plan::defect::{Place, Planted};
use crate::plan::fault::spec::{Attribute, Effect, Fallback, FaultSpec, Shape};
use crate::plan::fault::{FAULTS, FILTER, ONCE};
use crate::plan::{TOXICS, ToxicSpec};

fn path(page: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page)
}

/// Compares a part of a page; writes it where that is asked for.
fn check(page: &str, begin: &str, end: &str, expected: &str) {
    let text = std::fs::read_to_string(path(page)).unwrap();
    let from = text.find(begin).unwrap_or_else(|| panic!("{page} has no `{begin}`")) + begin.len();
    let to = from + text[from..].find(end).unwrap_or_else(|| panic!("{page} has no `{end}` behind `{begin}`"));
    if &text[from..to] == expected {
        return;
    }
    if std::env::var_os("CUTOVER_UPDATE_PAGES").is_some() {
        std::fs::write(path(page), format!("{}{expected}{}", &text[..from], &text[to..])).unwrap();
        return;
    }
    panic!(
        "{page} differs from the specifications in harness/core/src. To write it anew, run\n\
         CUTOVER_UPDATE_PAGES=1 cargo test -p cutover-core pages\n\
         It should have\n{expected}"
    );
}

fn table(page: &str, name: &str, rows: impl Iterator<Item = String>) {
    let rows = rows.fold("\n".to_owned(), |all, row| all + &row + "\n");
    check(page, &format!("<!-- specification: {name} -->"), "<!-- end -->", &rows);
}

fn head(columns: &[&str]) -> [String; 2] {
    [format!("| {} |", columns.join(" | ")), format!("|{}", " --- |".repeat(columns.len()))]
}

fn words(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// A key with what it may be and what it is where it is left out.
fn attribute(key: &str, attribute: &Attribute) -> String {
    let mut parts = Vec::new();
    match (attribute.shape, attribute.shape.range()) {
        (Shape::Word(all, _), _) => parts.push(words(all)),
        (Shape::Wait, _) => parts.push("milliseconds".to_owned()),
        (_, Some((least, most))) if most < u64::from(u32::MAX) => parts.push(format!("{least} to {most}")),
        _ => {}
    }
    match attribute.fallback {
        Fallback::Whole(number) => parts.push(format!("default {number}")),
        Fallback::Word(word) => parts.push(format!("default `{word}`")),
        Fallback::Nothing | Fallback::Required => {}
    }
    if parts.is_empty() { format!("`{key}`") } else { format!("`{key}`: {}", parts.join("; ")) }
}

fn in_files(spec: &FaultSpec) -> String {
    let keys = spec.attributes.iter().filter(|attribute| attribute.shape != Shape::Altered);
    keys.map(|of| attribute(of.name, of)).collect::<Vec<_>>().join("<br>")
}

fn in_api(spec: &FaultSpec) -> String {
    let keys = spec.attributes.iter().filter_map(|of| Some(attribute(of.api?, of)));
    keys.collect::<Vec<_>>().join("<br>")
}

#[test]
fn the_page_on_calibration_has_every_planted_defect() {
    let of = |place: Place| {
        let row = move |planted: &Planted| {
            let stateful = if planted.stateful { "yes" } else { "" };
            format!("| `{}` | {} | {stateful} | {} |", planted.name, planted.kind.as_str(), planted.says)
        };
        let heading = [String::new(), format!("## {}", place.says()), String::new()];
        let rows =
            head(&["defect", "kind", "stateful", "what it does"]).into_iter().chain(place.list().iter().map(row));
        heading.into_iter().chain(rows).collect::<Vec<_>>()
    };
    let places = Place::ALL.into_iter().filter(|place| !place.list().is_empty());
    table("docs/CALIBRATION.md", "defects", places.flat_map(of).chain([String::new()]));
}

#[test]
fn the_schema_for_editors_has_every_planted_defect() {
    let describe = |what: &str| format!("A defect of {what}.");
    for (name, known, what) in [
        ("legacy_defect", words::LEGACY_DEFECTS, "the reference legacy server"),
        ("candidate_defect", words::CANDIDATE_DEFECTS, "the SpacetimeDB module"),
    ] {
        definition(name, &json!({ "enum": known, "description": describe(what) }));
    }
}

#[test]
fn the_page_on_scenarios_has_every_step() {
    let row = |kind: &&StepKind| format!("| `{}` | {} | {} |", kind.name, words(kind.keys), kind.what);
    let rows = head(&["`do`", "keys", "what happens"]).into_iter().chain(steps::KINDS.iter().map(row));
    table("docs/SCENARIOS.md", "steps", rows);
}

#[test]
fn the_page_on_scenarios_has_every_fault() {
    let defect = |spec: &FaultSpec| if spec.does(Effect::Defect) { "Known-bad only. " } else { "" };
    let row = |spec: &&FaultSpec| format!("| `{}` | {} | {}{} |", spec.word, in_files(spec), defect(spec), spec.says);
    let rows = head(&["`do`", "keys", "what it does"]).into_iter().chain(FAULTS.iter().map(row));
    table("docs/SCENARIOS.md", "faults", rows);
}

#[test]
fn the_pages_have_every_message_toxic() {
    let toxics = || FAULTS.iter().filter_map(|spec| Some((spec.toxic?, spec)));
    let says = toxics().map(|(toxic, spec)| format!("| `{toxic}` | {} | {} |", in_api(spec), spec.says));
    table("docs/FAULTS.md", "message toxics", head(&["type", "attributes", "what it does"]).into_iter().chain(says));
    let short = toxics().map(|(toxic, spec)| format!("| `{toxic}` | {} |", in_api(spec)));
    table("docs/OPERATING.md", "message toxics", head(&["type", "attributes"]).into_iter().chain(short));
}

#[test]
fn the_pages_have_every_attribute_of_a_filter() {
    let row = |of: &Attribute| format!("| {} | {} |", attribute(of.name, of), of.says);
    let rows = || head(&["attribute", "what it means"]).into_iter().chain(FILTER.iter().map(row));
    table("docs/SCENARIOS.md", "filter", rows());
    table("docs/FAULTS.md", "filter", rows().chain([row(&ONCE)]));
}

#[test]
fn the_pages_have_every_byte_toxic() {
    let attributes = |spec: &ToxicSpec| {
        let all = spec.attributes.iter().map(|of| format!("`{}`: {}", of.name, of.says));
        all.collect::<Vec<_>>().join("<br>")
    };
    let row =
        |spec: &ToxicSpec| format!("| `{}` | {} | {} | {} |", spec.name, attributes(spec), spec.says, spec.removed);
    let columns = head(&["type", "attributes", "what happens", "when it is removed from a live connection"]);
    table("docs/FAULTS.md", "byte toxics", columns.into_iter().chain(TOXICS.iter().map(row)));
    let bounded = |spec: &ToxicSpec| {
        let range = |(least, most): (u64, u64)| format!("{least} to {most}");
        let all = spec.attributes.iter().map(|of| format!("`{}`: {}, {}", of.name, of.says, range(of.range)));
        format!("| `{}` | {} |", spec.name, all.collect::<Vec<_>>().join("<br>"))
    };
    let columns = head(&["`type`", "attributes"]);
    table("docs/SCENARIOS.md", "byte toxics", columns.into_iter().chain(TOXICS.iter().map(bounded)));
}

/// A key of the schema for editors.
fn property(of: &Attribute) -> Value {
    let mut property = match of.shape {
        Shape::Whole(..) | Shape::Wait => whole(of.shape),
        Shape::Number(..) => json!({ "oneOf": [whole(of.shape), { "const": "each" }] }),
        Shape::Word(words, []) => json!({ "enum": words }),
        Shape::Word(words, _) => json!({ "enum": words.iter().chain(&["each", "random"]).collect::<Vec<_>>() }),
        Shape::CloseCode => {
            let range = |minimum: u32, maximum: u32| json!({ "minimum": minimum, "maximum": maximum });
            json!({ "type": "integer", "anyOf": [range(1000, 1003), range(1007, 1014), range(3000, 4999)] })
        }
        Shape::Json => json!({}),
        Shape::Cursor => json!({ "$ref": "#/$defs/cursor" }),
        Shape::Until => json!({ "oneOf": [{ "const": "heal" }, { "$ref": "#/$defs/until" }] }),
        Shape::Text | Shape::Pointer | Shape::Stream | Shape::CursorOf | Shape::Altered => json!({ "type": "string" }),
    };
    match of.fallback {
        Fallback::Whole(number) => property["default"] = number.into(),
        Fallback::Word(word) => property["default"] = word.into(),
        Fallback::Nothing | Fallback::Required => {}
    }
    property
}

fn whole(shape: Shape) -> Value {
    let (minimum, maximum) = shape.range().unwrap();
    let mut whole = json!({ "type": "integer", "minimum": minimum });
    // What TOML can't hold needs no bound.
    if i64::try_from(maximum).is_ok() {
        whole["maximum"] = maximum.into();
    }
    whole
}

/// Adds a key of several verbs; what it means is said for each verb where it differs.
fn add(properties: &mut Value, verb: &str, key: &str, mut property: Value, says: &str) {
    let said = match properties[key]["description"].as_str() {
        None => says.to_owned(),
        Some(said) if said.contains(says) => said.to_owned(),
        Some(said) => format!("{said} {verb}: {says}"),
    };
    if let Some(before) = properties.get(key) {
        let mut before = before.clone();
        before["description"] = Value::Null;
        property["description"] = Value::Null;
        assert_eq!(before, property, "`{key}` of `{verb}` differs from the one of another verb");
    }
    property["description"] = said.into();
    properties[key] = property;
}

/// The text of a definition of the schema.
fn definition(name: &str, definition: &Value) {
    let text = serde_json::to_string_pretty(definition).unwrap();
    let mut lines = text.lines();
    let mut expected = lines.next().unwrap().to_owned();
    lines.clone().take(lines.clone().count() - 1).for_each(|line| write!(expected, "\n    {line}").unwrap());
    check("scenarios/scenario.schema.json", &format!("\n    \"{name}\": "), "\n    }", &expected);
}

#[test]
fn the_schema_for_editors_has_every_fault() {
    let mut properties = json!({
        "do": {
            "enum": FAULTS.iter().map(|spec| spec.word).collect::<Vec<_>>(),
            "description": format!(
                "What goes wrong. Known-bad scenarios only: {}.",
                FAULTS.iter().filter(|spec| spec.does(Effect::Defect)).map(|spec| spec.word).collect::<Vec<_>>().join(", ")
            ),
        },
        "name": { "type": "string", "description": "Its name in the ledger." },
        "clients": {
            "type": "array",
            "items": { "type": "string" },
            "description": "The clients that it applies to, or [\"writer\"]."
        },
        "lane": {
            "enum": ["legacy", "candidate", "both"],
            "description": "The lane that it applies to.",
            "default": "both"
        },
        "at": { "$ref": "#/$defs/at" },
        "draws": {
            "type": "integer",
            "minimum": 1,
            "maximum": 64,
            "description": "How many positions are drawn, where the position is random."
        },
        "times": {
            "enum": ["once", "always"],
            "description": "The first time that the position is reached, or every time.",
            "default": "once"
        },
    });
    for spec in FAULTS {
        for of in spec.attributes.iter().filter(|attribute| attribute.shape != Shape::Altered) {
            add(&mut properties, spec.word, of.name, property(of), of.says);
        }
    }
    definition(
        "fault",
        &json!({
            "type": "object",
            "description": "A fault.",
            "additionalProperties": false,
            "required": ["do", "clients"],
            "properties": properties,
        }),
    );
}

#[test]
fn the_schema_for_editors_has_every_position() {
    let number = || json!({ "$ref": "#/$defs/number" });
    let mut properties = json!({
        "delivery": { "type": "string", "description": "The first message that brings an event of this topic to the client." },
        "proof": {
            "type": "string",
            "description": "Known-bad only: the first message that brings the event that proves this topic alive, behind all that the script publishes."
        },
        "ack": {
            "type": "string",
            "description": "The answer to the publish of an event of this topic; with clients = [\"writer\"]."
        },
        "resume": number(),
        "resume_reply": number(),
        "heartbeat_reply": number(),
        "message": {
            "enum": words::DIRECTIONS.iter().map(|(word, _)| word).collect::<Vec<_>>(),
            "description": "A message that goes this way and matches the other keys."
        },
    });
    for (key, says) in [
        ("resume", "The nth resume of the client, its first subscribe included."),
        ("resume_reply", "The answer to the nth resume."),
        ("heartbeat_reply", "The answer to the nth heartbeat."),
    ] {
        properties[key]["description"] = says.into();
    }
    assert!(words::keys::POSITIONS.iter().all(|key| properties.get(key).is_some()));
    for of in FILTER {
        add(&mut properties, "message", of.name, property(of), of.says);
    }
    // Beside `delivery` and `ack` it may be a list.
    properties["seq"] = json!({
        "oneOf": [number(), { "type": "array", "items": number(), "minItems": 1 }],
        "description": "The event."
    });
    definition(
        "at",
        &json!({
            "type": "object",
            "description": format!("Where the fault fires: one of {}.", words::keys::POSITIONS.join(", ")),
            "additionalProperties": false,
            "required": [],
            "properties": properties,
        }),
    );
}

#[test]
fn the_schema_for_editors_has_every_byte_toxic() {
    let mut properties = json!({
        "type": { "enum": TOXICS.iter().map(|spec| spec.name).collect::<Vec<_>>(), "description": "What it does." },
        "name": { "type": "string", "description": "Its name in the ledger." },
        "clients": {
            "type": "array",
            "items": { "type": "string" },
            "description": "The clients whose connections it applies to, or [\"writer\"]."
        },
        "lane": {
            "enum": ["legacy", "candidate", "both"],
            "description": "The lane that it applies to.",
            "default": "both"
        },
        "stream": {
            "enum": words::DIRECTIONS.iter().map(|(word, _)| word).collect::<Vec<_>>(),
            "description": "Which way: to the client, or to the lane.",
            "default": "downstream"
        },
        "toxicity": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1,
            "description": "The chance that a connection gets it.",
            "default": 1
        },
    });
    for spec in TOXICS {
        for of in spec.attributes {
            let (mut least, mut most) = of.range;
            // The widest range of the types that take it.
            if let Some(before) = properties.get(of.name) {
                least = least.min(before["minimum"].as_u64().unwrap());
                most = most.max(before["maximum"].as_u64().unwrap());
            }
            let range = |least: u64, most: u64| json!({ "type": "integer", "minimum": least, "maximum": most });
            let mut said =
                properties[of.name]["description"].as_str().map(|said| format!("{said} ")).unwrap_or_default();
            write!(said, "{}: {}, {} to {}.", spec.name, of.says, of.range.0, of.range.1).unwrap();
            properties[of.name] = range(least, most);
            properties[of.name]["description"] = said.into();
        }
    }
    definition(
        "toxic",
        &json!({
            "type": "object",
            "description": "A byte toxic, with Toxiproxy's names and meaning.",
            "additionalProperties": false,
            "required": ["type", "clients"],
            "properties": properties,
        }),
    );
}
