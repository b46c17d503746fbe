#![allow(clippy::unwrap_used)]
use super::*;

fn row(stream_id: &str, seq: u64) -> Vec<u8> {
    let value = ProductValue::from_iter([
        AlgebraicValue::String(stream_id.into()),
        AlgebraicValue::U64(seq),
        AlgebraicValue::String("k".into()),
        AlgebraicValue::String("sha256:00".into()),
        AlgebraicValue::String("{}".into()),
        AlgebraicValue::I64(5),
        AlgebraicValue::Bool(true),
    ]);
    bsatn::to_vec(&value).unwrap()
}

#[test]
fn a_row_is_written_as_it_was_read() {
    let schema = EventSchema::module();
    let bytes = row("s", 7);
    let read = schema.read(&bytes).unwrap();
    assert_eq!((read.stream_id.as_str(), read.seq, read.payload.as_str()), ("s", 7, "{}"));
    assert_eq!(schema.write(&read).unwrap(), bytes);
}

#[test]
fn a_row_of_another_schema_is_an_error_and_never_a_guess() {
    let mut longer = row("s", 7);
    longer.push(0);
    assert!(EventSchema::module().read(&longer).is_err_and(|error| error.why.contains("module")));
    assert!(EventSchema::module().read(&longer[..9]).is_err());
    assert!(StreamRow::read(&row("s", 7)).is_err());
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
