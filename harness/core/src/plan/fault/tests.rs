use super::*;

#[test]
fn every_sort_of_message_has_its_own_word() {
    for (word, kind) in MessageKind::WORDS {
        assert_eq!(kind.as_str(), word);
    }
    assert_eq!(MessageKind::Other as usize + 1, MessageKind::WORDS.len());
}
