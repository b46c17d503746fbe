//! Writes JSON as Go's `json.Marshal` does: no spaces, markup escaped, numbers of single precision with as few digits
//! as tell them apart.

pub fn quote(text: &str) -> String {
    let mut out = serde_json::Value::from(text).to_string();
    for markup in ['<', '>', '&', '\u{2028}', '\u{2029}'] {
        if out.contains(markup) {
            out = out.replace(markup, &format!("\\u{:04x}", u32::from(markup)));
        }
    }
    out
}

/// A number of single precision; finite.
pub fn float32(number: f32) -> String {
    let size = number.abs();
    if number == 0.0 || (1e-6..1e21).contains(&size) {
        return format!("{number}");
    }
    let text = format!("{number:e}");
    if size < 1.0 { text } else { text.replacen('e', "e+", 1) }
}

#[cfg(test)]
mod tests;
