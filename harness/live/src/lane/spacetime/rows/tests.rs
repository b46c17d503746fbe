#![allow(clippy::unwrap_used)]
use spacetimedb_sats::AlgebraicType;

use super::*;

fn text(text: &str) -> AlgebraicValue {
    AlgebraicValue::String(text.into())
}

fn bytes_of(values: impl IntoIterator<Item = AlgebraicValue>) -> Vec<u8> {
    bsatn::to_vec(&ProductValue::from_iter(values)).unwrap()
}

/// A row of this project's module.
fn row(stream_id: &str, seq: u64) -> Vec<u8> {
    bytes_of([
        text(stream_id),
        AlgebraicValue::U64(seq),
        text("k"),
        text("sha256:00"),
        text("{}"),
        AlgebraicValue::I64(5),
        AlgebraicValue::Bool(true),
    ])
}

#[test]
fn a_row_is_written_as_it_was_read() {
    let schema = Schema::module();
    let bytes = row("s", 7);
    let event = EventRow::read(&schema, &bytes).unwrap();
    assert_eq!((event.stream_id.as_str(), event.seq, event.payload.as_str()), ("s", 7, "{}"));
    assert_eq!((event.idempotency_key.as_str(), event.committed_at, event.confirmed_read), ("k", Some(5), Some(true)));
    assert_eq!(Row::read(&schema, EVENT_TABLE, &bytes).unwrap().write().unwrap(), bytes);
}

#[test]
fn columns_are_found_by_name_in_whichever_order_the_module_has_them() {
    let events = [
        ("payload", AlgebraicType::String),
        ("region", AlgebraicType::option(AlgebraicType::U8)),
        ("seq", AlgebraicType::U64),
        ("payload_hash", AlgebraicType::String),
        ("stream_id", AlgebraicType::String),
    ];
    let streams = [("head_seq", AlgebraicType::U64), ("stream_id", AlgebraicType::String)];
    let schema = Schema::of_tables(&[("audit", &streams), (EVENT_TABLE, &events), (STREAM_TABLE, &streams)]);
    let event = bytes_of([text("{}"), AlgebraicValue::OptionNone(), AlgebraicValue::U64(7), text("h"), text("s")]);
    let read = EventRow::read(&schema, &event).unwrap();
    assert_eq!((read.stream_id.as_str(), read.seq, read.payload.as_str()), ("s", 7, "{}"));
    let stream = bytes_of([AlgebraicValue::U64(9), text("s")]);
    assert_eq!(
        StreamRow::read(&schema, &stream),
        Ok(StreamRow { stream_id: "s".to_owned(), head_seq: 9, oldest_seq: None })
    );

    let mut row = Row::read(&schema, EVENT_TABLE, &event).unwrap();
    assert_eq!(row.set("seq", "8"), Some(()));
    assert_eq!(row.set("region", r#"{"some": 3}"#), Some(()));
    assert_eq!((row.set("seq", r#""8""#), row.set("region", "300"), row.set("class", "1")), (None, None, None));
    let region = AlgebraicValue::OptionSome(AlgebraicValue::U8(3));
    assert_eq!(row.write().unwrap(), bytes_of([text("{}"), region, AlgebraicValue::U64(8), text("h"), text("s")]));
}

#[test]
fn a_missing_or_retyped_column_is_reported_with_its_table_and_name() {
    let columns = [("stream_id", AlgebraicType::String), ("seq", AlgebraicType::U32)];
    let schema = Schema::of_tables(&[(EVENT_TABLE, &columns), (STREAM_TABLE, &columns)]);
    let bytes = bytes_of([text("s"), AlgebraicValue::U32(7)]);
    let error = EventRow::read(&schema, &bytes).unwrap_err().to_string();
    assert_eq!(error, "a row of `sync_event` that can't be read: the column `seq` is a U32, not a U64");
    let error = StreamRow::read(&schema, &bytes).unwrap_err().to_string();
    assert!(error.contains("`sync_stream`") && error.contains("no column `head_seq`"), "{error}");
    assert!(error.contains("the columns are stream_id String, seq U32"), "{error}");
    let error = EventRow::read(&Schema::default(), &bytes).unwrap_err().to_string();
    assert!(error.contains("`sync_event`") && error.contains("no such table"), "{error}");
}

#[test]
fn a_row_of_another_schema_is_an_error_and_never_a_guess() {
    let schema = Schema::module();
    let mut longer = row("s", 7);
    longer.push(0);
    assert!(EventRow::read(&schema, &longer).is_err_and(|error| error.why.contains("module")));
    assert!(EventRow::read(&schema, &longer[..9]).is_err());
    assert!(StreamRow::read(&schema, &row("s", 7)).is_err());
}

#[test]
fn lists_are_split_as_they_were_joined() {
    let rows = vec![row("a", 1), row("bb", 2)];
    let split = split(EVENT_TABLE, &join(&rows)).unwrap();
    assert_eq!(split, rows);
    let fixed = BsatnRowList::new(RowSizeHint::FixedSize(2), Bytes::from_static(b"abcd"));
    assert_eq!(super::split(EVENT_TABLE, &fixed).unwrap(), ["ab", "cd"]);
}

#[test]
fn a_list_that_lies_about_its_rows_is_an_error() {
    let lies = [
        RowSizeHint::FixedSize(0),
        RowSizeHint::FixedSize(3),
        RowSizeHint::RowOffsets([0, 9].into()),
        RowSizeHint::RowOffsets([3, 1].into()),
        RowSizeHint::RowOffsets([u64::MAX].into()),
    ];
    for hint in lies {
        let list = BsatnRowList::new(hint.clone(), Bytes::from_static(b"abcd"));
        assert!(split(EVENT_TABLE, &list).is_err(), "{hint:?}");
    }
}
