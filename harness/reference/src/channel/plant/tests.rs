#![allow(clippy::unwrap_used)]
use super::*;

fn update(seq: u64) -> Update {
    let mut update = Update { seq, key: format!("k{seq}"), payload: RawValue::NULL.to_owned(), hash: None };
    replace_payload(&mut update, format!("{{\"n\":{seq}}}"));
    update
}

fn batch(seqs: std::ops::RangeInclusive<u64>) -> UpdateBatch {
    let head = *seqs.end();
    UpdateBatch { topic: "t".to_owned(), updates: seqs.map(update).collect(), head, replay_complete: true }
}

fn delivered(names: &str, batches: &[UpdateBatch], is_live: bool) -> Vec<(String, u64)> {
    let (mut planted, defects) = (Planted::default(), Defects::parse(names).unwrap());
    let sending = Sending { is_live, ..Sending::default() };
    let neighbour = || Some(Neighbour { topic: "other".to_owned(), next_seq: 3 });
    let spoiled = batches.iter().flat_map(|batch| planted.spoil(batch.clone(), sending, neighbour(), &defects));
    let flat = |b: UpdateBatch| b.updates.iter().map(|u| (b.topic.clone(), u.seq)).collect::<Vec<_>>();
    spoiled.flat_map(flat).collect()
}

fn seqs(names: &str, batches: &[UpdateBatch], is_live: bool) -> Vec<u64> {
    delivered(names, batches, is_live).into_iter().map(|(_, seq)| seq).collect()
}

#[test]
fn each_defect_strikes_at_the_fifth_event() {
    let whole = [batch(4..=7)];
    assert_eq!(seqs("", &whole, true), [4, 5, 6, 7]);
    assert_eq!(seqs("drop-event", &whole, false), [4, 6, 7]);
    assert_eq!(seqs("skip-live", &whole, true), [4, 6, 7]);
    assert_eq!(seqs("skip-live", &whole, false), [4, 5, 6, 7]);
    assert_eq!(seqs("stop-tail", &whole, false), [4, 5]);
    assert_eq!(seqs("swap-live", &whole, true), [4, 6, 5, 7]);
    assert_eq!(seqs("swap-live", &[batch(5..=5), batch(6..=6), batch(7..=7)], true), [6, 5, 7]);
    assert_eq!(seqs("duplicate-seq", &whole, true), [4, 5, 5, 7]);
    assert_eq!(seqs("phantom", &whole, true), [4, 5, 6, 7, 8]);
    let strange = delivered("strange-topic", &whole, true);
    assert_eq!(strange.last(), Some(&("run:of-another-tenant:events".to_owned(), 5)));
    let crossed = delivered("cross-streams", &whole, true);
    assert_eq!(crossed.last(), Some(&("other".to_owned(), 3)));
}

#[test]
fn a_changed_payload_differs_by_one_byte_and_its_hash_fits() {
    let defects = Defects::parse("change-payload").unwrap();
    for text in ["{\"n\":1}", "\"a\"", "[1e308]", "{\"k\":\"\\u00e9\"}", "0", "-0.5"] {
        let changed = changed_by_one_byte(text).unwrap();
        let differing = text.bytes().zip(changed.bytes()).filter(|(a, b)| a != b).count();
        assert_eq!((text.len(), differing), (changed.len(), 1), "{text} {changed}");
    }
    for text in ["true", "{}", "null", "[]"] {
        assert_eq!(changed_by_one_byte(text), None);
    }
    let mut fifth = update(5);
    spoil_update(&mut fifth, true, &defects);
    assert_eq!(fifth.hash, canonical_sha256(fifth.payload.get()).ok());
    assert_ne!(fifth.hash, update(5).hash);
}

#[test]
fn a_wrong_hash_is_wrong() {
    let mut fifth = update(5);
    spoil_update(&mut fifth, true, &Defects::parse("wrong-hash").unwrap());
    assert_ne!(fifth.hash, canonical_sha256(fifth.payload.get()).ok());
}
