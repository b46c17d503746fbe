//! Ours against what a real Toxiproxy answered: each list of `golden/toxiproxy` is played, request by request, and
//! every answer is held against the recorded one.
//!
//! `CUTOVER_TOXIPROXY=HOST:PORT CUTOVER_RECORD=1` plays the lists to the server there and writes its answers down
//! instead.
#![allow(clippy::unwrap_used)]

mod support;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Instant;
use support::{Answer, ask, server::Server};

/// The headers that a client could act on. Others (a date, a length) are not recorded.
const HEADERS: [&str; 5] = ["content-type", "x-content-type-options", "location", "allow", "x-toxiproxy-request-id"];

#[derive(Serialize, Deserialize)]
struct List {
    about: String,
    exchanges: Vec<Exchange>,
}

#[derive(Serialize, Deserialize)]
struct Exchange {
    say: String,
    request: Request,
    /// The real server's.
    answer: Option<Recorded>,
    /// Ours, where it is another one on purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    ours: Option<Ours>,
}

#[derive(Serialize, Deserialize)]
struct Ours {
    because: String,
    answer: Recorded,
}

#[derive(Serialize, Deserialize)]
struct Request {
    method: String,
    path: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Recorded {
    status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    body: String,
}

/// The ports of one play. Recordings name them (`{{taken}}`, `{{free}}`, `{{port:NAME}}`), since they differ each time.
struct Ports {
    taken: u16,
    free: u16,
    /// Those of every proxy, the newest last.
    proxies: BTreeMap<String, Vec<u16>>,
    _holder: TcpListener,
}

impl Ports {
    fn new() -> Self {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { taken: holder.local_addr().unwrap().port(), free, proxies: BTreeMap::new(), _holder: holder }
    }

    fn names(&self) -> Vec<(String, u16)> {
        let fixed = [("{{taken}}".to_owned(), self.taken), ("{{free}}".to_owned(), self.free)];
        let proxies = self.proxies.iter().flat_map(|(name, ports)| {
            ports.iter().rev().enumerate().map(move |(age, port)| {
                let word = if age == 0 { "port" } else { "old port" };
                (format!("{{{{{word}:{name}}}}}"), *port)
            })
        });
        fixed.into_iter().chain(proxies).collect()
    }

    fn fill(&self, text: &str) -> String {
        self.names().iter().fold(text.to_owned(), |text, (name, port)| text.replace(name, &port.to_string()))
    }

    fn name(&self, text: &str) -> String {
        self.names()
            .iter()
            .fold(text.to_owned(), |text, (name, port)| text.replace(&format!(":{port}"), &format!(":{name}")))
    }

    /// Takes down where every proxy in an answer listens.
    fn learn(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Object(fields) => {
                if let (Some(Value::String(name)), Some(Value::String(listen))) =
                    (fields.get("name"), fields.get("listen"))
                    && let Some(port) = listen.rsplit(':').next().and_then(|port| port.parse().ok())
                    && ![0, self.taken, self.free].contains(&port)
                {
                    let ports = self.proxies.entry(name.clone()).or_default();
                    ports.retain(|known| *known != port);
                    ports.push(port);
                }
                fields.values().for_each(|field| self.learn(field));
            }
            _ => {}
        }
    }
}

fn play(server: SocketAddr, ports: &mut Ports, request: &Request) -> Recorded {
    let headers: Vec<_> = request.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let body = request.body.as_deref().map(|body| ports.fill(body));
    let answer: Answer = ask(server, &request.method, &request.path, &headers, body.as_deref());
    if let Ok(value) = serde_json::from_str(&answer.body) {
        ports.learn(&value);
    }
    let mut headers = BTreeMap::new();
    for name in HEADERS {
        if let Some(value) = answer.header(name) {
            let value = if name == "x-toxiproxy-request-id" { "{{id}}" } else { value };
            headers.insert(name.to_owned(), value.to_owned());
        }
    }
    Recorded { status: answer.status, headers, body: ports.name(&answer.body) }
}

