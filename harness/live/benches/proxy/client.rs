//! The client: what is measured, once, through one address.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::payload::{LONG_BYTES, SHORT_BYTES, batch};
use crate::ws::{self, MASK, Skimmer};

/// No answer takes longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much is read at a time.
const READ_BYTES: usize = 256 * 1024;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// A short message there, a short message back, one after another.
    RoundTrip,
    /// Short messages from the lane, as fast as possible.
    ShortToClient,
    /// Long messages from the lane.
    LongToClient,
    /// Long messages to the lane.
    LongToLane,
    /// Plain HTTP requests with short answers on one connection, one after another.
    Http,
}

impl Case {
    pub const ALL: [Case; 5] = [Case::RoundTrip, Case::ShortToClient, Case::LongToClient, Case::LongToLane, Case::Http];
}

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// How long all of it took.
    pub took: Duration,
    /// The median round trip; 0 where there were none.
    pub p50: Duration,
    /// The 99th percentile.
    pub p99: Duration,
}

fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&addr, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Opens a WebSocket.
pub fn open(addr: SocketAddr, path: &str) -> io::Result<TcpStream> {
    let mut stream = connect(addr)?;
    stream.write_all(ws::ask(&format!("{path}?vsn=2.0.0")).as_bytes())?;
    let head = ws::read_head(&mut stream)?;
    if head.starts_with("HTTP/1.1 101") {
        Ok(stream)
    } else {
        let line = head.lines().next().unwrap_or_default();
        Err(io::Error::other(format!("the upgrade was answered with `{line}`")))
    }
}

/// Sees that messages come back as they went, short and long.
pub fn verify(addr: SocketAddr) -> io::Result<()> {
    let mut stream = open(addr, "/mirror")?;
    for bytes in [SHORT_BYTES, LONG_BYTES] {
        let message = batch(bytes);
        stream.write_all(&ws::frame(&message, Some(MASK)))?;
        if ws::read_message(&mut stream)? != message {
            return Err(io::Error::other(format!("a message of {bytes} bytes came back changed")));
        }
    }
    Ok(())
}

/// Measures a case with this many messages.
pub fn measure(addr: SocketAddr, case: Case, count: usize) -> io::Result<Seen> {
    let took = match case {
        Case::RoundTrip => {
            let mut echo = Echo::open(addr)?;
            return round_trips(count, || echo.round_trip());
        }
        Case::Http => {
            let mut stream = connect(addr)?;
            return round_trips(count, || exchange(&mut stream));
        }
        Case::ShortToClient => flooded(open(addr, &format!("/short/{count}"))?, count)?,
        Case::LongToClient => flooded(open(addr, &format!("/long/{count}"))?, count)?,
        Case::LongToLane => flooding(open(addr, &format!("/sink/{count}"))?, count)?,
    };
    Ok(Seen { took, p50: Duration::ZERO, p99: Duration::ZERO })
}

/// A connection that can make round trips.
pub struct Echo {
    stream: TcpStream,
    message: Vec<u8>,
    skimmer: Skimmer,
}

impl Echo {
    pub fn open(addr: SocketAddr) -> io::Result<Echo> {
        Ok(Echo {
            stream: open(addr, "/echo")?,
            message: ws::frame(&batch(SHORT_BYTES), Some(MASK)),
            skimmer: Skimmer::default(),
        })
    }

    pub fn round_trip(&mut self) -> io::Result<Duration> {
        let begun = Instant::now();
        self.stream.write_all(&self.message)?;
        ws::read_messages(&mut self.stream, &mut self.skimmer, 1, &mut [0; 4096])?;
        Ok(begun.elapsed())
    }
}

/// One HTTP request and its answer.
fn exchange(stream: &mut TcpStream) -> io::Result<Duration> {
    const REQUEST: &[u8] = b"GET /http HTTP/1.1\r\nHost: lane\r\n\r\n";
    let begun = Instant::now();
    stream.write_all(REQUEST)?;
    let mut answer = [0; 4096];
    let mut bytes = 0;
    loop {
        let read = stream.read(&mut answer[bytes..])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes += read;
        let head = answer[..bytes].windows(4).position(|end| end == b"\r\n\r\n");
        if head.is_some_and(|head| bytes >= head + 4 + SHORT_BYTES) {
            return Ok(begun.elapsed());
        }
    }
}

fn round_trips(count: usize, mut round_trip: impl FnMut() -> io::Result<Duration>) -> io::Result<Seen> {
    for _ in 0..count / 10 {
        round_trip()?;
    }
    let begun = Instant::now();
    let mut times = (0..count).map(|_| round_trip()).collect::<io::Result<Vec<_>>>()?;
    let took = begun.elapsed();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    Ok(Seen { took, p50: at(0.5), p99: at(0.99) })
}

fn flooded(mut stream: TcpStream, count: usize) -> io::Result<Duration> {
    let mut buf = vec![0; READ_BYTES];
    let begun = Instant::now();
    stream.write_all(&ws::frame(b"go", Some(MASK)))?;
    ws::read_messages(&mut stream, &mut Skimmer::default(), count, &mut buf)?;
    Ok(begun.elapsed())
}

fn flooding(mut stream: TcpStream, count: usize) -> io::Result<Duration> {
    let message = ws::frame(&batch(LONG_BYTES), Some(MASK));
    let begun = Instant::now();
    ws::write_messages(&mut stream, &message, count)?;
    ws::read_message(&mut stream)?;
    Ok(begun.elapsed())
}
