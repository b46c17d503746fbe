//! `cutover recheck`: reads a bundle, computes everything again, and reports what does not hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cutover_core::evidence::layout;
use cutover_core::evidence::recheck::{MAX_FILE_BYTES, Problem, Rechecked, recheck};
use cutover_core::evidence::repeat::{self, REPEAT_SCHEMA, Repeated};
use cutover_core::evidence::{Evidence, Judged, State};
use cutover_core::gate::Decision;
use cutover_core::text::{visible, wrap};
use cutover_live::plain_file;
use serde::Serialize;

use crate::args::{RecheckArgs, TextOrJson};
use crate::bundle_dir::BundleThere;
use crate::exit::{Exit, Failure};
use crate::hosted;
use crate::out::{Audience, Stdout};
use crate::scenarios;

/// So many problems are reported one by one.
const MAX_REPORTED: usize = 50;

#[derive(Serialize)]
struct Answer<'a> {
    schema: &'static str,
    holds: bool,
    exit_code: u8,
    problems: &'a [Problem],
    computed: &'a Judged,
}

pub fn run(args: &RecheckArgs) -> Result<Exit, Failure> {
    if args.dir.join(layout::REPEAT).is_file() {
        return repeated(args);
    }
    if hosted::is_stage(&args.dir) {
        return hosted::recheck(args);
    }
    one(args)
}

const MAX_REPEAT_BYTES: u64 = 16 << 20;

fn repeated(args: &RecheckArgs) -> Result<Exit, Failure> {
    let dir = args.dir.display();
    let mut wrong = surplus_of_repeated(&args.dir)?;
    let recorded = if wrong.is_empty() { read_repeated(&args.dir).map_err(|what| wrong.push(what)).ok() } else { None };
    let mut worst = Exit::Allow;
    let mut documents = Vec::new();
    for nth in 1..=recorded.as_ref().map_or(0, |(recorded, _)| recorded.asked) {
        let run = RecheckArgs { dir: args.dir.join(repeat::bundle(nth)), ..args.clone() };
        if !run.dir.is_dir() {
            // After an interrupted run there are no more.
            break;
        }
        worst = worse(worst, one(&run)?);
        let document = plain_file::read(&run.dir.join(layout::EVIDENCE), MAX_FILE_BYTES).unwrap_or_default();
        if let (Some((recorded, _)), Ok(document)) = (&recorded, serde_json::from_slice::<Evidence>(&document)) {
            wrong.extend(recorded.differs(nth, &document));
            documents.push(document);
        }
    }
    if let Some((recorded, bytes)) = &recorded {
        if args.dir.join(repeat::bundle(recorded.asked.saturating_add(1))).exists() {
            wrong.push(format!("{} names fewer runs than there are", layout::REPEAT));
        }
        if repeat::repeated(recorded.seed, recorded.asked, &documents).to_bytes() != *bytes {
            wrong.push(format!("{} does not follow from the runs", layout::REPEAT));
        }
    }
    let holds = wrong.is_empty() && worst != Exit::Invalid;
    let runs = documents.len();
    let last = match holds {
        true => format!("HOLDS  what is said of {runs} runs follows from them in {dir}"),
        false if wrong.is_empty() => format!("a run in {dir} is invalid; see above"),
        false => format!("{}\nDOES NOT HOLD  in {dir}", wrong.join("\n")),
    };
    if args.format == TextOrJson::Text || !wrong.is_empty() {
        Stdout::new().say(&last)?;
    }
    match &recorded {
        _ if !wrong.is_empty() => Ok(Exit::Invalid),
        Some((recorded, _)) => Ok(worse(worst, Exit::of(recorded.decision, recorded.exit_code, args.require_allow))),
        None => Ok(Exit::Invalid),
    }
}

/// The problems of a directory of repeated runs: it has one summary, and a directory for each run, numbered without a
/// gap.
fn surplus_of_repeated(dir: &Path) -> Result<Vec<String>, Failure> {
    let unreadable = |error: std::io::Error| Failure::unreadable(dir, &error);
    let mut names = BTreeMap::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        names.insert(entry.file_name().to_string_lossy().into_owned(), kind);
    }
    let runs = (1..).take_while(|nth| names.contains_key(&repeat::bundle(*nth))).map(repeat::bundle);
    let runs: BTreeSet<String> = runs.collect();
    let mut wrong = Vec::new();
    for (name, kind) in names {
        let fits = match name.as_str() {
            layout::REPEAT => kind.is_file(),
            run if runs.contains(run) => kind.is_dir(),
            _ => false,
        };
        if !fits {
            wrong.push(format!("{}: is no part of repeated runs: it was added later", visible(&name)));
        }
    }
    Ok(wrong)
}

