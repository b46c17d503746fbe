//! Whatever the file, there is an answer.

use super::*;
use proptest::prelude::*;

/// Words that a mutation puts where others stood, so that it gets past the first check.
const WORDS: [&str; 32] = [
    "\"each\"",
    "\"random\"",
    "\"head\"",
    "\"below-floor\"",
    "\"beyond-budget\"",
    "\"foreign\"",
    "0",
    "1",
    "999999",
    "-1",
    "1.5",
    "true",
    "[]",
    "{}",
    "\"desk\"",
    "\"writer\"",
    "\"run:a:events\"",
    "\"run:z:events\"",
    "\"kill\"",
    "\"drop\"",
    "\"reorder\"",
    "\"downstream\"",
    "\"latency\"",
    "\"timeout\"",
    "\"arm\"",
    "\"delivery\"",
    "\"/a~2\"",
    "\"both\"",
    "\"hold\"",
    "\"await\"",
    "\"heal\"",
    "\"\u{1F600}\"",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_gets_an_answer(text in any::<String>()) {
        let _ = Scenario::parse("x.toml", &text);
    }

    #[test]
    fn any_toml_like_text_gets_an_answer(lines in proptest::collection::vec("[a-z_]{1,9} ?[=.\\[] ?[\"{\\[]?[a-z0-9:]{0,9}[\"}\\]]?", 0..20)) {
        let _ = Scenario::parse("x.toml", &lines.join("\n"));
    }

    #[test]
    fn a_scenario_with_bytes_knocked_out_gets_an_answer(
        which in 0..1000usize,
        holes in proptest::collection::vec((any::<prop::sample::Index>(), 0..12usize, 0..WORDS.len()), 1..5),
    ) {
        let stock = stock();
        let mut text = stock[which % stock.len()].1.to_owned();
        for (at, len, word) in holes {
            let mut from = at.index(text.len() + 1);
            while !text.is_char_boundary(from) { from -= 1; }
            let mut to = (from + len).min(text.len());
            while !text.is_char_boundary(to) { to += 1; }
            text.replace_range(from..to, WORDS[word]);
        }
        let _ = Scenario::parse("scenarios/x.toml", &text);
    }

    #[test]
    fn a_scenario_with_values_exchanged_gets_an_answer_and_a_plan(
        which in 0..1000usize,
        swaps in proptest::collection::vec((any::<prop::sample::Index>(), 0..WORDS.len()), 1..4),
    ) {
        let stock = stock();
        let (path, text) = stock[which % stock.len()];
        let mut parts: Vec<String> = text.split_inclusive([' ', '\n']).map(str::to_owned).collect();
        for (at, word) in swaps {
            let at = at.index(parts.len());
            let part = &mut parts[at];
            let end = part.trim_end_matches([' ', '\n', ',', ']', '}']).len();
            part.replace_range(..end, WORDS[word]);
        }
        if let Ok(scenario) = Scenario::parse(path, &parts.concat())
            && scenario.name != "large-payloads"
        {
            let plan = compile(&scenario, crate::ids::Seed(1));
            prop_assert_eq!(plan.cases.len(), scenario.cases.len());
        }
    }
}
