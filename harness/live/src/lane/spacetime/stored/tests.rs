#![allow(clippy::unwrap_used)]

use super::*;

fn body(rows: &str) -> Option<Bytes> {
    Some(Bytes::from(format!(r#"[{{"schema":{{"elements":[]}},"rows":{rows},"total_duration_micros":1}}]"#)))
}

const HASH: &str = "sha256:015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";

#[test]
fn the_rows_of_a_stream_are_read_as_a_server_answers_them() {
    let answers = [
        body(r#"[[1,2,10,5,"run_events"]]"#),
        body(&format!(r#"[[2,"k2","{HASH}","2",[20],true],[1,"k1","{HASH}","{{\"a\":1}}",[10],false]]"#)),
        body(r#"[["phone",2,2]]"#),
        body(&format!(r#"[["1:sk1",1,"{HASH}"],["2:sxk1",7,"{HASH}"]]"#)),
    ];
    let shown = shown(&ModuleShape::default(), "s", &answers).unwrap().unwrap();
    assert_eq!((shown.oldest, shown.head, shown.replay_budget, shown.retention), (1, 2, Some(10), Some(5)));
    let events = shown.events.unwrap();
    assert_eq!(
        events.iter().map(|event| (event.seq, event.committed_at.unwrap())).collect::<Vec<_>>(),
        [(1, 10), (2, 20)]
    );
    assert_eq!(events[0].payload, r#"{"a":1}"#);
    let keys = shown.keys.unwrap();
    assert_eq!(keys, [ShownKey { key: "k1".to_owned(), seq: 1, payload_hash: Some(HASH.to_owned()) }]);
    let phone = StoredCheckpoint { client: "phone".to_owned(), seq: 2, durable_offset: 2 };
    assert_eq!(shown.checkpoints, Some(vec![phone]));
}

#[test]
fn what_a_stranger_may_not_read_is_left_out_and_a_missing_stream_is_nothing() {
    let answers = [body(r#"[[1,0,10,5,"x"]]"#), body("[]"), body("[]"), None];
    let stranger = shown(&ModuleShape::default(), "s", &answers).unwrap().unwrap();
    assert_eq!((stranger.keys, stranger.events), (None, Some(Vec::new())));
    assert_eq!(shown(&ModuleShape::default(), "s", &[body("[]"), None, None, None]), Ok(None));
    assert_eq!(shown(&ModuleShape::default(), "s", &[None, None, None, None]), Ok(None));
    assert!(shown(&ModuleShape::default(), "s", &[body(r#"[["x"]]"#), None, None, None]).is_err());
}

#[test]
fn connection_ids_keep_all_their_digits() {
    let rows = r#"[[[185021607244861074842295240057964032472]],[[7]]]"#;
    assert_eq!(connections(&body(rows).unwrap()), ["185021607244861074842295240057964032472", "7"]);
}

#[test]
fn rows_of_any_query_are_sorted_and_keep_their_text() {
    let answer = body(r#"[["b",{"some":1}],["a",{"none":[]}]]"#).unwrap();
    assert_eq!(rows_in_order(&answer).unwrap(), r#"[["a",{"none":[]}],["b",{"some":1}]]"#);
}
