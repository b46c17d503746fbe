//! Records a run: the bundle from its first byte to its last, and what is known when.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use cutover_core::calibration::saved;
use cutover_core::check::CheckInput;
use cutover_core::draw::Coverage;
use cutover_core::evidence::bundle::{closing_files, is_digested, scenario_files};
use cutover_core::evidence::layout::{self, FileEntry, Files};
use cutover_core::evidence::recheck::fires;
use cutover_core::evidence::{
    Driven, EVIDENCE_SCHEMA, Evidence, FireTime, JudgedScenario, LaneServer, NthRun, RUN_TIMES_SCHEMA, RunEvent,
    ScenarioOutcome, State, Times, decide, judge_by, lane_time,
};
use cutover_core::gate::fit::Means;
use cutover_core::gate::{Asked, Scope, suite_digest};
use cutover_core::ids::{LaneId, Seed};
use cutover_core::policy::Terms;
use cutover_core::text::{masked, scrubbed};
use cutover_live::clock::Moment;
use tokio_util::sync::CancellationToken;

use crate::args::GateArgs;
use crate::baseline::{About, Baselines, is_ci};
use crate::bundle_dir::{BundleDir, in_reports};
use crate::drawn;
use crate::driver::Message;
use crate::exit::{Exit, Failure};
use crate::policy::Given;
use crate::progress::Progress;
use crate::provenance;
use crate::scenarios::Source;

/// The characters of a date in RFC 3339.
const DAY: usize = 10;

pub struct Recording {
    dir: BundleDir,
    evidence: Evidence,
    times: Times,
    began: Instant,
    texts: BTreeMap<String, String>,
    judged: BTreeMap<String, JudgedScenario>,
    failure: Option<Failure>,
    /// Cancelled once no further scenario is to be begun, where the run is to fail fast.
    enough: Option<CancellationToken>,
    failed: Option<String>,
    /// What the drawn scenarios covered.
    covered: Coverage,
    /// The modules that each lane was seen to run.
    modules: BTreeMap<LaneId, BTreeSet<String>>,
    baselines: Option<Baselines>,
    /// How many baselines the run differed from.
    differ: usize,
}

impl Recording {
    /// Makes the bundle, with a document that says that the run goes on.
    pub fn begin(
        args: &GateArgs,
        seed: Seed,
        repeat: Option<NthRun>,
        sources: &[Source],
        (policy, baselines): (&Given, Option<Baselines>),
    ) -> Result<Recording, Failure> {
        let started = Moment::now();
        let run = format!("{}-{seed}", started.compact());
        let path = args.out.clone().unwrap_or_else(|| in_reports(&run));
        let command = provenance::command_line(std::env::args_os().map(|word| word.to_string_lossy().into_owned()));
        let day = started.rfc3339().chars().take(DAY).collect::<String>();
        let baseline = baselines.as_ref().map(Baselines::what);
        let scope = Scope { baseline, ..scope(args, sources, policy.terms(&day)) };
        let program = command.first().map_or("cutover", String::as_str);
        let mut evidence = Evidence {
            schema: EVIDENCE_SCHEMA.to_owned(),
            state: State::InProgress,
            run,
            tool: provenance::tool(),
            checkout: provenance::checkout(),
            reproduce: provenance::reproduce(program, seed.0, args),
            command,
            seed,
            repeat,
            toxiproxy: args.toxiproxy.as_deref().map(masked),
            lanes: BTreeMap::new(),
            module_digest: None,
            environment: args.lanes.env.map(|env| env.to_string()),
            calibration: saved().map(|saved| saved.summary()).filter(|summary| summary.total().planted > 0),
            judged: decide(Vec::new(), &scope, &State::InProgress),
            scope,
            files: BTreeMap::new(),
            digest: String::new(),
        };
        let policy = (layout::POLICY.to_owned(), policy.text.clone().into_bytes());
        evidence.files.insert(policy.0.clone(), FileEntry::of(&policy.1));
        evidence.seal();
        let times = Times { schema: RUN_TIMES_SCHEMA.to_owned(), started: started.rfc3339(), ..Times::default() };
        let texts = sources.iter().map(|source| (source.scenario.name.clone(), source.text.clone())).collect();
        let dir = BundleDir::create(path)?;
        dir.write(&Files::from([policy, (layout::EVIDENCE.to_owned(), evidence.to_bytes())]))?;
        Ok(Recording {
            dir,
            evidence,
            times,
            began: Instant::now(),
            texts,
            judged: BTreeMap::new(),
            failure: None,
            enough: args.fail_fast.then(CancellationToken::new),
            failed: None,
            covered: Coverage::default(),
            modules: BTreeMap::new(),
            baselines,
            differ: 0,
        })
    }

