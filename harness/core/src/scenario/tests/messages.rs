//! Message toxics in scenarios: where they fire, and what is refused because no client can notice it.

use super::*;
use crate::ids::{Seed, Seq, StreamId};
use crate::plan::{Direction, FaultKind, MessageKind, Mutation, Position, Scope, Times};

const CUT: &str = "{ do = \"cut\", how = \"close\", when = \"before\", clients = [\"desk\"], at = { delivery = \"run:a:events\", seq = 4 } }";

/// [`GOOD`] with another fault.
fn with(fault: &str) -> String {
    assert!(GOOD.contains(CUT));
    GOOD.replace(CUT, &format!("{{ {fault} }}"))
}

fn refused(fault: &str, expect: &str) {
    let said = errors(&with(fault));
    assert!(said.contains(expect), "expected `{expect}` of `{fault}`, but this is said:\n{said}");
}

fn planned(fault: &str) -> crate::plan::PlannedFault {
    let scenario = Scenario::parse("scenarios/x.toml", &with(fault)).unwrap_or_else(|errors| panic!("{errors}"));
    compile(&scenario, Seed(1)).faults.remove(0)
}

#[test]
fn a_message_is_picked_by_all_that_is_named() {
    let fault = planned(
        "do = \"split\", frames = 3, clients = [\"desk\"], at = { message = \"downstream\", kind = \"delivery\", \
         event = \"sync:frame\", topic = \"run:a:events\", seq = 8, pointer = \"/state\", equals = \"done\", nth = 2, per = \"connection\" }",
    );
    assert_eq!(fault.kind, FaultKind::Split { frames: 3 });
    let Position::Message(pick) = fault.at else { panic!("{:?}", fault.at) };
    assert_eq!((pick.direction, pick.kind), (Direction::Downstream, Some(MessageKind::Delivery)));
    assert_eq!((pick.stream, pick.seq), (Some(StreamId::from("run:a:events")), Some(Seq(8))));
    assert_eq!((pick.nth, pick.per), (Some(2), Scope::Connection));
    let payload = pick.payload.unwrap();
    assert_eq!((payload.pointer.as_str(), payload.equals.as_deref()), ("/state", Some("\"done\"")));
    assert_eq!(pick.event.as_deref(), Some("sync:frame"));
}

#[test]
fn heartbeats_are_starved_by_losing_every_answer() {
    let fault = planned("do = \"starve-heartbeats\", clients = [\"desk\"]");
    assert_eq!((fault.kind, fault.times), (FaultKind::Drop, Times::Always));
    let matches =
        |filter: &crate::plan::MessageFilter| filter.kind == Some(MessageKind::HeartbeatReply) && filter.nth.is_none();
    assert!(matches!(&fault.at, Position::Message(filter) if matches(filter)));
    refused("do = \"starve-heartbeats\", clients = [\"desk\"], at = { resume = 1 }", "takes no `at`");
}

#[test]
fn a_value_of_any_shape_may_be_set() {
    let text = "do = \"set-json\", pointer = \"/a~1b/0\", value = { deep = [1, 2.5, true, \"x\"] }, lane = \"legacy\", \
                clients = [\"desk\"], at = { delivery = \"run:a:events\", seq = 4 }";
    let text = with(text).replace(
        "at_least",
        "expect = { decision = \"block\", findings = [\"hash-mismatch\"], lane = \"legacy\" }\nat_least",
    );
    let scenario = Scenario::parse("scenarios/known-bad/x.toml", &text).unwrap_or_else(|errors| panic!("{errors}"));
    let fault = compile(&scenario, Seed(1)).faults.remove(0);
    let mutation =
        Mutation::SetJson { pointer: "/a~1b/0".to_owned(), value: "{\"deep\":[1,2.5,true,\"x\"]}".to_owned() };
    assert_eq!(fault.kind, FaultKind::Mutate { mutation });
}

