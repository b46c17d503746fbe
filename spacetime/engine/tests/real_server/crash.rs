//! What a `kill -9` leaves.

use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::tempdir;

use crate::client::{STREAM, published_for_good};
use crate::server::Server;
use crate::socket::Socket;

/// The longest that a test waits for the server to write its log.
const LOG_DEADLINE: Duration = Duration::from_secs(10);

/// Waits until a database's log has these bytes, which is when a crash of the process no longer loses them.
///
/// The answer to a call does not tell: it goes out before the log is written.
fn wait_until_logged(data_dir: &Path, needle: &str) {
    let deadline = Instant::now() + LOG_DEADLINE;
    while !log_contains(data_dir, needle.as_bytes()) {
        assert!(Instant::now() < deadline, "{needle} was never logged");
        std::thread::yield_now();
    }
}

fn log_contains(data_dir: &Path, needle: &[u8]) -> bool {
    let replicas = std::fs::read_dir(data_dir.join("replicas")).unwrap();
    let logs = replicas.flat_map(|replica| std::fs::read_dir(replica.unwrap().path().join("clog")).unwrap());
    let logs = logs.map(|log| log.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "log"));
    let mut logs = logs.map(|path| std::fs::read(path).unwrap());
    logs.any(|log| log.windows(needle.len()).any(|window| window == needle))
}

#[test]
fn what_the_log_holds_survives_a_kill_and_the_stream_goes_on_after_it() {
    let dir = tempdir().unwrap();
    let (server, client) = published_for_good(dir.path());
    let mut socket = Socket::open(&server, &client);
    for number in 1..=20 {
        socket.send_append(&format!("key-{number}."), &number.to_string());
        socket.answer().unwrap();
    }
    wait_until_logged(dir.path(), "key-20.");
    server.kill();

    let again = Server::start(dir.path());
    let client = client.at(&again);
    assert_eq!(client.seqs(), (1..=20).collect::<Vec<_>>());
    client.append("key-20.", "20");
    client.append("key-21.", "21");
    assert_eq!(client.seqs(), (1..=21).collect::<Vec<_>>());
}

#[test]
fn a_kill_at_any_moment_leaves_a_stream_without_gaps() {
    let dir = tempdir().unwrap();
    let (server, client) = published_for_good(dir.path());
    let mut socket = Socket::open(&server, &client);
    for number in 1..=200 {
        socket.send_append(&format!("key-{number}."), &number.to_string());
    }
    for _ in 1..=100 {
        socket.answer().unwrap();
    }
    server.kill();

    let again = Server::start(dir.path());
    let client = client.at(&again);
    let seqs = client.seqs();
    let head = u64::try_from(seqs.len()).unwrap();
    assert_eq!(seqs, (1..=head).collect::<Vec<_>>());
    let stream = client.rows(&format!("SELECT head_seq FROM sync_stream WHERE stream_id = '{STREAM}'"));
    assert_eq!(stream.first().map_or(0, |row| row[0].as_u64().unwrap()), head);
    // What was lost is published again under its key, and what was kept is not written twice.
    for number in 1..=200 {
        client.append(&format!("key-{number}."), &number.to_string());
    }
    assert_eq!(client.seqs(), (1..=200).collect::<Vec<_>>());
}

#[test]
fn connections_that_a_crash_left_open_are_gone_after_the_restart() {
    let dir = tempdir().unwrap();
    let (server, client) = published_for_good(dir.path());
    let mut socket = Socket::open(&server, &client);
    socket.send_append("key-1.", "1");
    socket.answer().unwrap();
    assert_eq!(client.rows("SELECT * FROM active_connection").len(), 1);
    wait_until_logged(dir.path(), "key-1.");
    server.kill();

    let again = Server::start(dir.path());
    let client = client.at(&again);
    assert_eq!(client.seqs(), [1]);
    assert_eq!(client.rows("SELECT * FROM active_connection").len(), 0);
}