    /// Cancelled once no further scenario is to be begun, where the run is to fail fast.
    pub fn enough(&self) -> Option<CancellationToken> {
        self.enough.clone()
    }

    /// What the drawn scenarios covered, in one line; nothing where none was driven.
    pub fn covered(&self) -> Option<String> {
        (self.covered.scenarios() > 0).then(|| self.covered.line())
    }

    /// How many baselines the run differed from, in one line; nothing where there is none.
    pub fn differ(&self) -> Option<String> {
        let dir = self.baselines.as_ref()?.dir.display();
        let how = if is_ci() { "a CI does not write them".to_owned() } else { format!("cutover accept {dir}") };
        (self.differ > 0).then(|| format!("the run differs from {} baselines in {dir}: {how}", self.differ))
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn take(&mut self, message: Message, progress: &mut Progress) -> Result<(), Failure> {
        match message {
            Message::Lanes { means, left_out } => {
                if !left_out.is_empty() {
                    progress.left_out(left_out.len());
                }
                self.lanes(means, left_out);
                Ok(())
            }
            Message::Event(event) => {
                self.event(&event);
                progress.event(&event);
                Ok(())
            }
            Message::Note(note) => {
                progress.line(&note);
                Ok(())
            }
            Message::Driven(driven, recorded) => {
                let judged = self.driven(&driven)?;
                progress.ended(&judged, driven.elapsed_ms);
                // The driver may have gone, on a second signal.
                let _ = recorded.send(());
                Ok(())
            }
        }
    }

    pub fn lanes(&mut self, means: BTreeMap<LaneId, Means>, left_out: BTreeMap<String, String>) {
        self.evidence.scope.lanes = means;
        self.evidence.scope.left_out = left_out;
    }

    /// Records what serves a lane, where the event says so.
    pub fn event(&mut self, event: &RunEvent) {
        let RunEvent::LaneReady { lane, server, module_digest } = event else { return };
        let server = LaneServer {
            what: scrubbed(&server.what).into_owned(),
            version: server.version.as_deref().map(|version| scrubbed(version).into_owned()),
            ..server.clone()
        };
        let before = self.evidence.lanes.insert(*lane, server);
        if let (Some(before), Some(now)) = (before, self.evidence.lanes.get_mut(lane)) {
            now.spoken = before.spoken;
        }
        self.modules.entry(*lane).or_default().extend(module_digest.clone());
        let of = |lane| self.modules.get(&lane).filter(|modules| !modules.is_empty());
        // A database whose module changed during the run shows nothing of either.
        let one = of(LaneId::Candidate).or(of(LaneId::Legacy)).filter(|modules| modules.len() == 1);
        self.evidence.module_digest = one.and_then(BTreeSet::first).cloned();
    }

    /// Judges a plan that was driven, and writes what it left.
    pub fn driven(&mut self, driven: &Driven) -> Result<JudgedScenario, Failure> {
        let name = &driven.plan.scenario;
        let text =
            self.texts.get(name).ok_or_else(|| Failure::fault(format!("the scenario {name} was not asked for")))?;
        let mut files = scenario_files(text.as_bytes(), driven, &self.evidence.scope);
        let baseline = self.baselines.as_ref().and_then(|baselines| baselines.each.get(name));
        files.extend(baseline.map(|baseline| (layout::baseline(name), baseline.bytes.clone())));
        let vector = files.get(&layout::vector(name, LaneId::Candidate));
        if let (Some(baselines), Some(baseline), Some(vector)) = (&self.baselines, baseline, vector)
            && baseline.bytes != *vector
        {
            self.differ += 1;
            if !is_ci() {
                let server = self.evidence.lanes.get(&LaneId::Candidate).map_or("", |server| &server.what);
                baselines.propose(&About::of(&driven.plan, LaneId::Candidate, server), vector)?;
            }
        }
        self.dir.write(&files)?;
        let digested = files.iter().filter(|(path, _)| is_digested(path));
        self.evidence.files.extend(digested.map(|(path, content)| (path.clone(), FileEntry::of(content))));
        let lanes = self.evidence.scope.driven();
        for lane in lanes.iter().copied() {
            if let Some(server) = self.evidence.lanes.get_mut(&lane) {
                server.spoken.extend(driven.lane(lane).history.spoken());
            }
        }
        let input = CheckInput::new(&driven.plan, &driven.legacy.history, &driven.candidate.history);
        let alone = self.evidence.scope.baseline.is_some();
        let input = if alone { input.alone(baseline.map(|baseline| &baseline.vector)) } else { input };
        let judged = judge_by(&input, &self.evidence.scope.policy);
        self.times.scenarios_ms.insert(name.clone(), driven.elapsed_ms);
        let time_of = |lane| (lane, lane_time(&driven.lane(lane).history, &driven.lane(lane).times_us));
        self.times.lanes.insert(name.clone(), lanes.iter().copied().map(time_of).collect());
        let fires = fire_times(driven);
        if !fires.is_empty() {
            self.times.fires.insert(name.clone(), fires);
        }
        // An unknown outcome does not end a run: the next scenario may show more.
        if let Some(enough) = &self.enough
            && matches!(judged.outcome, ScenarioOutcome::Failed | ScenarioOutcome::Missed)
        {
            self.failed.get_or_insert_with(|| name.clone());
            enough.cancel();
        }
        if drawn::index(name).is_some() {
            self.covered.note(text, &driven.plan, &[&driven.legacy.history, &driven.candidate.history]);
        }
        self.judged.insert(name.clone(), judged.clone());
        Ok(judged)
    }

    /// The driver came to its end. The run did so only if each scenario was driven or left out for a reason.
    pub fn complete(&mut self) {
        let missing: Vec<&str> = self
            .texts
            .keys()
            .filter(|name| !self.judged.contains_key(*name) && !self.evidence.scope.left_out.contains_key(*name))
            .map(String::as_str)
            .collect();
        if missing.is_empty() {
            self.evidence.state = State::Complete;
        } else if let Some(failed) = &self.failed {
            let by = format!("--fail-fast after {failed} with {} scenarios not begun", missing.len());
            self.evidence.state = State::Interrupted { by };
        } else {
            self.failed(Failure::fault(format!("these scenarios were not driven: {}", missing.join(", "))));
        }
    }

    pub fn interrupted(&mut self, by: &str) {
        self.evidence.state = State::Interrupted { by: by.to_owned() };
    }

    pub fn failed(&mut self, failure: Failure) {
        self.evidence.state = State::Failed { why: scrubbed(&failure.message).into_owned() };
        self.failure = Some(failure);
    }

    pub fn close(&mut self) -> Result<(Evidence, Times), Failure> {
        let scenarios = self.judged.values().cloned().collect();
        self.evidence.judged = decide(scenarios, &self.evidence.scope, &self.evidence.state);
        self.times.elapsed_ms = Some(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX));
        let files = closing_files(&mut self.evidence, &self.times);
        self.dir.write(&files)?;
        Ok((self.evidence.clone(), self.times.clone()))
    }

