#![allow(clippy::unwrap_used)]
use super::super::batch::read_batch;
use super::*;

fn profile() -> PhoenixProfile {
    PhoenixProfile { every_field: Some(false), ..PhoenixProfile::of_url("ws://lane").unwrap() }
}

fn broken(batch: &str) -> Vec<Contradiction> {
    let profile = PhoenixProfile::of_url("ws://lane").unwrap();
    let updates: Vec<_> = read_batch(&profile, "sync:v1", batch).unwrap().into_iter().flatten().collect();
    let claims = Claims::of_batch(&profile, "sync:v1", batch).contradictions(&updates.iter().collect::<Vec<_>>());
    let of_updates = updates.iter().flat_map(|update| update.broken.clone());
    claims.into_iter().chain(of_updates).map(|(rule, _)| rule).collect()
}

#[test]
fn a_service_with_every_field_is_held_to_each_of_them() {
    let update = r#""topic":"t","watermark":3,"payload":1,"payload_hash":"x""#;
    let doc = r#""doc_key":"k","doc_version":3,"hydration_required":false"#;
    let heads = r#""head_watermarks":[{"topic":"t","watermark":3}]"#;
    let batch = |update: &str, rest: &str| format!(r#"{{"updates":[{{{update}}}],{rest}}}"#);
    let right = batch(&format!("{update},{doc}"), &format!(r#""replay_complete":true,{heads}"#));
    assert_eq!(broken(&right), []);
    for (from, to, rule) in [
        (r#""replay_complete":true"#, r#""replay_complete":false"#, Contradiction::CompleteTooLate),
        (r#""t","watermark":3}]"#, r#""t","watermark":4}]"#, Contradiction::CompleteTooSoon),
        (r#""t","watermark":3}]"#, r#""t","watermark":3},{"topic":"u","watermark":1}]"#, Contradiction::HeadOfOther),
        (r#""doc_version":3"#, r#""doc_version":2"#, Contradiction::DocVersion),
        (r#""doc_key":"k","#, "", Contradiction::FieldMissing),
        (r#""hydration_required":false"#, r#""hydration_required":true"#, Contradiction::Hydration),
        (r#""payload_hash":"x""#, r#""payload_hash":null"#, Contradiction::HashMissing),
    ] {
        assert_eq!(broken(&right.replacen(from, to, 1)), [rule], "{to}");
    }
}

fn check(claims: &str, frame: Option<&str>, expect: &[Contradiction]) {
    let batch = format!(r#"{{"updates":[{{"topic":"t","watermark":3,"payload":1}}]{claims}}}"#);
    let updates: Vec<_> = read_batch(&profile(), "sync:v1", &batch).unwrap().into_iter().flatten().collect();
    let claims = frame
        .map_or_else(|| Claims::of_batch(&profile(), "sync:v1", &batch), |frame| Claims::of_frame(&profile(), frame));
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
