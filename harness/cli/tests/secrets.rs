//! A secret is put into every place where one can be given, also where the place is wrong, and then looked for in all
//! that the tool writes.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;

use cutover_core::text::percent_encoded;
use support::*;

/// The secret. As a word of a URL it has to be encoded.
const SECRET: &str = "m4rk/er of+a=s3cr3t";

/// Whether the secret stands in a text, in any spelling.
fn shows(text: &str) -> bool {
    // Base64 of any text that holds it holds one of these, whatever stands before.
    let base64 = ["bTRyay9lciBvZithPXMzY3Iz", "cmsvZXIgb2YrYT1zM2NyM3", "NHJrL2VyIG9mK2E9czNjcjN0"];
    let spellings = [SECRET.to_owned(), "s3cr3t".to_owned(), "m4rk".to_owned(), percent_encoded(SECRET)];
    base64.iter().any(|piece| text.contains(piece)) || spellings.iter().any(|spelling| text.contains(spelling.as_str()))
}

/// Fails where the secret stands in what a run printed or left under a directory.
fn hidden(what: &str, ran: &Ran, dir: &Path) {
    for (stream, text) in [("stdout", &ran.out), ("stderr", &ran.err)] {
        assert!(!shows(text), "{what}: {stream} shows it:\n{text}");
    }
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(!shows(&text), "{what}: {} shows it:\n{text}", path.display());
        }
    }
}

/// A gate with these arguments and variables.
fn gated(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Ran {
    let out = text(&dir.join("out"));
    let _ = std::fs::remove_dir_all(&out);
    let mut line = vec!["gate", "--seed", "7", "--out", &out, "--scenario", "equal-streams"];
    line.extend(args);
    ended(cutover(&line).envs(env.iter().copied()))
}

/// A server that answers every request with all that it was asked; ends with the test's process.
fn echoing(status: &'static str, kind: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = vec![0; 1 << 16];
            let read = stream.read(&mut request).unwrap_or(0);
            let asked = String::from_utf8_lossy(&request[..read]).into_owned();
            let line = asked.lines().next().unwrap_or_default().to_owned();
            let body = format!("{{\"code\":{0},\"message\":{0}}}", serde_json::to_string(&asked).unwrap());
            let _ = stream.write_all(
                format!(
                    "HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:1{}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
                     connection: close\r\n\r\n{body}",
                    line.split(' ').nth(1).unwrap_or_default(),
                    body.len()
                )
                .as_bytes(),
            );
        }
    });
    url
}

#[test]
fn a_secret_in_a_url_is_shown_nowhere_whatever_is_wrong_with_the_url() {
    let dir = tempfile::tempdir().unwrap();
    let secret = percent_encoded(SECRET);
    let urls = [
        format!("http://user:{secret}@127.0.0.1:1/"),
        format!("http://{secret}@127.0.0.1:1/"),
        format!("http://user:{SECRET}@127.0.0.1:1/"),
        format!("http://127.0.0.1:1/?token={secret}"),
        format!("http://127.0.0.1:1/?token={SECRET}"),
        format!("HTTP://127.0.0.1:1/?Token={secret}&vsn=2.0.0"),
        format!("ws://127.0.0.1:1/?%74oken={secret}"),
        format!("wss://127.0.0.1:1/?api_key={secret}"),
        format!("http://127.0.0.1:1/?a=b;jwt={secret}"),
        format!("http://127.0.0.1:1/?{secret}"),
        format!("http://127.0.0.1:1/#access_token={secret}"),
        format!("http://127.0.0.1:99999/?token={secret}"),
        format!("ftp://user:{secret}@h/?token={secret}"),
        format!("http:///?token={secret}"),
        format!("http://[::1/?token={secret}"),
        format!("127.0.0.1:1/?token={secret}"),
        format!("user:{secret}@127.0.0.1:1"),
    ];
    for url in &urls {
        for option in ["--legacy", "--candidate", "--toxiproxy"] {
            let joined = [format!("{option}={url}")];
            let apart = [option.to_owned(), url.clone()];
            let args: &[String] = if option == "--legacy" { &joined } else { &apart };
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let ran = gated(dir.path(), &args, &[]);
            assert!([3, 64].contains(&ran.code), "{args:?}: {}{}", ran.out, ran.err);
            hidden(&format!("{args:?}"), &ran, &dir.path().join("out"));
        }
        // What is no option is told, too.
        let ran = run(&["gate", "--lane", url]);
        hidden(url, &ran, &dir.path().join("out"));
    }
}

#[test]
fn a_token_is_shown_nowhere_though_the_server_says_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let servers = [
        echoing("403 Forbidden", "application/json"),
        echoing("401 Unauthorized", "text/plain"),
        echoing("500 Broken", "text/html"),
        echoing("302 Found", "text/html"),
        echoing("200 OK", "application/json"),
        echoing("101 Switching", "text/plain"),
        "http://127.0.0.1:1".to_owned(),
        "https://127.0.0.1:1".to_owned(),
    ];
    for server in &servers {
        for (lane, variable) in [("legacy", "CUTOVER_LEGACY_TOKEN"), ("candidate", "CUTOVER_CANDIDATE_TOKEN")] {
            let (option, token) = (format!("--{lane}"), format!("--{lane}-token"));
            let joined = format!("{token}={SECRET}");
            for (args, env) in [
                (vec![option.as_str(), server, &token, SECRET], vec![]),
                (vec![&option, server, &joined], vec![]),
                (vec![&option, server], vec![(variable, SECRET)]),
            ] {
                let ran = gated(dir.path(), &args, &env);
                assert!([3, 64].contains(&ran.code), "{args:?}: {}{}", ran.out, ran.err);
                hidden(&format!("{args:?} {env:?}"), &ran, &dir.path().join("out"));
            }
        }
    }
}

