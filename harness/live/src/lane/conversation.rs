//! What the subscribers' sessions of all protocols share: a socket, an inbox, one request at a time, keep-alive and
//! close.

use std::collections::VecDeque;

use cutover_core::history::Closed;
use tokio::time::{Instant, timeout_at};

use super::Arrival;
use super::socket::{Bounds, Payload, Socket};
use crate::bounds::{self, Bound};

/// The state of a conversation. `Id` identifies a request, `Reply` is its answer.
pub(crate) struct Connection<Id, Reply> {
    pub(crate) socket: Socket,
    pub(crate) inbox: Inbox,
    pub(crate) bounds: Bounds,
    pending: Option<(Id, Option<Reply>)>,
    /// The last heartbeat that the session sent by itself, until it is answered.
    unanswered: Option<Id>,
    keepalive_at: Instant,
}

impl<Id: PartialEq, Reply> Connection<Id, Reply> {
    pub(crate) fn new(socket: Socket, bounds: Bounds) -> Connection<Id, Reply> {
        let keepalive_at = Instant::now() + bounds.keepalive;
        Connection { socket, inbox: Inbox::default(), bounds, pending: None, unanswered: None, keepalive_at }
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    pub(crate) fn waits_for(&self, id: &Id) -> bool {
        self.pending.as_ref().is_some_and(|(waited_for, _)| waited_for == id)
    }

    pub(crate) fn answer(&mut self, id: &Id, reply: Reply) {
        if let Some((waited_for, answer)) = &mut self.pending
            && waited_for == id
        {
            *answer = Some(reply);
        }
    }

    pub(crate) fn heartbeat_sent(&mut self, id: Id) {
        self.unanswered = Some(id);
    }

    /// Takes note of an answer to a heartbeat that the session sent by itself; false where it answers something else.
    pub(crate) fn heartbeat_answered(&mut self, id: &Id) -> bool {
        self.unanswered.take_if(|sent| sent == id).is_some()
    }

    /// The lane has just answered, or was just asked: the next heartbeat is due later.
    pub(crate) fn postpone_keepalive(&mut self) {
        self.keepalive_at = Instant::now() + self.bounds.keepalive;
    }

    pub(crate) async fn close(&mut self) {
        if self.inbox.ended().is_none() {
            self.socket.close(self.bounds.close).await;
            self.inbox.end(Closed::ByClient);
        }
    }
}

pub(crate) trait Conversation: Send {
    type Id: PartialEq + Send;
    type Reply: Send;
    fn connection(&mut self) -> &mut Connection<Self::Id, Self::Reply>;

    /// Reads a message: an arrival, the answer to a request, the session's end, or nothing.
    fn take(&mut self, payload: Payload);

    /// Sends what keeps the connection open, and notes the heartbeat that is to be answered.
    async fn send_heartbeat(&mut self) -> Result<(), Closed>;

    /// Sends a request and waits for its answer. Takes what else comes. Without an answer the session is over.
    async fn request(
        &mut self,
        id: Self::Id,
        message: Payload,
        what: &str,
        within: Bound,
    ) -> Result<Self::Reply, String> {
        let mut running = within.begin();
        let connection = self.connection();
        connection.pending = Some((id, None));
        match running.within(connection.socket.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(closed)) => connection.inbox.end(closed),
            Err(_) => connection.inbox.end(Closed::Silent),
        }
        loop {
            let connection = self.connection();
            if let Some((_, Some(reply))) = connection.pending.take_if(|(_, reply)| reply.is_some()) {
                return Ok(reply);
            }
            if let Some(closed) = connection.inbox.ended() {
                return Err(in_words(closed));
            }
            match connection.socket.recv_within(&mut running).await {
                Ok(Ok(payload)) => self.take(payload),
                Ok(Err(closed)) => connection.inbox.end(closed),
                Err(reached) => {
                    connection.inbox.end(Closed::Silent);
                    return Err(format!("no answer to {what}: {reached}"));
                }
            }
        }
    }

    /// Takes what comes until this holds, the session ends, or the bound is reached.
    async fn take_until(&mut self, within: Bound, done: impl Fn(&Self) -> bool + Send) {
        let mut running = within.begin();
        while !done(self) && self.connection().inbox.ended().is_none() {
            let connection = self.connection();
            match connection.socket.recv_within(&mut running).await {
                Ok(Ok(payload)) => self.take(payload),
                Ok(Err(closed)) => connection.inbox.end(closed),
                Err(_) => return,
            }
        }
    }

    /// The next arrival. Keeps the connection open meanwhile; a heartbeat that the next one finds unanswered ends the
    /// session.
    async fn next_arrival(&mut self) -> Arrival {
        loop {
            let connection = self.connection();
            if let Some(arrival) = connection.inbox.pop() {
                return arrival;
            }
            match timeout_at(connection.keepalive_at, connection.socket.recv()).await {
                Ok(Ok(payload)) => self.take(payload),
                Ok(Err(closed)) => connection.inbox.end(closed),
                Err(_) if connection.unanswered.is_some() => connection.inbox.end(Closed::Silent),
                Err(_) => {
                    connection.postpone_keepalive();
                    if let Err(closed) = self.send_heartbeat().await {
                        self.connection().inbox.end(closed);
                    }
                }
            }
        }
    }
}

pub(crate) fn in_words(closed: &Closed) -> String {
    match closed {
        Closed::CloseFrame { code } => format!("the lane closed the socket with {code}"),
        Closed::Lost { why } => format!("the connection was lost: {why}"),
        Closed::Silent => "the lane went silent".to_owned(),
        Closed::OurLimit { what } => what.clone(),
        Closed::Channel { event } => format!("the channel ended with {event}"),
        other => format!("{other:?}"),
    }
}

#[derive(Debug, Default)]
pub(crate) struct Inbox {
    queued: VecDeque<Arrival>,
    closed: Option<Closed>,
}

impl Inbox {
    /// Keeps an arrival. After the end nothing is kept any more.
    pub(crate) fn push(&mut self, arrival: Arrival) {
        if self.closed.is_some() {
            return;
        }
        if self.queued.len() >= bounds::ARRIVALS_MAX {
            let what = format!("more than {} arrivals were waiting to be taken", bounds::ARRIVALS_MAX);
            self.end(Closed::OurLimit { what });
        } else {
            self.queued.push_back(arrival);
        }
    }

    pub(crate) fn unreadable(&mut self, what: impl Into<String>) {
        self.push(Arrival::Unreadable(what.into()));
    }

    /// Notes how the session ended; only the first end counts.
    pub(crate) fn end(&mut self, closed: Closed) {
        self.closed.get_or_insert(closed);
    }

    pub(crate) fn ended(&self) -> Option<&Closed> {
        self.closed.as_ref()
    }

    /// The next arrival; once nothing else is left, the end, again and again.
    pub(crate) fn pop(&mut self) -> Option<Arrival> {
        self.queued.pop_front().or_else(|| self.closed.clone().map(Arrival::Closed))
    }
}

#[cfg(test)]
mod tests;
