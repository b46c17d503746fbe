//! The state on stderr: redrawn on a terminal, and a line each minute elsewhere.

use std::io::{self, Write};
use std::time::Duration;

use cutover_core::ids::LaneId;
use cutover_core::shadow::Followed;
use cutover_core::text::{Screen, Style};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::out::{Audience, note};

const REDRAW_EVERY: Duration = Duration::from_secs(1);
const LINE_EVERY: Duration = Duration::from_secs(60);

/// Shows the states until there are no more.
pub async fn show(mut states: watch::Receiver<Followed>, asked: Duration) {
    let audience = Audience::of_stderr();
    let every = if audience.live { REDRAW_EVERY } else { LINE_EVERY };
    let mut shown = Instant::now();
    let mut diverged = 0;
    let mut drawn = 0;
    while states.changed().await.is_ok() {
        let followed = states.borrow_and_update().clone();
        let is_news = followed.seen.diverged > 0 && diverged == 0;
        diverged = followed.seen.diverged;
        if shown.elapsed() < every && !is_news {
            continue;
        }
        shown = Instant::now();
        let lines = lines(&followed, asked);
        match audience.live {
            true => drawn = redraw(&lines, drawn, audience.color),
            false => note(&lines.join("; ")),
        }
    }
}

/// One line of the whole, one of each lane, and one of the first divergence.
pub fn lines(followed: &Followed, asked: Duration) -> Vec<String> {
    let compared: u64 = followed.seen.streams.values().map(|stream| stream.compared).sum();
    let streams = followed.seen.streams.len();
    let (ran, asked) = (clock(followed.ran_ms / 1000), clock(asked.as_secs()));
    let mut lines = vec![format!(
        "{ran} of {asked}  {compared} events of {streams} streams compared  {} divergences",
        followed.seen.diverged
    )];
    for lane in LaneId::BOTH {
        let Some(served) = followed.lanes.get(&lane) else { continue };
        let state = if served.connected { "connected" } else { "not connected" };
        let behind = match served.waiting {
            0 => "level".to_owned(),
            waiting => {
                format!("{waiting} events behind, for {}.{} s", served.behind_ms / 1000, served.behind_ms % 1000 / 100)
            }
        };
        let replayed: u64 = followed.seen.streams.values().map(|stream| stream.of(lane).applied).sum();
        lines.push(format!(
            "  {:<9}  {state}, {behind}, {replayed} events applied, {} connections",
            lane.as_str(),
            served.connections
        ));
    }
    lines.extend(followed.seen.divergences.first().map(|first| format!("  the first divergence: {first}")));
    lines
}

fn clock(seconds: u64) -> String {
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Draws lines over those that were drawn before. Returns how many there are now.
fn redraw(lines: &[String], drawn: usize, color: bool) -> usize {
    let mut out = io::stderr().lock();
    if drawn > 0 {
        let _ = write!(out, "\x1b[{drawn}A\x1b[J");
    }
    let mut screen = Screen::new(&mut out, color);
    for line in lines {
        let _ = screen.line(Style::Plain, line);
    }
    lines.len()
}

#[cfg(test)]
mod tests;
