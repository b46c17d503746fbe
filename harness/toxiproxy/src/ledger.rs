//! The ledger of one proxy: each toxic that was armed, and when it fired. Its length is bounded; the rest is counted.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cutover_core::history::Fire;
use cutover_core::ids::{ClientId, FaultId};
use cutover_live::clock::Moment;
use cutover_live::proxy::LedgerSink;
use serde::Serialize;

use crate::toxics::Entry;

const KEPT_FIRES: usize = 256;

const KEPT_TOXICS: usize = 256;

#[derive(Debug, Clone, Serialize)]
struct Fired {
    /// Which connection of the proxy, from 1 since it was last opened.
    connection: u32,
    /// Which message of that connection and direction, from 1.
    frame: u64,
    hit: String,
    /// When, in UTC.
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rewrote: Option<cutover_core::history::Rewrote>,
}

#[derive(Debug, Clone, Serialize)]
struct ToxicLine {
    name: String,
    #[serde(rename = "type")]
    of: &'static str,
    stream: String,
    armed: bool,
    armed_at: String,
    #[serde(rename = "strikes")]
    fires: u64,
    #[serde(rename = "struck")]
    kept: Vec<Fired>,
    beyond: u64,
}

#[derive(Debug, Clone, Default, Serialize)]
struct Counted {
    times: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_connection: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_reason: Option<String>,
}

impl Counted {
    fn add(&mut self, conn: u32, why: &str) {
        self.times += 1;
        self.last_connection = Some(conn);
        self.last_reason = Some(why.to_owned());
    }
}

#[derive(Debug, Default)]
struct Lines {
    lines: VecDeque<ToxicLine>,
    unread: Counted,
    unreachable: Counted,
}

#[derive(Debug, Default)]
pub struct Ledger(Mutex<Lines>);

#[derive(Serialize)]
struct Answer<'a> {
    proxy: &'a str,
    toxics: &'a VecDeque<ToxicLine>,
    unread: &'a Counted,
    unreachable: &'a Counted,
}

impl Ledger {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn armed(&self, toxic: &Entry) {
        let mut lines = self.lines();
        lines.lines.push_back(ToxicLine {
            name: toxic.name.clone(),
            of: toxic.type_name(),
            stream: toxic.stream.to_lowercase(),
            armed: true,
            armed_at: Moment::now().rfc3339_ms(),
            fires: 0,
            kept: Vec::new(),
            beyond: 0,
        });
    }

    pub fn disarmed(&self, name: &str) {
        let mut lines = self.lines();
        for line in lines.lines.iter_mut().filter(|line| line.name == name) {
            line.armed = false;
        }
        lines.forget();
    }

    pub fn all_disarmed(&self) {
        let mut lines = self.lines();
        for line in &mut lines.lines {
            line.armed = false;
        }
        lines.forget();
    }

    pub fn fires(&self) -> Vec<(String, &'static str, u64)> {
        let lines = self.lines();
        let armed = lines.lines.iter().filter(|line| line.armed);
        armed.map(|line| (line.name.clone(), line.of, line.fires)).collect()
    }

    pub fn json(&self, proxy: &str) -> String {
        let lines = self.lines();
        let answer = Answer { proxy, toxics: &lines.lines, unread: &lines.unread, unreachable: &lines.unreachable };
        // Nothing in it can fail to be written.
        serde_json::to_string(&answer).unwrap_or_default()
    }
}

impl Lines {
    fn forget(&mut self) {
        while self.lines.iter().filter(|line| !line.armed).count() > KEPT_TOXICS {
            let oldest = self.lines.iter().position(|line| !line.armed);
            oldest.map(|at| self.lines.remove(at));
        }
    }
}

impl LedgerSink for Ledger {
    fn fired(&self, fault: &FaultId, _client: &ClientId, fire: Fire) {
        let mut lines = self.lines();
        let line = lines.lines.iter_mut().rev().find(|line| line.name == fault.as_str());
        let Some(line) = line else { return };
        line.fires += 1;
        if line.kept.len() < KEPT_FIRES {
            line.kept.push(Fired {
                connection: fire.conn,
                frame: fire.frame,
                hit: fire.hit,
                at: Moment::now().rfc3339_ms(),
                rewrote: fire.rewrote,
            });
        } else {
            line.beyond += 1;
        }
    }

    fn went_blind(&self, _client: &ClientId, conn: u32, why: &str) {
        self.lines().unread.add(conn, why);
    }

    fn unreachable(&self, _client: &ClientId, conn: u32, why: &str) {
        self.lines().unreachable.add(conn, why);
    }
}

#[cfg(test)]
mod tests;
