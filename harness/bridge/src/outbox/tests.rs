#![allow(clippy::unwrap_used)]

use super::{Message, Outbox, Row, read};

const AS_OBJECT: &str = r#"{"InitialSubscription":{"database_update":{"tables":[{"table_id":4100,"table_name":"bridge_outbox","num_rows":1,"updates":[{"deletes":[],"inserts":["{\"event_key\":\"e1\",\"position\":1,\"stream_id\":\"s\",\"payload\":\"{}\",\"payload_hash\":\"h\",\"enqueued_at\":{\"__timestamp_micros_since_unix_epoch__\":7},\"relay_event_id\":\"\"}"]}]}]},"request_id":1}}"#;
const AS_LIST: &str = r#"{"TransactionUpdate":{"status":{"Committed":{"tables":[{"table_id":4100,"table_name":"bridge_outbox","num_rows":2,"updates":[{"deletes":["[\"e1\",1,\"s\",\"{}\",\"h\",[7],\"\"]"],"inserts":["[\"e1\",1,\"s\",\"{}\",\"h\",[7],\"abc\"]"]}]}]}},"caller_identity":{"__identity__":"0x1"}}}"#;

fn first(sent_as: &str) -> Row {
    let word = str::to_owned;
    Row { key: word("e1"), position: 1, stream: word("s"), payload: word("{}"), enqueued_at: 7, sent_as: word(sent_as) }
}

#[test]
fn reads_the_rows_of_a_snapshot_and_of_an_update() {
    assert_eq!(read(AS_OBJECT), Ok(Message::All(vec![first("")])));
    assert_eq!(read(AS_LIST), Ok(Message::Changed { gone: vec![first("")], come: vec![first("abc")] }));
}

#[test]
fn a_row_that_is_marked_does_not_wait() {
    let mut outbox = Outbox::default();
    outbox.apply(read(AS_OBJECT).unwrap());
    assert_eq!(outbox.waiting().count(), 1);
    outbox.apply(read(AS_LIST).unwrap());
    assert_eq!((outbox.waiting().count(), outbox.last()), (0, 1));
}

#[test]
fn a_refused_call_and_other_columns_are_told() {
    let refused = r#"{"TransactionUpdate":{"status":{"Failed":"no such reducer"}}}"#;
    assert_eq!(read(refused), Ok(Message::Refused("no such reducer".to_owned())));
    let other = AS_LIST.replace(r#"\"e1\",1,"#, "");
    assert!(read(&other).unwrap_err().contains("other columns"));
    assert_eq!(read("{}"), Ok(Message::Other));
}
