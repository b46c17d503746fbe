//! What stands beside the catalogue of checkers must say the same: the page on checkers, the schema for editors, the
//! verification matrix.

use std::collections::BTreeSet;
use std::path::Path;

use crate::check::{ALL, Reason, Verdict, names};
use crate::matrix;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

fn with_verdict(reason: &Reason) -> String {
    match reason.verdict {
        Verdict::Invalid => format!("`{}`", reason.word),
        Verdict::Unknown => format!("`{}` (unknown)", reason.word),
        Verdict::Valid => format!("`{}` (warning)", reason.word),
    }
}

/// The tables of docs/CHECKERS.md, by the line that begins each.
fn tables() -> [(&'static str, Vec<String>); 3] {
    let found = ALL.iter().map(|checker| format!("| `{}` | {} | {} |", checker.name, checker.anomaly, checker.source));
    let accounts = ALL.iter().filter(|checker| !checker.accounts_for.is_empty());
    let accounts = accounts.map(|checker| format!("| `{}` | {} |", checker.name, checker.accounts_for));
    let reasons = ALL.iter().flat_map(|checker| {
        let row =
            |reason: &&Reason| format!("| `{}` | {} | {} |", checker.name, with_verdict(reason), reason.in_general());
        checker.reasons.iter().map(row).collect::<Vec<_>>()
    });
    [
        ("| checker | what it finds | where the rule comes from |", found.collect()),
        ("| checker | reason | a finding says |", reasons.collect()),
        ("| cause | accounts for |", accounts.collect()),
    ]
}

#[test]
fn the_page_has_the_tables_of_the_checkers() {
    let page = read("docs/CHECKERS.md");
    for (head, rows) in tables() {
        let found: Vec<&str> = page.lines().skip_while(|line| *line != head).skip(2).take(rows.len() + 1).collect();
        let same = found.len() > rows.len() && found.iter().zip(&rows).all(|(line, row)| line == row);
        let ends = found.get(rows.len()).is_some_and(|line| line.is_empty());
        assert!(same && ends, "docs/CHECKERS.md differs. Put these rows below `{head}`:\n{}", rows.join("\n"));
    }
}

#[test]
fn the_schema_for_editors_has_the_checkers() {
    let schema: serde_json::Value = serde_json::from_str(&read("scenarios/scenario.schema.json")).unwrap();
    let listed = &schema["$defs"]["checker"]["enum"];
    let list = serde_json::to_string_pretty(&names()).unwrap();
    let mend = "scenarios/scenario.schema.json differs. Set `$defs.checker.enum` to";
    assert_eq!(*listed, serde_json::json!(names()), "{mend}:\n{list}");
}

#[test]
fn no_name_stands_twice_and_no_checker_repeats_a_reason() {
    assert_eq!(names().iter().collect::<BTreeSet<_>>().len(), ALL.len());
    for checker in ALL {
        let words: BTreeSet<_> = checker.reasons.iter().map(|reason| reason.word).collect();
        assert_eq!(words.len(), checker.reasons.len(), "{}", checker.name);
    }
}

#[test]
fn the_rows_that_checkers_look_at_are_the_rows_that_can_be_claimed() {
    let looked_at: BTreeSet<&str> = ALL.iter().flat_map(|checker| checker.rows).copied().collect();
    let covered = matrix::ROWS.iter().filter(|row| !row.parts.is_empty()).map(|row| row.name);
    assert_eq!(looked_at, covered.collect(), "mend `rows` of the checkers or `parts` of the rows in matrix.rs");
}
