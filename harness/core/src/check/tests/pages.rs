//! What stands beside the catalogue of checkers must say the same: the page on checkers, the schema for editors, the
//! verification matrix.

use std::collections::BTreeSet;
use std::path::Path;

use crate::check::{ALL, Reason, Verdict, names};
use crate::matrix;

/// Compares a part of a file; writes it where that is asked for.
fn compare(file: &str, begin: &str, end: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let from = text.find(begin).unwrap_or_else(|| panic!("{file} has no `{begin}`")) + begin.len();
    let to = from + text[from..].find(end).unwrap_or_else(|| panic!("{file} has no `{end}` behind `{begin}`"));
    if &text[from..to] == expected {
        return;
    }
    if std::env::var_os("CUTOVER_UPDATE_PAGES").is_some() {
        std::fs::write(path, format!("{}{expected}{}", &text[..from], &text[to..])).unwrap();
        return;
    }
    panic!(
        "{file} differs from the checkers in harness/core/src/check. To write it anew, run\n\
         CUTOVER_UPDATE_PAGES=1 cargo test -p cutover-core pages\n\
         It should have\n{expected}"
    );
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
    for (head, rows) in tables() {
        let columns = head.matches('|').count() - 1;
        let begin = format!("{head}\n|{}\n", "---|".repeat(columns));
        compare("docs/CHECKERS.md", &begin, "\n\n", &rows.join("\n"));
    }
}

#[test]
fn the_schema_for_editors_has_the_checkers() {
    let words: Vec<_> = names().iter().map(|name| format!("        \"{name}\"")).collect();
    let begin = "\"checker\": {\n      \"enum\": [\n";
    compare("scenarios/scenario.schema.json", begin, "\n      ]", &words.join(",\n"));
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
    assert_eq!(covered.clone().count(), matrix::ROWS.len(), "each row has parts");
    assert_eq!(looked_at, covered.collect(), "mend `rows` of the checkers or `parts` of the rows in matrix.rs");
}
