use super::*;

#[test]
fn upstreams_are_read() {
    for (text, expect) in [
        ("localhost:80", Some(("localhost", 80, false))),
        ("[::1]:80", Some(("::1", 80, false))),
        (":80", Some(("localhost", 80, false))),
        ("db:https", Some(("db", 443, false))),
        ("tls://db:5433", Some(("db", 5433, true))),
        ("wss://sync.example.com", Some(("sync.example.com", 443, true))),
        ("wss://sync.example.com:4443/socket", Some(("sync.example.com", 4443, true))),
        ("wss://db?token=x", Some(("db", 443, true))),
        ("tls://[::1]", Some(("::1", 443, true))),
        ("ws://localhost:80/path", Some(("localhost", 80, false))),
        ("nowhere", None),
        ("wss://", None),
    ] {
        let read = upstream(text);
        let read = read.as_ref().map(|to| (to.host.as_str(), to.port, to.tls));
        assert_eq!(read, expect, "{text}");
    }
}
