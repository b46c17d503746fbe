//! `unauthorized`: nothing is delivered beyond the grants of an identity, and nothing is written beyond its rights.

use super::attempts::{Wrong, attempts, judged};
use super::checker::Checker;
use super::finding::Report;
use super::index::Index;
use super::reason::{Reason, Shortage};
use super::{phantom, unseen, wrong_answer};

const NAME: &str = "unauthorized";

static DELIVERED: Reason =
    Reason::invalid("delivered", "something came of a stream that the identity may not read: {got}")
        .deed("delivered streams that were not granted");
static DONE: Reason =
    Reason::invalid("done", "what the identity has no right to was done: {got}").deed("did what no right allows");
static WITHHELD: Reason = Reason::invalid("withheld", "nothing came of a stream that the identity may read: {got}")
    .deed("withheld streams that were granted");
static REFUSED: Reason =
    Reason::invalid("refused", "what the identity may do was refused: {got}").deed("refused what is granted");
static OTHER_CODE: Reason =
    Reason::invalid("refused-with-another-code", "what the identity may not do was refused with another code")
        .deed("refused with another code what is not granted");
static UNANSWERED: Reason =
    Reason::unknown("unanswered", "it is unknown what came of an attempt: {got}").shortage(Shortage::NoAnswer);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "something is delivered beyond the grants of an identity, or written beyond its rights",
    source: "contract, \"Client to server, after the join\" (`forbidden_topic`), \"Tokens\"; of the candidate, \"The \
             module's reducers\" (a caller writes only what its claims allow)",
    rows: &["authorization"],
    reasons: &[&DELIVERED, &DONE, &WITHHELD, &REFUSED, &OTHER_CODE, &UNANSWERED],
    accounts_for: "what was written beyond a right: phantom, wrong-answer, unseen",
    explains: |cause, effect| *cause.reason == DONE && effect.is_of(&[phantom::NAME, wrong_answer::NAME, unseen::NAME]),
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        for (op, state, attempted) in attempts(index, lane, false) {
            report.count("attempts", 1);
            let finding =
                |reason| index.stream_finding(NAME, reason, lane, op.stream).of_op(op.id).at_client(attempted.identity);
            let tried = format!("{} ({})", attempted.deed.word, attempted.deed.says);
            let finding = match judged(lane, index.plan.streams.name(op.stream), attempted, state) {
                None => continue,
                Some(Wrong::Delivered { at, of }) => {
                    finding(&DELIVERED).seen_at(at).expected("nothing", format!("{of} by {tried}"))
                }
                Some(Wrong::Withheld { at }) => finding(&WITHHELD).seen_at(at).expected("events", tried),
                Some(Wrong::Done { at, expected }) => finding(&DONE).seen_at(at).expected(expected, tried),
                Some(Wrong::Refused { at, code }) => {
                    finding(&REFUSED).seen_at(at).expected("done", format!("{code} to {tried}"))
                }
                Some(Wrong::OtherCode { at, expected, code }) => {
                    finding(&OTHER_CODE).seen_at(at).expected(expected, format!("{code} to {tried}"))
                }
                Some(Wrong::Unanswered { why }) if lane.done => finding(&UNANSWERED).got(format!("{why}: {tried}")),
                Some(Wrong::Unanswered { .. }) => continue,
            };
            report.push(finding);
        }
    }
}
