use super::Refusal;
use crate::canonical::canonical;

#[test]
fn every_refusal_is_json_with_a_code() {
    let refusals = [
        Refusal::BadArgument { argument: "stream_id", message: "it is blank" },
        Refusal::PayloadHashMismatch { given: "\"\n".to_owned(), computed: "sha256:".to_owned() },
        Refusal::StreamConflict,
        Refusal::BadSubscription,
        Refusal::ForbiddenTopic(vec!["a\"b".to_owned(), "c".to_owned()]),
        Refusal::CheckpointBeyondHead { head_seq: 4 },
    ];
    for refusal in refusals {
        let json = refusal.to_json();
        assert!(json.starts_with(r#"{"code":""#), "{json}");
        assert!(canonical(&json).is_ok(), "{json}");
    }
}

#[test]
fn a_sequence_conflict_says_what_was_expected_and_what_is() {
    let json = Refusal::SequenceConflict { expected: 5, actual: 3 }.to_json();
    assert_eq!(json, r#"{"code":"sequence_conflict","expected":5,"actual":3}"#);
}
