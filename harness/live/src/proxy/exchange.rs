//! What the two directions of a connection have to tell each other: which request a response answers, and whether the
//! connection has become a WebSocket.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::frame::FrameTagger;

/// The most requests that may wait for their responses; a client that pipelines more is relayed unread.
const REQUESTS_MAX: usize = 1024;

/// A request whose response is still to come.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) upgrade: bool,
}

/// What became of the connection.
#[derive(Clone)]
pub(super) enum Switch {
    /// It speaks HTTP; no upgrade was asked for, or it was refused.
    Http,
    /// An upgrade was asked for.
    Asked,
    /// It is a WebSocket.
    WebSocket(Arc<dyn FrameTagger>),
    /// It can't be read, and why.
    Raw(&'static str),
}

/// The state that both directions of one connection share.
pub(super) struct Exchange {
    state: Mutex<State>,
    /// Wakes the direction that waits for the upgrade's answer.
    pub(super) switched: Notify,
    /// Whether it was told that the connection can't be read.
    told: AtomicBool,
}

struct State {
    requests: VecDeque<Request>,
    switch: Switch,
}

impl Exchange {
    pub(super) fn new() -> Exchange {
        let state = State { requests: VecDeque::new(), switch: Switch::Http };
        Exchange { state: Mutex::new(state), switched: Notify::new(), told: AtomicBool::new(false) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody has told yet that the connection, or a direction of it, can't be read. True once.
    pub(super) fn is_first_to_tell(&self) -> bool {
        !self.told.swap(true, Ordering::Relaxed)
    }

    pub(super) fn switch(&self) -> Switch {
        self.state().switch.clone()
    }

    pub(super) fn is_websocket(&self) -> bool {
        matches!(self.state().switch, Switch::WebSocket(_))
    }

    /// Sets what became of the connection. What was read as unreadable stays so.
    pub(super) fn set(&self, switch: Switch) {
        let mut state = self.state();
        if !matches!(state.switch, Switch::Raw(_)) {
            state.switch = switch;
        }
        drop(state);
        self.switched.notify_one();
    }

    /// A request goes to the lane. `false` where too many wait.
    pub(super) fn asked(&self, request: Request) -> bool {
        let mut state = self.state();
        if request.upgrade && !matches!(state.switch, Switch::Raw(_)) {
            state.switch = Switch::Asked;
        }
        state.requests.push_back(request);
        state.requests.len() <= REQUESTS_MAX
    }

    /// The request just asked does not reach the lane.
    pub(super) fn unasked(&self) {
        self.state().requests.pop_back();
    }

    /// The request just asked reaches the lane this many more times.
    pub(super) fn asked_again(&self, more: u8) {
        let mut state = self.state();
        if let Some(last) = state.requests.back().cloned() {
            state.requests.extend(std::iter::repeat_n(last, usize::from(more)));
        }
    }

    /// The request that the next response answers.
    pub(super) fn answered(&self) -> Option<Request> {
        self.state().requests.pop_front()
    }
}
