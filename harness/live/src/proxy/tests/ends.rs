//! How connections begin and end without a fault: half-close, resets, restarts, limits, TLS, what can't be read.

use std::sync::Arc;

use bytes::Bytes;
use cutover_core::plan::{Cut, When};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::rig::{self, ASK, End, Ended, GRANT, Rig, address_of, cut, delivery, fault, limits, soon};
use super::toy::ToyFactory;
use crate::frame::Body;
use crate::proxy::upstream::Tls;
use crate::proxy::{Limits, Proxy, ProxyConfig, UpstreamAddr};
use crate::proxy::{cutting, ws};

#[tokio::test]
async fn a_half_close_passes_in_both_directions() {
    let rig = Rig::new(vec![]).await;
    let (mut client, mut lane) = rig.open().await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(lane.hear().await, Err(Ended::Eof));
    lane.says_to(&mut client, "still here").await;

    let (mut client, mut lane) = rig.open().await;
    lane.stream.shutdown().await.unwrap();
    assert_eq!(client.hear().await, Err(Ended::Eof));
    client.says_to(&mut lane, "still here").await;
}

#[tokio::test]
async fn a_reset_of_one_side_reaches_the_other() {
    let rig = Rig::new(vec![]).await;
    let (client, mut lane) = rig.open().await;
    cutting::reset(client.stream);
    assert_eq!(lane.hear().await, Err(Ended::Reset));

    let (mut client, mut lane) = rig.open().await;
    lane.says_to(&mut client, "ev s:1 a").await;
    cutting::reset(lane.stream);
    assert_eq!(client.hear().await, Err(Ended::Reset));
}

#[tokio::test]
async fn a_lane_without_a_server_resets_the_client_and_one_that_is_back_serves_it() {
    let rig = Rig::new(vec![]).await;
    rig.upstream.send(None).unwrap();
    let refused = || async {
        let mut client = End::new(soon(TcpStream::connect(rig.proxy.addr())).await.unwrap(), None);
        assert_eq!(client.hear().await, Err(Ended::Reset));
    };
    refused().await;
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    rig.upstream.send(Some(address_of(&gone))).unwrap();
    drop(gone);
    refused().await;
    let stats = rig.proxy.stats();
    assert_eq!((stats.connections, stats.unreachable), (2, 2));
    assert!(stats.last_unreachable.is_some_and(|why| why.contains("127.0.0.1:")));

    let back = TcpListener::bind("127.0.0.1:0").await.unwrap();
    rig.upstream.send(Some(address_of(&back))).unwrap();
    let rig = Rig { lane: back, ..rig };
    let (mut client, mut lane) = rig.open().await;
    lane.says_to(&mut client, "ev s:1 a").await;
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_for_one_that_ends() {
    let one = Limits { connections_max: 1, ..limits() };
    let rig = Rig::with(vec![], one).await;
    let (mut client, mut lane) = rig.open().await;
    let mut second = End::new(soon(TcpStream::connect(rig.proxy.addr())).await.unwrap(), None);
    second.send(b"waits").await;
    lane.says_to(&mut client, "ev s:1").await;
    assert_eq!(rig.proxy.stats().connections, 1);
    drop((client, lane));
    let (lane, _) = soon(rig.lane.accept()).await.unwrap();
    End::new(lane, None).expect(b"waits").await;
}

#[tokio::test]
async fn without_a_fault_messages_and_fragments_have_any_length() {
    let rig = Rig::new(vec![]).await;
    let (mut client, mut lane) = rig.open().await;
    let long = Bytes::from(vec![7; 3 * limits().message_max_bytes]);
    for from_client in [true, false] {
        let (from, to, mask) =
            if from_client { (&mut client, &mut lane, Some([1, 2, 3, 4])) } else { (&mut lane, &mut client, None) };
        let fragments = ws::encode_split(&Body::Binary(long.clone()), mask, 3);
        let (_, heard) = tokio::join!(from.send(&fragments), to.hear());
        assert_eq!(heard, Ok(Body::Binary(long.clone())));
    }
    assert_eq!(rig.proxy.stats().too_big, 0);
    assert!(rig.ledger.blind.lock().unwrap().is_empty());
}

/// The keep-alive timers that run on this machine's connections with this port, in hundredths of a second.
fn keep_alive_timers(port: u16) -> Vec<u64> {
    let port = format!(":{port:04X}");
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let timers = table.lines().filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let (local, remote, timer) = (columns.get(1)?, columns.get(2)?, columns.get(5)?);
        (local.ends_with(&port) || remote.ends_with(&port)).then_some(*timer)
    });
    // 02 is a keep-alive timer.
    timers.filter_map(|timer| u64::from_str_radix(timer.strip_prefix("02:")?, 16).ok()).collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_peer_that_is_gone_is_noticed_on_either_side() {
    let rig = Rig::new(vec![]).await;
    let (mut client, mut lane) = rig.open().await;
    lane.says_to(&mut client, "ev s:1").await;
    client.says_to(&mut lane, "hb").await;
    for port in [rig.proxy.addr().port(), lane.stream.local_addr().unwrap().port()] {
        // One at the proxy's end; the ends of this test have none. While data is unacknowledged another timer runs.
        let runs = async {
            while !matches!(keep_alive_timers(port)[..], [1..=1500]) {
                tokio::task::yield_now().await;
            }
        };
        soon(runs).await;
    }
}

