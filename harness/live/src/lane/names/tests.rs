#![allow(clippy::unwrap_used)]
use super::*;

fn stream(name: &str) -> StreamId {
    StreamId::new(name)
}

#[test]
fn a_scoped_stream_is_found_by_either_name_on_the_wire() {
    let names = Names::new([stream("run:alpha:events")], Some("x1")).unwrap();
    assert_eq!(names.topic(&stream("run:alpha:events")), Some("run:x1-alpha:events"));
    assert_eq!(names.stream_id(&stream("run:alpha:events")), Some("runtime.run.x1-alpha.events"));
    assert_eq!(names.stream_of_topic("run:x1-alpha:events"), Some(stream("run:alpha:events")));
    assert_eq!(names.stream_of_id("runtime.run.x1-alpha.events"), Some(stream("run:alpha:events")));
    assert_eq!(names.stream_of_topic("run:alpha:events"), None);
}

#[test]
fn two_streams_that_fold_into_one_id_are_refused() {
    let error = Names::new([stream("a:b"), stream("a.b")], None).err().unwrap();
    assert!(error.to_string().contains("runtime.topic.a.b"), "{error}");
}

#[test]
fn a_topic_without_an_id_can_not_be_scoped() {
    let error = Names::new([stream("runtime.run_summaries")], Some("x1")).err().unwrap();
    assert!(error.to_string().contains("scoped = false"), "{error}");
    assert!(Names::new([stream("runtime.run_summaries")], None).is_ok());
}

#[test]
fn where_any_name_is_a_stream_it_has_that_name_on_both_wires() {
    let names = Names::any();
    let room = stream("room:1");
    assert_eq!(names.stream_of_topic("room:1"), Some(room.clone()));
    assert_eq!(names.stream_of_id("room:1"), Some(room.clone()));
    assert_eq!((names.topic(&room), names.stream_id(&room)), (Some("room:1"), Some("room:1")));
}

#[test]
fn a_stream_named_twice_is_one_stream() {
    let names = Names::new([stream("run:a:events"), stream("run:a:events")], None).unwrap();
    assert_eq!(names.topics.names.len(), 1);
}
