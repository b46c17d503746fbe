#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn what_is_compressed_is_inflated_to_the_same_bytes() {
    let bytes = b"to and fro ".repeat(1000);
    for how in [Compressed::None, Compressed::Brotli, Compressed::Gzip] {
        assert_eq!(Compressed::of(how.tag()), Some(how));
        assert_eq!(Budget::default().inflate(how, &how.deflate(&bytes).unwrap()).unwrap(), bytes);
    }
    assert_eq!(Compressed::of(3), None);
}

#[test]
fn a_message_that_would_burst_is_an_error_also_where_it_comes_in_parts() {
    for how in [Compressed::Brotli, Compressed::Gzip] {
        let half = how.deflate(&vec![0; 40 << 20]).unwrap();
        let mut budget = Budget(64 << 20);
        assert!(budget.inflate(how, &half).is_ok());
        assert!(budget.inflate(how, &half).is_err());
    }
}
