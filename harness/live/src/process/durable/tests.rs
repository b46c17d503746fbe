#![allow(clippy::unwrap_used)]
use super::*;

#[tokio::test]
async fn a_key_in_a_commit_log_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("replicas/1/clog");
    std::fs::create_dir_all(&log).unwrap();
    std::fs::write(log.join("0.stdb.log"), b"\x00\x01k-7\x00").unwrap();
    Durability::Commitlog.wait_for(dir.path(), Some("k-7")).await.unwrap();
}

#[test]
fn a_key_elsewhere_in_the_data_directory_is_not() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("server.log"), b"k-7").unwrap();
    assert!(!commitlog_holds(dir.path(), b"k-7"));
}
