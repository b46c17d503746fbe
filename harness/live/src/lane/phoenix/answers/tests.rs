#![allow(clippy::unwrap_used)]
use super::*;

fn told() -> Told {
    let profile = PhoenixProfile::of_url("ws://lane").unwrap();
    let mut told = Told::new(Arc::new(profile), Arc::new(Names::verbatim(&["t", "u"])));
    assert_eq!(told.joined(r#"{"subscription_id":"s","allowed_topics":["t"],"current_watermarks":[]}"#), []);
    told.asked(&both());
    told.came(&"t".into(), 3);
    told
}

fn both() -> [(StreamId, Option<Cursor>); 2] {
    [("t".into(), Some(Cursor(2))), ("u".into(), None)]
}

#[test]
fn an_answer_to_a_subscribe_of_one_topic_may_leave_the_other_out() {
    let answer = r#"{"subscription_id":"s","topics":["u"],"current_watermarks":[{"topic":"u","watermark":0}]}"#;
    assert_eq!(rules(told().subscribed(&both()[1..], answer)), []);
}

fn rules(wrong: impl IntoIterator<Item = Wrong>) -> Vec<Contradiction> {
    wrong.into_iter().map(|(_, _, rule, _)| rule).collect()
}

fn marks(t: u64, u: u64) -> String {
    format!(r#"[{{"topic":"t","watermark":{t}}},{{"topic":"u","watermark":{u}}}]"#)
}

#[test]
fn an_answer_to_a_join_names_no_watermark_and_no_topic_twice() {
    let mut told = Told::new(Arc::default(), Arc::default());
    let wrong = told.joined(r#"{"subscription_id":"s","allowed_topics":["t","t"],"current_watermarks":[{}]}"#);
    assert_eq!(rules(wrong), [Contradiction::JoinAnswer, Contradiction::JoinAnswer]);
    assert_eq!(rules(told.joined("{}")), [Contradiction::FieldMissing; 3]);
}

#[test]
fn an_answer_to_a_subscribe_names_what_is_subscribed_and_what_was_sent() {
    let answer = |id: &str, topics: &str, marks: &str| {
        let answer = format!(r#"{{"subscription_id":"{id}","topics":{topics},"current_watermarks":{marks}}}"#);
        rules(told().subscribed(&both(), &answer))
    };
    assert_eq!(answer("s", r#"["u","t"]"#, &marks(3, 0)), []);
    assert_eq!(answer("z", r#"["u","t"]"#, &marks(3, 0)), [Contradiction::SubscriptionId]);
    assert_eq!(answer("s", r#"["t"]"#, &marks(3, 0)), [Contradiction::TopicsAnswered]);
    assert_eq!(answer("s", r#"["u","t"]"#, &marks(2, 0)), [Contradiction::Watermark]);
    assert_eq!(answer("s", r#"["u","t"]"#, "[]"), [Contradiction::Watermark; 2]);
}

#[test]
fn a_heartbeat_is_pushed_and_answered_with_what_was_sent() {
    let beat = |pushed: &str, answered: &str| {
        let mut told = told();
        told.beats();
        let mut wrong = match pushed {
            "" => Vec::new(),
            marks => told.beat(&format!(r#"{{"watermarks":{marks}}}"#)),
        };
        wrong.extend(told.beat_answered(&format!(r#"{{"subscription_id":"s","watermarks":{answered}}}"#)));
        rules(wrong)
    };
    assert_eq!(beat(&marks(3, 0), &marks(3, 0)), []);
    assert_eq!(beat("", &marks(3, 0)), [Contradiction::HeartbeatUnpushed]);
    assert_eq!(beat(&marks(9, 0), &marks(3, 0)), [Contradiction::Watermark]);
    assert_eq!(beat(&marks(3, 0), &marks(3, 1)), [Contradiction::Watermark]);
}

#[test]
fn a_head_that_no_event_reaches_is_told_once_at_the_next_answer() {
    let mut told = told();
    told.head(&"t".into(), 4);
    let answer = format!(r#"{{"subscription_id":"s","topics":["t","u"],"current_watermarks":{}}}"#, marks(3, 0));
    assert_eq!(rules(told.subscribed(&both(), &answer)), [Contradiction::HeadBeyond]);
    assert_eq!(rules(told.subscribed(&both(), &answer)), []);
}

#[test]
fn an_unsubscribed_topic_is_forgotten_and_brings_nothing() {
    let mut told = told();
    let answer = r#"{"subscription_id":"s","topics":["t","u"]}"#;
    assert_eq!(rules(told.unsubscribed(&["t".into()], answer)), [Contradiction::TopicsAnswered]);
    assert!(told.came(&"t".into(), 4) && !told.came(&"u".into(), 1));
}

#[test]
fn a_copy_of_a_batch_says_the_same_in_any_order_of_keys() {
    let mut told = told();
    assert!(!told.differs("t", 3, r#"{"a":1,"b":2}"#, false));
    assert!(!told.differs("t", 3, r#"{"b":2,"a":1}"#, true));
    assert!(told.differs("t", 3, r#"{"a":1}"#, true));
}

#[test]
fn a_stale_refusal_stands_beside_its_error_and_the_frame_of_that() {
    let refusal = concat!(
        r#"{"code":"stale_cursor","message":"m","full_resync_required":true,"reason_codes":[],"stale_topics":[],"#,
        r#""snapshot_plan":{"format":"f","topics":[]}}"#
    );
    let mut told = told();
    assert_eq!(rules(told.stale(refusal)), [Contradiction::ErrorUnpushed; 2]);
    told.error(refusal);
    assert_eq!(rules(told.error_frame(r#"{"seq":1}"#, "{}".to_owned())), [Contradiction::ErrorCopiesDiffer]);
    assert_eq!(rules(told.stale(refusal)), [Contradiction::ErrorCopiesDiffer]);
    told.error(refusal);
    assert_eq!(rules(told.error_frame(r#"{"seq":0}"#, refusal.to_owned())), []);
    assert_eq!(rules(told.stale(refusal)), []);
    assert_eq!(rules(told.stale("{}")).len(), 9);
}

const STRIKE: &str = r#"{"code":"slow_consumer","action":"throttle","topic":"t","queue_depth":65,"queue_limit":64,
                         "reconnect_after_ms":2000}"#;

fn strike(told: &mut Told, text: &str) -> (SlowNotice, Vec<Contradiction>) {
    let (strike, wait, wrong) = told.strike(text, &RawObject::parse(text).unwrap());
    assert_eq!(wait.as_millis(), u128::from(strike.reconnect_after_ms.unwrap_or_default()));
    (strike, rules(wrong))
}

#[test]
fn a_strike_has_every_field() {
    let (told_of, wrong) = strike(&mut told(), STRIKE);
    assert_eq!((told_of.stream, told_of.queue_depth, wrong), (Some("t".into()), Some(65), vec![]));
    let (_, wrong) = strike(&mut told(), r#"{"code":"slow_consumer"}"#);
    assert_eq!(wrong, [Contradiction::FieldMissing; 5]);
}

#[test]
fn the_frame_of_a_strike_repeats_it() {
    let mut told = told();
    let frame = r#"{"topic":"t","seq":0}"#;
    strike(&mut told, STRIKE);
    assert_eq!(rules(told.error_frame(frame, STRIKE.to_owned())), []);
    strike(&mut told, STRIKE);
    let other = STRIKE.replace("65", "66");
    assert_eq!(rules(told.error_frame(frame, other)), [Contradiction::ErrorCopiesDiffer]);
    strike(&mut told, STRIKE);
    assert_eq!(strike(&mut told, STRIKE).1, [Contradiction::ErrorUnpushed], "the one before has no frame");
}
