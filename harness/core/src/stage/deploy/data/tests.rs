#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::stage::Outcome;

fn table(columns: &[&str]) -> TableSurface {
    TableSurface { columns: columns.iter().map(|column| (*column).to_owned()).collect(), public: true }
}

fn rows(rows: &[Value]) -> TableRows {
    TableRows { count: Some(rows.len() as u64), rows: Some(rows.to_vec()) }
}

fn ruled() -> Ruled {
    let columns = |second: &str| ["stream_id".to_owned(), second.to_owned()];
    Ruled { events: ("sync_event".to_owned(), columns("seq")), heads: ("sync_stream".to_owned(), columns("head_seq")) }
}

/// What is said of a table whose rows were these, and are those.
fn said(name: &str, columns: &[&str], before: &[Value], after: &[Value]) -> (Outcome, String) {
    let of = table(columns);
    let data = compare(name, (&of, Some(&of)), (&rows(before), &rows(after)), &ruled());
    let check = check(&BTreeMap::from([(name.to_owned(), data)]));
    (check.outcome, check.saw)
}

const EVENT: [&str; 3] = ["stream_id string", "seq u64", "payload string"];
const HEAD: [&str; 2] = ["stream_id string", "head_seq u64"];

#[test]
fn rows_that_are_all_there_pass_in_any_order_and_beside_new_ones() {
    let (one, two, three) = (json!(["a", 1, "x"]), json!(["a", 2, "y"]), json!(["a", 3, "z"]));
    let (outcome, saw) = said("sync_event", &EVENT, &[one.clone(), two.clone()], &[two.clone(), one.clone()]);
    assert_eq!((outcome, saw.as_str()), (Outcome::Passed, "1 tables had rows, and each row is there"));
    let (outcome, saw) = said("sync_event", &EVENT, &[one.clone(), two.clone()], &[one, two, three]);
    assert_eq!(outcome, Outcome::Passed);
    assert!(saw.ends_with("written meanwhile: `sync_event` 0 changed and 1 more"), "{saw}");
}

#[test]
fn a_row_that_is_gone_is_a_loss_though_others_stay() {
    let all: Vec<Value> = (1..=3).map(|seq| json!(["a", seq, "x"])).collect();
    for name in ["sync_event", "other"] {
        let (outcome, saw) = said(name, &EVENT, &all, &all[..2]);
        assert_eq!(outcome, Outcome::Failed);
        assert_eq!(saw, format!("`{name}` had 3 rows and has 2: 1 are gone"));
        assert_eq!(said(name, &EVENT, &all, &[]).0, Outcome::Failed);
    }
    // Two rows that are alike are two rows.
    assert_eq!(said("other", &["a u64"], &[json!([1]), json!([1])], &[json!([1])]).0, Outcome::Failed);
}

#[test]
fn an_event_with_another_content_and_a_head_that_fell_are_losses() {
    let (outcome, saw) = said("sync_event", &EVENT, &[json!(["a", 7, "x"])], &[json!(["a", 7, "y"])]);
    assert_eq!((outcome, saw.as_str()), (Outcome::Failed, "`sync_event`: seq 7 of \"a\"; 1 of the kind"));
    // Retention takes the oldest event away for a new one.
    assert_eq!(said("sync_event", &EVENT, &[json!(["a", 7, "x"])], &[json!(["a", 8, "y"])]).0, Outcome::Passed);
    let (outcome, saw) = said("sync_stream", &HEAD, &[json!(["a", 7])], &[json!(["a", 6])]);
    assert_eq!(outcome, Outcome::Failed);
    assert!(saw.contains("the head of \"a\" was 7 and is 6"), "{saw}");
    assert_eq!(said("sync_stream", &HEAD, &[json!(["a", 7])], &[json!(["b", 9])]).0, Outcome::Failed);
    assert_eq!(said("sync_stream", &HEAD, &[json!(["a", 7])], &[json!(["a", 9])]).0, Outcome::Passed);
}

#[test]
fn clients_that_come_and_go_lose_nothing() {
    let columns = ["connection_id u128", "since u64"];
    assert_eq!(said("active_connection", &columns, &[json!([1, 2])], &[]).0, Outcome::Passed);
}

#[test]
fn a_new_column_at_the_end_is_no_change_of_a_row() {
    let (old, new) = (table(&EVENT), table(&[&EVENT[..], &["note string"]].concat()));
    let (before, after) = (rows(&[json!(["a", 1, "x"])]), rows(&[json!(["a", 1, "x", ""])]));
    let data = compare("sync_event", (&old, Some(&new)), (&before, &after), &ruled());
    assert_eq!((data.gone, data.new, data.digests.map(|[was, is]| was == is)), (0, 0, Some(true)));
}

#[test]
fn a_table_that_is_too_long_is_compared_by_its_number_of_rows() {
    let of = table(&EVENT);
    let counted = |count| TableRows { count, rows: None };
    let said = |before, after| {
        let data = compare("sync_event", (&of, Some(&of)), (&counted(before), &counted(after)), &ruled());
        let check = check(&BTreeMap::from([("sync_event".to_owned(), data)]));
        (check.outcome, check.saw)
    };
    let (outcome, saw) = said(Some(30_000), Some(30_001));
    assert_eq!(outcome, Outcome::Passed);
    assert!(saw.contains("by their number of rows alone, over 20000 or with other columns: sync_event"), "{saw}");
    assert_eq!(said(Some(30_000), Some(29_999)).0, Outcome::Failed);
    assert_eq!(said(Some(30_000), None).0, Outcome::Unknown);
    assert_eq!(said(None, Some(3)).0, Outcome::Unknown);
}
