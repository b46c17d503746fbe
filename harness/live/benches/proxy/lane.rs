//! The server at the far end. What it does with a connection stands in the path that the client asks for.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::payload::{LONG_BYTES, SHORT_BYTES, batch};
use crate::system;
use crate::ws::{self, Skimmer};

/// The stack of a connection's thread: thousands of them may be idle at a time.
const STACK_BYTES: usize = 128 * 1024;

/// How much is read at a time.
const READ_BYTES: usize = 256 * 1024;

/// The messages that it sends, made beforehand.
struct Messages {
    short: Vec<u8>,
    long: Vec<u8>,
}

/// Starts it on a core; it runs as long as the process.
pub fn start(core: Option<usize>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    let messages =
        Arc::new(Messages { short: ws::frame(&batch(SHORT_BYTES), None), long: ws::frame(&batch(LONG_BYTES), None) });
    thread::spawn(move || {
        system::sit(core);
        for stream in listener.incoming().flatten() {
            let messages = Arc::clone(&messages);
            let serving = move || {
                // A connection's end is the client's business; it says what went wrong.
                let _ = serve(stream, &messages);
            };
            // Where no thread can be had the connection is dropped, and the client says so.
            let _ = thread::Builder::new().stack_size(STACK_BYTES).spawn(serving);
        }
    });
    Ok(addr)
}

fn serve(mut stream: TcpStream, messages: &Messages) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let head = ws::read_head(&mut stream)?;
    if head.starts_with("GET /http ") {
        return answer(&mut stream);
    }
    stream.write_all(ws::GRANT.as_bytes())?;
    let path = head.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let mut words = path.split('/').skip(1);
    let what = words.next().unwrap_or_default();
    let count = words.next().and_then(|count| count.parse().ok()).unwrap_or(0);
    match what {
        "echo" => echo(&mut stream, &messages.short),
        "mirror" => mirror(&mut stream),
        "short" => flood(&mut stream, &messages.short, count),
        "long" => flood(&mut stream, &messages.long, count),
        "sink" => sink(&mut stream, &messages.short, count),
        _ => Ok(()),
    }
}

/// A short answer for each HTTP request, the first of which has come.
fn answer(stream: &mut TcpStream) -> io::Result<()> {
    let body = "x".repeat(SHORT_BYTES);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {SHORT_BYTES}\r\n\r\n{body}");
    let mut buf = [0; 4096];
    loop {
        stream.write_all(answer.as_bytes())?;
        let mut bytes = 0;
        while !buf[..bytes].ends_with(b"\r\n\r\n") {
            let read = stream.read(&mut buf[bytes..])?;
            if read == 0 {
                return Ok(());
            }
            bytes += read;
        }
    }
}

/// A short message for each that comes.
fn echo(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let mut skimmer = Skimmer::default();
    let mut buf = [0; 4096];
    loop {
        let read = stream.read(&mut buf)?;
        if read == 0 {
            return Ok(());
        }
        for _ in 0..skimmer.feed(&buf[..read]) {
            stream.write_all(message)?;
        }
    }
}

/// Each message as it came.
fn mirror(stream: &mut TcpStream) -> io::Result<()> {
    loop {
        let message = ws::read_message(stream)?;
        stream.write_all(&ws::frame(&message, None))?;
    }
}

/// Asked once, sends many.
fn flood(stream: &mut TcpStream, message: &[u8], count: usize) -> io::Result<()> {
    ws::read_message(stream)?;
    ws::write_messages(stream, message, count)?;
    until_closed(stream)
}

/// Takes many, answers once.
fn sink(stream: &mut TcpStream, message: &[u8], count: usize) -> io::Result<()> {
    let mut buf = vec![0; READ_BYTES];
    ws::read_messages(stream, &mut Skimmer::default(), count, &mut buf)?;
    stream.write_all(message)?;
    until_closed(stream)
}

fn until_closed(stream: &mut TcpStream) -> io::Result<()> {
    let mut buf = [0; 1024];
    while stream.read(&mut buf)? > 0 {}
    Ok(())
}
