//! An HTTP message as bytes: its parts, and the same message with another body.

use bytes::{Bytes, BytesMut};

/// Head (without the empty line) and body.
pub(super) fn parts(message: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(message).ok()?.split_once("\r\n\r\n")
}

pub(super) fn method_and_path(head: &str) -> Option<(&str, &str)> {
    let mut line = head.split_whitespace();
    let method = line.next()?;
    let path = line.next()?.split('?').next()?;
    Some((method, path))
}

/// The message with another body and its `Content-Length`. `None` where the message has no `Content-Length`.
pub(super) fn with_body(message: &[u8], body: &str) -> Option<Bytes> {
    let (head, _) = parts(message)?;
    let mut out = BytesMut::with_capacity(head.len() + body.len() + 16);
    let mut has_length = false;
    for (index, line) in head.split("\r\n").enumerate() {
        let name = line.split(':').next().unwrap_or_default();
        if index > 0 {
            out.extend_from_slice(b"\r\n");
        }
        if index > 0 && name.eq_ignore_ascii_case("transfer-encoding") {
            return None;
        }
        if index > 0 && name.eq_ignore_ascii_case("content-length") {
            has_length = true;
            out.extend_from_slice(format!("{name}: {}", body.len()).as_bytes());
        } else {
            out.extend_from_slice(line.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(body.as_bytes());
    has_length.then(|| out.freeze())
}

#[cfg(test)]
mod tests;
