#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn another_body_has_its_own_length_and_every_other_header_stays() {
    let message = b"POST /p?q HTTP/1.1\r\nHost: h\r\ncontent-length: 2\r\nX: y\r\n\r\n{}";
    let changed = with_body(message, "[1, 2]").unwrap();
    assert_eq!(&changed[..], b"POST /p?q HTTP/1.1\r\nHost: h\r\ncontent-length: 6\r\nX: y\r\n\r\n[1, 2]");
    assert_eq!(method_and_path(parts(&changed).unwrap().0), Some(("POST", "/p")));
}

#[test]
fn a_body_without_a_told_length_is_not_changed() {
    assert_eq!(with_body(b"HTTP/1.1 200 OK\r\n\r\n{}", "[]"), None);
    let chunked = b"POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}";
    assert_eq!(with_body(chunked, "[]"), None);
}
