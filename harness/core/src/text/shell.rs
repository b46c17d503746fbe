//! Words of a command that is shown to be pasted into a shell.

/// A word as a shell reads it back, whatever is in it and wherever in the command it stands.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell_where_they_need_it() {
        assert_eq!(quoted("a/b-c.toml"), "a/b-c.toml");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        for word in ["", "a b", "~/a", "$HOME", "`a`", "a;b", "a=b/cutover", "honest-*"] {
            assert_eq!(quoted(word), format!("'{word}'"));
        }
    }
}
