#![allow(clippy::unwrap_used)]
use super::super::batch::read_batch;
use super::*;

fn profile() -> PhoenixProfile {
    PhoenixProfile::of_url("ws://lane").unwrap()
}

fn check(claims: &str, frame: Option<&str>, expect: &[Contradiction]) {
    let batch = format!(r#"{{"updates":[{{"topic":"t","watermark":3,"payload":1}}]{claims}}}"#);
    let updates: Vec<_> = read_batch(&profile(), &batch).unwrap().into_iter().flatten().collect();
    let claims =
        frame.map_or_else(|| Claims::of_batch(&profile(), &batch), |frame| Claims::of_frame(&profile(), frame));
    let broken = claims.contradictions(&updates.iter().collect::<Vec<_>>());
    let rules: Vec<_> = broken.into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(rules, expect, "{batch} {frame:?}");
}

#[test]
fn words_that_are_missing_or_fit_are_no_contradiction() {
    check("", None, &[]);
    check(r#","replay_complete":true,"head_watermarks":[{"topic":"t","watermark":3}]"#, None, &[]);
    check(r#","replay_complete":false,"head_watermarks":[{"topic":"t","watermark":9}]"#, None, &[]);
    check("", Some(r#"{"topic":"t","seq":3}"#), &[]);
    check("", Some("{}"), &[]);
}

#[test]
fn words_that_do_not_fit_the_events_are_told_each() {
    let head = |head: u64| format!(r#","replay_complete":true,"head_watermarks":[{{"topic":"t","watermark":{head}}}]"#);
    check(&head(2), None, &[Contradiction::HeadBelowEvent]);
    // The head may have moved on since the batch was put together.
    check(&head(4), None, &[]);
    let frame = Some(r#"{"topic":"u","seq":4}"#);
    check("", frame, &[Contradiction::FrameTopic, Contradiction::FrameSeq]);
}
