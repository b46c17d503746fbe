//! Requests that a service must refuse, and how. Its checks have an order: the topics, unknown ones, the cursors.

use super::object::quoted;
use super::profile::PhoenixProfile;

/// A topic that no service has.
const UNKNOWN: &str = "cutover-unknown";

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Odd {
    pub(super) event: String,
    pub(super) payload: String,
    pub(super) what: &'static str,
    /// The code of the refusal, with the topics that it forbids.
    pub(super) expected: String,
}

pub(super) fn odd_requests(profile: &PhoenixProfile, topic: &str) -> Vec<Odd> {
    let (events, fields) = (&profile.events, &profile.fields);
    let (topics, after, watermark) = (quoted(&fields.topics), quoted(&fields.resume_after), quoted(&fields.watermark));
    let (own, unknown) = (quoted(topic), quoted(UNKNOWN));
    let bad = "bad_subscription".to_owned();
    let forbidden = format!("forbidden_topic {UNKNOWN}");
    let subscribe = |payload: String, what: &'static str, expected: &String| Odd {
        event: events.subscribe.clone(),
        payload,
        what,
        expected: expected.clone(),
    };
    let resume =
        |cursors: &str, what: &'static str| subscribe(format!("{{{topics}:[{own}],{after}:{cursors}}}"), what, &bad);
    vec![
        subscribe(format!("{{{topics}:[]}}"), "no topics", &bad),
        subscribe(format!("{{{topics}:[\" \"]}}"), "a blank topic", &bad),
        subscribe(format!("{{{topics}:{own}}}"), "topics that are no list", &bad),
        subscribe(format!("{{{topics}:[{unknown}]}}"), "an unknown topic", &forbidden),
        subscribe(format!("{{{topics}:[{own},{unknown}]}}"), "a known and an unknown topic", &forbidden),
        subscribe(
            format!("{{{topics}:[{unknown}],{after}:{{{unknown}:-1}}}}"),
            "an unknown topic with a negative watermark",
            &forbidden,
        ),
        resume(&format!("{{{own}:-1}}"), "a negative watermark"),
        resume(&format!("{{{own}:1.5}}"), "a watermark that is no whole number"),
        resume(&format!("{{{own}:\"1\"}}"), "a watermark that is text"),
        resume(&format!("[{{{}:{own},{watermark}:-1}}]", quoted(&fields.topic)), "a negative watermark in a list"),
        Odd {
            event: events.unsubscribe.clone(),
            payload: format!("{{{topics}:[]}}"),
            what: "an unsubscribe of no topics",
            expected: bad.clone(),
        },
        Odd {
            event: events.unsubscribe.clone(),
            payload: format!("{{{topics}:[{unknown}]}}"),
            what: "an unsubscribe of a topic that is not subscribed",
            expected: "ok".to_owned(),
        },
    ]
}
