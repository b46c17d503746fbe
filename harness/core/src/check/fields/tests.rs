#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use super::{FIELDS, Field, Judged};
use crate::check::reason;
use crate::ids::LaneId;

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/CONTRACT.md")
}

/// The head of a lane's table.
fn head(lane: LaneId) -> &'static str {
    match lane {
        LaneId::Legacy => "| message | field | meaning | judged by |",
        LaneId::Candidate => "| table or answer | field | meaning | judged by |",
    }
}

/// The rows of a lane's table.
fn rows(page: &str, lane: LaneId) -> Vec<String> {
    let rows = page.lines().skip_while(|line| *line != head(lane)).skip(2).take_while(|line| line.starts_with('|'));
    rows.map(str::to_owned).collect()
}

fn cells(row: &str) -> Vec<String> {
    row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

fn of_row(lane: LaneId, cells: &[String]) -> Option<&'static Field> {
    let named = |field: &&Field| {
        field.lane == lane && cells[0] == format!("`{}`", field.place) && cells[1] == format!("`{}`", field.name)
    };
    FIELDS.iter().find(named)
}

#[test]
fn every_field_of_the_contract_has_a_line_and_every_line_a_field() {
    let text = std::fs::read_to_string(page()).unwrap();
    let mut written = text.clone();
    for lane in [LaneId::Legacy, LaneId::Candidate] {
        let rows = rows(&text, lane);
        for row in &rows {
            let cells = cells(row);
            let field = of_row(lane, &cells).unwrap_or_else(|| panic!("check/fields.rs has no line for {row}"));
            assert!(cells[2].ends_with('.'), "the meaning of {} is a sentence", field.name);
            let expected = format!("| {} | {} | {} | {} |", cells[0], cells[1], cells[2], field.judged.cell());
            written = written.replacen(row.as_str(), &expected, 1);
        }
        for field in FIELDS.iter().filter(|field| field.lane == lane) {
            let found = rows.iter().filter(|row| of_row(lane, &cells(row)) == Some(field)).count();
            assert_eq!(found, 1, "docs/CONTRACT.md has {found} rows for {} of {}", field.name, field.place);
        }
    }
    if std::env::var_os("CUTOVER_UPDATE_PAGES").is_some() {
        return std::fs::write(page(), &written).unwrap();
    }
    let first = written.lines().zip(text.lines()).find(|(written, standing)| written != standing);
    assert_eq!(first, None, "CUTOVER_UPDATE_PAGES=1 on this test writes what judges each field");
}

#[test]
fn every_reason_that_judges_a_field_exists() {
    for field in FIELDS {
        let Judged::By(reasons) = field.judged else { continue };
        for named in reasons {
            let (checker, word) = named.split_once('/').unwrap();
            assert!(reason(checker, word).is_some(), "{} of {}: no {named}", field.name, field.place);
        }
    }
}
