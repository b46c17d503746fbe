//! What a report says of a run: every word, number and order that the formats share. It is built once from the
//! evidence. A printer chooses what it has room for, and decides nothing.
#![allow(missing_docs, reason = "the names say it")]

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::iter;

use super::measured::{self, Line};
use super::rows::{self, Row};
use super::run::{self, Piece};
use super::words::{capitalized, counted, names, seconds, times_each};
use crate::check::{Finding as Found, Verdict};
use crate::evidence::causes::{self, cause_of};
use crate::evidence::document::{Evidence, State, Times};
use crate::evidence::judged::{JudgedFinding, JudgedScenario, ScenarioOutcome, Seen};
use crate::evidence::layout;
use crate::evidence::speed;
use crate::gate::Decision;
use crate::ids::LaneId;
use crate::plan::Expectation;
use crate::text::quoted;

pub struct Report<'a> {
    /// Lanes that were much slower than the other, in words.
    pub slow: Vec<String>,
    /// The evidence itself, for the format that prints it as it is.
    pub(super) document: &'a Evidence,
    pub(super) terminal: Terminal<'a>,
    /// The pages of a bundle, each with what it is.
    pub(super) pages: Vec<(&'static str, &'static str)>,
    /// The decision as people read it first: `PASSED IN PART`, `BLOCK (ADVISORY)`.
    pub(super) word: String,
    /// The decision as programs read it: `passed-in-part`.
    pub(super) decision: &'static str,
    pub(super) tone: Tone,
    /// `5 of 16 rows shown`
    pub(super) rows_shown: String,
    /// `5 of 6 scenarios passed`, and what else led to the decision.
    pub(super) headline: String,
    pub(super) reasons: &'a [String],
    /// What the policy let pass, a sentence each.
    pub(super) waived: &'a [String],
    pub(super) elapsed: Option<String>,
    pub(super) lanes: Vec<(&'static str, String)>,
    pub(super) facts: Vec<(&'static str, Vec<Piece>)>,
    /// Honest scenarios first.
    pub(super) scenarios: Vec<Scenario<'a>>,
    pub(super) left_out: &'a BTreeMap<String, String>,
    pub(super) causes: Vec<Cause<'a>>,
    pub(super) rows: Vec<Row<'a>>,
    pub(super) times: Vec<Line>,
    pub(super) faults: Vec<Fault<'a>>,
    /// The program as it was called, so that a command with it can be copied.
    pub(super) program: String,
    pub(super) reproduce: String,
}

#[derive(Debug, Clone, Copy)]
pub struct Terminal<'a> {
    pub width: usize,
    pub color: bool,
    pub bundle: Option<&'a str>,
}

/// How a decision, an outcome or a verdict is marked: by colour at a terminal, by class on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Open,
    Bad,
}

pub struct Scenario<'a> {
    pub name: &'a str,
    pub title: &'a str,
    pub known_bad: bool,
    pub outcome: ScenarioOutcome,
    pub tone: Tone,
    /// The lane that a known-bad scenario plants its defect in.
    pub lane: &'static str,
    pub counts: Counts,
    pub elapsed_ms: Option<u64>,
    pub found: String,
    /// Why the outcome is not a good one, a sentence each.
    pub reasons: &'a [String],
    pub findings: Vec<Finding<'a>>,
    pub warnings: Vec<&'a str>,
    pub reproduce: String,
    /// The place of the cause that the outcome is reported under.
    cause: Option<usize>,
    pub first: Option<&'a str>,
}

/// What each lane counted: one number where they agree, else both.
pub struct Counts {
    pub deliveries: String,
    pub resumes: String,
    pub refused: String,
    pub faults: String,
    pub duplicates: String,
}

pub struct Finding<'a> {
    /// `gap · candidate · run:a:events seq 5 · client c1`
    pub heading: String,
    pub says: &'a str,
    pub records: Vec<Record<'a>>,
}

pub struct Record<'a> {
    pub file: String,
    /// `FILE:LINE`
    pub place: String,
    pub says: &'a str,
}

