//! The crate `toxiproxy_rust`, unmodified, against a server of ours: the cases of its own suite, the examples of its
//! documentation, and bytes through what it has set up.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use support::{connect, echo, server::Server};
use toxiproxy_rust::client::Client;
use toxiproxy_rust::proxy::{Proxy, ProxyPack};

/// A client of a new server that has one proxy, `socket`, in front of `upstream`.
fn with_socket(upstream: SocketAddr) -> (Server, Client) {
    let server = Server::start();
    let client = Client::new(server.addr());
    let packs = vec![ProxyPack::new("socket".into(), "localhost:0".into(), upstream.to_string())];
    let proxies = client.populate(packs).unwrap();
    assert_eq!(proxies.len(), 1);
    assert_eq!(proxies[0].proxy_pack.name, "socket");
    (server, client)
}

fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// How long `text` takes to come back.
fn round_trip(stream: &mut TcpStream, text: &str) -> Duration {
    let began = Instant::now();
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, text.as_bytes());
    began.elapsed()
}

fn toxics(proxy: &Proxy) -> Vec<String> {
    proxy.toxics().unwrap().into_iter().map(|toxic| toxic.name).collect()
}

// Its own suite.

#[test]
fn a_server_is_running_and_tells_its_version() {
    let server = Server::start();
    let client = Client::new(server.addr());
    assert!(client.is_running());
    assert!(client.version().unwrap().starts_with(r#"{"version": "2."#));
    client.reset().unwrap();
}

#[test]
fn proxies_are_populated_and_all_of_them_told() {
    let (_server, client) = with_socket(nowhere());
    let all = client.all().unwrap();
    assert_eq!(all.len(), 1);
    assert!(all["socket"].proxy_pack.enabled);
}

#[test]
fn a_proxy_is_found_and_reset_and_another_is_not() {
    let (_server, client) = with_socket(nowhere());
    assert_eq!(client.find_and_reset_proxy("socket").unwrap().proxy_pack.name, "socket");
    assert!(client.find_and_reset_proxy("bad-proxy").is_err());
    assert!(client.find_proxy("bad-proxy").is_err());
}

#[test]
fn a_proxy_is_down_while_a_closure_runs() {
    let (_server, client) = with_socket(echo());
    let proxy = client.find_and_reset_proxy("socket").unwrap();
    assert!(proxy.proxy_pack.enabled);
    let mut open = connect(&proxy.proxy_pack.listen);
    round_trip(&mut open, "up");
    proxy
        .with_down(|| {
            assert!(!client.find_proxy("socket").unwrap().proxy_pack.enabled);
            assert!(!matches!(open.read(&mut [0]), Ok(1..)), "an open connection is closed");
            assert!(TcpStream::connect(&proxy.proxy_pack.listen).is_err(), "a new one is refused");
        })
        .unwrap();
    assert!(client.find_proxy("socket").unwrap().proxy_pack.enabled);
    round_trip(&mut connect(&proxy.proxy_pack.listen), "up again");
}

#[test]
fn a_latency_is_there_while_it_is_applied() {
    let (_server, client) = with_socket(nowhere());
    let proxy = client.find_and_reset_proxy("socket").unwrap();
    assert!(toxics(&proxy).is_empty());
    proxy
        .with_latency("downstream".into(), 2000, 0, 1.0)
        .apply(|| assert_eq!(toxics(&client.all().unwrap()["socket"]), ["latency_downstream"]))
        .unwrap();
    assert!(toxics(&proxy).is_empty());
}

#[test]
fn a_latency_stays_where_it_is_not_applied() {
    let (_server, client) = with_socket(nowhere());
    client.find_and_reset_proxy("socket").unwrap().with_latency("downstream".into(), 2000, 0, 1.0);
    assert_eq!(toxics(&client.all().unwrap()["socket"]), ["latency_downstream"]);
}

#[test]
fn a_latency_delays_a_real_request() {
    let (_server, client) = with_socket(echo());
    let proxy = client.find_and_reset_proxy("socket").unwrap();
    proxy
        .with_latency("downstream".into(), 300, 0, 1.0)
        .apply(|| {
            let took = round_trip(&mut connect(&proxy.proxy_pack.listen), "hello");
            assert!(took >= Duration::from_millis(300), "{took:?}");
        })
        .unwrap();
}

// The examples of its documentation, for every call it has.

#[test]
fn every_toxic_it_knows_is_set_as_asked() {
    let (_server, client) = with_socket(nowhere());
    let proxy = client.find_proxy("socket").unwrap();
    for stream in ["downstream", "upstream"] {
        proxy
            .with_latency(stream.into(), 2000, 7, 1.0)
            .with_bandwidth(stream.into(), 500, 0.5)
            .with_slow_close(stream.into(), 500, 1.0)
            .with_timeout(stream.into(), 5000, 1.0)
            .with_slicer(stream.into(), 1024, 128, 500, 1.0)
            .with_limit_data(stream.into(), 2048, 0.25);
    }
    let told = proxy.toxics().unwrap();
    assert_eq!(told.len(), 12);
    assert!(told[..6].iter().all(|toxic| toxic.stream == "upstream"));
    let named = |name: &str| told.iter().find(|toxic| toxic.name == name).unwrap();
    assert_eq!(
        (named("latency_upstream").attributes["latency"], named("latency_upstream").attributes["jitter"]),
        (2000, 7)
    );
    assert_eq!((named("bandwidth_upstream").attributes["rate"], named("bandwidth_upstream").toxicity), (500, 0.5));
    assert_eq!(named("slow_close_downstream").attributes["delay"], 500);
    assert_eq!(named("timeout_downstream").attributes["timeout"], 5000);
    let slicer = &named("slicer_downstream").attributes;
    assert_eq!((slicer["average_size"], slicer["size_variation"], slicer["delay"]), (1024, 128, 500));
    assert_eq!((named("limit_data_upstream").attributes["bytes"], named("limit_data_upstream").toxicity), (2048, 0.25));
    assert_eq!(client.find_proxy("socket").unwrap().proxy_pack.toxics.len(), 12);

    proxy.delete_all_toxics().unwrap();
    assert!(toxics(&proxy).is_empty());
}

#[test]
fn a_proxy_is_disabled_enabled_and_deleted() {
    let (_server, client) = with_socket(nowhere());
    let proxy = client.find_proxy("socket").unwrap();
    proxy.disable().unwrap();
    assert!(!client.find_proxy("socket").unwrap().proxy_pack.enabled);
    proxy.with_timeout("downstream".into(), 0, 1.0);
    client.reset().unwrap();
    let reset = client.find_proxy("socket").unwrap();
    assert!(reset.proxy_pack.enabled && reset.proxy_pack.toxics.is_empty());
    proxy.delete().unwrap();
    assert!(client.all().unwrap().is_empty());
}

#[test]
fn a_limit_of_data_ends_a_connection_after_as_many_bytes() {
    let (_server, client) = with_socket(echo());
    let proxy = client.find_proxy("socket").unwrap();
    proxy
        .with_limit_data("downstream".into(), 2048, 1.0)
        .apply(|| {
            let mut stream = connect(&proxy.proxy_pack.listen);
            stream.write_all(&[7; 4096]).unwrap();
            let mut came = Vec::new();
            // What comes after the last byte is an end or a reset, by what the upstream had still under way.
            let _ = stream.read_to_end(&mut came);
            assert_eq!(came, [7; 2048]);
        })
        .unwrap();
    round_trip(&mut connect(&proxy.proxy_pack.listen), "no limit");
}
