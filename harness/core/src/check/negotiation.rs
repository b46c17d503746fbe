//! `negotiation`: a client is refused by the first check of the window that it fails, with that code and the whole
//! window, or else let in. A client that was refused is not subscribed, and does not try again.

use std::collections::BTreeMap;

use super::checker::Checker;
use super::finding::{Finding, Report};
use super::index::{Index, LaneIndex};
use super::reason::{Reason, Shortage};
use super::unreached;
use crate::history::{Record, Refusal};
use crate::plan::{PlannedClient, Window};

pub const NAME: &str = "negotiation";

static LET_IN: Reason =
    Reason::invalid("let-in", "{client} had to be refused and was let in").deed("let clients in that it had to refuse");
static REFUSED: Reason = Reason::invalid("refused", "{client} had to be let in and was refused")
    .deed("refused clients that it had to let in");
static OTHER_CODE: Reason =
    Reason::invalid("another-code", "{client} was refused with another code").deed("refused clients with another code");
static OTHER_WINDOW: Reason = Reason::invalid("another-window", "{client} was told another window as it was refused")
    .deed("told refused clients another window");
static SUBSCRIBED: Reason =
    Reason::invalid("subscribed-all-the-same", "{client} was refused and could still subscribe")
        .deed("let clients subscribe that it had refused");
static TRIED_AGAIN: Reason = Reason::invalid("tried-again", "{client} was refused for good and tried again");
static NO_ANSWER: Reason =
    Reason::unknown("no-answer", "{client} was neither refused nor let in").shortage(Shortage::NoConnection);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a client was let in or refused otherwise than the window says, or was told another code or window",
    source: "contract, \"Join\" (the table of refusals, in its order; `retryable: false`)",
    rows: &["compatibility-negotiation"],
    reasons: &[&LET_IN, &REFUSED, &OTHER_CODE, &OTHER_WINDOW, &SUBSCRIBED, &TRIED_AGAIN, &NO_ANSWER],
    accounts_for: "same client: unreached",
    explains: |cause, effect| effect.is_of(&[unreached::NAME]) && effect.is_at_client_of(cause),
    check,
};

/// What came of a client's attempts to connect, each by its record.
#[derive(Default)]
struct Attempts<'a> {
    let_in: Option<usize>,
    refused: Vec<(usize, &'a Refusal, bool)>,
}

fn check(index: &Index<'_>, report: &mut Report) {
    let plan = index.plan.plan;
    let clients = plan.cases.iter().flat_map(|case| &case.clients).filter(|client| client.join.is_some());
    let clients: Vec<&PlannedClient> = clients.collect();
    for lane in index.lanes().iter().filter(|_| !clients.is_empty()) {
        let attempts = attempts(lane);
        for client in &clients {
            report.count("clients", 1);
            let of_client = attempts.get(client.id.as_str());
            let found = judge(client, plan.window.as_ref(), of_client.unwrap_or(&Attempts::default()), lane.done);
            if let Some((reason, at, expected, got)) = found {
                let finding = Finding::new(NAME, reason).on(lane.lane).at_client(client.id.as_str());
                let finding = at.into_iter().fold(finding, Finding::seen_at);
                report.push(finding.expected(expected, got));
            }
        }
    }
}

fn attempts<'a>(lane: &LaneIndex<'a>) -> BTreeMap<&'a str, Attempts<'a>> {
    let mut attempts: BTreeMap<&str, Attempts<'_>> = BTreeMap::new();
    for (at, record) in lane.history.records.iter().enumerate() {
        match record {
            Record::Opened { client, .. } => {
                attempts.entry(client.as_str()).or_default().let_in.get_or_insert(at);
            }
            Record::NotLetIn { client, refusal, subscribed, .. } => {
                attempts.entry(client.as_str()).or_default().refused.push((at, refusal, *subscribed));
            }
            _ => {}
        }
    }
    attempts
}

type Found = (&'static Reason, Option<usize>, String, String);

/// The first thing that is wrong, with its record, and what was expected and came.
fn judge(client: &PlannedClient, window: Option<&Window>, seen: &Attempts<'_>, done: bool) -> Option<Found> {
    let found = |reason, at: usize, expected: &str, got: &str| Some((reason, Some(at), expected.into(), got.into()));
    let Some(code) = client.refused.as_deref() else {
        let (at, refusal, _) = seen.refused.first()?;
        return found(&REFUSED, *at, "let in", &refusal.code);
    };
    if let Some(at) = seen.let_in {
        return found(&LET_IN, at, code, "let in");
    }
    let Some((at, refusal, subscribed)) = seen.refused.first().copied() else {
        return done.then(|| (&NO_ANSWER, None, code.to_owned(), "nothing".to_owned()));
    };
    if refusal.code != code {
        return found(&OTHER_CODE, at, code, &refusal.code);
    }
    // A refusal that does not say whether it is for good is taken for one that is.
    let told = |field: &String| refusal.window.get(field).map(String::as_str);
    let differs = window.map(Window::told).unwrap_or_default().into_iter().find(|(field, expected)| {
        told(field).is_none_or(|got| got != expected) && !(field == "retryable" && told(field).is_none())
    });
    if let Some((field, expected)) = differs {
        let got = told(&field).unwrap_or("nothing");
        return found(&OTHER_WINDOW, at, &format!("{field} {expected}"), &format!("{field} {got}"));
    }
    if subscribed {
        return found(&SUBSCRIBED, at, "no subscription", "subscribed");
    }
    let (again, _, _) = seen.refused.get(1)?;
    found(&TRIED_AGAIN, *again, "one attempt", &format!("{} attempts", seen.refused.len()))
}

#[cfg(test)]
mod tests;
