//! Reads a policy file: every table, every key, every word, and on past each mistake.

use super::budget::budgets;
use super::{MAX_FILE_BYTES, Mode, Normaliser, PHASES, Phase, Policy, Rows, Terms};
use crate::check::{ALL, names};
use crate::hash::sha256;
use crate::matrix::ROWS;
use crate::scenario::{At, Mistakes, Node, ScenarioErrors, Section, as_truth, did_you_mean, known_texts, parse_toml};

const KEYS: [&str; 7] = ["schema", "mode", "rows", "phase", "warn", "budget", "normalise"];
const MODES: [(&str, Mode); 2] = [("blocking", Mode::Blocking), ("advisory", Mode::Advisory)];
const ROWS_WORDS: [(&str, Rows); 2] = [("can-show", Rows::CanShow), ("all", Rows::All)];
const ROW: &str = "row of the verification matrix";

pub fn policy(path: &str, text: &str) -> Result<Policy, ScenarioErrors> {
    let mut mistakes = Mistakes::default();
    let mut policy = Policy { base: Terms::default(), phases: [].into() };
    if text.len() > MAX_FILE_BYTES {
        let what = format!("a policy is at most {MAX_FILE_BYTES} bytes, but this is {}", text.len());
        mistakes.local(0, what, None);
    } else if let Some(document) = parse_toml(text, &mut mistakes) {
        let broken = !mistakes.is_empty();
        let mut found = Mistakes::default();
        let root = Section::root(&document).called("a policy".to_owned());
        policy = read(&root, &mut found);
        if broken {
            found.keep_local();
        }
        mistakes.append(found);
    }
    policy.base.digest = sha256(text.as_bytes());
    mistakes.into_errors(path, text).map_or(Ok(policy), Err)
}

fn read(root: &Section<'_>, mistakes: &mut Mistakes) -> Policy {
    root.only(&KEYS, mistakes);
    if let Some(node) = root.need("schema", mistakes)
        && node.integer() != Some(1)
    {
        mistakes.local(node.at, "unknown schema", "this tool reads `schema = 1`".to_owned());
    }
    let warn = root.get("warn").and_then(|node| Section::of(node, "`warn`", mistakes));
    if let Some(warn) = &warn {
        warn.only(&["rows", "findings"], mistakes);
    }
    let known: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
    let warn_rows = warn.as_ref().map(|warn| known_texts(warn, "rows", ROW, &known, mistakes)).unwrap_or_default();
    let warn_findings = warn.map(|warn| findings(&warn, mistakes)).unwrap_or_default();
    let base = Terms {
        mode: root.word("mode", &MODES, mistakes).unwrap_or_default(),
        rows: rows(root, &warn_rows, mistakes).unwrap_or_default(),
        warn_findings,
        budgets: root.get("budget").and_then(|node| budgets(node, mistakes)),
        normalise: root.list("normalise", mistakes).into_iter().filter_map(|node| normaliser(node, mistakes)).collect(),
        ..Terms::default()
    };
    let phases = root.get("phase").and_then(|node| Section::of(node, "`phase`", mistakes));
    let phases = phases.map(|phases| {
        let numbers: Vec<String> = PHASES.map(|number| number.to_string()).collect();
        phases.only(&numbers.iter().map(String::as_str).collect::<Vec<_>>(), mistakes);
        let read = PHASES.filter_map(|number| {
            let node = phases.get(&number.to_string())?;
            let section = Section::of(node, &format!("phase {number}"), mistakes)?;
            Some((number, phase(&section, &warn_rows, mistakes)))
        });
        read.collect()
    });
    Policy { base: Terms { warn_rows: values(warn_rows), ..base }, phases: phases.unwrap_or_default() }
}

/// What a run that did nothing is reported by: letting that pass would let everything pass.
const NOTHING_HAPPENED: &str = "vacuity";

