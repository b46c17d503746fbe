use super::{Claims, Terms, is_never_good, judge};
use crate::refusal::{Denial, Refusal};

const NOW: i64 = 1_000_000;

fn terms() -> Terms {
    Terms { audience: "sync".to_owned(), leeway_ms: 30_000, max_age_ms: 600_000 }
}

fn good() -> Claims {
    Claims {
        audience: "sync".to_owned(),
        token_id: "1".to_owned(),
        issued_at_ms: NOW,
        not_before_ms: NOW,
        expires_at_ms: NOW + 60_000,
        is_key_retired: false,
        is_revoked: false,
    }
}

fn denial(claims: &Claims) -> Option<Denial> {
    match judge(claims, &terms(), NOW) {
        Err(Refusal::Denied(denial)) => Some(denial),
        _ => None,
    }
}

#[test]
fn a_token_is_good_up_to_both_edges_of_the_leeway() {
    assert_eq!(denial(&Claims { expires_at_ms: NOW - 30_000, ..good() }), None);
    assert_eq!(denial(&Claims { expires_at_ms: NOW - 30_001, ..good() }), Some(Denial::TokenExpired));
    assert_eq!(denial(&Claims { not_before_ms: NOW + 30_000, ..good() }), None);
    assert_eq!(denial(&Claims { not_before_ms: NOW + 30_001, ..good() }), Some(Denial::TokenNotYetValid));
}

#[test]
fn a_token_is_good_up_to_the_greatest_age() {
    assert_eq!(denial(&Claims { issued_at_ms: NOW - 600_000, ..good() }), None);
    assert_eq!(denial(&Claims { issued_at_ms: NOW - 600_001, ..good() }), Some(Denial::TokenTooOld));
}

#[test]
fn the_first_fault_names_the_denial() {
    let mut claims = Claims {
        audience: "other".to_owned(),
        token_id: String::new(),
        issued_at_ms: 0,
        not_before_ms: NOW + 40_000,
        expires_at_ms: 0,
        is_key_retired: true,
        is_revoked: true,
    };
    let mut expect = |expected, mend: fn(&mut Claims)| {
        assert_eq!(denial(&claims), Some(expected));
        mend(&mut claims);
    };
    expect(Denial::TokenExpired, |claims| claims.expires_at_ms = NOW);
    expect(Denial::TokenNotYetValid, |claims| claims.not_before_ms = NOW);
    expect(Denial::InvalidToken, |claims| claims.audience = "sync".to_owned());
    expect(Denial::InvalidToken, |claims| claims.is_key_retired = false);
    expect(Denial::TokenTooOld, |claims| claims.issued_at_ms = NOW);
    expect(Denial::MissingTokenId, |claims| claims.token_id = "1".to_owned());
    expect(Denial::TokenRevoked, |claims| claims.is_revoked = false);
    assert_eq!(denial(&claims), None);
}

#[test]
fn a_token_that_time_alone_refuses_may_become_good() {
    assert!(!is_never_good(&Claims { not_before_ms: NOW + 40_000, ..good() }, &terms()));
    assert!(is_never_good(&Claims { audience: String::new(), ..good() }, &terms()));
}
