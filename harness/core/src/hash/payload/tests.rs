#![allow(clippy::unwrap_used)]

use super::*;
use crate::hash::payload_hash;

#[test]
fn a_hash_is_spelled_with_its_algorithm_and_reads_back() {
    let hash = payload_hash(b"{}").unwrap();
    let text = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(hash.to_string(), text);
    assert_eq!(text.parse::<PayloadHash>().unwrap(), hash);
    assert_eq!(serde_json::to_string(&hash).unwrap(), format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<PayloadHash>(&format!("\"{text}\"")).unwrap(), hash);
}

#[test]
fn a_hash_in_another_spelling_is_refused() {
    let digits = "4".repeat(64);
    for (text, error) in [
        (digits.clone(), ParseHashError::Prefix(digits.clone())),
        (format!("sha256:{}", &digits[1..]), ParseHashError::Length(63)),
        (format!("sha256:{digits}4"), ParseHashError::Length(65)),
        (format!("sha256:{}", "A".repeat(64)), ParseHashError::Digit('A')),
        (format!("sha256:{}ä", &digits[2..]), ParseHashError::Digit('ä')),
    ] {
        assert_eq!(text.parse::<PayloadHash>().unwrap_err(), error, "{text}");
    }
}

#[test]
fn a_digest_is_the_files_sha256() {
    assert_eq!(sha256(b"abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
