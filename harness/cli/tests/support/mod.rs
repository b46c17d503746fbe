//! What the tests of the built binary share: runs of it, servers of it, and the bundles that it leaves.
#![allow(clippy::unwrap_used, dead_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use cutover_core::evidence::{Evidence, State};

/// The binary with these arguments.
pub fn cutover(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
    command.args(args).stdin(Stdio::null()).env_remove("COLUMNS").env("NO_COLOR", "1");
    command
}

/// What a run left.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs the binary to its end.
pub fn run(args: &[&str]) -> Ran {
    ended(&mut cutover(args))
}

/// Runs a command to its end.
pub fn ended(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the gate with its evidence in `dir/NAME`.
pub fn gate(dir: &Path, name: &str, args: &[&str]) -> Ran {
    let out = text(&dir.join(name));
    let mut line = vec!["gate", "--seed", "7", "--out", &out];
    line.extend(args);
    run(&line)
}

/// The evidence in `dir/NAME`.
pub fn evidence(dir: &Path, name: &str) -> Evidence {
    serde_json::from_slice(&std::fs::read(dir.join(name).join("evidence.json")).unwrap()).unwrap()
}

/// What recheck makes of the bundle in `dir/NAME`.
pub fn rechecked(dir: &Path, name: &str) -> i32 {
    run(&["recheck", &text(&dir.join(name))]).code
}

/// Whether the bundle in `dir/NAME` says that the run could not go on.
pub fn says_failed(dir: &Path, name: &str) -> bool {
    matches!(evidence(dir, name).state, State::Failed { .. })
}

pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

pub fn write(dir: &Path, name: &str, content: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path
}

/// A program of a few lines of shell.
pub fn program(dir: &Path, name: &str, body: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = write(dir, name, &format!("#!/bin/sh\n{body}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    text(&path)
}

/// A server of the binary, killed when the test ends, however it ends.
pub struct Server {
    child: Child,
    /// Kept, so that what it still prints does not end it.
    _stdout: BufReader<std::process::ChildStdout>,
    pub address: SocketAddr,
}

impl Server {
    /// Starts `serve LANE` and waits until it serves.
    pub fn start(lane: &str, data_dir: &Path) -> Server {
        Server::serving(&["serve", lane, "--data-dir", &text(data_dir)])
    }

    /// Starts a candidate with the sync module in a database. The owner's token is in `owner-token` of the directory.
    pub fn with_database(database: &str, data_dir: &Path) -> Server {
        Server::serving(&["serve", "candidate", "--data-dir", &text(data_dir), "--database", database])
    }

    /// Starts a legacy service with planted defects.
    pub fn broken(defects: &str, data_dir: &Path) -> Server {
        Server::serving(&["serve", "legacy", "--data-dir", &text(data_dir), "--defect", defects])
    }

    /// Starts `serve proxy` and waits until its API answers.
    pub fn proxy() -> Server {
        Server::serving(&["serve", "proxy", "--listen", "127.0.0.1:0"])
    }

    fn serving(args: &[&str]) -> Server {
        Server::of(cutover(args))
    }

    /// Starts a command that serves, and waits until it does.
    pub fn of(mut command: Command) -> Server {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().parse().unwrap();
        Server { child, _stdout: stdout, address }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that gives every request the answer for its path; ends with the test's process.
pub fn answering(answer: impl Fn(&str) -> (u16, &'static str, &'static str) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            thread::spawn(move || answer_all(stream.unwrap(), &*answer));
        }
    });
    url
}

fn answer_all(stream: TcpStream, answer: &dyn Fn(&str) -> (u16, &'static str, &'static str)) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
        }
        let (status, kind, body) = answer(request.split(' ').nth(1).unwrap_or_default());
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Told\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
        if reader.get_mut().write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// A server that redirects every request there; ends with the test's process.
pub fn redirecting(to: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!("HTTP/1.1 301 Moved\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

/// Stands before a server and notes the requests that create and delete databases.
pub struct Witness {
    pub url: String,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Witness {
    pub fn before(server: SocketAddr) -> Witness {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = seen.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(server).unwrap());
                let (from_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let noted = noted.clone();
                thread::spawn(move || pass(client, server, |bytes| noted.lock().unwrap().extend(bytes)));
                thread::spawn(move || pass(from_server, to_client, |_| {}));
            }
        });
        Witness { url, seen }
    }

    /// The databases that a request of this method named, sorted.
    pub fn databases(&self, method: &str) -> Vec<String> {
        let seen = String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned();
        let start = format!("{method} /v1/database/cutover-");
        let mut names: Vec<String> =
            seen.split(&start).skip(1).filter_map(|rest| rest.split(' ').next().map(str::to_owned)).collect();
        names.sort();
        names
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, note: impl Fn(&[u8])) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        note(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}

/// Posts JSON, and returns the body of the answer, which must be 200.
pub fn post(at: SocketAddr, path: &str, token: Option<&str>, body: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    let bearer = token.map_or(String::new(), |token| format!("authorization: Bearer {token}\r\n"));
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{bearer}content-type: application/json\r\n");
    write!(stream, "{head}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    body.to_owned()
}
