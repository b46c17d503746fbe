//! Runs against a service that holds much else, again and again: what a run needs does not depend on what is there
//! already.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "engine")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use support::*;

/// Topics of others that a service holds.
const TOPICS: usize = 300;

#[test]
fn three_runs_pass_against_one_service_that_holds_many_topics_of_others() {
    let dir = tempfile::tempdir().unwrap();
    let legacy = Server::start("legacy", &dir.path().join("legacy"));
    publish_to_others(legacy.address);
    for name in ["first", "second", "third"] {
        let url = legacy.url();
        let scenarios = ["data-limited", "thin-network", "toxics-combined"].map(|name| ["--scenario", name]);
        let mut args = vec!["--legacy", &url];
        args.extend(scenarios.iter().flatten());
        let ran = gate(dir.path(), name, &args);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    }
}

fn publish_to_others(service: SocketAddr) {
    let mut stream = BufReader::new(TcpStream::connect(service).unwrap());
    for topic in 0..TOPICS {
        let body = format!(
            r#"{{"topic":"run:another-tenants-run-{topic:04}:events","idempotency_key":"k{topic}","payload":{{"n":{topic}}}}}"#
        );
        let head = format!(
            "POST /internal/v1/sync/publish HTTP/1.1\r\nhost: {service}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        stream.get_mut().write_all(format!("{head}{body}").as_bytes()).unwrap();
        let (status, length) = read_head(&mut stream);
        stream.read_exact(&mut vec![0; length]).unwrap();
        assert!(status.contains(" 200 "), "{status}");
    }
}

/// The status line, and how long the body is.
fn read_head(stream: &mut BufReader<TcpStream>) -> (String, usize) {
    let (mut status, mut line, mut length) = (String::new(), String::new(), 0);
    stream.read_line(&mut status).unwrap();
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    (status, length)
}