/// An answer without what does not count: the version, and the empty `Logger` that a real server tells by accident.
fn plain(recorded: &Recorded) -> (u16, &BTreeMap<String, String>, Result<Value, &str>) {
    let body = match serde_json::from_str::<Value>(&recorded.body) {
        Ok(mut value) => {
            strip(&mut value);
            Ok(value)
        }
        Err(_) => Err(recorded.body.as_str()),
    };
    (recorded.status, &recorded.headers, body)
}

fn strip(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Object(fields) => {
            fields.remove("Logger");
            if let Some(version) = fields.get_mut("version") {
                *version = Value::from("{{version}}");
            }
            fields.values_mut().for_each(strip);
        }
        _ => {}
    }
}

fn golden(list: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../golden/toxiproxy").join(format!("{list}.json"))
}

fn hold_against(list: &str) {
    let path = golden(list);
    let mut recording: List = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let record = std::env::var_os("CUTOVER_RECORD").is_some();
    let server = Server::start();
    let mut ports = Ports::new();
    let mut differences = String::new();
    for (at, exchange) in recording.exchanges.iter_mut().enumerate() {
        let answer = play(server.addr(), &mut ports, &exchange.request);
        if record {
            exchange.answer = Some(answer);
            continue;
        }
        let real = exchange.answer.as_ref().unwrap();
        let expected = exchange.ours.as_ref().map_or(real, |ours| &ours.answer);
        if plain(expected) != plain(&answer) {
            let Request { method, path, body, .. } = &exchange.request;
            let body = body.as_deref().unwrap_or_default();
            writeln!(differences, "{list}[{at}], {}: {method} {path} {body}", exchange.say).unwrap();
            writeln!(
                differences,
                "  expected: {} {:?} {}",
                expected.status,
                expected.headers,
                expected.body.trim_end()
            )
            .unwrap();
            writeln!(differences, "  answered: {} {:?} {}", answer.status, answer.headers, answer.body.trim_end())
                .unwrap();
        }
    }
    if record {
        std::fs::write(&path, serde_json::to_string_pretty(&recording).unwrap() + "\n").unwrap();
    }
    assert!(differences.is_empty(), "answers differ from a real server's:\n{differences}");
}

/// What a connection that sends five bytes, and has them sent back, leaves in the metrics of Toxiproxy's own names.
#[test]
fn metrics_count_the_bytes_of_each_direction_as_a_real_server_does() {
    let server = Server::start();
    let upstream = support::echo();
    let made = format!(r#"{{"name":"m","listen":"127.0.0.1:0","upstream":"{upstream}"}}"#);
    let listen = support::call(server.addr(), "POST", "/proxies", &made).json()["listen"].as_str().unwrap().to_owned();
    let mut stream = support::connect(&listen);
    stream.write_all(b"bytes").unwrap();
    stream.read_exact(&mut [0; 5]).unwrap();
    drop(stream);

    let golden = std::fs::read_to_string(golden("metrics").with_extension("txt")).unwrap();
    let began = Instant::now();
    loop {
        // A real server counts a connection's bytes once it has ended, so ask until it has.
        let answer = ask(server.addr(), "GET", "/metrics", &[], None);
        let lines = answer.body.lines().filter(|line| line.contains("toxiproxy_proxy_"));
        let told: String = lines.map(|line| line.replace(&listen, "{{listen}}") + "\n").collect();
        let told = told.replace(&upstream.to_string(), "{{upstream}}");
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        if told == golden {
            break;
        }
        assert!(began.elapsed() < support::PATIENCE, "expected:\n{golden}told:\n{told}");
    }
}

#[test]
fn routes_and_methods_are_those_of_a_real_server() {
    hold_against("routes");
}

#[test]
fn proxies_are_made_and_refused_as_by_a_real_server() {
    hold_against("proxies");
}

#[test]
fn proxies_are_changed_as_by_a_real_server() {
    hold_against("updates");
}

#[test]
fn populate_makes_keeps_replaces_and_fails_as_a_real_server_does() {
    hold_against("populate");
}

#[test]
fn toxics_are_made_changed_and_refused_as_by_a_real_server() {
    hold_against("toxics");
}

#[test]
fn odd_bodies_are_read_or_refused_as_by_a_real_server() {
    hold_against("bodies");
}

#[test]
fn reset_goes_as_far_as_a_real_server_does() {
    hold_against("reset");
}
