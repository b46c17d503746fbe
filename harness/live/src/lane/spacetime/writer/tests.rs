use super::*;

fn answer(body: &'static str) -> HttpAnswer {
    HttpAnswer {
        status: 200,
        location: None,
        retry_after: None,
        date: None,
        encoding: None,
        body: Bytes::from_static(body.as_bytes()),
    }
}

#[test]
fn an_answer_without_a_row_is_no_seq_and_an_answer_of_another_shape_is_no_answer() {
    assert_eq!(seq_in(&answer(r#"[{"schema":{},"rows":[[7]]}]"#)), Ok(Some(7)));
    assert_eq!(seq_in(&answer(r#"[{"schema":{},"rows":[{"seq":7}]}]"#)), Ok(Some(7)));
    assert_eq!(seq_in(&answer(r#"[{"schema":{},"rows":[]}]"#)), Ok(None));
    assert!(seq_in(&answer("[]")).is_err());
    assert!(seq_in(&answer("<html>")).is_err());
}