/// The findings that only warn: of a checker, or with one reason of it.
fn findings(section: &Section<'_>, mistakes: &mut Mistakes) -> Vec<String> {
    let mut read = Vec::new();
    for text in section.texts("findings", mistakes) {
        let (name, word) = text.value.split_once('/').map_or((text.value, None), |(name, word)| (name, Some(word)));
        let checkers: Vec<&str> = names().into_iter().filter(|name| *name != NOTHING_HAPPENED).collect();
        let checker = ALL.iter().filter(|_| checkers.contains(&name)).find(|checker| checker.name == name);
        let words: Vec<&str> = checker.iter().flat_map(|checker| checker.reasons).map(|reason| reason.word).collect();
        if name == NOTHING_HAPPENED {
            let hint = "mend the scenario, or leave it out".to_owned();
            mistakes.local(text.at, format!("`{name}` says that a run proved nothing, and can't only warn"), hint);
        } else if checker.is_none() {
            mistakes.local(text.at, format!("there is no checker `{name}`"), did_you_mean(name, &checkers));
        } else if let Some(word) = word.filter(|word| !words.contains(word)) {
            let what = format!("`{name}` has no reason `{word}`");
            mistakes.local(text.at, what, did_you_mean(word, &words));
        } else {
            read.push(text.value.to_owned());
        }
    }
    read
}

fn values(texts: Vec<At<String>>) -> Vec<String> {
    texts.into_iter().map(|text| text.value).collect()
}

fn phase(section: &Section<'_>, warn_rows: &[At<String>], mistakes: &mut Mistakes) -> Phase {
    section.only(&["rows", "candidate_alone", "baseline"], mistakes);
    section.need("rows", mistakes);
    let rows = rows(section, warn_rows, mistakes).unwrap_or_default();
    let known: Vec<&str> = match &rows {
        Rows::These(rows) => rows.iter().map(String::as_str).collect(),
        _ => ROWS.iter().map(|row| row.name).collect(),
    };
    Phase {
        candidate_alone: values(known_texts(section, "candidate_alone", "row in `rows`", &known, mistakes)),
        baseline: section.get("baseline").is_some_and(|node| as_truth(node, "baseline", mistakes)),
        rows,
    }
}

/// The rows that must be shown: a word, or a list that has no row that only warns.
fn rows(section: &Section<'_>, warn_rows: &[At<String>], mistakes: &mut Mistakes) -> Option<Rows> {
    let node = section.get("rows")?;
    if let Some(word) = node.str() {
        let found = ROWS_WORDS.iter().find(|(known, _)| *known == word).map(|(_, rows)| rows.clone());
        if found.is_none() {
            let hint = "write \"can-show\", \"all\", or a list of rows".to_owned();
            mistakes.local(node.at, format!("`{word}` does not say which rows must be shown"), hint);
        }
        return found;
    }
    let known: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
    let rows = known_texts(section, "rows", ROW, &known, mistakes);
    for row in rows.iter().filter(|row| warn_rows.iter().any(|warned| warned.value == row.value)) {
        let hint = "take it out of `rows` here, or out of `rows` in `[warn]`".to_owned();
        mistakes.whole(row.at, format!("`{}` must be shown here, and only warns by `[warn]`", row.value), hint);
    }
    Some(Rows::These(values(rows)))
}

fn normaliser(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Normaliser> {
    let section = Section::of(node, "a normaliser", mistakes)?;
    section.only(&["pointer", "streams", "reason", "owner", "expires"], mistakes);
    let mut text = |key: &str| {
        let text = section.need_text(key, mistakes)?;
        if text.value.trim().is_empty() {
            mistakes.local(text.at, format!("`{key}` is empty"), None);
        }
        Some(text)
    };
    let (pointer, reason, owner) = (text("pointer"), text("reason"), text("owner"));
    let streams = section.text("streams", mistakes).map(|streams| streams.value.to_owned());
    let expires = section.need("expires", mistakes).and_then(|node| {
        let date = node.date();
        if date.is_none() {
            let what = format!("`expires` is a date without a time, but this is {}", node.type_name());
            mistakes.local(node.at, what, "write it as 2027-06-30, without quotes".to_owned());
        }
        date
    });
    let pointer = pointer.filter(|pointer| {
        let escapes = pointer.value.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        let fits = pointer.value.starts_with('/') && escapes;
        if !fits && !pointer.value.trim().is_empty() {
            let hint = "write it as `/meta/server_time`; `~1` is a slash in a name, and `~0` a tilde".to_owned();
            mistakes.local(pointer.at, format!("`{}` is no JSON pointer to a field", pointer.value), hint);
        }
        fits
    });
    Some(Normaliser {
        pointer: pointer?.value.to_owned(),
        streams,
        reason: reason?.value.to_owned(),
        owner: owner?.value.to_owned(),
        expires: expires?,
    })
}
