use super::*;

#[test]
fn moments_are_written_as_utc_dates() {
    for (unix_ms, expect) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_007, "2000-02-29T00:00:00.007Z"),
        (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(rfc3339(unix_ms), expect);
    }
}
