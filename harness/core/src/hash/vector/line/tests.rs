#![allow(clippy::unwrap_used)]

use super::*;

fn fields(event: &EventLine<'_>) -> (String, String, u64, PayloadHash, Option<String>) {
    let payload = event.payload.map(|payload| payload.get().to_owned());
    (event.client.clone().into(), event.stream.clone().into(), event.seq, event.hash, payload)
}

#[test]
fn the_short_way_reads_what_the_long_way_reads() {
    let hash = PayloadHash::of_canonical(b"{}");
    for (seq, payload) in
        [("0", ""), ("7", ",\"payload\":{\"a\":[1,\"}\"]}"), ("9999999999999999999", ",\"payload\":null")]
    {
        let line = format!(r#"{{"client":"é","stream":"s","seq":{seq},"hash":"{hash}"{payload}}}"#);
        let long: EventLine<'_> = serde_json::from_str(&line).unwrap();
        let short = EventLine::as_written(line.as_bytes()).unwrap();
        assert_eq!(fields(&short), fields(&long), "{line}");
        assert_eq!(serde_json::to_string(&long).unwrap(), line);
    }
}

#[test]
fn what_the_short_way_does_not_take_is_left_to_the_long_way() {
    let hash = PayloadHash::of_canonical(b"{}");
    for line in [
        format!(r#"{{"stream":"s","client":"c","seq":1,"hash":"{hash}"}}"#),
        format!(r#"{{"client":"\u0063","stream":"s","seq":1,"hash":"{hash}"}}"#),
        format!(r#"{{"client":"c","stream":"s","seq":18446744073709551615,"hash":"{hash}"}}"#),
        format!(r#" {{"client":"c","stream":"s","seq":1, "hash":"{hash}", "payload":{{}} }}"#),
    ] {
        assert!(EventLine::as_written(line.as_bytes()).is_none(), "{line}");
        assert!(EventLine::parse(line.as_bytes()).is_ok(), "{line}");
    }
    for line in [
        format!(r#"{{"client":"c","stream":"s","seq":01,"hash":"{hash}"}}"#),
        format!(r#"{{"client":"c","stream":"s","seq":1,"hash":"{}"}}"#, hash.to_string().to_uppercase()),
        format!(r#"{{"client":"c","stream":"s","seq":1,"hash":"{hash}","payload":{{}},"seq":2}}"#),
        format!(r#"{{"client":"c","stream":"s","seq":1,"hash":"{hash}","payload":}}"#),
        format!(r#"{{"client":"c","stream":"s","seq":1,"hash":"{hash}","payload":[1}}"#),
    ] {
        assert!(EventLine::parse(line.as_bytes()).is_err(), "{line}");
    }
}
