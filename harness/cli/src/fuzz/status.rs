//! Shows a search while it goes on: a line for each finding, and on a terminal a status line below.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cutover_core::evidence::RunEvent;
use cutover_core::ids::LaneId;
use cutover_core::text::{Screen, Style, cut, visible};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::driver::Message;
use crate::out::Audience;
use crate::signals::StopSignals;

const REDRAW_EVERY: Duration = Duration::from_millis(250);
/// Where no line can be redrawn, one is printed so often.
const LINE_EVERY: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub struct Status(Arc<Mutex<Shown>>);

struct Shown {
    audience: Audience,
    began: Instant,
    time: Option<Duration>,
    /// What is done now, and how far it came.
    now: String,
    redrawn: bool,
    last_line: Instant,
    lanes: BTreeMap<LaneId, RunEvent>,
}

impl Status {
    pub fn new(audience: Audience, time: Option<Duration>) -> Status {
        let (now, began) = (String::new(), Instant::now());
        let shown = Shown { audience, began, time, now, redrawn: false, last_line: began, lanes: BTreeMap::new() };
        Status(Arc::new(Mutex::new(shown)))
    }

    pub fn now(&self, text: String) {
        self.lock().now = text;
    }

    pub fn line(&self, text: &str) {
        self.lock().line(text);
    }

    pub fn clear(&self) {
        self.lock().clear();
    }

    /// What serves the lanes, as it was said last.
    pub fn lanes(&self) -> Vec<RunEvent> {
        self.lock().lanes.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn status(&self) -> String {
        let time = self.time.map(|time| format!(" of {}", clock(time))).unwrap_or_default();
        format!("[{}{time}] {}", clock(self.began.elapsed()), self.now)
    }

    fn tick(&mut self) {
        if self.audience.live {
            // One column is left free, so that no terminal wraps the line.
            let line = cut(&visible(&self.status()), self.audience.width.saturating_sub(1));
            self.put(|screen| {
                screen.clear_line()?;
                screen.styled(Style::Plain, &line)
            });
            self.redrawn = true;
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            let line = self.status();
            self.line(&line);
        }
    }

    fn line(&mut self, text: &str) {
        self.clear();
        self.put(|screen| screen.line(Style::Plain, &visible(text)));
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.redrawn) {
            self.put(|screen| screen.clear_line());
        }
    }

    fn put(&self, write: impl FnOnce(&mut Screen<io::StderrLock<'_>>) -> io::Result<()>) {
        let mut screen = Screen::new(io::stderr().lock(), self.audience.color);
        // A search must not end because its progress can't be shown.
        let _ = write(&mut screen).and_then(|()| screen.flush());
    }
}

/// Minutes and seconds, as `4:05`.
pub fn clock(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// Takes in what the driver says.
pub async fn listen(mut told: mpsc::Receiver<Message>, status: Status) {
    while let Some(message) = told.recv().await {
        match message {
            Message::Event(event @ RunEvent::LaneReady { lane, .. }) => drop(status.lock().lanes.insert(lane, event)),
            Message::Note(note) => status.line(&note),
            Message::Event(_) | Message::Lanes { .. } | Message::Driven(..) => {}
        }
    }
}

/// Redraws the status, and takes the signals that end the search: the first one in good order, a second one now.
pub async fn watch(mut signals: StopSignals, status: Status, stop: CancellationToken, now: CancellationToken) {
    let mut redraw = tokio::time::interval(REDRAW_EVERY);
    loop {
        tokio::select! {
            signal = signals.next() => {
                if stop.is_cancelled() {
                    now.cancel();
                }
                status.line(&format!("{signal}: stopping the servers"));
                stop.cancel();
            }
            _ = redraw.tick() => status.lock().tick(),
        }
    }
}
