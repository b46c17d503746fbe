//! Coming up, refusing to, and going down.

use tempfile::tempdir;

use crate::client::{Client, published};
use crate::server::Server;

#[test]
fn a_server_asked_to_stop_ends_well_and_prints_nothing_but_its_address() {
    let dir = tempdir().unwrap();
    let (server, client) = published(dir.path());
    client.append("k1", "{}");
    let (status, rest) = server.terminate();
    assert!(status.success(), "{status}");
    // The test runner's own words are all that follows.
    assert!(rest.trim_start().starts_with("test server::") || rest.trim_start().starts_with("ok"), "{rest}");

    let again = Server::start(dir.path());
    assert_eq!(client.at(&again).seqs(), [1]);
}

#[test]
fn an_address_that_is_taken_is_refused_by_name() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = tempdir().unwrap();
    let Err(refusal) = Server::try_start(dir.path(), &address) else { panic!("it started") };
    assert!(refusal.starts_with(&format!("cannot listen on {address}: it is in use; ")), "{refusal}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "something was written all the same");
}

#[test]
fn a_data_directory_in_use_is_refused_by_name() {
    let dir = tempdir().unwrap();
    let _first = Server::start(dir.path());
    let Err(refusal) = Server::try_start(dir.path(), "127.0.0.1:0") else { panic!("it started") };
    let expect = format!("the data directory {} is in use by process ", dir.path().display());
    assert!(refusal.starts_with(&expect), "{refusal}");
}

#[test]
fn a_data_directory_that_cannot_be_made_is_refused_by_name() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let Err(refusal) = Server::try_start(&file.join("data"), "127.0.0.1:0") else { panic!("it started") };
    assert!(refusal.starts_with("cannot use the data directory "), "{refusal}");
}

#[test]
fn a_data_directory_of_another_version_is_refused_with_the_reason() {
    let dir = tempdir().unwrap();
    std::fs::write(dir.path().join("metadata.toml"), "version = \"9.0.0\"\nedition = \"standalone\"\n").unwrap();
    let Err(refusal) = Server::try_start(dir.path(), "127.0.0.1:0") else { panic!("it started") };
    assert!(refusal.starts_with("SpacetimeDB does not start on the data directory "), "{refusal}");
    assert!(refusal.contains("newer, incompatible version"), "{refusal}");
}

#[test]
fn several_servers_run_at_once() {
    let dirs: Vec<_> = (0..3).map(|_| tempdir().unwrap()).collect();
    let servers: Vec<_> = dirs.iter().map(|dir| Server::start(dir.path())).collect();
    let mut addresses: Vec<_> = servers.iter().map(|server| server.address.clone()).collect();
    for server in &servers {
        assert!(!Client::new(server).token.is_empty());
    }
    addresses.dedup();
    assert_eq!(addresses.len(), 3);
}
