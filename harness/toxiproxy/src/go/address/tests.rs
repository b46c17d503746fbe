#![allow(clippy::unwrap_used)]
use super::*;

#[tokio::test]
async fn addresses_are_read_as_go_does() {
    for (text, expect) in [
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("localhost:0", "127.0.0.1:0"),
        ("localhost:", "127.0.0.1:0"),
        ("localhost:http", "127.0.0.1:80"),
        ("", "[::]:0"),
        (":7000", "[::]:7000"),
        ("0.0.0.0:7000", "[::]:7000"),
        ("[::]:7000", "[::]:7000"),
        ("[::1]:7000", "[::1]:7000"),
    ] {
        assert_eq!(listen(text).await.unwrap().to_string(), expect, "{text}");
    }
}

#[tokio::test]
async fn bad_addresses_are_told_in_gos_words() {
    for (text, expect) in [
        ("nothing", "address nothing: missing port in address"),
        ("::1:80", "address ::1:80: too many colons in address"),
        ("a:b:c", "address a:b:c: too many colons in address"),
        ("[::1:80", "address [::1:80: missing ']' in address"),
        ("[::1]", "address [::1]: missing port in address"),
        ("[::1]80", "address [::1]80: missing port in address"),
        ("[a]b]:1", "address [a]b]:1: missing port in address"),
        ("]:1", "address ]:1: unexpected ']' in address"),
        ("127.0.0.1:99999", "address 99999: invalid port"),
        ("localhost:-1", "address -1: invalid port"),
        ("x:bar", "lookup tcp/bar: unknown port"),
        ("256.1.1.1:1", "lookup 256.1.1.1: no such host"),
    ] {
        assert_eq!(listen(text).await.unwrap_err(), format!("listen tcp: {expect}"), "{text}");
    }
}

#[tokio::test]
async fn addresses_are_resolved_as_go_does() {
    for (text, expect) in [
        ("", Ok(":0")),
        (":80", Ok(":80")),
        ("0.0.0.0:80", Ok("0.0.0.0:80")),
        ("localhost:80", Ok("127.0.0.1:80")),
        ("[::]:80", Ok("[::]:80")),
        ("nothing", Err("address nothing: missing port in address")),
    ] {
        let resolved = resolve(text).await;
        assert_eq!(resolved.as_deref().map_err(String::as_str), expect, "{text}");
    }
}

#[tokio::test]
async fn a_taken_port_is_told_in_gos_words() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = tokio::net::TcpListener::bind(address).await.unwrap_err();
    assert_eq!(bind_failed(address, &error), format!("listen tcp {address}: bind: address already in use"));
}
