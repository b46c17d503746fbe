use super::*;

#[test]
fn a_message_over_our_limit_is_told_as_ours() {
    let error = Error::Capacity(CapacityError::MessageTooLong { size: 11, max_size: 10 });
    let what = "a message of 11 bytes is over our limit of 10".to_owned();
    assert_eq!(ended_by(error), Closed::OurLimit { what });
    assert!(matches!(ended_by(Error::ConnectionClosed), Closed::Lost { .. }));
}

#[test]
fn what_passes_is_worth_a_retry_whoever_answers_so() {
    let answered = |status, html| {
        let answer = HttpAnswer {
            status,
            location: None,
            retry_after: Some(Duration::from_secs(1)),
            date: None,
            encoding: None,
            body: Bytes::new(),
        };
        super::answered("lane", &answer, html, |status| (status == 403).then(|| "check the token".to_owned()))
    };
    for status in [408, 421, 425, 429, 502, 503] {
        for html in [true, false] {
            let error = answered(status, html);
            assert!(error.retryable, "{status}");
            assert_eq!(error.retry_after, Some(Duration::from_secs(1)));
        }
    }
    assert!(!answered(404, true).retryable && !answered(403, false).retryable);
    assert_eq!(answered(403, false).hint.as_deref(), Some("check the token"));
}