pub struct Cause<'a> {
    pub title: String,
    pub says: &'a str,
    /// `gap skipped, one cause in 42 scenarios, 118 findings`
    pub extent: String,
    /// `candidate gap skipped`
    pub key: String,
    pub verdict: Verdict,
    pub tone: Tone,
    /// The scenarios that show it, the smallest first.
    pub scenarios: String,
    /// What only follows from it: `unseen ×147, convergence`. Empty where nothing does.
    pub consequences: String,
    /// The known-bad scenarios that could not be judged because of it. Empty where there is none.
    pub not_judged: String,
    /// The place of the smallest scenario that shows it, and there of the best finding.
    witness: Option<(usize, usize)>,
}

pub struct Fault<'a> {
    pub scenario: &'a str,
    pub fault: &'a str,
    pub lane: LaneId,
    pub client: &'a str,
    pub fired: u64,
    pub hit: Option<&'a str>,
    /// Connection, message and line of the first hit.
    pub place: String,
    pub at: &'a str,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        evidence: &'a Evidence,
        times: &'a Times,
        pages: Vec<(&'static str, &'static str)>,
    ) -> Report<'a> {
        let judged = &evidence.judged;
        let decision = match evidence.state {
            State::Complete => judged.decision.decision,
            // A run that did not come to its end blocks, whatever was found by then.
            _ => judged.decision.decision.max(Decision::BlockUnknown),
        };
        let shown = judged.matrix.iter().filter(|row| row.verdict == Verdict::Valid).count();
        let globs = evidence.scope.chosen.iter().map(|glob| format!(" --scenario {}", quoted(glob)));
        let reproduce = format!("{}{}", evidence.reproduce, globs.collect::<String>());
        let lanes = run::lanes(evidence);
        Report {
            document: evidence,
            terminal: Terminal { width: 80, color: false, bundle: None },
            pages,
            word: run::word(evidence, decision),
            decision: decision.as_str(),
            tone: decision.into(),
            rows_shown: format!(
                "{shown} of {} rows shown{}",
                judged.matrix.len(),
                run::waived(&judged.decision.waived)
            ),
            headline: run::headline(evidence),
            reasons: &judged.decision.reasons,
            waived: &judged.decision.waived,
            elapsed: times.elapsed_ms.map(seconds),
            slow: speed::slow(times).iter().map(ToString::to_string).collect(),
            facts: run::facts(evidence, times, &lanes, &reproduce),
            lanes,
            scenarios: judged.scenarios.iter().map(|scenario| Scenario::new(scenario, evidence, times)).collect(),
            left_out: &evidence.scope.left_out,
            causes: judged.causes.iter().map(|cause| Cause::new(cause, evidence)).collect(),
            rows: rows::rows(evidence),
            times: measured::lines(&judged.scenarios),
            faults: judged.scenarios.iter().flat_map(|scenario| faults(scenario, times)).collect(),
            program: quoted(evidence.command.first().map_or("cutover", String::as_str)),
            reproduce,
        }
    }

    #[must_use]
    pub fn at(self, terminal: Terminal<'a>) -> Report<'a> {
        Report { terminal, ..self }
    }

    /// The decision with the rows of the matrix that it rests on: `ALLOW, 5 of 16 rows shown`.
    pub(super) fn title(&self) -> String {
        match self.tone {
            Tone::Bad => format!("{}{}", self.word, run::waived(self.waived)),
            Tone::Good | Tone::Open => format!("{}, {}", self.word, self.rows_shown),
        }
    }

    pub(super) fn honest(&self) -> Vec<&Scenario<'a>> {
        self.scenarios.iter().filter(|scenario| !scenario.known_bad).collect()
    }

    pub(super) fn known_bad(&self) -> Vec<&Scenario<'a>> {
        self.scenarios.iter().filter(|scenario| scenario.known_bad).collect()
    }

    /// The scenarios with a bad outcome, worst first.
    pub(super) fn troubled(&self) -> Vec<&Scenario<'a>> {
        let mut troubled: Vec<_> = self.scenarios.iter().filter(|scenario| !scenario.outcome.is_good()).collect();
        troubled.sort_by_key(|scenario| Reverse(scenario.outcome));
        troubled
    }

    /// The scenarios with a bad outcome that no cause reports, worst first.
    pub(super) fn unreported(&self) -> Vec<&Scenario<'a>> {
        self.troubled().into_iter().filter(|scenario| scenario.cause.is_none()).collect()
    }

    pub(super) fn cause_of(&self, scenario: &Scenario<'_>) -> Option<&Cause<'a>> {
        self.causes.get(scenario.cause?)
    }

    /// The finding that shows a cause best, with its scenario.
    pub(super) fn witness(&self, cause: &Cause<'_>) -> Option<(&Scenario<'a>, &Finding<'a>)> {
        let (scenario, finding) = cause.witness?;
        let scenario = self.scenarios.get(scenario)?;
        Some((scenario, scenario.findings.get(finding)?))
    }

    /// Each with its scenario, or with the run.
    pub(super) fn warnings(&self) -> Vec<(&str, &str)> {
        let of = |scenario: &Scenario<'a>| {
            iter::repeat(scenario.name).zip(scenario.warnings.clone()).collect::<Vec<(&str, &str)>>()
        };
        let slow = self.slow.iter().map(|says| ("the run", says.as_str()));
        slow.chain(self.scenarios.iter().flat_map(of)).collect()
    }

    pub(super) fn left_out_by_reason(&self) -> BTreeMap<&'a str, Vec<&'a str>> {
        let mut by_reason = BTreeMap::<&str, Vec<&str>>::new();
        for (scenario, reason) in self.left_out {
            by_reason.entry(reason).or_default().push(scenario);
        }
        by_reason
    }
}

