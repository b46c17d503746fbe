//! Lengths of time, as people write them.

/// The seconds of a whole number with a unit: `90s`, `10m`, `24h`, `7d`.
pub fn seconds(text: &str) -> Option<u64> {
    let unit = text.chars().next_back()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn a_time_has_a_number_and_a_unit() {
        assert_eq!(["90s", "10m", "24h", "7d"].map(seconds), [Some(90), Some(600), Some(86_400), Some(604_800)]);
        for text in ["", "90", "s", "1.5h", "10 m", "10w", "-1s", "99999999999999999d"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
