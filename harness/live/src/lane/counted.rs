//! A transport that counts what it reads, so that a wait can distinguish a silent lane from one that is still sending,
//! and that leaves out the interim answers before the upgrade's own (RFC 9110, 15.2).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The longest head of an answer; what is longer is left to others to judge.
const HEAD_MAX_BYTES: usize = 64 * 1024;

const HEADERS_MAX: usize = 128;

/// How much of a head is read at a time.
const READ_BYTES: usize = 4 * 1024;

pub(super) struct Counted {
    tcp: TcpStream,
    read_bytes: u64,
    /// What came of the answer to the upgrade, until its head is complete.
    head: Option<Vec<u8>>,
    /// What was read with the head, and is to be given out first.
    ready: Bytes,
}

impl Counted {
    pub(super) fn new(tcp: TcpStream) -> Counted {
        Counted { tcp, read_bytes: 0, head: Some(Vec::new()), ready: Bytes::new() }
    }

    pub(super) fn read_bytes(&self) -> u64 {
        self.read_bytes
    }
}

/// Takes interim answers off the front. `true` where no head of another answer is complete.
fn skip_interim(head: &mut Vec<u8>) -> bool {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut answer = httparse::Response::new(&mut headers);
        match answer.parse(head) {
            Ok(httparse::Status::Complete(bytes)) if matches!(answer.code, Some(100 | 102..=199)) => {
                head.drain(..bytes);
            }
            Ok(httparse::Status::Partial) => return head.len() < HEAD_MAX_BYTES,
            Ok(httparse::Status::Complete(_)) | Err(_) => return false,
        }
    }
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while let Some(mut head) = self.head.take() {
            let mut chunk = [0; READ_BYTES];
            let mut read = ReadBuf::new(&mut chunk);
            let polled = Pin::new(&mut self.tcp).poll_read(cx, &mut read);
            head.extend_from_slice(read.filled());
            self.read_bytes += read.filled().len() as u64;
            let ended = matches!(polled, Poll::Ready(Ok(()))) && read.filled().is_empty();
            if !ended && skip_interim(&mut head) {
                self.head = Some(head);
                ready!(polled)?;
            } else {
                self.ready = head.into();
            }
        }
        if !self.ready.is_empty() {
            let bytes = self.ready.len().min(buf.remaining());
            buf.put_slice(&self.ready.split_to(bytes));
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.tcp).poll_read(cx, buf);
        self.read_bytes += (buf.filled().len() - before) as u64;
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
