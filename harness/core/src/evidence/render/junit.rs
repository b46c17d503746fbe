//! `junit.xml`, in the shape that common CI readers agree on: `testsuites`, `testsuite`, `testcase`, with `failure` for what
//! is wrong, `error` for what is unknown, and `skipped` for rows of the matrix that nobody claims.

use std::io::{self, Write};

use super::Renderer;
use super::causes;
use super::words::{self, Tone};
use crate::check::Verdict;
use crate::evidence::causes::Cause;
use crate::evidence::document::{Evidence, Times};
use crate::evidence::judged::{JudgedScenario, ScenarioOutcome};
use crate::gate::RowVerdict;

/// Writes JUnit XML.
#[derive(Debug, Clone, Copy, Default)]
pub struct JunitRenderer<'a> {
    /// How long it all took; zeros where nobody knows.
    pub times: Option<&'a Times>,
}

/// One test case, ready to be written.
struct Case {
    name: String,
    elapsed_ms: u64,
    result: Outcome,
    output: String,
}

enum Outcome {
    Passed,
    Skipped(String),
    Failure {
        kind: &'static str,
        message: String,
        text: String,
    },
    Error {
        message: String,
        text: String,
    },
}

impl Renderer for JunitRenderer<'_> {
    fn render(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        let of = |bad: bool| {
            let scenarios = evidence
                .judged
                .scenarios
                .iter()
                .filter(move |scenario| scenario.known_bad() == bad);
            scenarios
                .map(|scenario| self.case(evidence, scenario))
                .collect::<Vec<_>>()
        };
        let matrix = evidence
            .judged
            .matrix
            .iter()
            .map(|row| matrix_case(evidence, row))
            .collect();
        let suites = [
            ("scenarios", of(false)),
            ("known-bad", of(true)),
            ("left-out", evidence.scope.left_out.iter().map(left_out_case).collect()),
            (
                "causes",
                evidence
                    .judged
                    .causes
                    .iter()
                    .map(|cause| cause_case(evidence, cause))
                    .collect(),
            ),
            ("matrix", matrix),
            ("gate", vec![decision_case(evidence)]),
        ];
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        let all: Vec<&Case> = suites.iter().flat_map(|(_, cases)| cases).collect();
        writeln!(out, "<testsuites name=\"cutover\" {}>", totals(&all))?;
        for (name, cases) in suites.iter().filter(|(_, cases)| !cases.is_empty()) {
            suite(name, cases, evidence, out)?;
        }
        writeln!(out, "</testsuites>")
    }
}

impl JunitRenderer<'_> {
    fn case(&self, evidence: &Evidence, scenario: &JudgedScenario) -> Case {
        let own = match (scenario.reasons.first(), scenario.findings.first()) {
            (Some(reason), _) => reason.clone(),
            (None, Some(finding)) => format!("{}: {}", words::heading(&finding.finding), finding.says),
            (None, None) => words::outcome(scenario).to_owned(),
        };
        let message = match causes::of_scenario(evidence, scenario) {
            Some(cause) if scenario.known_bad() => {
                format!("could not be judged, since {} ({})", cause.says, causes::extent(cause))
            }
            Some(cause) => format!("{} ({}): {own}", causes::title(cause), causes::extent(cause)),
            None => own,
        };
        let text = prose(evidence, scenario);
        Case {
            name: scenario.name.clone(),
            elapsed_ms: self
                .times
                .and_then(|times| times.scenarios_ms.get(&scenario.name))
                .copied()
                .unwrap_or(0),
            result: match scenario.outcome {
                ScenarioOutcome::Passed | ScenarioOutcome::Caught => Outcome::Passed,
                ScenarioOutcome::Unknown => Outcome::Error { message, text },
                ScenarioOutcome::Failed => Outcome::Failure {
                    kind: "invalid",
                    message,
                    text,
                },
                ScenarioOutcome::Missed => Outcome::Failure {
                    kind: "missed",
                    message,
                    text,
                },
            },
            output: {
                let warnings = scenario
                    .warnings
                    .iter()
                    .map(|warning| format!("\nwarning: {}", warning.says));
                let warnings: String = warnings.collect();
                format!("{}{warnings}\n{}", scenario.title, words::reproduce(evidence, scenario))
            },
        }
    }
}

fn left_out_case((name, reason): (&String, &String)) -> Case {
    Case {
        name: name.clone(),
        elapsed_ms: 0,
        result: Outcome::Skipped(reason.clone()),
        output: format!("left out: {reason}"),
    }
}

