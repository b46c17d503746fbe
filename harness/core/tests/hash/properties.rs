//! What holds of the canonical form of any document.

use cutover_core::hash::diff::first_difference;
use cutover_core::hash::{Canonicalizer, canonicalize, payload_hash};
use proptest::prelude::*;

use crate::json::{json, spell};

fn canonical(input: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    canonicalize(input, &mut out).unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(input)));
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_canonical_form_is_its_own(document in json(), choices: [u8; 16]) {
        let once = canonical(spell(&document, &choices).as_bytes());
        prop_assert_eq!(&canonical(&once), &once);
    }

    #[test]
    fn order_white_space_and_spelling_do_not_matter(document in json(), one: [u8; 16], other: [u8; 31]) {
        let (one, other) = (spell(&document, &one), spell(&document, &other));
        let (a, b) = (canonical(one.as_bytes()), canonical(other.as_bytes()));
        prop_assert_eq!(String::from_utf8_lossy(&a), String::from_utf8_lossy(&b));
        prop_assert_eq!(payload_hash(one.as_bytes()).unwrap(), payload_hash(other.as_bytes()).unwrap());
        prop_assert_eq!(first_difference(&a, &b), None);
    }

    #[test]
    fn another_implementation_agrees(document in json(), choices: [u8; 16]) {
        let ours = canonical(spell(&document, &choices).as_bytes());
        let theirs = serde_json_canonicalizer::to_vec(&document).unwrap();
        prop_assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(&theirs));
    }

    #[test]
    fn documents_that_differ_differ_somewhere(a in json(), b in json()) {
        let (a, b) = (canonical(spell(&a, &[]).as_bytes()), canonical(spell(&b, &[]).as_bytes()));
        let found = first_difference(&a, &b);
        prop_assert_eq!(found.is_none(), a == b);
        if let Some(found) = found {
            let value = |text: &[u8]| {
                let document: serde_json::Value = serde_json::from_slice(text).unwrap();
                document.pointer(&found.pointer).map(|value| canonical(value.to_string().as_bytes()))
            };
            prop_assert_eq!(value(&a), found.a.clone().map(String::into_bytes));
            prop_assert_eq!(value(&b), found.b.clone().map(String::into_bytes));
        }
    }

    #[test]
    fn any_bytes_are_either_taken_or_refused_with_a_place(
        document in json(), choices: [u8; 16], at: prop::sample::Index, byte: u8, cut: bool,
    ) {
        let mut bytes = spell(&document, &choices).into_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte };
        let mut canonicalizer = Canonicalizer::new();
        match canonicalizer.payload_hash(&bytes) {
            // Whatever is taken is JSON to another reader too.
            Ok(_) => prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok()),
            Err(error) => {
                prop_assert!(error.offset <= bytes.len());
                prop_assert_eq!(error.line, 1 + bytes[..error.offset].iter().filter(|&&byte| byte == b'\n').count());
            }
        }
    }

    #[test]
    fn decimals_are_spelled_as_their_doubles(digits in 0u64..10_000_000_000_000_000, scale in 1usize..22, minus: bool) {
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (integer, fraction) = digits.split_at(digits.len() - scale);
        let integer = integer.trim_start_matches('0');
        let integer = if integer.is_empty() { "0" } else { integer };
        let literal = format!("{}{integer}.{fraction}", if minus { "-" } else { "" });
        let value: f64 = literal.parse().unwrap();
        let expected = ryu_js::Buffer::new().format_finite(value).to_owned();
        prop_assert_eq!(String::from_utf8(canonical(literal.as_bytes())).unwrap(), expected);
    }
}
