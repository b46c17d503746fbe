//! One connection of the client, from accept to its end.

use std::io;
use std::sync::Arc;

use cutover_core::plan::{Cut, When};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::cutting::{self, Closable};
use super::exchange::Exchange;
use super::pump::{Conn, Pump, PumpEnd};
use super::upstream::{self, LaneStream};
use super::{Shared, Unreachable};
use crate::frame::Direction;
use crate::toxic::Ending;

/// How the connection comes to its end.
enum End {
    /// Both directions have ended by themselves.
    Natural,
    /// A fault.
    Cut(Cut, When, Closable),
    /// A toxic: both sides end with FIN, or with RST.
    Toxic(Ending),
    /// The client's or the lane's side broke off: the other side is to see the same.
    Broke,
}

/// Serves one connection, until its end or the proxy's.
pub(super) async fn serve(client: TcpStream, number: u32, shared: Arc<Shared>) {
    // Whatever the connection is doing, even writing to a peer that does not read, the proxy's end ends it.
    tokio::select! {
        biased;
        () = shared.shutdown.cancelled() => {}
        () = live(client, number, Arc::clone(&shared)) => {}
    }
    shared.desk.forget(number);
}

async fn live(mut client: TcpStream, number: u32, shared: Arc<Shared>) {
    let mut lane = match reach(&client, &shared).await {
        Ok(lane) => lane,
        Err(error) => {
            shared.desk.unreachable(number, &error.to_string());
            shared.stats.unreachable(error.to_string());
            return match shared.unreachable {
                Unreachable::Reset => cutting::reset(client),
                Unreachable::Close => {}
            };
        }
    };
    let conn = Conn {
        number,
        exchange: Arc::new(Exchange::new()),
        stop: CancellationToken::new(),
        drain: Arc::default(),
        shared: Arc::clone(&shared),
    };
    match relay(&conn, &mut client, &mut lane).await {
        End::Natural => {}
        End::Cut(how, when, closable) => cutting::cut(how, when, &conn, client, lane, closable).await,
        End::Toxic(Ending::Reset) => {
            cutting::reset(client);
            cutting::reset_lane(lane);
        }
        End::Toxic(Ending::Eof | Ending::Close) => cutting::end_in_order(&conn, &mut client, &mut lane).await,
        End::Broke => {
            cutting::until_acknowledged(&client, &conn).await;
            cutting::reset(client);
            cutting::reset_lane(lane);
        }
    }
}

/// Opens the way to the lane.
async fn reach(client: &TcpStream, shared: &Shared) -> io::Result<LaneStream> {
    upstream::tune(client)?;
    let addr = shared.upstream.borrow().clone();
    let addr =
        addr.ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "the lane has no server at the moment"))?;
    let place = format!("{}:{}", addr.host, addr.port);
    let connecting = tokio::time::timeout(shared.limits.connect, upstream::connect(&addr, &shared.tls));
    let answer = connecting.await.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer")));
    answer.map_err(|error| {
        let why = error.to_string();
        let told = if why.contains(&place) { why } else { format!("{place}: {why}") };
        io::Error::new(error.kind(), told)
    })
}

/// Moves both directions until the connection's end.
async fn relay(conn: &Conn, client: &mut TcpStream, lane: &mut LaneStream) -> End {
    let (client_read, client_write) = client.split();
    let (lane_read, lane_write) = tokio::io::split(lane);
    let mut to_lane = Pump::new(conn.clone(), Direction::ToLane, client_read, lane_write);
    let mut to_client = Pump::new(conn.clone(), Direction::ToClient, lane_read, client_write);
    let mut up = std::pin::pin!(to_lane.run());
    let mut down = std::pin::pin!(to_client.run());
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
            else => return End::Natural,
        };
        let (how, when) = match end {
            PumpEnd::Eof | PumpEnd::SinkBroke | PumpEnd::Stopped => continue,
            PumpEnd::SourceBroke => return End::Broke,
            PumpEnd::Toxic(ending) => return End::Toxic(ending),
            PumpEnd::Cut(how, when) if !matches!(how, Cut::Close { .. }) => {
                return End::Cut(how, when, Closable { client: false, lane: false });
            }
            PumpEnd::Cut(how, when) => (how, when),
        };
        // A close frame must not fall into the middle of a message that the other direction is writing.
        conn.stop.cancel();
        let other_stopped = other_open && {
            let other_end = async { if from_client { (&mut down).await } else { (&mut up).await } };
            matches!(cutting::linger(conn).within(other_end).await, Ok(PumpEnd::Stopped))
        };
        let closable = Closable { client: !from_client || other_stopped, lane: from_client || other_stopped };
        return End::Cut(how, when, closable);
    }
}
