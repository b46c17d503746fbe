use super::*;

#[test]
fn a_wait_is_read_from_seconds_and_from_dates_and_is_capped() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    for (value, expected) in [
        ("0", Some(0)),
        ("3", Some(3)),
        ("Sun, 06 Nov 1994 08:49:41 GMT", Some(4)),
        ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
        ("Mon, 07 Nov 1994 08:49:37 GMT", Some(10)),
        ("99999999999999999999999", Some(10)),
        ("soon", None),
        ("-1", None),
        ("", None),
    ] {
        assert_eq!(wait_of(value, now), expected.map(Duration::from_secs), "{value:?}");
    }
}

#[test]
fn what_a_balancer_or_a_limit_answers_passes_and_what_a_service_judges_does_not() {
    for status in [408, 421, 425, 429, 500, 502, 503, 504] {
        assert!(is_passing(status), "{status}");
    }
    for status in [200, 301, 400, 401, 403, 404, 409, 413, 426] {
        assert!(!is_passing(status), "{status}");
    }
    assert!(did_nothing(429) && !did_nothing(503));
}
