//! `cutover recheck`: reads a bundle, has everything computed anew, and says what does not hold.

use cutover_core::evidence::recheck::{Problem, Rechecked, recheck};
use cutover_core::evidence::render::wrap;
use cutover_core::evidence::{Judged, State};
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
        true => Exit::of(&rechecked.computed.decision, args.require_allow),
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
