//! Ends a connection in the way that a fault asks for.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use cutover_core::plan::{Cut, When};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::pump::Conn;
use super::upstream::LaneStream;
use super::ws;
use crate::bounds::Bound;

/// What the lane is told when a fault closes the connection: the client is going away (RFC 6455, 7.4.1). The fault's own
/// code is for the client; many codes are a server's to send.
const GOING_AWAY: u16 = 1001;

/// The mask of a close frame of our own.
const CLOSE_MASK: [u8; 4] = [0x63, 0x75, 0x74, 0x21];

/// Which sides may get a close frame: not those that are in the middle of a message, or were ended already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closable {
    pub(super) client: bool,
    pub(super) lane: bool,
}

/// Cuts both sides.
pub(super) async fn cut(
    how: Cut,
    when: When,
    conn: &Conn,
    mut client: TcpStream,
    mut lane: LaneStream,
    closable: Closable,
) {
    match how {
        Cut::Close { code } => close(conn, client, lane, closable, (code, GOING_AWAY)).await,
        Cut::Drop => end_in_order(conn, &mut client, &mut lane).await,
        Cut::Reset => {
            until_read(&client, when, conn).await;
            reset(client);
        }
        Cut::Silence => {
            conn.shared.heal.cancelled().await;
            reset(client);
            reset_lane(lane);
        }
    }
}

/// Closes both sides with these codes, where they can be told, and ends them in order. What is no WebSocket has no close
/// frames, and just ends.
pub(super) async fn close(
    conn: &Conn,
    mut client: TcpStream,
    mut lane: LaneStream,
    closable: Closable,
    (client_code, lane_code): (u16, u16),
) {
    let websocket = conn.exchange.is_websocket();
    if websocket && closable.client {
        let _ = write(&mut client, ws::encode(&ws::close(client_code), None), conn).await;
    }
    if websocket && closable.lane {
        let _ = write(&mut lane, ws::encode(&ws::close(lane_code), Some(CLOSE_MASK)), conn).await;
    }
    end_in_order(conn, &mut client, &mut lane).await;
}

/// How long an orderly end may take, in time that this process had.
pub(super) fn linger(conn: &Conn) -> Bound {
    Bound::new("linger", conn.shared.limits.linger)
}

async fn write(sink: &mut (impl AsyncWrite + Unpin), bytes: Bytes, conn: &Conn) -> io::Result<()> {
    let written = linger(conn).within(sink.write_all(&bytes)).await;
    written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// FIN to both sides, then reads what they still send until they end too: a socket that is closed with unread bytes in it
/// would send RST, and take what the peer has not received with it.
pub(super) async fn end_in_order(conn: &Conn, client: &mut TcpStream, lane: &mut LaneStream) {
    let both = async { tokio::join!(finish(client), finish(lane)) };
    let _ = linger(conn).within(both).await;
}

async fn finish(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut sunk = vec![0; 8 * 1024];
    while matches!(stream.read(&mut sunk).await, Ok(read) if read > 0) {}
}

/// How often the kernel is asked whether the peer has everything.
const POLL: Duration = Duration::from_millis(1);

/// Waits until the client has read what was sent to it, as far as that can be known: RST makes our kernel forget what it
/// has not sent, and may make the client's forget what was not read.
///
/// That the client's kernel has it is certain. Whether its program has read it can't be seen from here, so a cut that
/// falls after a frame also waits for the client's next bytes (it reacted), or `reset_grace` where it sends none.
async fn until_read(client: &TcpStream, when: When, conn: &Conn) {
    until_acknowledged(client, conn).await;
    if when == When::After {
        let mut byte = [0];
        let _ = tokio::time::timeout(conn.shared.limits.reset_grace, client.peek(&mut byte)).await;
    }
}

/// Waits until the peer's kernel has all that was written.
pub(super) async fn until_acknowledged(stream: &TcpStream, conn: &Conn) {
    let acknowledged = async {
        while unsent_bytes(stream) > 0 {
            tokio::time::sleep(POLL).await;
        }
    };
    let _ = linger(conn).within(acknowledged).await;
}

/// Bytes that were written and that the peer's kernel has not acknowledged.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn unsent_bytes(stream: &TcpStream) -> usize {
    use std::os::fd::AsRawFd;

    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open as long as `stream` is borrowed, and TIOCOUTQ (SIOCOUTQ) writes one int.
    let answer = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if answer == 0 { usize::try_from(bytes).unwrap_or(0) } else { 0 }
}

/// Elsewhere the grace alone has to do.
#[cfg(not(target_os = "linux"))]
fn unsent_bytes(_: &TcpStream) -> usize {
    0
}

/// Closes with RST.
pub(super) fn reset(stream: TcpStream) {
    let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
}

/// Closes with RST.
pub(super) fn reset_lane(lane: LaneStream) {
    let _ = socket2::SockRef::from(lane.tcp()).set_linger(Some(Duration::ZERO));
}