impl<'a> Scenario<'a> {
    fn new(judged: &'a JudgedScenario, evidence: &Evidence, times: &Times) -> Scenario<'a> {
        let mut found = BTreeMap::<String, u64>::new();
        for finding in judged.principal() {
            *found.entry(finding.finding.checker.to_owned()).or_default() += 1;
        }
        let finding = |finding| Finding::new(finding, &judged.name);
        let principal = judged.principal().next().map(|finding| finding.says.as_str());
        Scenario {
            name: &judged.name,
            title: &judged.title,
            known_bad: judged.known_bad(),
            outcome: judged.outcome,
            tone: judged.outcome.into(),
            lane: match &judged.expect {
                Expectation::Block { lane, .. } => lane.as_str(),
                Expectation::Allow => "",
            },
            counts: Counts {
                deliveries: both(judged, |seen| seen.deliveries),
                resumes: both(judged, |seen| seen.resumes),
                refused: both(judged, |seen| seen.refusals),
                faults: both(judged, |seen| seen.faults),
                duplicates: both(judged, |seen| seen.duplicates),
            },
            elapsed_ms: times.scenarios_ms.get(&judged.name).copied(),
            found: times_each(&found),
            reasons: &judged.reasons,
            findings: judged.findings.iter().map(finding).collect(),
            warnings: judged.warnings.iter().map(|warning| warning.says.as_str()).collect(),
            reproduce: format!("{} --scenario {}", evidence.reproduce, quoted(&judged.name)),
            cause: cause_of(&judged.name, &evidence.judged.causes),
            first: judged.reasons.first().map(String::as_str).or(principal),
        }
    }

    /// How long it took, as `1.2 s`.
    pub fn time(&self) -> String {
        self.elapsed_ms.map(seconds).unwrap_or_default()
    }
}

impl<'a> Finding<'a> {
    fn new(judged: &'a JudgedFinding, scenario: &str) -> Finding<'a> {
        let records = judged.shown_by.iter().map(|shown| {
            let file = layout::history(scenario, shown.lane);
            Record { place: format!("{file}:{}", shown.line), file, says: &shown.record }
        });
        Finding { heading: heading(&judged.finding), says: &judged.says, records: records.collect() }
    }
}

impl<'a> Cause<'a> {
    fn new(cause: &'a causes::Cause, evidence: &Evidence) -> Cause<'a> {
        let smallest = cause.scenarios.first();
        let place = evidence.judged.scenarios.iter().position(|scenario| Some(&scenario.name) == smallest);
        let scenarios = counted(cause.scenarios.len(), "scenario");
        let findings = counted(usize::try_from(cause.findings).unwrap_or(usize::MAX), "finding");
        let key = format!("{} {}", cause.checker, cause.reason);
        let known_bad = counted(cause.not_judged.len(), "known-bad scenario");
        Cause {
            title: capitalized(&cause.says),
            says: &cause.says,
            extent: format!("{key}, one cause in {scenarios}, {findings}"),
            key: format!("{} {key}", cause.lane.map_or("both lanes", |lane| lane.as_str())),
            verdict: cause.verdict,
            tone: cause.verdict.into(),
            scenarios: names(&cause.scenarios),
            consequences: times_each(&cause.consequences),
            not_judged: match cause.not_judged.is_empty() {
                true => String::new(),
                false => format!("{known_bad} that found this beside their own: {}", names(&cause.not_judged)),
            },
            witness: place.map(|place| (place, cause.witness)),
        }
    }

    /// What there is to say of it, each with a label.
    pub fn facts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let facts = [
            ("scenarios", self.scenarios.as_str()),
            ("follows from it", &self.consequences),
            ("not judged because of it", &self.not_judged),
        ];
        facts.into_iter().filter(|(_, fact)| !fact.is_empty())
    }
}

impl From<Decision> for Tone {
    fn from(decision: Decision) -> Tone {
        match decision {
            Decision::Allow => Tone::Good,
            blocks if blocks.blocks() => Tone::Bad,
            _ => Tone::Open,
        }
    }
}

impl From<ScenarioOutcome> for Tone {
    fn from(outcome: ScenarioOutcome) -> Tone {
        match outcome {
            ScenarioOutcome::Passed | ScenarioOutcome::Caught => Tone::Good,
            ScenarioOutcome::Unknown => Tone::Open,
            ScenarioOutcome::Failed | ScenarioOutcome::Missed => Tone::Bad,
        }
    }
}

impl From<Verdict> for Tone {
    fn from(verdict: Verdict) -> Tone {
        match verdict {
            Verdict::Valid => Tone::Good,
            Verdict::Unknown => Tone::Open,
            Verdict::Invalid => Tone::Bad,
        }
    }
}

impl Tone {
    pub fn mark(self) -> char {
        match self {
            Tone::Good => '✓',
            Tone::Open => '?',
            Tone::Bad => '✗',
        }
    }
}

fn both(scenario: &JudgedScenario, of: fn(&Seen) -> u64) -> String {
    let candidate = scenario.seen.get(&LaneId::Candidate).map_or(0, of);
    // Where the candidate ran alone, there is one number.
    match scenario.seen.get(&LaneId::Legacy).map_or(candidate, of) {
        legacy if legacy == candidate => candidate.to_string(),
        legacy => format!("{legacy}/{candidate}"),
    }
}

fn heading(finding: &Found) -> String {
    let mut parts = vec![finding.checker.to_owned()];
    parts.push(finding.lane.map_or("both lanes together".to_owned(), |lane| lane.to_string()));
    if let Some(stream) = &finding.stream {
        let seqs = match (finding.seq, finding.witness.through) {
            (Some(first), Some(last)) => format!(" seq {first} to {last}"),
            (Some(seq), None) => format!(" seq {seq}"),
            (None, _) => String::new(),
        };
        parts.push(format!("{stream}{seqs}"));
    }
    if let Some(client) = &finding.client {
        parts.push(format!("client {client}"));
    }
    parts.join(" · ")
}

fn faults<'a>(scenario: &'a JudgedScenario, times: &'a Times) -> impl Iterator<Item = Fault<'a>> {
    let fires = times.fires.get(&scenario.name).map_or(&[][..], Vec::as_slice);
    scenario.ledger.iter().map(move |entry| {
        let first = fires.iter().find(|fire| fire.lane == entry.lane && fire.fault == entry.fault);
        let place = first.map_or(String::new(), |fire| {
            let message = if fire.frame == 0 { String::new() } else { format!(".{}", fire.frame) };
            format!("{}{message}, line {}", fire.conn, fire.line)
        });
        Fault {
            scenario: &scenario.name,
            fault: entry.fault.as_str(),
            lane: entry.lane,
            client: entry.client.as_str(),
            fired: entry.fired,
            hit: entry.hit.as_deref(),
            place,
            at: first.map_or("", |fire| fire.at.as_str()),
        }
    })
}
