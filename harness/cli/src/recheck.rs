//! `cutover recheck`: reads a bundle, has everything computed anew, and says what does not hold.

use cutover_core::evidence::layout;
use cutover_core::evidence::recheck::{Problem, Rechecked, recheck};
use cutover_core::evidence::render::wrap;
use cutover_core::evidence::repeat::{self, REPEAT_SCHEMA, Repeated};
use cutover_core::evidence::{Evidence, Judged, State};
use cutover_core::gate::Decision;
use serde::Serialize;

use crate::args::{RecheckArgs, TextOrJson};
use crate::bundle_dir::BundleThere;
use crate::compare::cannot_print;
use crate::exit::{Exit, Failure};
use crate::out::{Audience, Stdout};
use crate::scenarios;

/// So many problems are told one by one.
const MAX_TOLD: usize = 50;

#[derive(Serialize)]
struct Answer<'a> {
    schema: &'static str,
    holds: bool,
    exit_code: u8,
    problems: &'a [Problem],
    computed: &'a Judged,
}

/// Runs the command.
pub fn run(args: &RecheckArgs) -> Result<Exit, Failure> {
    if args.dir.join(layout::REPEAT).is_file() {
        return repeated(args);
    }
    one(args)
}

/// Rechecks each run of a repeated one, and what is said of all of them.
fn repeated(args: &RecheckArgs) -> Result<Exit, Failure> {
    let path = args.dir.join(layout::REPEAT);
    let bytes = std::fs::read(&path).map_err(|error| Failure::unreadable(&path, &error))?;
    let no_bundle = |what: String| Failure::usage(format!("{}: {what}", path.display()));
    let recorded: Repeated = serde_json::from_slice(&bytes).map_err(|error| no_bundle(error.to_string()))?;
    if recorded.schema != REPEAT_SCHEMA {
        return Err(no_bundle(format!(
            "its schema is `{}`, and this tool reads `{REPEAT_SCHEMA}`",
            recorded.schema
        )));
    }
    let mut worst = Exit::Allow;
    let mut documents = Vec::new();
    for nth in (1..).take(recorded.runs.len()) {
        let dir = args.dir.join(repeat::bundle(nth));
        let run = RecheckArgs { dir, ..args.clone() };
        let exit = one(&run)?;
        worst = worse(worst, exit);
        let document = run.dir.join(layout::EVIDENCE);
        let bytes = std::fs::read(&document).map_err(|error| Failure::unreadable(&document, &error))?;
        documents.extend(serde_json::from_slice::<Evidence>(&bytes));
    }
    let mut wrong = Vec::new();
    for (nth, document) in (1..).zip(&documents) {
        if document.seed != repeat::seed_of(recorded.seed, nth) {
            wrong.push(format!("{} is of another seed", repeat::bundle(nth)));
        }
    }
    if repeat::repeated(recorded.seed, recorded.asked, &documents).to_bytes() != bytes {
        wrong.push(format!("{} does not follow from the runs", layout::REPEAT));
    }
    if args
        .dir
        .join(repeat::bundle(u32::try_from(documents.len()).unwrap_or(u32::MAX) + 1))
        .exists()
    {
        wrong.push(format!("{} names fewer runs than there are", layout::REPEAT));
    }
    let mut out = Stdout::new();
    let dir = args.dir.display();
    let last = match wrong.is_empty() {
        true => format!(
            "HOLDS  what is said of {} runs follows from them in {dir}",
            documents.len()
        ),
        false => format!("{}\nDOES NOT HOLD  in {dir}", wrong.join("\n")),
    };
    if args.format == TextOrJson::Text || !wrong.is_empty() {
        out.say(&last).map_err(|error| cannot_print(&error))?;
    }
    if !wrong.is_empty() {
        return Ok(Exit::Invalid);
    }
    // Fewer runs than were asked for decide nothing better.
    Ok(worse(worst, Exit::of(recorded.decision, args.require_allow)))
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

/// Rechecks one run.
fn one(args: &RecheckArgs) -> Result<Exit, Failure> {
    let bundle = BundleThere::look(&args.dir)?;
    let compile = |name: &str, bytes: &[u8], build| scenarios::compile_bytes(name, bytes, build);
    let rechecked = recheck(&bundle, &compile)
        .map_err(|error| Failure::usage(format!("{} is no bundle of this tool: {error}", args.dir.display())))?;
    let text = match args.format {
        TextOrJson::Text => text(&rechecked, &args.dir.display().to_string(), Audience::of_stdout().width),
        TextOrJson::Json => json(&rechecked)?,
    };
    Stdout::new().say(&text).map_err(|error| cannot_print(&error))?;
    Ok(match rechecked.holds() {
        true => Exit::of(rechecked.computed.decision.decision, args.require_allow),
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
    for problem in rechecked.problems.iter().take(MAX_TOLD) {
        lines.extend(wrap(&printable(&format!("{}: {}", problem.file, problem.what)), width));
        let sides = [("expected", &problem.expected), ("found", &problem.found)];
        lines.extend(
            sides
                .iter()
                .filter_map(|(side, value)| value.as_ref().map(|value| format!("  {side:<8}  {}", printable(value)))),
        );
    }
    let problems = rechecked.problems.len();
    if problems > MAX_TOLD {
        lines.push(format!("… and {} more problems", problems - MAX_TOLD));
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
    lines.push(format!(
        "HOLDS  {what} follows from {scenarios} recorded scenarios in {dir}"
    ));
    let state = rechecked.evidence.as_ref().map(|evidence| &evidence.state);
    if state.is_some_and(|state| *state != State::Complete) {
        lines.push("  the run did not come to its end, so nothing is decided".to_owned());
    }
    let because = if decision.decision.blocks() { "because " } else { "" };
    lines.extend(
        decision
            .reasons
            .iter()
            .flat_map(|reason| wrap(&format!("{because}{reason}"), width)),
    );
    lines.join("\n")
}

/// A text of the bundle's as it can be shown: what would steer a terminal or turn the direction of a line is escaped.
fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let shown = |c: char| {
        if steers(c) {
            c.escape_unicode().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_the_rest_is_not() {
        assert_eq!(
            printable("plans/\u{1b}[31m\u{202e}.json"),
            "plans/\\u{1b}[31m\\u{202e}.json"
        );
        assert_eq!(printable("Größe … 5"), "Größe … 5");
    }
}
