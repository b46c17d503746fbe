//! The two readers of payloads, ours and the module's, take the same texts and hash them alike, at every size and
//! depth.

use cutover_core::hash::{canonicalize, payload_hash};
use proptest::prelude::*;

use crate::canonical;
use crate::json::{json, spell};

/// Both readers on one text. True where they take it.
fn agree(text: &str) -> bool {
    let mut ours = Vec::new();
    let taken = canonicalize(text.as_bytes(), &mut ours);
    let theirs = canonical::canonical(text);
    let shown: String = text.chars().take(200).collect();
    assert_eq!(taken.is_ok(), theirs.is_ok(), "{shown}: {taken:?}, {:?}", theirs.as_ref().map(String::len));
    if let Ok(theirs) = theirs {
        assert!(theirs.as_bytes() == ours, "{shown}");
        assert_eq!(payload_hash(text.as_bytes()).unwrap().to_string(), canonical::payload_hash(text).unwrap());
    }
    taken.is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn they_agree_on_any_document(document in json(), choices: [u8; 16]) {
        prop_assert!(agree(&spell(&document, &choices)));
    }

    #[test]
    fn they_agree_on_any_damaged_document(
        document in json(), choices: [u8; 16], at: prop::sample::Index,
        damage in "[\\[\\]{}\",:0-9eE.u\\\\ dD8\u{feff}-]{0,3}",
    ) {
        let mut text = spell(&document, &choices);
        let places: Vec<_> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
        text.insert_str(places[at.index(places.len())], &damage);
        agree(&text);
    }

    #[test]
    fn they_agree_on_any_number(text in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?") {
        agree(&text);
    }

    #[test]
    fn they_agree_on_any_escapes(
        text in "\"(\\\\(u[dD][89abAB][0-9a-f]{2}|u[dD][c-f][0-9a-f]{2}|u00[0-9a-f]{2}|[nrtbf/])|a){0,8}\"",
    ) {
        agree(&text);
    }

    #[test]
    fn they_agree_on_any_depth(depth in 0usize..400, named: bool, short: bool) {
        let (open, close) = if named { ("{\"a\":", "}") } else { ("[", "]") };
        agree(&format!("{}1{}", open.repeat(depth), close.repeat(depth - usize::from(short && depth > 0))));
    }
}

#[test]
fn they_agree_on_halves_of_doubles() {
    // Each literal lies halfway between a double and the next one: both must take the even one.
    for power in [52, 53, 54, 60, 63, 64, 100] {
        for step in [0u128, 1, 2, 3] {
            let (low, gap) = (1u128 << power, 1u128 << (power - 52));
            for off in [0, 1] {
                agree(&format!("{}.0", low + step * gap + gap / 2 + off));
                agree(&format!("-{}.5", low + step * gap + gap / 2 - off));
            }
        }
    }
}

#[test]
fn they_agree_on_a_mebibyte_and_on_many_members() {
    let mib = 1 << 20;
    for wide in ["a", "\u{e9}", "\u{20ac}", "\u{1f600}"] {
        for size in [255, 256, 4_096, 65_535, 65_536, mib - 1, mib, mib + 1] {
            assert!(agree(&format!("{{\"b\": \"{}\\u00e9\", \"a\" :1.0}}", wide.repeat(size / wide.len()))));
        }
    }
    for count in [255, 256, 257, 5_000, 70_000] {
        let members: Vec<_> = (0..count).rev().map(|nth| format!(" \"m{nth}\" : {nth}.0")).collect();
        assert!(agree(&format!("{{{}}}", members.join(","))));
        assert!(!agree(&format!("{{{},\"m7\":0}}", members.join(","))));
    }
}