    /// Takes the bundle away again where the run ended over its arguments before anything was driven: it would only be
    /// in the way of the corrected run.
    pub fn unless_never_begun(self) -> Result<Recording, Failure> {
        match self.failure {
            Some(failure) if failure.exit == Exit::Usage && self.judged.is_empty() => {
                self.dir.remove_if_begun_only();
                Err(failure)
            }
            _ => Ok(self),
        }
    }

    pub fn exit(self, evidence: &Evidence, require_allow: bool) -> Result<Exit, Failure> {
        match self.failure {
            Some(failure) => Err(failure),
            None => {
                let decided = &evidence.judged.decision;
                Ok(Exit::of(decided.decision, decided.exit_code, require_allow))
            }
        }
    }
}

fn scope(args: &GateArgs, sources: &[Source], policy: Terms) -> Scope {
    let shown = |path: &PathBuf| path.display().to_string();
    let asked = sources.iter().map(|source| {
        let asked = Asked { digest: source.scenario.digest.clone(), known_bad: source.known_bad() };
        (source.scenario.name.clone(), asked)
    });
    Scope {
        suite: suite_digest(),
        chosen: args.scenarios.globs.clone(),
        known_bad: !args.scenarios.no_known_bad && !args.no_faults,
        instead: args.scenarios.dir.as_ref().map(shown),
        also: args.scenarios.also.iter().map(shown).collect(),
        scenarios: asked.collect(),
        enforced_rows: policy.required_in_full(),
        policy,
        aa: args.lanes.aa,
        no_faults: args.no_faults,
        baseline: None,
        drawn: drawn::count(args),
        lanes: BTreeMap::new(),
        left_out: BTreeMap::new(),
    }
}

/// When each fault and toxic of a scenario fired, lane by lane, in the order of the histories.
fn fire_times(driven: &Driven) -> Vec<FireTime> {
    let of_lane = |lane| {
        let run = driven.lane(lane);
        let at = move |after_us| Moment(run.started_us.saturating_add(after_us) / 1000).rfc3339_ms();
        fires(lane, &run.history, &run.times_us, at)
    };
    LaneId::BOTH.into_iter().flat_map(of_lane).collect()
}
