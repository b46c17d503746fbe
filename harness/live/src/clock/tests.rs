#![allow(clippy::unwrap_used)]
use super::*;

/// Durations are measured by the monotonic clock. The wall clock may be read by the tool's one clock, for a token's
/// age, for the date of a `Retry-After` or of an answer, and where it is compared with the clock of a server.
#[test]
fn the_wall_clock_is_read_in_few_places() {
    let allowed = [
        "cli/src/hosted/provision.rs",
        "live/src/clock.rs",
        "live/src/lane/http.rs",
        "live/src/lane/passing.rs",
        "reference/src/socket/upgrade.rs",
    ];
    let harness = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders: Vec<_> =
        ["cli", "core", "live", "reference", "toxiproxy"].map(|room| harness.join(room).join("src")).into();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let word = concat!("System", "Time");
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("tests.rs") {
                continue;
            } else if std::fs::read_to_string(&path).is_ok_and(|text| text.contains(word)) {
                found.push(path.strip_prefix(harness).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    assert_eq!(found, allowed);
}

#[test]
fn moments_are_written_as_utc_dates() {
    for (unix_ms, expect) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_400_007, "2000-02-29T00:00:00Z"),
        (1_772_046_000_000, "2026-02-25T19:00:00Z"),
        (4_102_444_799_999, "2099-12-31T23:59:59Z"),
    ] {
        assert_eq!(Moment(unix_ms).rfc3339(), expect);
    }
    assert_eq!(Moment(1_772_046_000_000).compact(), "20260225T190000Z");
    assert_eq!(Moment(1_772_046_000_007).rfc3339_ms(), "2026-02-25T19:00:00.007Z");
}
