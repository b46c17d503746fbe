use cutover_core::ids::StreamId;

use super::*;

#[test]
fn a_query_of_events_is_read_as_it_was_written() {
    let events = Events { table: "journal".into(), stream_id: "channel".into(), seq: "n".into(), ..Events::default() };
    let shape = ModuleShape { events, ..ModuleShape::default() };
    let query = shape.events_query("it's", 7);
    assert_eq!(query, "SELECT * FROM journal WHERE channel = 'it''s' AND n > 7");
    assert_eq!(shape.read_events_query(&query), Some(("it's".to_owned(), 7)));
    assert_eq!(ModuleShape::default().read_events_query(&query), None);
}

#[test]
fn without_a_table_of_heads_the_query_for_them_finds_nothing() {
    let mut shape = ModuleShape::default();
    assert_eq!(shape.stream_query("s"), "SELECT * FROM sync_stream WHERE stream_id = 's'");
    shape.heads.table.clear();
    assert_eq!(shape.read_events_query(&shape.stream_query("s")), Some(("s".to_owned(), u64::MAX)));
}

#[test]
fn global_keys_carry_the_word_of_the_run_where_there_is_one() {
    let stream = StreamId::new("run:a:events");
    let mut shape = ModuleShape::default();
    let (scoped, alone) = (Names::new([stream.clone()], Some("x1")), Names::new([stream], None));
    let (Ok(scoped), Ok(alone)) = (scoped, alone) else { panic!("the names are good") };
    assert_eq!(shape.key_on_wire(&scoped, "k"), "k");
    shape.keys.scope = KeyScope::Global;
    assert_eq!((shape.key_on_wire(&scoped, "k").as_str(), shape.key_on_wire(&alone, "k").as_str()), ("x1/k", "k"));
    assert_eq!(shape.key_of_plan(&scoped, "x1/k".to_owned()), "k");
    assert_eq!(shape.key_of_plan(&scoped, "other".to_owned()), "other");
}

#[test]
fn every_name_that_a_run_needs_and_every_wrong_placeholder_is_a_mistake() {
    let mut shape = ModuleShape::default();
    assert_eq!(shape.misfits(), []);
    shape.events.seq.clear();
    shape.heads.table = "a table".to_owned();
    shape.append.arguments = ["{stream}", "{payload}", "{sum}"].into();
    shape.streams.id = "one".to_owned();
    let keys: Vec<&str> = shape.misfits().into_iter().map(|(key, ..)| key).collect();
    assert_eq!(keys, ["events.seq", "heads.table", "append.arguments", "append.arguments", "streams.id"]);
}

#[test]
fn a_key_in_a_table_of_keys_has_the_form_of_the_profile() {
    assert_eq!(ModuleShape::default().key_form("s1", "k"), "2:s1k");
}