#[tokio::test]
async fn a_message_over_the_limit_passes_unread_and_is_told_where_a_fault_would_see_it() {
    let too_big = Body::Binary(Bytes::from(vec![0; limits().message_max_bytes + 1]));
    for (armed, from_client) in [(true, true), (true, false), (false, true), (false, false)] {
        let faults = armed.then(|| fault("f", delivery(1), cut(Cut::Drop, When::Before)));
        let rig = Rig::new(faults.into_iter().collect()).await;
        let (mut client, mut lane) = rig.open().await;
        let (from, to) = if from_client { (&mut client, &mut lane) } else { (&mut lane, &mut client) };
        let (_, heard) = tokio::join!(from.send_body(&too_big), to.hear());
        assert_eq!(heard, Ok(too_big.clone()));
        from.says_to(to, "next").await;
        // The fault is about deliveries: what the client sends is not put together.
        let seen = armed && !from_client;
        assert_eq!(rig.proxy.stats().too_big, u64::from(seen));
        let told = rig.ledger.blind.lock().unwrap().clone();
        assert_eq!(told.len(), usize::from(seen), "{told:?}");
        assert!(told.iter().all(|why| why.contains("over our limit of 1048576 bytes")), "{told:?}");
    }
}

#[tokio::test]
async fn an_extension_that_changes_frames_is_relayed_unread_and_said() {
    let rig = Rig::new(vec![fault("f", delivery(1), cut(Cut::Drop, When::Before))]).await;
    let (mut client, mut lane) = rig.connect().await;
    let grant = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    client.send(ASK).await;
    lane.expect(ASK).await;
    lane.send(grant).await;
    client.expect(grant).await;
    lane.send(b"\xc1\x03abc").await;
    client.expect(b"\xc1\x03abc").await;
    client.send(b"\xc1\x83abcdefg").await;
    lane.expect(b"\xc1\x83abcdefg").await;
    assert_eq!(rig.proxy.stats().raw_fallbacks, 1);
    assert_eq!(rig.ledger.blind.lock().unwrap().len(), 1);
    assert_eq!(rig.ledger.hits().len(), 0);
}

#[tokio::test]
async fn a_client_that_speaks_no_http_is_told_of_though_the_fault_is_about_the_lanes_messages() {
    let rig = Rig::new(vec![fault("f", delivery(1), cut(Cut::Drop, When::Before))]).await;
    let (mut client, mut lane) = rig.connect().await;
    client.send(b"no http").await;
    lane.expect(b"no http").await;
    let told = rig.ledger.blind.lock().unwrap().clone();
    assert_eq!(told, ["what the client sends does not begin like an HTTP request"]);
}