#[test]
fn a_secret_in_a_profile_is_shown_nowhere_whatever_is_wrong_with_the_profile() {
    let dir = tempfile::tempdir().unwrap();
    let echo = echoing("403 Forbidden", "application/json");
    let (secret, socket) = (percent_encoded(SECRET), format!("socket_url = \"{echo}\"\n"));
    let legacy = [
        format!("{socket}token = \"{SECRET}\"\n"),
        format!("{socket}token = \"{SECRET}\"\ntoken_env = \"CUTOVER_TOKEN\"\n"),
        format!("{socket}token_env = \"CUTOVER_TOKEN\"\n"),
        format!("{socket}token = [\"{SECRET}\"]\n"),
        format!("{socket}token = {SECRET}\n"),
        format!("{socket}token = \"{SECRET}\n"),
        format!("{socket}tokn = \"{SECRET}\"\n"),
        format!("{socket}[publish]\nauthorization = \"Bearer {SECRET}\"\n"),
        format!("{socket}[query]\napi_key = \"{SECRET}\"\n"),
        format!("{socket}[join]\nsession = \"{SECRET}\"\n"),
        format!("{socket}[join]\nuser = {{ token = \"{SECRET}\" }}\n"),
        format!("socket_url = \"ws://user:{secret}@127.0.0.1:1\"\n"),
        format!("socket_url = \"ftp://h/?token={secret}\"\n"),
        format!("socket_url = \"{echo}/?token={secret}&jwt={secret}\"\n"),
        format!("{socket}http_url = \"http://user:{secret}@127.0.0.1:1\"\n"),
    ]
    .map(|body| format!("kind = \"phoenix\"\n{body}"));
    let candidate = [
        format!("url = \"{echo}\"\ntoken = \"{SECRET}\"\n"),
        format!("url = \"{echo}\"\ntoken_env = \"CUTOVER_TOKEN\"\n"),
        format!("url = \"{echo}/?token={secret}\"\n"),
        format!("url = \"http://user:{secret}@127.0.0.1:1\"\n"),
    ]
    .map(|body| format!("kind = \"spacetime\"\n{body}"));
    let legacy = legacy.map(|profile| ("--legacy", profile));
    let candidate = candidate.map(|profile| ("--candidate", profile));
    for (option, profile) in legacy.into_iter().chain(candidate) {
        let path = text(&write(dir.path(), "lane.toml", &profile));
        let ran = gated(dir.path(), &[option, &path], &[("CUTOVER_TOKEN", SECRET)]);
        assert!([3, 64].contains(&ran.code), "{profile}: {}{}", ran.out, ran.err);
        hidden(&profile, &ran, &dir.path().join("out"));
    }
    let config = text(&write(dir.path(), "legacy.toml", &format!("[tokens]\nkey = '{SECRET}' x\n")));
    let ran = run(&["serve", "legacy", "--data-dir", &text(&dir.path().join("d")), "--config", &config]);
    assert_eq!(ran.code, 64);
    hidden("the configuration of the reference server", &ran, &dir.path().join("d"));
}

/// Stands before a service, and refuses the publishes behind the first few with all that they were asked with.
fn refusing_later(service: SocketAddr) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming() {
            thread::spawn(move || refuse_later(client.unwrap(), service));
        }
    });
    url
}

fn refuse_later(mut client: TcpStream, service: SocketAddr) {
    let mut upstream = TcpStream::connect(service).unwrap();
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let (mut back, mut to_client) = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut back, &mut to_client));
    for nth in 0.. {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        if !head.contains("/publish ") || nth < 8 {
            if upstream.write_all(head.as_bytes()).is_err() {
                return;
            }
            if head.starts_with("GET") {
                let _ = std::io::copy(&mut reader, &mut upstream);
                return;
            }
        }
        let length = head.to_ascii_lowercase().split("content-length: ").nth(1).map(str::to_owned);
        let length = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        if head.contains("/publish ") && nth >= 8 {
            let words = serde_json::to_string(&head).unwrap();
            let body = format!("{{\"code\":\"refused\",\"message\":{words}}}");
            let length = body.len();
            let head =
                format!("HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
            let _ = client.write_all(format!("{head}{body}").as_bytes());
        } else if upstream.write_all(&body).is_err() {
            return;
        }
    }
}

#[test]
fn a_token_that_a_lane_says_in_its_answers_is_in_no_file_of_the_bundle() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start("legacy", &dir.path().join("data"));
    let url = refusing_later(server.address);
    let ran = gated(dir.path(), &["--aa", "legacy", "--legacy", &url, "--legacy-token", SECRET], &[]);
    assert!([1, 2].contains(&ran.code), "{}{}", ran.out, ran.err);
    let history = std::fs::read_to_string(dir.path().join("out/histories/equal-streams.legacy.jsonl")).unwrap();
    assert!(history.contains("Bearer ***"), "the lane's words are not recorded: {history}");
    hidden("a refused publish", &ran, &dir.path().join("out"));
    assert_eq!(rechecked(dir.path(), "out"), ran.code);
}

#[test]
fn a_secret_is_found_where_it_is() {
    // The search itself: what it has to find.
    for text in [format!("x{SECRET}y"), percent_encoded(&format!("a {SECRET}")), "s3cr3t".to_owned()] {
        assert!(shows(&text), "{text}");
    }
    for before in ["", "a", "ab"] {
        let encoded = Command::new("base64")
            .arg("-w0")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn();
        let mut child = encoded.unwrap();
        child.stdin.take().unwrap().write_all(format!("{before}{SECRET}").as_bytes()).unwrap();
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        child.wait().unwrap();
        assert!(shows(&text), "{before:?}: {text}");
    }
    assert!(!shows("nothing of it"));
}
