#![allow(clippy::unwrap_used)]
use super::*;

fn check(word: CursorWord, expect: Result<u64, &str>) {
    let stream = |head, floor, budget| StreamState { head, floor, budget, ..StreamState::default() };
    let streams = [stream(30, 10, Some(15)), stream(5, 0, None)];
    let found = resolve(word, &streams, 0, Some(30), &Binding::default());
    match expect {
        Ok(value) => assert_eq!(found, Ok(Choice::fixed(value))),
        Err(part) => assert!(found.as_ref().unwrap_err().0.contains(part), "{found:?}"),
    }
}

#[test]
fn each_word_is_a_cursor_of_the_stream_as_it_stands() {
    check(CursorWord::Floor, Ok(10));
    check(CursorWord::BelowFloor, Ok(9));
    check(CursorWord::AtBudget, Ok(15));
    check(CursorWord::BeyondBudget, Ok(14));
    check(CursorWord::BeyondHead, Ok(33));
    check(CursorWord::Behind, Ok(15));
    check(CursorWord::Foreign(1), Ok(5));
    check(CursorWord::Foreign(0), Err("nothing tells them apart"));
    check(CursorWord::Each, Err("positions of `expand`"));
}

#[test]
fn a_word_for_what_is_not_there_yet_is_refused() {
    let streams = [StreamState { head: 5, ..StreamState::default() }];
    let refuse = |word| resolve(word, &streams, 0, None, &Binding::default()).unwrap_err().0;
    assert!(refuse(CursorWord::BelowFloor).contains("no retention floor"));
    assert!(refuse(CursorWord::AtBudget).contains("no replay budget"));
    assert!(refuse(CursorWord::Behind).contains("no cursor by now"));
}