#[tokio::test]
async fn what_stops_being_a_websocket_goes_on_byte_by_byte() {
    let rig = Rig::new(vec![]).await;
    let (mut client, mut lane) = rig.open().await;
    lane.says_to(&mut client, "ev s:1 a").await;
    lane.send(b"\x01\x02he\x8f garbage").await;
    client.expect(b"\x01\x02he\x8f garbage").await;
    client.says_to(&mut lane, "hb").await;
    assert_eq!(rig.proxy.stats().raw_fallbacks, 1);
}

#[tokio::test]
async fn what_is_no_http_is_relayed_as_it_comes() {
    let rig = Rig::new(vec![]).await;
    let (mut client, mut lane) = rig.connect().await;
    client.send(b"hello").await;
    lane.expect(b"hello").await;
    lane.send(b"you").await;
    client.expect(b"you").await;
    let (mut client, mut lane) = rig.connect().await;
    lane.send(b"220 mail").await;
    client.expect(b"220 mail").await;
    client.send(b"GE").await;
    lane.expect(b"GE").await;
}

#[tokio::test]
async fn a_lane_that_does_not_read_holds_the_client_back() {
    let rig = Rig::new(vec![]).await;
    let (mut client, _lane) = rig.open().await;
    let message = crate::proxy::ws::encode(&Body::Binary(Bytes::from(vec![0; 500_000])), Some([0; 4]));
    // Socket buffers take some; 200 MB they do not.
    let flood = async {
        for _ in 0..400 {
            client.stream.write_all(&message).await.unwrap();
        }
    };
    assert!(tokio::time::timeout(std::time::Duration::from_millis(300), flood).await.is_err());
    soon(rig.proxy.shutdown()).await;
}

#[tokio::test]
async fn a_lane_behind_tls_is_reached_in_plain_text_by_the_client() {
    let signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(signed.cert.der().clone()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![signed.cert.der().clone()],
            PrivateKeyDer::try_from(signed.key_pair.serialize_der()).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (_upstream, receiver) =
        watch::channel(Some(UpstreamAddr { host: "localhost".into(), port, tls: true, authorities: None }));
    let ledger = Arc::new(rig::Ledger::default());
    let config = ProxyConfig {
        limits: limits(),
        ..ProxyConfig::transparent("phone".into(), receiver, Arc::new(ToyFactory), ledger)
    };
    let proxy = Proxy::start_with(config, Tls::with_roots(roots), None).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let lane = async {
        let mut lane = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        let mut asked = vec![0; ASK.len()];
        lane.read_exact(&mut asked).await.unwrap();
        lane.write_all(GRANT).await.unwrap();
        lane.flush().await.unwrap();
        asked
    };
    let client = async {
        let mut client = End::new(TcpStream::connect(proxy.addr()).await.unwrap(), None);
        client.send(ASK).await;
        client.expect(GRANT).await;
        // The lane is gone without a goodbye by now.
        assert_eq!(client.hear().await, Err(Ended::Eof));
    };
    let (asked, ()) = soon(async { tokio::join!(lane, client) }).await;
    assert_eq!(asked, ASK);
    soon(proxy.shutdown()).await;
}

#[tokio::test]
async fn a_host_that_is_not_trusted_is_unreachable() {
    let signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![signed.cert.der().clone()],
            PrivateKeyDer::try_from(signed.key_pair.serialize_der()).unwrap(),
        )
        .unwrap();
    let rig = Rig::new(vec![]).await;
    let addr = UpstreamAddr { host: "localhost".into(), tls: true, ..address_of(&rig.lane) };
    rig.upstream.send(Some(addr)).unwrap();
    let mut client = End::new(soon(TcpStream::connect(rig.proxy.addr())).await.unwrap(), None);
    let (tcp, _) = soon(rig.lane.accept()).await.unwrap();
    let handshake = TlsAcceptor::from(Arc::new(server)).accept(tcp);
    let (handshake, ended) = soon(async { tokio::join!(handshake, client.hear()) }).await;
    assert!(handshake.is_err());
    assert_eq!(ended, Err(Ended::Reset));
    assert_eq!(rig.proxy.stats().unreachable, 1);
}