/// A cause as a case of its own, so that it is told once.
fn cause_case(evidence: &Evidence, cause: &Cause) -> Case {
    let message = format!("{} ({})", causes::title(cause), causes::extent(cause));
    let mut lines = vec![format!("scenarios: {}", causes::scenarios(cause))];
    for (name, fact) in [
        ("follows from it", causes::consequences(cause)),
        ("not judged because of it", causes::not_judged(cause)),
    ] {
        if !fact.is_empty() {
            lines.push(format!("{name}: {fact}"));
        }
    }
    if let Some((scenario, finding)) = causes::witness(evidence, cause) {
        lines.push(format!("witness: {}: {}", scenario.name, finding.says));
        lines.push(format!("reproduce: {}", words::reproduce(evidence, scenario)));
    }
    let text = lines.join("\n");
    let result = match cause.verdict {
        Verdict::Invalid => Outcome::Failure {
            kind: "invalid",
            message,
            text,
        },
        _ => Outcome::Error { message, text },
    };
    let lane = cause.lane.map_or("both lanes", |lane| lane.as_str());
    Case {
        name: format!("{lane} {} {}", cause.checker, cause.reason),
        elapsed_ms: 0,
        result,
        output: causes::title(cause),
    }
}

fn matrix_case(evidence: &Evidence, row: &RowVerdict) -> Case {
    let message = words::not_shown(evidence, row).unwrap_or_else(|| row.verdict.to_string());
    let text = row.meaning.clone();
    let result = match row.verdict {
        Verdict::Valid => Outcome::Passed,
        Verdict::Unknown if !evidence.scope.enforced_rows.contains(&row.row) => Outcome::Skipped(message),
        Verdict::Unknown => Outcome::Error { message, text },
        Verdict::Invalid => Outcome::Failure {
            kind: "invalid",
            message,
            text,
        },
    };
    Case {
        name: row.row.clone(),
        elapsed_ms: 0,
        result,
        output: row.meaning.clone(),
    }
}

fn decision_case(evidence: &Evidence) -> Case {
    let message = format!("{}: {}", words::decision_and_rows(evidence), words::headline(evidence));
    let text = evidence.judged.decision.reasons.join("\n");
    let result = match words::tone(evidence) {
        Tone::Good => Outcome::Passed,
        Tone::Open => Outcome::Skipped(text),
        Tone::Bad => Outcome::Failure {
            kind: "block",
            message: message.clone(),
            text,
        },
    };
    Case {
        name: "decision".to_owned(),
        elapsed_ms: 0,
        result,
        output: message,
    }
}

fn prose(evidence: &Evidence, scenario: &JudgedScenario) -> String {
    let mut lines = scenario.reasons.clone();
    for finding in &scenario.findings {
        lines.push(format!("{}\n  {}", words::heading(&finding.finding), finding.says));
        let records = finding.shown_by.iter();
        lines.extend(records.map(|shown| format!("  {}  {}", words::place(&scenario.name, shown), shown.record)));
    }
    lines.push(format!("reproduce: {}", words::reproduce(evidence, scenario)));
    lines.join("\n")
}

fn totals(cases: &[&Case]) -> String {
    let count = |is: fn(&Outcome) -> bool| cases.iter().filter(|case| is(&case.result)).count();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\"",
        cases.len(),
        count(|result| matches!(result, Outcome::Failure { .. })),
        count(|result| matches!(result, Outcome::Error { .. })),
        count(|result| matches!(result, Outcome::Skipped(_))),
        time(cases.iter().map(|case| case.elapsed_ms).sum()),
    )
}

fn suite(name: &str, cases: &[Case], evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    let totals = totals(&cases.iter().collect::<Vec<_>>());
    writeln!(out, "  <testsuite name=\"cutover.{name}\" {totals}>")?;
    writeln!(out, "    <properties>")?;
    let properties = [
        ("seed", evidence.seed.to_string()),
        ("run", evidence.run.clone()),
        ("decision", words::decision_name(evidence).to_owned()),
        ("rows", words::rows_shown(evidence)),
    ];
    for (property, value) in properties {
        writeln!(
            out,
            "      <property name=\"{property}\" value=\"{}\"/>",
            escaped(&value)
        )?;
    }
    writeln!(out, "    </properties>")?;
    for case in cases {
        let attributes = format!("name=\"{}\" time=\"{}\"", escaped(&case.name), time(case.elapsed_ms));
        writeln!(out, "    <testcase classname=\"cutover.{name}\" {attributes}>")?;
        result(&case.result, out)?;
        writeln!(out, "      <system-out>{}</system-out>", escaped(&case.output))?;
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "  </testsuite>")
}

fn result(result: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    match result {
        Outcome::Passed => Ok(()),
        Outcome::Skipped(message) => writeln!(out, "      <skipped message=\"{}\"/>", escaped(message)),
        Outcome::Failure { kind, message, text } => {
            let (message, text) = (escaped(message), escaped(text));
            writeln!(
                out,
                "      <failure type=\"{kind}\" message=\"{message}\">{text}</failure>"
            )
        }
        Outcome::Error { message, text } => {
            let (message, text) = (escaped(message), escaped(text));
            writeln!(
                out,
                "      <error type=\"unknown\" message=\"{message}\">{text}</error>"
            )
        }
    }
}

/// Seconds with three decimals.
fn time(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Text as XML holds it. Characters that XML 1.0 has no place for, not even as a reference, are shown as U+FFFD.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' | '\r' => escaped.push(c),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
    }
    escaped
}