/// The summary of repeated runs, with its bytes; else what is wrong with it.
fn read_repeated(dir: &Path) -> Result<(Repeated, Vec<u8>), String> {
    let path = dir.join(layout::REPEAT);
    let problem = |what: String| format!("{}: {what}", layout::REPEAT);
    let bytes = plain_file::read(&path, MAX_REPEAT_BYTES).map_err(|error| problem(error.to_string()))?;
    let recorded: Repeated = serde_json::from_slice(&bytes).map_err(|error| problem(error.to_string()))?;
    if recorded.schema != REPEAT_SCHEMA {
        let found = visible(&recorded.schema);
        return Err(problem(format!("its schema is `{found}`, and this tool reads `{REPEAT_SCHEMA}`")));
    }
    Ok((recorded, bytes))
}

/// What is wrong is worse than what is unknown.
fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit| match exit {
        Exit::Allow => 0,
        Exit::Unknown => 1,
        _ => 2,
    };
    if rank(other) > rank(one) { other } else { one }
}

fn one(args: &RecheckArgs) -> Result<Exit, Failure> {
    let bundle = BundleThere::look(&args.dir)?;
    let compile = |name: &str, bytes: &[u8], build| scenarios::compile_bytes(name, bytes, build);
    let rechecked = recheck(&bundle, &compile)
        .map_err(|error| Failure::usage(format!("{} is no bundle of this tool: {error}", args.dir.display())))?;
    let mut out = Stdout::new();
    match args.format {
        TextOrJson::Text => {
            let dir = args.dir.display().to_string();
            out.say(&text(&rechecked, &dir, Audience::of_stdout().width))
        }
        TextOrJson::Json => out.exact(&(json(&rechecked)? + "\n")),
    }?;
    Ok(match rechecked.holds() {
        true => {
            let decided = &rechecked.computed.decision;
            Exit::of(decided.decision, decided.exit_code, args.require_allow)
        }
        false => Exit::Invalid,
    })
}

fn json(rechecked: &Rechecked) -> Result<String, Failure> {
    let answer = Answer {
        schema: "cutover.recheck/1",
        holds: rechecked.holds(),
        exit_code: rechecked.exit_code(),
        problems: &rechecked.problems,
        computed: &rechecked.computed,
    };
    serde_json::to_string_pretty(&answer).map_err(|error| Failure::fault(error.to_string()))
}

fn text(rechecked: &Rechecked, dir: &str, width: usize) -> String {
    let mut lines = Vec::new();
    for problem in rechecked.problems.iter().take(MAX_REPORTED) {
        lines.extend(wrap(&visible(&format!("{}: {}", problem.file, problem.what)), width));
        let sides = [("expected", &problem.expected), ("found", &problem.found)];
        lines.extend(
            sides
                .iter()
                .filter_map(|(side, value)| value.as_ref().map(|value| format!("  {side:<8}  {}", visible(value)))),
        );
    }
    let problems = rechecked.problems.len();
    if problems > MAX_REPORTED {
        lines.push(format!("… and {} more problems", problems - MAX_REPORTED));
    }
    if !rechecked.holds() {
        let plural = if problems == 1 { "problem" } else { "problems" };
        lines.push(format!("DOES NOT HOLD  {problems} {plural} in {dir}"));
        return lines.join("\n");
    }
    let decision = &rechecked.computed.decision;
    let what = match decision.decision {
        Decision::Allow => "the decision to allow",
        Decision::PassedInPart => "that this part of the gate passed",
        Decision::NoDifference => "that a lane does not differ from itself",
        Decision::ValidWithoutFaults => "that the scenarios are valid without faults",
        Decision::BlockUnknown | Decision::BlockInvalid => "the decision to block",
    };
    let scenarios = rechecked.computed.scenarios.len();
    lines.push(format!("HOLDS  {what} follows from {scenarios} recorded scenarios in {dir}"));
    let state = rechecked.evidence.as_ref().map(|evidence| &evidence.state);
    if state.is_some_and(|state| *state != State::Complete) {
        lines.push("  the run did not come to its end, so nothing is decided".to_owned());
    }
    let because = if decision.decision.blocks() { "because " } else { "" };
    if decision.advisory {
        lines.push("the policy is advisory, so that the exit code says nothing of the decision".to_owned());
    }
    lines.extend(decision.waived.iter().flat_map(|waived| wrap(&format!("let pass by the policy: {waived}"), width)));
    lines.extend(decision.reasons.iter().flat_map(|reason| wrap(&format!("{because}{reason}"), width)));
    lines.join("\n")
}
