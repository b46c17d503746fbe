//! Rules that a fault's values keep, wherever they are read: one place for scenarios and for the proxy's API.

/// What a close code has to be.
pub const CLOSE_CODES: &str = "1000 to 1003, 1007 to 1014 and 3000 to 4999 can be sent (RFC 6455, 7.4)";

/// What a JSON Pointer has to be.
pub const POINTERS: &str = "it is empty or begins with `/`; `~` is written ~0, and `/` within a name ~1 (RFC 6901)";

pub fn is_close_code(code: u64) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

pub fn is_pointer(text: &str) -> bool {
    (text.is_empty() || text.starts_with('/')) && text.split('/').skip(1).all(|token| pointer_key(token).is_some())
}

/// A pointer's token as the key that it stands for; `None` where it is none.
pub fn pointer_key(token: &str) -> Option<String> {
    let mut parts = token.split('~');
    let mut key = parts.next()?.to_owned();
    for part in parts {
        let (escaped, rest) = part.split_at_checked(1)?;
        key.push_str(match escaped {
            "0" => "~",
            "1" => "/",
            _ => return None,
        });
        key.push_str(rest);
    }
    Some(key)
}

#[cfg(test)]
mod tests;
