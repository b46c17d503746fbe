//! `token`: a lane accepts a token or refuses it, with the code that the contract gives.

use std::collections::BTreeMap;

use super::attempts::{Wrong, attempts, judged};
use super::checker::{Checker, nothing};
use super::finding::{Finding, Report};
use super::index::{Index, LaneIndex, Settled};
use super::reason::{Reason, Shortage};
use crate::history::{Closed, Completion, Minting, Outcome, Record};
use crate::ids::{ClientId, LaneId};
use crate::plan::{Change, GOOD, HELD, Step, token_of};

const NAME: &str = "token";

/// What the legacy lane sends before it closes a connection whose token was revoked.
const SIGN_IN_AGAIN: &str = "sync:error reauth_required";

static ACCEPTED: Reason = Reason::invalid("accepted", "a token was accepted that had to be refused: {got}")
    .deed("accepted tokens that had to be refused");
static REFUSED: Reason = Reason::invalid("refused", "a good token was refused: {got}").deed("refused good tokens");
static OTHER_CODE: Reason = Reason::invalid("refused-with-another-code", "a token was refused with another code")
    .deed("refused tokens with another code");
static UNTOLD: Reason = Reason::invalid("untold", "a client whose token was revoked was not told to sign in again")
    .deed("ended connections of revoked tokens without the reason");
static UNANSWERED: Reason =
    Reason::unknown("unanswered", "it is unknown whether a token was accepted: {got}").shortage(Shortage::NoAnswer);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a token is accepted or refused wrongly",
    source: "contract, \"Tokens\" (deny codes, leeway, rotation, revocation)",
    rows: &["token-lifecycle"],
    reasons: &[&ACCEPTED, &REFUSED, &OTHER_CODE, &UNTOLD, &UNANSWERED],
    accounts_for: "",
    explains: nothing,
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        for (op, state, attempted) in attempts(index, lane, true) {
            report.count("tokens", 1);
            let finding =
                |reason| index.stream_finding(NAME, reason, lane, op.stream).of_op(op.id).at_client(attempted.identity);
            let presented = format!("{} ({})", attempted.token.word, attempted.token.says);
            let finding = match judged(lane, index.plan.streams.name(op.stream), attempted, state) {
                None => continue,
                Some(Wrong::Done { at, expected }) => finding(&ACCEPTED).seen_at(at).expected(expected, presented),
                Some(Wrong::Refused { at, code }) => {
                    finding(&REFUSED).seen_at(at).expected("accepted", format!("{code} for {presented}"))
                }
                Some(Wrong::OtherCode { at, expected, code }) => {
                    finding(&OTHER_CODE).seen_at(at).expected(expected, format!("{code} for {presented}"))
                }
                Some(Wrong::Unanswered { why }) if lane.done => finding(&UNANSWERED).got(format!("{why}: {presented}")),
                Some(_) => continue,
            };
            report.push(finding);
        }
        if lane.lane == LaneId::Legacy {
            of_revoked(index, lane, report);
        }
        of_clients(index, lane, report);
    }
}

/// A connection that was kept ends with the reason once its token is revoked.
fn of_revoked(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    for (op, state, attempted) in attempts(index, lane, false) {
        let Settled::Done { at, .. } = state.settled else { continue };
        let Some(Record::Complete { completion: Completion::Ok { outcome: Outcome::Seen { ended, .. } }, .. }) =
            lane.history.records.get(at)
        else {
            continue;
        };
        if attempted.deed.word != HELD || !attempted.revoked {
            continue;
        }
        report.count("tokens", 1);
        if !matches!(ended, Some(Closed::Channel { event }) if event == SIGN_IN_AGAIN) {
            let got = ended.as_ref().map_or_else(|| "the connection stayed open".to_owned(), Closed::to_string);
            let finding = index.stream_finding(NAME, &UNTOLD, lane, op.stream).of_op(op.id);
            report.push(finding.at_client(attempted.identity).seen_at(at).expected(SIGN_IN_AGAIN, got));
        }
    }
}

/// A client's connection must not open with a token that has to be refused. A good one is refused only where the plan
/// ends it.
fn of_clients(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let mut last = BTreeMap::new();
    for (at, record) in lane.history.records.iter().enumerate() {
        let finding =
            |reason, client: &ClientId| Finding::new(NAME, reason).on(lane.lane).at_client(client.as_str()).seen_at(at);
        match record {
            Record::Presented { client, conn, token, minted } => {
                report.count("tokens", 1);
                let before = last.insert(client, (*conn, token.as_str()));
                if *minted == Some(Minting::Refused)
                    && before.is_some_and(|(_, word)| word == GOOD)
                    && !ends_tokens(index, client)
                {
                    report.push(finding(&REFUSED, client).expected("accepted", format!("a refusal of {GOOD}")));
                }
            }
            Record::Opened { client, conn, .. } => {
                let presented = last.get(client).filter(|(on, _)| on == conn);
                if let Some(token) = presented.and_then(|(_, word)| token_of(word))
                    && let Some(code) = token.refused
                {
                    report.push(finding(&ACCEPTED, client).expected(code, format!("{} ({})", token.word, token.says)));
                }
            }
            _ => {}
        }
    }
}

/// Whether the script ends good tokens of a client's identity.
fn ends_tokens(index: &Index<'_>, client: &ClientId) -> bool {
    let cases = index.plan.plan.cases.iter();
    let case = cases.filter(|case| case.clients.iter().any(|planned| planned.id == *client));
    let mut steps = case.flat_map(|case| &case.steps);
    steps.any(|step| matches!(step, Step::Access(Change::Revoke { .. } | Change::Withdraw { .. } | Change::RetireKey)))
}
