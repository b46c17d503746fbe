//! Defects of this tool that show in a bundle or in a decision.

use std::collections::BTreeMap;

use crate::check::CheckInput;
use crate::evidence::bundle::{closing_files, is_digested, scenario_files};
use crate::evidence::layout::{self, FileEntry, Files};
use crate::evidence::recheck::{Bundle, Entry, recheck};
use crate::evidence::{
    Driven, EVIDENCE_SCHEMA, Evidence, JudgedScenario, LaneRun, RUN_TIMES_SCHEMA, State, Times, Tool, decide,
    judge_scenario,
};
use crate::gate::{Asked, Decision, Scope, suite_digest};
use crate::history::History;
use crate::ids::LaneId;
use crate::plan::Plan;
use crate::plan::defect::harness::Defect;

/// A scenario that was driven on both lanes.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Whole {
    pub plan: Plan,
    pub legacy: History,
    pub candidate: History,
}

impl Whole {
    #[allow(missing_docs, reason = "the name says it")]
    pub fn from_driven(driven: Driven) -> Whole {
        Whole { plan: driven.plan, legacy: driven.legacy.history, candidate: driven.candidate.history }
    }

    #[allow(missing_docs, reason = "the name says it")]
    pub fn history(&self, lane: LaneId) -> &History {
        match lane {
            LaneId::Legacy => &self.legacy,
            LaneId::Candidate => &self.candidate,
        }
    }

    /// The same with another plan and another history of one lane.
    #[must_use]
    pub fn with(&self, plan: Plan, lane: LaneId, history: History) -> Whole {
        let mut whole = Whole { plan, ..self.clone() };
        match lane {
            LaneId::Legacy => whole.legacy = history,
            LaneId::Candidate => whole.candidate = history,
        }
        let digest = whole.plan.digest();
        for history in [&mut whole.legacy, &mut whole.candidate] {
            history.header.plan_digest.clone_from(&digest);
        }
        whole
    }

    #[allow(missing_docs, reason = "the name says it")]
    pub fn judged(&self) -> JudgedScenario {
        judge_scenario(&CheckInput::new(&self.plan, &self.legacy, &self.candidate))
    }
}

/// Whether a run of these scenarios, with a defect in its scope or its bundle, is taken for a good one. `all` must be
/// what a full run drove, known-bad scenarios included.
pub fn holds_with(defect: Defect, all: &[Whole]) -> bool {
    let is_honest = |whole: &&Whole| matches!(whole.plan.expect, crate::plan::Expectation::Allow);
    let scope = full_scope(all);
    let honest: Vec<&Whole> = all.iter().filter(is_honest).collect();
    let judged = |wholes: &[&Whole]| wholes.iter().map(|whole| whole.judged()).collect::<Vec<_>>();
    let allows =
        |scenarios, scope: &Scope| decide(scenarios, scope, &State::Complete).decision.decision == Decision::Allow;
    match defect {
        Defect::NoKnownBad => allows(judged(&honest), &Scope { known_bad: false, ..scope }),
        Defect::ShortScope => allows(judged(&all.iter().skip(1).collect::<Vec<_>>()), &scope),
        Defect::NothingRan => allows(Vec::new(), &scope),
        _ => honest.first().is_some_and(|whole| bundle_holds(defect, whole)),
    }
}

fn full_scope(all: &[Whole]) -> Scope {
    let asked = all.iter().map(|whole| {
        let known_bad = !matches!(whole.plan.expect, crate::plan::Expectation::Allow);
        (whole.plan.scenario.clone(), Asked { digest: whole.plan.scenario_digest.clone(), known_bad })
    });
    Scope { suite: suite_digest(), known_bad: true, scenarios: asked.collect(), ..Scope::default() }
}

