//! One connection of the client, from accept to its end.

use std::io;
use std::sync::{Arc, OnceLock};

use cutover_core::plan::Cut;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::config::Unreachable;
use super::conn::{Conn, Shared};
use super::cutting::{self, Closable};
use super::exchange::Exchange;
use super::pump::{Pump, PumpEnd};
use super::upstream::{self, LaneStream};
use crate::frame::Direction;
use crate::toxic::Ending;

pub(super) async fn serve(client: TcpStream, number: u32, shared: Arc<Shared>) {
    let ended_by_client = Arc::new(OnceLock::new());
    if let Some(observer) = shared.interceptor.observer() {
        observer.connected(number);
    }
    // Whatever the connection is doing, even writing to a peer that does not read, the proxy's end ends it.
    tokio::select! {
        biased;
        () = shared.shutdown.cancelled() => {}
        () = live(client, (number, Arc::clone(&ended_by_client)), Arc::clone(&shared)) => {}
    }
    if let Some(observer) = shared.interceptor.observer() {
        observer.ended(number, ended_by_client.get().copied().unwrap_or(false));
    }
    shared.interceptor.forget(number);
}

async fn live(mut client: TcpStream, (number, ended_by_client): (u32, Arc<OnceLock<bool>>), shared: Arc<Shared>) {
    let mut lane = match reach(&client, &shared).await {
        Ok(lane) => lane,
        Err(error) => {
            shared.interceptor.unreachable(number, &error.to_string());
            shared.stats.unreachable(error.to_string());
            return match shared.unreachable {
                Unreachable::Reset => cutting::reset(client),
                Unreachable::Close => {}
            };
        }
    };
    let (exchange, stop) = (Arc::new(Exchange::new()), CancellationToken::new());
    let conn = Conn { number, exchange, stop, ended_by_client, shared };
    let (end, closable) = relay(&conn, &mut client, &mut lane).await;
    match end {
        PumpEnd::Eof | PumpEnd::SinkBroke | PumpEnd::Stopped => {}
        PumpEnd::Cut(how, when) => cutting::cut(how, when, &conn, client, lane, closable).await,
        PumpEnd::Toxic(Ending::Reset) => {
            cutting::reset(client);
            cutting::reset_lane(lane);
        }
        PumpEnd::Toxic(Ending::Eof | Ending::Close) => cutting::end_in_order(&conn, &mut client, &mut lane).await,
        // One side broke off: the other side is to see the same.
        PumpEnd::SourceBroke => {
            cutting::until_acknowledged(&client, &conn).await;
            cutting::reset(client);
            cutting::reset_lane(lane);
        }
    }
}

async fn reach(client: &TcpStream, shared: &Shared) -> io::Result<LaneStream> {
    upstream::tune(client)?;
    let addr = shared.upstream.borrow().clone();
    let addr =
        addr.ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "the lane has no server at the moment"))?;
    let place = format!("{}:{}", addr.host, addr.port);
    let connecting = tokio::time::timeout(shared.limits.connect, upstream::connect(&addr, &shared.tls));
    let answer = connecting.await.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer")));
    let answer = answer.and_then(|lane| {
        if let Some(bytes) = shared.limits.lane_buffer_bytes {
            SockRef::from(lane.tcp()).set_recv_buffer_size(bytes)?;
            SockRef::from(client).set_send_buffer_size(bytes)?;
        }
        Ok(lane)
    });
    answer.map_err(|error| {
        let why = error.to_string();
        let named = if why.contains(&place) { why } else { format!("{place}: {why}") };
        io::Error::new(error.kind(), named)
    })
}

/// Moves both directions until the connection's end. Gives how it ends, and which sides may get a close frame.
async fn relay(conn: &Conn, client: &mut TcpStream, lane: &mut LaneStream) -> (PumpEnd, Closable) {
    let (client_read, client_write) = client.split();
    let (lane_read, lane_write) = tokio::io::split(lane);
    let mut upstream = Pump::new(conn.clone(), Direction::Upstream, client_read, lane_write);
    let mut downstream = Pump::new(conn.clone(), Direction::Downstream, lane_read, client_write);
    let mut up = std::pin::pin!(upstream.run());
    let mut down = std::pin::pin!(downstream.run());
    let (mut up_open, mut down_open) = (true, true);
    loop {
        let (end, other_open, from_client) = tokio::select! {
            end = &mut up, if up_open => {
                up_open = false;
                (end, down_open, true)
            }
            end = &mut down, if down_open => {
                down_open = false;
                (end, up_open, false)
            }
            else => return (PumpEnd::Eof, Closable::default()),
        };
        conn.ended_by_client.get_or_init(|| from_client != matches!(end, PumpEnd::SinkBroke));
        match end {
            PumpEnd::Eof | PumpEnd::SinkBroke | PumpEnd::Stopped => continue,
            PumpEnd::Cut(Cut::Close { .. }, _) => {}
            end => return (end, Closable::default()),
        }
        // A close frame must not fall into the middle of a message that the other direction is writing.
        conn.stop.cancel();
        let other_stopped = other_open && {
            let other_end = async { if from_client { (&mut down).await } else { (&mut up).await } };
            matches!(cutting::linger(conn).within(other_end).await, Ok(PumpEnd::Stopped))
        };
        return (end, Closable { client: !from_client || other_stopped, lane: from_client || other_stopped });
    }
}
