//! Reads a scenario file into a draft: every table, every key, every word, and on past each mistake.

pub(super) mod attributes;
mod cast;
mod faults;
mod found;
mod toxics;

use toml_edit::ImDocument;

use super::draft::{Binding, Draft};
use super::errors::Mistakes;
use super::names::{MAX_NUMBER, Names};
use super::numbers::{MAX_CASES, positions};
use super::read::{At, Node, Section, as_word, known_texts};
use super::rehearsal::Steps;
use super::steps;
use super::words::{self, keys};
use super::{AtLeast, Backoff, Expect};
use crate::check;
use crate::plan::Bridge;
use crate::plan::fault::FAULTS;
use crate::plan::fault::spec::Shape;

/// Reads the whole file; what could not be read is left at its default, and the mistakes say so.
pub(super) fn decode(path: &str, document: &ImDocument<String>, mistakes: &mut Mistakes) -> (Draft, Steps) {
    let root = Section::root(document);
    let before = mistakes.len();
    let streams = cast::streams(&root, mistakes);
    let window = cast::window(&root, mistakes);
    let identities = cast::identities(&root, &streams, mistakes);
    let clients = cast::clients(&root, (&streams, &identities), window.as_ref(), mistakes);
    let names = Names { streams: &streams, identities: &identities, clients: &clients };
    let steps = steps::read(&root, &names, mistakes);
    let bindings = bindings(&root, mistakes);
    let walkable = mistakes.len() == before;
    let before = mistakes.len();
    let faults = faults::faults(&root, &names, mistakes);
    let toxics = toxics::toxics(&root, &names, mistakes);
    for toxic in &toxics {
        if faults.iter().any(|fault| fault.value.name == toxic.value.name) {
            let what = format!("a fault is called `{}` too", toxic.value.name);
            mistakes.whole(toxic.at, what, "the ledger knows both by their names".to_owned());
        }
    }
    let faults_whole = mistakes.len() == before;
    root.only(keys::SCENARIO, mistakes);
    schema(&root, mistakes);
    let title = root.need_text("title", mistakes);
    let draft = Draft {
        name: name(path, &root, mistakes).unwrap_or_default(),
        title: title.map(|title| title.value.to_owned()).unwrap_or_default(),
        proves: proves(&root, mistakes),
        legacy_defects: defects(&root, "legacy_defects", words::LEGACY_DEFECTS, mistakes),
        candidate_defects: defects(&root, "candidate_defects", words::CANDIDATE_DEFECTS, mistakes),
        converge_within_ms: root.number("converge_within_ms", 100..=60_000, mistakes).unwrap_or(10_000),
        backoff: backoff(&root, mistakes),
        bridge: bridge(&root, mistakes),
        expand: root.get("expand").map(|node| At { value: (), at: node.at }),
        bindings,
        walkable,
        faults_whole,
        at_least: at_least(&root, mistakes),
        expect: expect(&root, mistakes),
        seed: found::seed(&root, mistakes),
        found: found::found(&root, mistakes),
        window,
        streams,
        identities,
        clients,
        faults,
        toxics,
    };
    (draft, steps)
}

fn schema(root: &Section<'_>, mistakes: &mut Mistakes) {
    let Some(node) = root.need("schema", mistakes) else {
        return;
    };
    if node.integer() != Some(1) {
        let hint = "this tool reads `schema = 1`".to_owned();
        mistakes.local(node.at, "unknown schema", hint);
    }
}

fn name(path: &str, root: &Section<'_>, mistakes: &mut Mistakes) -> Option<String> {
    let name = root.need_text("name", mistakes)?;
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let stem = file.strip_suffix(".toml").unwrap_or(file);
    cast::check_name(name, "a scenario's name", mistakes);
    if name.value != stem {
        let what = format!("the scenario is called `{}`, but its file `{stem}`", name.value);
        mistakes.local(name.at, what, "give both the same name".to_owned());
    }
    Some(name.value.to_owned())
}

fn values(texts: Vec<At<String>>) -> Vec<String> {
    texts.into_iter().map(|text| text.value).collect()
}

fn proves(root: &Section<'_>, mistakes: &mut Mistakes) -> Vec<At<String>> {
    let rows = known_texts(root, "proves", "row of the verification matrix", words::MATRIX_ROWS, mistakes);
    let listed = root.get("proves").and_then(Node::list).is_some_and(|list| !list.is_empty());
    if !listed && !root.has("expect") && !root.has("found") {
        let at = root.get("proves").map_or(root.at, |node| node.at);
        mistakes.whole(at, "the scenario proves no row of the verification matrix", {
            "add `proves = [\"replay-determinism\"]`, or the rows that it does prove".to_owned()
        });
    }
    rows
}

fn defects(root: &Section<'_>, key: &str, known: &[&str], mistakes: &mut Mistakes) -> Vec<String> {
    let what = match key {
        "legacy_defects" => "defect of the reference legacy server",
        "candidate_defects" => "defect of the module",
        _ => "defect of the bridge",
    };
    values(known_texts(root, key, what, known, mistakes))
}

