//! Keys of rows that are made of two names.

/// Joins two names into one key, such that no two pairs share a key, whatever characters they hold.
pub fn pair_key(first: &str, second: &str) -> String {
    format!("{}:{first}{second}", first.len())
}

#[cfg(test)]
mod tests;
