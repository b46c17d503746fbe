//! What the two directions of a connection share: which request a response answers, whether the connection has become a
//! WebSocket, and whether it drains.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::frame::FrameTagger;

/// The most requests that may wait for responses. A client that pipelines more is relayed unread.
const REQUESTS_MAX: usize = 1024;

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) upgrade: bool,
}

#[derive(Clone)]
pub(super) enum Switch {
    /// HTTP: no upgrade was requested, or it was refused.
    Http,
    Asked,
    WebSocket(Arc<dyn FrameTagger>),
    Raw(&'static str),
}

pub(super) struct Exchange {
    state: Mutex<State>,
    pub(super) switched: Notify,
    reported: AtomicBool,
    /// Of a connection that drains: its close code, and when it is closed in any case.
    drains: OnceLock<(u16, Instant)>,
}

struct State {
    requests: VecDeque<Request>,
    switch: Switch,
}

impl Exchange {
    pub(super) fn new() -> Exchange {
        let state = State { requests: VecDeque::new(), switch: Switch::Http };
        Exchange {
            state: Mutex::new(state),
            switched: Notify::new(),
            reported: AtomicBool::new(false),
            drains: OnceLock::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True once: for the first report that the connection, or a direction of it, is unreadable.
    pub(super) fn is_first_report(&self) -> bool {
        !self.reported.swap(true, Ordering::Relaxed)
    }

    /// Begins to drain the connection: what the client has asked for is still answered, then it is closed with this
    /// code. The first call counts.
    pub(super) fn drain(&self, code: u16, within: Duration) {
        let now = Instant::now();
        self.drains.get_or_init(|| (code, now.checked_add(within).unwrap_or(now)));
    }

    /// The close code, and when the connection is closed in any case; `None` where it does not drain.
    pub(super) fn drains(&self) -> Option<(u16, Instant)> {
        self.drains.get().copied()
    }

    pub(super) fn switch(&self) -> Switch {
        self.state().switch.clone()
    }

    pub(super) fn is_websocket(&self) -> bool {
        matches!(self.state().switch, Switch::WebSocket(_))
    }

    /// Sets what became of the connection. An unreadable one stays so.
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

    /// The request just asked reaches the lane so many times.
    pub(super) fn passes(&self, copies: usize) {
        let mut state = self.state();
        if let Some(last) = state.requests.pop_back() {
            state.requests.extend(std::iter::repeat_n(last, copies));
        }
    }

    pub(super) fn answered(&self) -> Option<Request> {
        self.state().requests.pop_front()
    }
}