fn bridge(root: &Section<'_>, mistakes: &mut Mistakes) -> Option<Bridge> {
    let section = Section::of(root.get("bridge")?, "`bridge`", mistakes)?;
    section.only(keys::BRIDGE, mistakes);
    Some(Bridge { defects: defects(&section, "defects", words::BRIDGE_DEFECTS, mistakes) })
}

fn backoff(root: &Section<'_>, mistakes: &mut Mistakes) -> Backoff {
    let default = Backoff::default();
    let Some(section) = root.get("backoff").and_then(|node| Section::of(node, "`backoff`", mistakes)) else {
        return default;
    };
    section.only(keys::BACKOFF, mistakes);
    let base_ms = section.number("base_ms", 1..=10_000, mistakes).unwrap_or(default.base_ms);
    let cap_ms = section.number("cap_ms", 1..=10_000, mistakes).unwrap_or(default.cap_ms.max(base_ms));
    if cap_ms < base_ms {
        mistakes.local(section.at, format!("the backoff's cap of {cap_ms} ms is below its base of {base_ms} ms"), None);
    }
    Backoff { base_ms, cap_ms }
}

fn at_least(root: &Section<'_>, mistakes: &mut Mistakes) -> At<AtLeast> {
    let nothing = At { value: AtLeast::default(), at: 0 };
    let Some(node) = root.need("at_least", mistakes) else {
        return nothing;
    };
    let Some(section) = Section::of(node, "`at_least`", mistakes) else {
        return nothing;
    };
    section.only(keys::AT_LEAST, mistakes);
    let mut number = |key| section.number(key, 0..=MAX_NUMBER, mistakes);
    let value = AtLeast {
        deliveries: number("deliveries").unwrap_or(0),
        resumes: number("resumes").unwrap_or(0),
        refusals: number("refusals").unwrap_or(0),
        duplicates: number("duplicates").unwrap_or(0),
        faults: number("faults"),
    };
    if value.deliveries == 0 {
        let hint = "give `deliveries` of 1 or more: a run that delivers nothing proves nothing".to_owned();
        mistakes.whole(node.at, "the scenario is content with no delivery at all", hint);
    }
    At { value, at: node.at }
}

fn expect(root: &Section<'_>, mistakes: &mut Mistakes) -> Option<Expect> {
    let section = Section::of(root.get("expect")?, "`expect`", mistakes)?;
    section.only(keys::EXPECT, mistakes);
    let decision = section.need_text("decision", mistakes)?;
    let block = as_word(decision, "decision", &[("allow", false), ("block", true)], mistakes)?;
    if !block {
        for key in ["findings", "lane"] {
            if let Some(node) = section.get(key) {
                mistakes.local(node.at, format!("a scenario that is allowed has no `{key}`"), None);
            }
        }
        return None;
    }
    let findings = values(known_texts(&section, "findings", "checker", &check::names(), mistakes));
    if findings.is_empty() {
        mistakes.local(section.at, "a scenario that is blocked needs `findings`", None);
    }
    section.need("lane", mistakes)?;
    let lane = section.word("lane", words::LANES, mistakes)?;
    Some(Expect { findings, lane, at: section.at })
}

fn bindings(root: &Section<'_>, mistakes: &mut Mistakes) -> Vec<Binding> {
    let none = vec![Binding::default()];
    let Some(node) = root.get("expand") else {
        return none;
    };
    let Some(section) = Section::of(node, "`expand`", mistakes) else {
        return none;
    };
    section.only(keys::EXPAND, mistakes);
    let before = mistakes.len();
    let positions = section.get("position").map_or_else(Vec::new, |node| positions(node, mistakes));
    let mut words_of = |key| section.texts(key, mistakes);
    let (hows, whens) = (words_of("how"), words_of("when"));
    let hows = words_of_case("how", hows, mistakes);
    let whens = words_of_case("when", whens, mistakes);
    let count = positions.len().max(1) * hows.len().max(1) * whens.len().max(1);
    if count > MAX_CASES {
        mistakes.local(node.at, format!("this makes {count} cases; at most {MAX_CASES} are run"), None);
        return none;
    }
    // Values that were refused are not counted, so that their number says nothing.
    if count < 2 && mistakes.len() == before {
        mistakes.local(node.at, "this makes a single case", "leave `expand` out, or list more values".to_owned());
    }
    let mut bindings = Vec::new();
    for position in options(positions) {
        for how in options(hows.clone()) {
            for when in options(whens.clone()) {
                bindings.push(Binding { position, how, when });
            }
        }
    }
    bindings
}

/// Words that `each` may stand for, as the faults know them.
fn words_of_case(key: &str, texts: Vec<At<&str>>, mistakes: &mut Mistakes) -> Vec<&'static str> {
    let attributes = FAULTS.iter().flat_map(|spec| spec.attributes);
    let known: Vec<_> = attributes
        .filter_map(|attribute| match attribute.shape {
            Shape::Word(words, [_, ..]) if attribute.name == key => Some(words.iter().map(|word| (*word, *word))),
            _ => None,
        })
        .flatten()
        .collect();
    texts.into_iter().filter_map(|text| as_word(text, key, &known, mistakes)).collect()
}

fn options<T: Copy>(values: Vec<T>) -> Vec<Option<T>> {
    if values.is_empty() { vec![None] } else { values.into_iter().map(Some).collect() }
}
