//! Ends a connection in the way that a fault asks for.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use cutover_core::plan::{Cut, When};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::conn::Conn;
use super::upstream::LaneStream;
use super::ws;
use crate::bounds::Bound;

/// The code for the lane when a fault closes the connection: the client is going away (RFC 6455, 7.4.1). The fault's
/// own code goes to the client, since many codes may only be sent by a server.
const GOING_AWAY: u16 = 1001;

const CLOSE_MASK: [u8; 4] = [0x63, 0x75, 0x74, 0x21];

/// Which sides may get a close frame: not those that are in the middle of a message, or were ended already.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Closable {
    pub(super) client: bool,
    pub(super) lane: bool,
}

pub(super) async fn cut(
    how: Cut,
    when: When,
    conn: &Conn,
    mut client: TcpStream,
    mut lane: LaneStream,
    closable: Closable,
) {
    match how {
        Cut::Close { code } => {
            // Only a WebSocket has close frames.
            let websocket = conn.exchange.is_websocket();
            if websocket && closable.client {
                let _ = write(&mut client, ws::encode(&ws::close(code), None), conn).await;
            }
            if websocket && closable.lane {
                let _ = write(&mut lane, ws::encode(&ws::close(GOING_AWAY), Some(CLOSE_MASK)), conn).await;
            }
            end_in_order(conn, &mut client, &mut lane).await;
        }
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

/// How long an orderly end may take, in time that this process had.
pub(super) fn linger(conn: &Conn) -> Bound {
    Bound::new("linger", conn.shared.limits.linger)
}

async fn write(sink: &mut (impl AsyncWrite + Unpin), bytes: Bytes, conn: &Conn) -> io::Result<()> {
    let written = linger(conn).within(sink.write_all(&bytes)).await;
    written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// FIN to both sides, then reads what they still send until they end too: a socket that is closed with unread bytes in
/// it would send RST, and take what the peer has not received with it.
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

/// Waits until the client has probably read what was sent to it. RST makes our kernel drop what it has not sent, and
/// may make the client's kernel drop what the program has not read.
///
/// That the client's kernel has the bytes is certain. That its program has read them is not visible here, so a cut
/// after a frame also waits for the client's next bytes, or for `reset_grace` where it sends none.
async fn until_read(client: &TcpStream, when: When, conn: &Conn) {
    until_acknowledged(client, conn).await;
    if when == When::After {
        let mut byte = [0];
        let _ = tokio::time::timeout(conn.shared.limits.reset_grace, client.peek(&mut byte)).await;
    }
}

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

/// Elsewhere only the grace time helps.
#[cfg(not(target_os = "linux"))]
fn unsent_bytes(_: &TcpStream) -> usize {
    0
}

pub(super) fn reset(stream: TcpStream) {
    let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
}

pub(super) fn reset_lane(lane: LaneStream) {
    let _ = socket2::SockRef::from(lane.tcp()).set_linger(Some(Duration::ZERO));
}
