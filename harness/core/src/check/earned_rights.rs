//! Which parts of the rows about tokens and rights a lane's history shows.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Completion, History, Minting, Outcome, Record};
use crate::ids::{ClientId, ConnId, LaneId, OpId, StreamId};
use crate::matrix::Part;
use crate::plan::{
    CONNECT, Case, Change, DEEDS, Deed, EXPIRED, FIRST_KEY, GOOD, HELD, HOLD, Needs, Plan, Refused, Step, TOKENS,
};

/// So many clients of a storm must come back.
const STORM: usize = 4;

/// An attempt that the lane took or refused.
struct Made<'a> {
    identity: &'a str,
    stream: &'a StreamId,
    token: &'a str,
    deed: &'a str,
    allowed: bool,
    /// Of what was held: how the right ended meanwhile.
    ended: Option<&'a Change>,
    /// What came; `None` where it was refused.
    seen: Option<&'a [StreamId]>,
}

pub(super) fn earned(plan: &Plan, history: &History) -> BTreeSet<Part> {
    let mut parts = BTreeSet::new();
    if plan.has_identities() {
        for case in &plan.cases {
            of_case(case, &made(case, &history.records), history.header.lane, &mut parts);
        }
        of_clients(&history.records, &mut parts);
    }
    parts
}

fn made<'a>(case: &'a Case, records: &'a [Record]) -> Vec<Made<'a>> {
    let mut answers: BTreeMap<OpId, Option<&[StreamId]>> = BTreeMap::new();
    for record in records {
        let Record::Complete { op, completion, .. } = record else { continue };
        match completion {
            Completion::Ok { outcome: Outcome::Seen { streams, .. } } => drop(answers.insert(*op, Some(streams))),
            Completion::Ok { outcome: Outcome::Done | Outcome::Published { .. } } => {
                answers.insert(*op, Some(&[]));
            }
            Completion::Fail { .. } => drop(answers.insert(*op, None)),
            _ => {}
        }
    }
    let mut made = Vec::new();
    let mut ended: BTreeMap<&str, &Change> = BTreeMap::new();
    for step in &case.steps {
        match step {
            Step::Access(change @ (Change::Revoke { identity } | Change::Withdraw { identity, .. })) => {
                ended.insert(identity, change);
            }
            Step::Attempt { op, stream, identity, token, deed, allowed, .. } => {
                let ended = ended.get(identity.as_str()).copied().filter(|_| deed == HELD);
                let allowed = *allowed;
                made.extend(answers.get(op).map(|seen| Made {
                    identity,
                    stream,
                    token,
                    deed,
                    allowed,
                    ended,
                    seen: *seen,
                }));
            }
            _ => {}
        }
    }
    made
}

fn of_case(case: &Case, made: &[Made<'_>], lane: LaneId, parts: &mut BTreeSet<Part>) {
    let mut note = |part, is_shown: bool| {
        if is_shown {
            parts.insert(part);
        }
    };
    let token = |word: &str, passed: bool| {
        let mut presented = made.iter().filter(|one| one.deed == CONNECT && one.token == word);
        presented.any(|one| one.seen.is_some() == passed)
    };
    note(Part::TokenAccepted, token(GOOD, true));
    let mut bad = TOKENS.iter().filter(|known| known.refused.is_some());
    note(Part::TokensRefused, bad.all(|known| token(known.word, false)));
    let mut edges = TOKENS.iter().filter(|known| known.word.ends_with("-leeway"));
    note(Part::LeewayEdges, edges.all(|known| token(known.word, known.refused.is_none())));
    note(Part::KeyRotated, token(FIRST_KEY, true) && token(FIRST_KEY, false));
    for one in made.iter().filter(|one| one.deed == HELD && !one.seen.is_some_and(|seen| seen.contains(one.stream))) {
        note(Part::RevokedConnected, matches!(one.ended, Some(Change::Revoke { .. })));
        note(Part::WithdrawnConnected, matches!(one.ended, Some(Change::Withdraw { .. })));
    }
    let tried = |deed: &Deed| made.iter().any(|one| one.deed == deed.word && !one.allowed);
    let known = || DEEDS.iter().filter(|deed| ![HOLD, HELD].contains(&deed.word) && deed.on(lane) != Refused::Unknown);
    note(Part::ReadsWithinGrants, known().filter(|deed| deed.needs == Needs::Read).all(tried));
    let writes = |deed: &&Deed| matches!(deed.needs, Needs::Write | Needs::Owner);
    note(Part::WritesWithinRights, known().filter(writes).all(tried));
    note(Part::TenantsApart, tenants_apart(case, made));
}

/// Whether each of two tenants got a stream that the other one tried in vain.
fn tenants_apart(case: &Case, made: &[Made<'_>]) -> bool {
    let tenant = |one: &Made<'_>| {
        let identity = case.identities.iter().find(|known| known.name == one.identity);
        identity.map(|identity| identity.tenant.as_str())
    };
    let got = |one: &Made<'_>| one.seen.is_some_and(|seen| seen.contains(one.stream));
    let in_vain = |one: &Made<'_>| !one.allowed && one.deed != HELD && !got(one);
    let kept: BTreeSet<_> = made
        .iter()
        .filter(|own| got(own))
        .filter(|own| {
            made.iter().any(|other| other.stream == own.stream && tenant(other) != tenant(own) && in_vain(other))
        })
        .map(tenant)
        .collect();
    kept.len() > 1
}

/// What clients did with their tokens.
fn of_clients(records: &[Record], parts: &mut BTreeSet<Part>) {
    let mut expired: BTreeSet<&ClientId> = BTreeSet::new();
    let mut presented: BTreeMap<(&ClientId, ConnId), Option<Minting>> = BTreeMap::new();
    let mut back: BTreeSet<&ClientId> = BTreeSet::new();
    for record in records {
        match record {
            Record::Presented { client, conn, token, minted } => {
                presented.insert((client, *conn), *minted);
                if token == EXPIRED {
                    expired.insert(client);
                }
            }
            Record::Opened { client, conn, .. } => match presented.get(&(client, *conn)) {
                Some(Some(Minting::Due)) => drop(parts.insert(Part::TokenReminted)),
                Some(Some(Minting::Refused)) if expired.contains(client) => drop(back.insert(client)),
                _ => {}
            },
            _ => {}
        }
    }
    if back.len() >= STORM {
        parts.insert(Part::ExpiryStorm);
    }
}
