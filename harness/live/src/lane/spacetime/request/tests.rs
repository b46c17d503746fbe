#![allow(clippy::unwrap_used)]
use super::super::shape::ModuleShape;
use super::*;

#[test]
fn a_request_id_tells_what_the_request_was_for() {
    for purpose in Purpose::NUMBERED.into_iter().chain([Purpose::Join]) {
        for nth in [0, 1, 1000, u32::MAX / KINDS] {
            assert_eq!(Purpose::of(purpose.request_id(nth)), Some(purpose), "{nth}");
        }
    }
    assert_eq!(Purpose::of(0), None);
}

#[test]
fn a_quote_in_a_stream_id_does_not_end_the_query() {
    let query = ModuleShape::default().events_query("it's ' AND seq > 1", 7);
    assert_eq!(ModuleShape::default().read_events_query(&query), Some(("it's ' AND seq > 1".to_owned(), 7)));
    assert_eq!(ModuleShape::default().read_events_query("SELECT * FROM sync_event"), None);
}

#[test]
fn a_resumes_arguments_are_read_as_they_were_written() {
    let cursors = vec![("a".to_owned(), 0), ("bé".to_owned(), u64::MAX)];
    assert_eq!(read_resume_args(&resume_args(&cursors)), Some(cursors));
    assert_eq!(read_resume_args(&[255; 8]), None);
}
