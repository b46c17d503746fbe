//! A scenario as it stands in its file, but its steps: words are read and names resolved, nothing is rehearsed yet.

use super::cast::{Client, Identity, Stream};
use super::faults::{FaultDraft, ToxicDraft};
use super::open::Setting;
use super::read::At;
use super::{AtLeast, Backoff, Expect, Found};
use crate::check;
use crate::ids::{LaneId, Seed};
use crate::plan::fault::spec::Value;
use crate::plan::{Bridge, Window, habit_of};

#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) title: String,
    /// Sorted, with their positions.
    pub(super) proves: Vec<At<String>>,
    pub(super) legacy_defects: Vec<String>,
    pub(super) candidate_defects: Vec<String>,
    pub(super) converge_within_ms: u64,
    pub(super) backoff: Backoff,
    pub(super) expand: Option<At<()>>,
    /// What the file is expanded over: one entry for each case.
    pub(super) bindings: Vec<Binding>,
    pub(super) window: Option<Window>,
    pub(super) bridge: Option<Bridge>,
    pub(super) streams: Vec<At<Stream>>,
    pub(super) identities: Vec<At<Identity>>,
    pub(super) clients: Vec<At<Client>>,
    /// Whether streams, clients, steps and cases were read without a mistake, so that they can be rehearsed.
    pub(super) walkable: bool,
    pub(super) faults_whole: bool,
    pub(super) faults: Vec<At<FaultDraft>>,
    pub(super) toxics: Vec<At<ToxicDraft>>,
    pub(super) at_least: At<AtLeast>,
    pub(super) expect: Option<Expect>,
    pub(super) seed: Option<Seed>,
    pub(super) found: Option<Found>,
}

impl Draft {
    /// Whether one lane alone is disturbed, in what is measured by turns.
    pub(super) fn disturbs_one_lane(&self) -> bool {
        let mut lanes = self.faults.iter().map(|fault| fault.value.lane);
        lanes.any(|lane| lane.is_some()) || self.toxics.iter().any(|toxic| toxic.value.lane.is_some())
    }

    /// Whether it expects that lanes differ in time, and disturbs one of them.
    pub(super) fn slows_a_lane(&self) -> bool {
        let measured = |name: &String| [check::LATENCY, check::RECOVERY].contains(&name.as_str());
        self.expect.as_ref().is_some_and(|expect| expect.findings.iter().any(measured)) && self.disturbs_one_lane()
    }

    /// Whether a fault is a close after which a client of its habit does not come back to the legacy lane.
    pub(super) fn keeps_away(&self, fault: &FaultDraft) -> bool {
        if fault.lane == Some(LaneId::Candidate) || fault.settings.word("how") != Some("close") {
            return false;
        }
        let Some(Setting::Is(Value::Whole(code))) = fault.settings.get("code") else { return false };
        let stays_away = |client: &Client| {
            let habit = client.habit.and_then(habit_of);
            habit.and_then(|habit| habit.stays_away_after).is_some_and(|after| u64::from(after) == *code)
        };
        let struck = fault.clients.iter().flatten().filter_map(|client| self.clients.get(*client));
        struck.into_iter().any(|client| stays_away(&client.value))
    }

    pub(super) fn is_vacuous(&self) -> bool {
        self.expect.as_ref().is_some_and(|expect| expect.findings.iter().any(|name| name == "vacuity"))
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) position: Option<u64>,
    pub(super) how: Option<&'static str>,
    pub(super) when: Option<&'static str>,
}

impl Binding {
    pub(super) fn case_name(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.position.map(|position| format!("p{position}")));
        parts.extend([self.how, self.when].into_iter().flatten().map(str::to_owned));
        if parts.is_empty() { "main".to_owned() } else { parts.join("-") }
    }

    pub(super) fn word(&self, attribute: &str) -> Option<&'static str> {
        match attribute {
            "how" => self.how,
            "when" => self.when,
            _ => None,
        }
    }
}
