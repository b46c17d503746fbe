//! The name of the database of a pull request or a branch.

use cutover_core::hash::sha256;

/// The longest part of a name that comes from a pull request.
const MAX: usize = 40;
const MARK: &str = "pr";
const DIGITS: usize = 8;

/// `<base>-pr-<name>`, in lower case letters, digits and single dashes, which is all that a server takes. A name that
/// has more than that gets digits of its hash, so that no two branches share a database. `None` where nothing is left.
pub fn database(base: &str, pr: &str) -> Option<String> {
    let plain = plain(pr);
    let slug: String = plain.chars().take(MAX).collect();
    let slug = slug.trim_matches('-').to_owned();
    if slug.is_empty() {
        return None;
    }
    let hash = sha256(pr.as_bytes());
    let hash = hash.trim_start_matches("sha256:").chars().take(DIGITS).collect::<String>();
    let slug = if slug == pr { slug } else { format!("{slug}-{hash}") };
    // An identity is no name, and has no room for another word.
    let base = if is_identity(base) { "cutover".to_owned() } else { self::plain(base) };
    Some(format!("{}-{MARK}-{slug}", base.trim_matches('-')))
}

fn is_identity(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' | '0'..='9' => plain.push(c),
            _ if plain.ends_with('-') => {}
            _ => plain.push('-'),
        }
    }
    plain.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests;
