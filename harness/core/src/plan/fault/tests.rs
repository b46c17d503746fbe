#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn every_sort_of_message_has_its_own_word() {
    for (word, kind) in MessageKind::WORDS {
        assert_eq!((kind.as_str(), MessageKind::of(word)), (word, Some(kind)));
        assert_eq!(serde_json::to_value(kind).unwrap(), word);
    }
    assert_eq!(MessageKind::Other as usize + 1, MessageKind::WORDS.len());
}

#[test]
fn every_fault_is_found_by_its_word() {
    let words: std::collections::BTreeSet<_> = FAULTS.iter().map(|spec| spec.word).collect();
    assert_eq!(words.len(), FAULTS.len(), "two faults have one word");
    for spec in FAULTS {
        // A planned value has the specification of the fault that planned it, or one with the same effects.
        let planned = (spec.plan)(&spec::Values::default());
        assert_eq!(planned.spec().effects, spec.effects, "{}", spec.word);
    }
}