#[test]
fn what_no_client_could_notice_is_refused() {
    let at = |seq: u64| format!("clients = [\"desk\"], at = {{ delivery = \"run:a:events\", seq = {seq} }}");
    refused(&format!("do = \"drop\", {}", at(4)), "waits for `desk` at event 4, and nothing comes after it");
    refused(&format!("do = \"reorder\", {}", at(4)), "waits for `desk` at event 4, and nothing comes after it");
    refused(&format!("do = \"drop\", {}", at(9)), "nothing of the stream follows event 9");
    planned(&format!("do = \"drop\", {}", at(8)));
    refused("do = \"drop\", clients = [\"desk\"], at = { resume_reply = 1 }", "asks again only after 10 s");
    refused(
        "do = \"drop\", clients = [\"desk\"], at = { message = \"upstream\", kind = \"resume\" }",
        "only after 10 s",
    );
    refused(
        "do = \"drop\", clients = [\"desk\"], at = { message = \"downstream\", nth = 4 }",
        "any message may be lost",
    );
    refused(
        "do = \"drop\", times = \"always\", clients = [\"desk\"], at = { delivery = \"run:a:events\", seq = 8 }",
        "lost or late every time never gets through",
    );
    refused(
        "do = \"drain\", times = \"always\", clients = [\"desk\"], at = { delivery = \"run:a:events\", seq = 8 }",
        "always cuts, drains or holds",
    );
}

#[test]
fn a_loss_in_a_replay_is_refused_as_it_is_noticed_too_late() {
    let text = GOOD
        .replace("{ do = \"connect\" }", "{ do = \"connect\", clients = [\"phone\"] }")
        .replace("{ do = \"await\" }", "{ do = \"connect\" }, { do = \"await\" }")
        .replace("seq = 4", "seq = 7")
        .replace("do = \"cut\", how = \"close\", when = \"before\"", "do = \"drop\"");
    let said = errors(&text);
    assert!(said.contains("in a replay"), "{said}");
}

#[test]
fn words_that_pick_nothing_are_refused() {
    let split = |at: &str| format!("do = \"split\", clients = [\"desk\"], at = {{ {at} }}");
    refused(&split("message = \"upstream\", kind = \"delivery\""), "a message of kind `delivery` goes downstream only");
    refused(&split("message = \"downstream\", kind = \"ack\""), "only the writer has messages of kind `ack`");
    refused(&split("message = \"downstream\", kind = \"delivry\""), "did you mean `delivery`?");
    refused(&split("message = \"downstream\", seq = 4"), "a seq is one of a topic");
    refused(&split("message = \"downstream\", topic = \"run:a:events\", seq = 99"), "is never published");
    refused(&split("message = \"downstream\", equals = 4"), "says what stands at a `pointer`");
    refused(&split("message = \"downstream\", pointer = \"state\""), "is no JSON Pointer");
    refused(&split("message = \"downstream\", pointer = \"/a~9\""), "`~` is written ~0");
    refused(&split("message = \"downstream\", per = \"connection\""), "says over what `nth` counts");
    refused(&split("delivery = \"run:a:events\", seq = 4, kind = \"delivery\""), "goes with `message` only");
    refused(&split("message = \"downstream\", resume = 2"), "says in one way where the fault fires");
}

#[test]
fn a_close_code_that_can_not_be_sent_is_refused() {
    for (code, sent) in
        [(1000, true), (1012, true), (4999, true), (1004, false), (1006, false), (1015, false), (2000, false)]
    {
        for what in ["do = \"cut\", how = \"close\", when = \"after\"", "do = \"drain\""] {
            let text =
                format!("{what}, code = {code}, clients = [\"desk\"], at = {{ delivery = \"run:a:events\", seq = 8 }}");
            let said = errors(&with(&text));
            assert_eq!(said.contains(&format!("no close frame has the code {code}")), !sent, "{said}");
            assert_eq!(said.contains("can be sent (RFC 6455, 7.4)"), !sent, "{said}");
        }
    }
}