/// Whether a recheck takes the bundle of one scenario, once it has the defect.
fn bundle_holds(defect: Defect, whole: &Whole) -> bool {
    let mut whole = whole.clone();
    if defect == Defect::OtherPlan {
        whole.plan.converge_within_ms += 1;
    }
    let mut files = bundle(&whole);
    let history = layout::history(&whole.plan.scenario, crate::ids::LaneId::Candidate);
    let document = |files: &Files| {
        let bytes = files.get(layout::EVIDENCE).map(Vec::as_slice).unwrap_or_default();
        serde_json::from_slice::<Evidence>(bytes).ok()
    };
    let Some(mut evidence) = document(&files) else { return true };
    match defect {
        Defect::VerdictRaised => {
            evidence.judged.decision.allow = true;
            evidence.judged.decision.decision = Decision::Allow;
            evidence.judged.decision.exit_code = 0;
        }
        Defect::HistoryEdited => {
            let Some(bytes) = files.get_mut(&history) else { return true };
            let text = String::from_utf8_lossy(bytes).replacen("\"seq\":1,", "\"seq\":2,", 1);
            *bytes = text.into_bytes();
            evidence.files.insert(history, FileEntry::of(bytes));
        }
        Defect::OtherPlan => {}
        Defect::FileMissing => drop(files.remove(&history)),
        Defect::PageEdited => {
            let page = files.keys().find(|path| path.ends_with(".html")).cloned();
            let Some(page) = page else { return true };
            let Some(bytes) = files.get_mut(&page) else { return true };
            let text = String::from_utf8_lossy(bytes).replacen("passed", "Passed", 1);
            *bytes = text.into_bytes();
            evidence.files.insert(page, FileEntry::of(bytes));
        }
        _ => return true,
    }
    evidence.seal();
    files.insert(layout::EVIDENCE.to_owned(), evidence.to_bytes());
    let plan = whole.plan.clone();
    recheck(&InMemory(files), &|_, _, _| Ok(plan.clone())).is_ok_and(|rechecked| rechecked.holds())
}

fn bundle(whole: &Whole) -> Files {
    let run = |history: &History| LaneRun {
        times_us: (1..=history.records.len() as u64).collect(),
        started_us: 0,
        history: history.clone(),
    };
    let driven = Driven {
        plan: whole.plan.clone(),
        legacy: run(&whole.legacy),
        candidate: run(&whole.candidate),
        elapsed_ms: 1,
    };
    let mut files = scenario_files(b"", &driven, &Scope::default());
    let scope = Scope { instead: Some("calibration".to_owned()), ..full_scope(std::slice::from_ref(whole)) };
    let digested = files.iter().filter(|(path, _)| is_digested(path));
    let entries = digested.map(|(path, content)| (path.clone(), FileEntry::of(content))).collect();
    let mut evidence = Evidence {
        schema: EVIDENCE_SCHEMA.to_owned(),
        run: "calibration".to_owned(),
        tool: Tool { name: "cutover".to_owned(), version: String::new(), built_from: None },
        checkout: None,
        command: Vec::new(),
        reproduce: String::new(),
        seed: whole.plan.seed,
        repeat: None,
        toxiproxy: None,
        lanes: BTreeMap::new(),
        module_digest: None,
        environment: None,
        calibration: None,
        judged: decide(vec![whole.judged()], &scope, &State::Complete),
        scope,
        state: State::Complete,
        files: entries,
        digest: String::new(),
    };
    let times = Times { schema: RUN_TIMES_SCHEMA.to_owned(), elapsed_ms: Some(1), ..Times::default() };
    files.extend(closing_files(&mut evidence, &times));
    files
}

struct InMemory(Files);

impl Bundle for InMemory {
    fn entries(&self) -> BTreeMap<String, Entry> {
        let folders = layout::FOLDERS.iter().map(|folder| ((*folder).to_owned(), Entry::Folder));
        let files = self.0.iter().map(|(path, content)| (path.clone(), Entry::File(content.len() as u64)));
        folders.chain(files).collect()
    }

    fn read(&self, path: &str, _: u64) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| "it is not there".to_owned())
    }
}
