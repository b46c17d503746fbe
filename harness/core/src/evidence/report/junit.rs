//! `junit.xml`, as the schema of Jenkins' xUnit plugin has it: `testsuites`, `testsuite`, `testcase`, with `failure`
//! for what is wrong, `error` for what is unknown, and `skipped` for rows of the matrix that no scenario claims.

use std::io::{self, Write};

use super::format::{Format, Page};
use super::model::{Cause, Report, Scenario, Tone};
use super::rows::Row;
use crate::check::Verdict;
use crate::evidence::judged::ScenarioOutcome;
use crate::text::html as markup;

pub const FORMAT: Format = Format {
    option: Some(("junit", "JUnit XML, for the test report of a CI")),
    page: Some(Page { path: "junit.xml", about: "the same as a test report, for a CI" }),
    at_terminal: false,
    print,
    repeated: None,
};

struct Case {
    name: String,
    elapsed_ms: u64,
    result: Outcome,
    output: String,
}

enum Outcome {
    Passed,
    Skipped(String),
    Failure { kind: &'static str, message: String, text: String },
    Error { message: String, text: String },
}

fn print(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let of = |scenarios: Vec<&Scenario<'_>>| -> Vec<Case> {
        scenarios.into_iter().map(|scenario| scenario_case(report, scenario)).collect()
    };
    let suites = [
        ("scenarios", of(report.honest())),
        ("known-bad", of(report.known_bad())),
        ("left-out", report.left_out.iter().map(left_out_case).collect()),
        ("causes", report.causes.iter().map(|cause| cause_case(report, cause)).collect()),
        ("matrix", report.rows.iter().map(row_case).collect()),
        ("gate", vec![decision_case(report)]),
    ];
    let all: Vec<&Case> = suites.iter().flat_map(|(_, cases)| cases).collect();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"cutover\" {}>", totals(&all))?;
    for (name, cases) in suites.iter().filter(|(_, cases)| !cases.is_empty()) {
        suite(&format!("cutover.{name}"), cases, report, out)?;
    }
    writeln!(out, "</testsuites>")
}

fn scenario_case(report: &Report<'_>, scenario: &Scenario<'_>) -> Case {
    let own = match (scenario.reasons.first(), scenario.findings.first()) {
        (Some(reason), _) => reason.clone(),
        (None, Some(finding)) => format!("{}: {}", finding.heading, finding.says),
        (None, None) => scenario.outcome.as_str().to_owned(),
    };
    let message = match report.cause_of(scenario) {
        Some(cause) if scenario.known_bad => {
            format!("could not be judged, since {} ({})", cause.says, cause.extent)
        }
        Some(cause) => format!("{} ({}): {own}", cause.title, cause.extent),
        None => own,
    };
    let text = prose(scenario);
    let warnings: String = scenario.warnings.iter().map(|says| format!("\nwarning: {says}")).collect();
    Case {
        name: scenario.name.to_owned(),
        elapsed_ms: scenario.elapsed_ms.unwrap_or(0),
        result: match scenario.outcome {
            ScenarioOutcome::Passed | ScenarioOutcome::Caught => Outcome::Passed,
            ScenarioOutcome::Unknown => Outcome::Error { message, text },
            ScenarioOutcome::Failed => Outcome::Failure { kind: "invalid", message, text },
            ScenarioOutcome::Missed => Outcome::Failure { kind: "missed", message, text },
        },
        output: format!("{}{warnings}\n{}", scenario.title, scenario.reproduce),
    }
}

fn left_out_case((name, reason): (&String, &String)) -> Case {
    let output = format!("left out: {reason}");
    Case { name: name.clone(), elapsed_ms: 0, result: Outcome::Skipped(reason.clone()), output }
}

/// A cause as a case of its own, so that it is reported once.
fn cause_case(report: &Report<'_>, cause: &Cause<'_>) -> Case {
    let mut lines: Vec<String> = cause.facts().map(|(name, fact)| format!("{name}: {fact}")).collect();
    if let Some((scenario, finding)) = report.witness(cause) {
        lines.push(format!("witness: {}: {}", scenario.name, finding.says));
        lines.push(format!("reproduce: {}", scenario.reproduce));
    }
    let (message, text) = (format!("{} ({})", cause.title, cause.extent), lines.join("\n"));
    let result = match cause.verdict {
        Verdict::Invalid => Outcome::Failure { kind: "invalid", message, text },
        _ => Outcome::Error { message, text },
    };
    Case { name: cause.key.clone(), elapsed_ms: 0, result, output: cause.title.clone() }
}

