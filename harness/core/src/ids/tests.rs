use super::*;

#[test]
fn a_seed_reads_decimal_and_hexadecimal() {
    assert_eq!("42".parse(), Ok(Seed(42)));
    assert_eq!("0x2a".parse(), Ok(Seed(42)));
}

#[test]
fn a_seed_that_is_no_number_says_what_to_give() {
    let error = "-1".parse::<Seed>().err().unwrap_or_default();
    assert!(error.contains("whole number"), "{error}");
}

#[test]
fn lanes_are_serialized_by_name() {
    assert_eq!(serde_json::to_string(&LaneId::Candidate).ok().as_deref(), Some("\"candidate\""));
}
