//! The hash vectors of a driven scenario: what each client applied, lane by lane.
//!
//! A payload is kept only where some client, on either lane, got another payload than was published. There `cutover
//! diff` can name the JSON path and both values. Everywhere else the hash is enough.

use std::collections::{BTreeMap, BTreeSet};

use crate::hash::vector::{Entry, HashVector};
use crate::hash::{PayloadHash, canonicalize};
use crate::history::{History, Record, Verdict};
use crate::ids::{Seq, StreamId};
use crate::plan::{Plan, PublishExpect, Step};
use crate::policy::{Normaliser, normalised};

type Place<'a> = (&'a StreamId, Seq);

/// The vector files of a plan's two histories, in the order in which they are given. A payload that differs from the
/// published one in fields that may differ has the hash of that one.
pub fn of(plan: &Plan, histories: [&History; 2], normalisers: &[Normaliser]) -> [Vec<u8>; 2] {
    let histories = histories.map(|history| normalised(plan, history, normalisers).0);
    let histories = histories.each_ref().map(|history| &**history);
    let published = published(plan);
    let disputed: BTreeSet<Place<'_>> =
        histories.into_iter().flat_map(|history| disputed(history, &published)).collect();
    histories.map(|history| {
        let mut bytes = Vec::new();
        // A vector of bytes takes every write.
        let _ = vector(history, &published, &disputed).write(&mut bytes);
        bytes
    })
}

/// What was to be published: the hash and the payload's text of each event.
fn published(plan: &Plan) -> BTreeMap<Place<'_>, (PayloadHash, &str)> {
    let steps = plan.cases.iter().flat_map(|case| case.all_steps());
    let events = steps.filter_map(|step| match step {
        Step::Publish { stream, payload, hash, expect: PublishExpect::Accepted { seq }, .. } => {
            Some(((stream, *seq), (*hash, payload.as_str())))
        }
        _ => None,
    });
    events.collect()
}

fn disputed<'a>(history: &'a History, published: &BTreeMap<Place<'a>, (PayloadHash, &str)>) -> Vec<Place<'a>> {
    let applied = applied(history);
    let other = applied.filter(|(_, place, hash, _)| published.get(place).is_none_or(|(planned, _)| planned != hash));
    other.map(|(_, place, _, _)| place).collect()
}

type Applied<'a> = (&'a crate::ids::ClientId, Place<'a>, PayloadHash, Option<&'a str>);

fn applied(history: &History) -> impl Iterator<Item = Applied<'_>> {
    history.records.iter().filter_map(|record| match record {
        Record::Delivered { client, stream, seq, hash: Some(hash), verdict: Verdict::Applied, payload, .. } => {
            Some((client, (stream, *seq), *hash, payload.as_deref()))
        }
        _ => None,
    })
}

fn vector<'a>(
    history: &'a History,
    published: &BTreeMap<Place<'a>, (PayloadHash, &str)>,
    disputed: &BTreeSet<Place<'a>>,
) -> HashVector {
    let mut vector = HashVector::new();
    for (client, place, hash, payload) in applied(history) {
        let planned = published.get(&place).filter(|(planned, _)| *planned == hash).map(|(_, text)| *text);
        let kept = payload.or(planned).filter(|_| disputed.contains(&place));
        // An entry with a payload takes that payload's hash. A text with another hash is left out.
        let with_payload = kept.and_then(canonical).map(|text| Entry::with_canonical(&text));
        let entry = with_payload.filter(|entry| entry.hash == hash).unwrap_or_else(|| Entry::bare(hash));
        // A client that bootstraps again may apply an event twice. The first payload stays. A different second one is a
        // finding of its own.
        vector.insert(place.0, client, place.1, entry);
    }
    vector
}

fn canonical(text: &str) -> Option<String> {
    let mut canonical = Vec::new();
    canonicalize(text.as_bytes(), &mut canonical).ok()?;
    String::from_utf8(canonical).ok()
}
