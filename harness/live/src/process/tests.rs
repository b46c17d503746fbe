#![allow(clippy::unwrap_used)]
use std::os::unix::fs::PermissionsExt;

use super::*;

/// A server written in a few lines of shell: what it prints is the test's choice.
fn script(dir: &Path, body: &str) -> ServerCommand {
    let path = dir.join("server.sh");
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    ServerCommand::candidate(&path)
}

#[tokio::test]
async fn a_server_is_up_once_it_says_where_it_listens() {
    let dir = tempfile::tempdir().unwrap();
    let mut server =
        Server::new(script(dir.path(), "echo hello; echo listening on 127.0.0.1:4567; exec sleep 60"), dir.path())
            .unwrap();
    server.start().await.unwrap();
    assert_eq!(server.address().borrow().as_ref().map(|address| address.port), Some(4567));
    server.kill().await;
    assert_eq!(*server.address().borrow(), None);
    assert!(!server.is_up());
}

#[test]
fn a_program_gets_a_port_that_the_system_gives_to_nobody_else() {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let first_asked: u16 = range.split_whitespace().next().and_then(|port| port.parse().ok()).unwrap_or(32_768);
    let program = ServerCommand::spacetimedb(Path::new("cutover"), Path::new("spacetimedb-standalone"));
    assert!(program.choose_address().unwrap().port() < first_asked);
}

#[tokio::test]
async fn a_server_that_ends_at_once_is_reported_with_the_end_of_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::new(script(dir.path(), "echo port 3000 is taken >&2; exit 3"), dir.path()).unwrap();
    let error = server.start().await.unwrap_err().to_string();
    assert!(error.contains("port 3000 is taken"), "{error}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::new(ServerCommand::candidate(Path::new("/nowhere/cutover")), dir.path()).unwrap();
    let error = server.start().await.unwrap_err().to_string();
    assert!(error.contains("/nowhere/cutover"), "{error}");
}

#[tokio::test]
async fn a_paused_server_can_still_be_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let mut server =
        Server::new(script(dir.path(), "echo listening on 127.0.0.1:4567; exec sleep 60"), dir.path()).unwrap();
    server.start().await.unwrap();
    server.pause().unwrap();
    assert!(server.is_paused());
    server.stop().await;
    assert!(!server.is_up());
    assert!(matches!(server.pause(), Err(ServerError::NotUp)));
}

#[tokio::test]
async fn a_server_that_dies_unasked_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::new(
        script(dir.path(), "echo listening on 127.0.0.1:4567; read line < \"$0.fifo\"; exit 9"),
        dir.path(),
    )
    .unwrap();
    let fifo = dir.path().join("server.sh.fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    server.start().await.unwrap();
    std::fs::write(&fifo, "go\n").unwrap();
    server.running.as_ref().unwrap().end().await;
    assert_eq!(server.unasked_end().as_deref(), Some("it ended with exit code 9"));
}

#[tokio::test]
async fn a_server_that_ends_by_itself_is_told_with_its_last_words_and_one_that_is_stopped_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("server.sh.fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let body = "echo listening on 127.0.0.1:4567; read line < \"$0.fifo\"; echo no space left >&2; exit 9";
    let (reports, mut exits) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::new(script(dir.path(), body), dir.path()).unwrap();
    let mut server = server.reporting("candidate", reports);
    server.start().await.unwrap();
    server.stop().await;
    server.start().await.unwrap();
    server.kill().await;
    server.start().await.unwrap();
    std::fs::write(&fifo, "go\n").unwrap();
    let exit = exits.recv().await.unwrap().error.to_string();
    assert!(
        exit.contains("ended by itself") && exit.contains("exit code 9") && exit.contains("no space left"),
        "{exit}"
    );
    assert!(exits.try_recv().is_err());
}

/// Stops a server that writes down the signals of which it knows, and returns what it wrote.
async fn stopped(body: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::new(script(dir.path(), body), dir.path()).unwrap();
    server.start().await.unwrap();
    server.stop().await;
    assert!(!server.is_up());
    std::fs::read_to_string(dir.path().join("server.sh.end")).unwrap_or_default()
}

#[tokio::test]
async fn a_server_is_stopped_by_the_signal_that_it_handles() {
    let waits = "echo listening on 127.0.0.1:4567; while :; do sleep 0.05; done";
    let interrupt = "trap '' TERM; trap 'echo interrupted > \"$0.end\"; exit 0' INT";
    let terminate = "trap 'echo terminated > \"$0.end\"; exit 0' TERM";
    assert_eq!(stopped(&format!("{interrupt}\n{waits}")).await, "interrupted\n");
    assert_eq!(stopped(&format!("{terminate}\n{waits}")).await, "terminated\n");
    // One that handles neither is ended all the same.
    assert_eq!(stopped(waits).await, "");
}

#[test]
fn a_server_outlives_the_thread_that_asked_for_it() {
    let dir = tempfile::tempdir().unwrap();
    if std::process::Command::new("setpriv").arg("--version").output().is_err() {
        return;
    }
    // As `serve` does it: asks the system to be killed with the thread that started it, then says that it listens.
    let tied = "exec setpriv --pdeathsig KILL sh -c 'echo listening on 127.0.0.1:4567; exec sleep 60'";
    let command = script(dir.path(), tied);
    let at = dir.path().to_owned();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    let asked = std::thread::spawn(move || {
        handle.block_on(async {
            let mut server = Server::new(command, &at).unwrap();
            server.start().await.unwrap();
            server
        })
    });
    let mut server = asked.join().unwrap();
    assert_eq!(server.unasked_end(), None);
    runtime.block_on(async {
        let ended = tokio::time::timeout(Duration::from_millis(200), server.running.as_ref().unwrap().end()).await;
        assert!(ended.is_err(), "{ended:?}");
        server.kill().await;
    });
}
