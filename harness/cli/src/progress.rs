//! Shows a run while it goes on: a line for each scenario that ended, and on a terminal a status line below them.
//!
//! Everything goes to stderr, so that stdout holds the result alone.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use cutover_core::evidence::{JudgedScenario, RunEvent};
use cutover_core::history::Phase;
use cutover_core::ids::LaneId;
use cutover_core::text::{Screen, Style, cut, visible};

use crate::out::Audience;

/// The status line is redrawn no more often than this.
pub const REDRAW_EVERY: Duration = Duration::from_millis(100);

pub struct Progress {
    audience: Audience,
    total: usize,
    ended: usize,
    running: BTreeMap<String, BTreeMap<LaneId, Phase>>,
    lanes: BTreeMap<LaneId, String>,
    drawn: bool,
}

impl Progress {
    pub fn new(audience: Audience, total: usize) -> Progress {
        Progress { audience, total, ended: 0, running: BTreeMap::new(), lanes: BTreeMap::new(), drawn: false }
    }

    /// Some scenarios can't be driven over these lanes. The report says which, and why.
    pub fn left_out(&mut self, count: usize) {
        let line = format!("{count} of {} scenarios left out: these lanes cannot run them", self.total);
        self.line(&line);
        self.total = self.total.saturating_sub(count);
    }

    /// Shows an event. [`Progress::ended`] shows how a scenario ended.
    pub fn event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::LaneReady { lane, server, .. } => {
                let version = server.version.as_deref().map(|version| format!(", {version}")).unwrap_or_default();
                let text = format!("{:<10} {}{version}", lane.as_str(), server.what);
                // Each scenario sets up its lanes; what runs there is news only where it is another one.
                if self.lanes.insert(*lane, text.clone()).as_ref() != Some(&text) {
                    self.line(&text);
                }
            }
            RunEvent::ScenarioStarted { scenario } => {
                self.running.insert(scenario.clone(), BTreeMap::new());
            }
            RunEvent::Phase { scenario, lane, phase } => {
                if let Some(running) = self.running.get_mut(scenario) {
                    running.insert(*lane, *phase);
                }
            }
            RunEvent::ScenarioFinished { scenario } => {
                self.running.remove(scenario);
            }
        }
    }

    pub fn ended(&mut self, scenario: &JudgedScenario, elapsed_ms: u64) {
        self.ended += 1;
        let width = self.total.to_string().len();
        let outcome = format!("{:<7}", scenario.outcome.as_str());
        let seconds = format!("{}.{} s", elapsed_ms / 1000, elapsed_ms % 1000 / 100);
        self.clear();
        let (ended, total) = (self.ended, self.total);
        let rest = format!("  {}  {seconds}", scenario.name);
        self.put(|screen| {
            screen.styled(Style::Plain, &format!("[{ended:>width$}/{total}] "))?;
            screen.styled(scenario.outcome.into(), &outcome)?;
            screen.line(Style::Plain, &rest)
        });
        self.redraw();
    }

    pub fn redraw(&mut self) {
        if !self.audience.live || self.running.is_empty() {
            return;
        }
        let running: Vec<String> =
            self.running.iter().map(|(name, phases)| format!("{name} {}", brief(phases))).collect();
        let line = format!("[{}/{}] running: {}", self.ended, self.total, running.join(", "));
        // One column is left free, so that no terminal wraps the line.
        let line = cut(&visible(&line), self.audience.width.saturating_sub(1));
        self.put(|screen| {
            screen.clear_line()?;
            screen.styled(Style::Plain, &line)
        });
        self.drawn = true;
    }

    pub fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            self.put(|screen| screen.clear_line());
        }
    }

    pub fn line(&mut self, text: &str) {
        self.clear();
        self.put(|screen| screen.line(Style::Plain, &visible(text)));
        self.redraw();
    }

    fn put(&self, write: impl FnOnce(&mut Screen<io::StderrLock<'_>>) -> io::Result<()>) {
        let mut screen = Screen::new(io::stderr().lock(), self.audience.color);
        // A run must not end because its progress can't be shown.
        let _ = write(&mut screen).and_then(|()| screen.flush());
    }
}

/// The lane that is behind, as `(candidate: exercise)`.
fn brief(phases: &BTreeMap<LaneId, Phase>) -> String {
    let Some((lane, phase)) = phases.iter().min_by_key(|(_, phase)| **phase) else {
        return "(starting)".to_owned();
    };
    let name = match phase {
        Phase::Setup => "setup",
        Phase::Exercise => "exercise",
        Phase::Heal => "heal",
        Phase::Converge => "converge",
        Phase::ProofOfLife => "proof of life",
        Phase::Drain => "drain",
        Phase::Done => "done",
    };
    format!("({lane}: {name})")
}

#[cfg(test)]
mod tests;
