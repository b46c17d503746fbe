//! A scenario as it stands in its file: words read, names resolved, nothing simulated yet.

use super::faults::{FaultDraft, ToxicDraft};
pub(super) use super::open::{CursorWord, Number};
use super::read::At;
use super::script::{Client, Lanes, Spread, Stream};
use super::{AtLeast, Backoff, Expect};
use crate::plan::ServerAction;

/// The file, read.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) title: String,
    /// Sorted, with where each stands.
    pub(super) proves: Vec<At<String>>,
    pub(super) legacy_defects: Vec<String>,
    pub(super) converge_within_ms: u64,
    pub(super) backoff: Backoff,
    pub(super) expand: Option<At<()>>,
    /// What the file is expanded over; each list has one member where it is not.
    pub(super) bindings: Vec<Binding>,
    pub(super) streams: Vec<At<Stream>>,
    pub(super) clients: Vec<At<Client>>,
    pub(super) steps: Vec<At<StepDraft>>,
    /// Whether cast, steps and cases were read without a mistake, so that they can be walked.
    pub(super) walkable: bool,
    /// Whether every fault was read.
    pub(super) faults_whole: bool,
    pub(super) faults: Vec<At<FaultDraft>>,
    pub(super) toxics: Vec<At<ToxicDraft>>,
    pub(super) at_least: At<AtLeast>,
    pub(super) expect: Option<Expect>,
}

impl Draft {
    /// Takes out what goes wrong, and what waits for it.
    pub(super) fn forget_faults(&mut self) {
        self.faults.clear();
        self.toxics.clear();
        self.steps
            .retain(|step| !matches!(step.value, StepDraft::AwaitFault(_) | StepDraft::Arm(_) | StepDraft::Disarm(_)));
    }

    /// Whether the scenario is there to show that nothing happened.
    pub(super) fn is_vacuous(&self) -> bool {
        self.expect.as_ref().is_some_and(|expect| expect.findings.iter().any(|name| name == "vacuity"))
    }
}

/// What `each` stands for in one case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) position: Option<u64>,
    pub(super) how: Option<&'static str>,
    pub(super) when: Option<&'static str>,
}

impl Binding {
    /// The word for an attribute.
    pub(super) fn word(&self, attribute: &str) -> Option<&'static str> {
        match attribute {
            "how" => self.how,
            "when" => self.when,
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(super) enum StepDraft {
    Connect(Option<Vec<usize>>),
    Disconnect(Option<Vec<usize>>),
    Crash(Option<Vec<usize>>),
    Resubscribe(Option<Vec<usize>>),
    Await(Option<Vec<usize>>),
    AwaitFault(At<String>),
    Arm(Vec<At<String>>),
    Disarm(Vec<At<String>>),
    Publish { streams: Vec<usize>, count: Number, lockstep: bool, spread: Spread },
    Republish { stream: usize, seqs: Vec<At<Number>> },
    Conflict { stream: usize, seqs: Vec<At<Number>> },
    Policy { streams: Vec<usize>, retention: Option<u64>, replay_budget: Option<u64> },
    SetCursor { client: usize, stream: usize, to: At<CursorWord> },
    Server { lane: Lanes, action: ServerAction },
}
