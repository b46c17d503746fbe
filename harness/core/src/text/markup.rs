//! Escapes text, so that none of it is markup.

use super::{visible, written_out};

/// Text that a page shows as it is; also within an attribute in double quotes.
pub fn html(text: &str) -> String {
    quick_xml::escape::escape(xml(text)).into_owned()
}

/// Text as XML 1.0 can hold it: the other characters can't be in it even as a reference. The writer of the document
/// escapes the rest.
fn xml(text: &str) -> String {
    written_out(text, |c| matches!(c, '\n' | '\t'))
}

/// Splits what would be a mention, a number of an issue or a link. It is invisible.
const SPLIT: &str = "<!-- -->";

/// Text that Markdown shows as it is, also within a table: neither CommonMark nor what GitHub makes of a text (math,
/// mentions, numbers of issues, bare links) finds markup in it.
pub fn markdown(text: &str) -> String {
    let text = written_out(text, |c| c == '\n').replace('\n', " ");
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let before = shown.len();
        match c {
            ' ' if before == 0 => shown.push_str("&#32;"),
            '-' | '+' | '=' if before == 0 => shown.extend(['\\', c]),
            // `1.` begins a list.
            '.' | ')' if shown.bytes().all(|byte| byte.is_ascii_digit()) => shown.extend(['\\', c]),
            // A backslash does not keep GitHub from reading math.
            '$' => shown.push_str("&#36;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '~' => shown.extend(['\\', c]),
            _ => shown.push(c),
        }
        let link = (c == ':' && next == '/') || (c == '.' && shown.to_ascii_lowercase().ends_with("www."));
        if link || c == '@' || (c == '#' && next.is_ascii_digit()) {
            shown.push_str(SPLIT);
        }
    }
    shown
}

/// Text as code, which is read back as it is: its fence is longer than any run of backticks in it, and a blank that
/// CommonMark removes is added at both ends where the text begins or ends with a backtick or a blank.
pub fn code(text: &str) -> String {
    let text = visible(text);
    let runs = text.split(|c| c != '`').map(str::len);
    // A code span can't be empty, and of one of blanks only none is taken away.
    let fence = match text.is_empty() {
        true => String::new(),
        false => "`".repeat(runs.max().unwrap_or(0) + 1),
    };
    let at_end = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    let blank = if at_end && text.contains(|c| c != ' ') { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// Text as code in a cell of a table, which a `|` would end even there.
pub fn code_in_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

#[cfg(test)]
mod tests;