fn row_case(row: &Row<'_>) -> Case {
    let [legacy, candidate] = &row.seen;
    let saw = format!("{}, legacy {legacy}, candidate {candidate}", row.standing());
    let message = row.why_not.as_ref().map_or_else(|| saw.clone(), |why_not| format!("{saw}: {why_not}"));
    let text = row.meaning.to_owned();
    let result = match row.verdict {
        Verdict::Valid => Outcome::Passed,
        Verdict::Unknown if !row.required => Outcome::Skipped(message),
        Verdict::Unknown => Outcome::Error { message, text },
        Verdict::Invalid => Outcome::Failure { kind: "invalid", message, text },
    };
    Case { name: row.name.to_owned(), elapsed_ms: 0, result, output: row.meaning.to_owned() }
}

fn decision_case(report: &Report<'_>) -> Case {
    let message = format!("{}: {}", report.title(), report.headline);
    let text = report.reasons.join("\n");
    let result = match report.tone {
        Tone::Good => Outcome::Passed,
        Tone::Open => Outcome::Skipped(text),
        Tone::Bad => Outcome::Failure { kind: "block", message: message.clone(), text },
    };
    let waived = report.waived.iter().map(|waived| format!("\nlet pass by the policy: {waived}"));
    let output = message + &waived.collect::<String>();
    Case { name: "decision".to_owned(), elapsed_ms: 0, result, output }
}

fn prose(scenario: &Scenario<'_>) -> String {
    let mut lines = scenario.reasons.to_vec();
    for finding in &scenario.findings {
        lines.push(format!("{}\n  {}", finding.heading, finding.says));
        lines.extend(finding.records.iter().map(|record| format!("  {}  {}", record.place, record.says)));
    }
    lines.push(format!("reproduce: {}", scenario.reproduce));
    lines.join("\n")
}

/// What a list of cases comes to, as attributes of its element.
fn totals(cases: &[&Case]) -> String {
    let count = |is: fn(&Outcome) -> bool| cases.iter().filter(|case| is(&case.result)).count();
    let failures = count(|result| matches!(result, Outcome::Failure { .. }));
    let errors = count(|result| matches!(result, Outcome::Error { .. }));
    let time = time(cases.iter().map(|case| case.elapsed_ms).sum());
    format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{time}\"", cases.len())
}

fn suite(name: &str, cases: &[Case], report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let totals = totals(&cases.iter().collect::<Vec<_>>());
    let skipped = cases.iter().filter(|case| matches!(case.result, Outcome::Skipped(_))).count();
    writeln!(out, "  <testsuite name=\"{name}\" {totals} skipped=\"{skipped}\">\n    <properties>")?;
    let seed = report.document.seed.to_string();
    let run = ("run", report.document.run.as_str());
    for (name, value) in [("seed", &*seed), run, ("decision", report.decision), ("rows", &report.rows_shown)] {
        writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", markup(value))?;
    }
    writeln!(out, "    </properties>")?;
    for case in cases {
        let (case_name, time) = (markup(&case.name), time(case.elapsed_ms));
        writeln!(out, "    <testcase classname=\"{name}\" name=\"{case_name}\" time=\"{time}\">")?;
        match &case.result {
            Outcome::Passed => {}
            Outcome::Skipped(message) => writeln!(out, "      <skipped message=\"{}\"/>", markup(message))?,
            Outcome::Failure { kind, message, text } => wrong("failure", kind, message, text, out)?,
            Outcome::Error { message, text } => wrong("error", "unknown", message, text, out)?,
        }
        writeln!(out, "      <system-out>{}</system-out>\n    </testcase>", markup(&case.output))?;
    }
    writeln!(out, "  </testsuite>")
}

fn wrong(name: &str, kind: &str, message: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let (message, text) = (markup(message), markup(text));
    writeln!(out, "      <{name} type=\"{kind}\" message=\"{message}\">{text}</{name}>")
}

/// Seconds with three decimals.
fn time(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}
