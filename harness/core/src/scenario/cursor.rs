//! Cursors by word: what `below-floor` or `beyond-budget` is, given a stream as it stands.

use super::draft::Binding;
use super::open::{Choice, CursorWord};
use super::world::StreamState;

/// How far beyond the head a future cursor lies.
const FUTURE: u64 = 3;

/// What is wrong with a cursor here, and how to mend it.
pub(super) type Problem = (String, Option<String>);

/// The cursor that a word stands for. `streams` are all of them, `stream` is the cursor's own, `own` the client's
/// cursor.
pub(super) fn resolve(
    word: CursorWord,
    streams: &[StreamState],
    stream: usize,
    own: Option<u64>,
    binding: &Binding,
) -> Result<Choice, Problem> {
    let state = &streams[stream];
    let (head, floor) = (state.head, state.floor);
    let fixed = |value| Ok(Choice::fixed(value));
    let problem = |what: &str, hint: &str| Err((what.to_owned(), Some(hint.to_owned())));
    match word {
        CursorWord::Number(value) => fixed(value),
        CursorWord::Zero => fixed(0),
        CursorWord::Head => fixed(head),
        CursorWord::BeyondHead => fixed(head + FUTURE),
        CursorWord::Random => Ok(Choice { low: floor, high: head }),
        CursorWord::Each => match binding.position {
            Some(position) => fixed(position),
            None => problem("`each` stands for the positions of `expand`, and there are none", "add them"),
        },
        CursorWord::Floor | CursorWord::BelowFloor if floor == 0 => problem(
            "nothing is pruned by now, so there is no retention floor",
            "publish more than the stream's `retention` before",
        ),
        CursorWord::Floor => fixed(floor),
        CursorWord::BelowFloor => fixed(floor - 1),
        CursorWord::Behind => {
            let own = own.unwrap_or(0);
            let behind = (own / 2).max(floor);
            if behind >= own {
                return problem("the client has no cursor by now that one could fall behind", "publish more before");
            }
            fixed(behind)
        }
        CursorWord::AtBudget | CursorWord::BeyondBudget => {
            let Some(budget) = state.budget else {
                return problem("the stream has no replay budget", "give it one: replay_budget = 20");
            };
            let over = budget + u64::from(word == CursorWord::BeyondBudget);
            match head.checked_sub(over).filter(|cursor| *cursor >= floor) {
                Some(cursor) => fixed(cursor),
                None => Err((
                    format!("no cursor lies {over} behind the head {head} and not below the floor {floor}"),
                    Some("publish more before, or retain more".to_owned()),
                )),
            }
        }
        CursorWord::Foreign(other) => {
            let foreign = streams[other].head;
            if other == stream || foreign == head {
                return problem(
                    "the other stream's head is this stream's, so nothing tells them apart",
                    "publish more to one of them",
                );
            }
            fixed(foreign)
        }
    }
}

#[cfg(test)]
mod tests;
