//! `junit.xml`, as the schema of Jenkins' xUnit plugin has it: `testsuites`, `testsuite`, `testcase`, with `failure` for
//! what is wrong, `error` for what is unknown, and `skipped` for rows of the matrix that no scenario claims.

use std::io::{self, Write};

use quick_xml::events::{BytesDecl, BytesText, Event};
use quick_xml::writer::{ElementWriter, Writer};

use super::Renderer;
use super::causes;
use super::words::{self, Tone};
use crate::check::Verdict;
use crate::evidence::causes::Cause;
use crate::evidence::document::{Evidence, Times};
use crate::evidence::judged::{JudgedScenario, ScenarioOutcome};
use crate::gate::RowVerdict;
use crate::text;

/// Writes JUnit XML.
#[derive(Debug, Clone, Copy, Default)]
pub struct JunitRenderer<'a> {
    /// How long it all took; zeros where that is not known.
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
    Failure { kind: &'static str, message: String, text: String },
    Error { message: String, text: String },
}

impl Renderer for JunitRenderer<'_> {
    fn render(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        let of = |bad: bool| {
            let scenarios = evidence.judged.scenarios.iter().filter(move |scenario| scenario.known_bad() == bad);
            scenarios.map(|scenario| self.case(evidence, scenario)).collect::<Vec<_>>()
        };
        let matrix = evidence.judged.matrix.iter().map(|row| matrix_case(evidence, row)).collect();
        let suites = [
            ("scenarios", of(false)),
            ("known-bad", of(true)),
            ("left-out", evidence.scope.left_out.iter().map(left_out_case).collect()),
            ("causes", evidence.judged.causes.iter().map(|cause| cause_case(evidence, cause)).collect()),
            ("matrix", matrix),
            ("gate", vec![decision_case(evidence)]),
        ];
        let all: Vec<&Case> = suites.iter().flat_map(|(_, cases)| cases).collect();
        let mut xml = Writer::new_with_indent(out, b' ', 2);
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        element(&mut xml, "testsuites", &totals("cutover", &all)).write_inner_content(|xml| {
            let mut suites = suites.iter().filter(|(_, cases)| !cases.is_empty());
            suites.try_for_each(|(name, cases)| suite(name, cases, evidence, xml))
        })?;
        xml.into_inner().write_all(b"\n")
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
            elapsed_ms: self.times.and_then(|times| times.scenarios_ms.get(&scenario.name)).copied().unwrap_or(0),
            result: match scenario.outcome {
                ScenarioOutcome::Passed | ScenarioOutcome::Caught => Outcome::Passed,
                ScenarioOutcome::Unknown => Outcome::Error { message, text },
                ScenarioOutcome::Failed => Outcome::Failure { kind: "invalid", message, text },
                ScenarioOutcome::Missed => Outcome::Failure { kind: "missed", message, text },
            },
            output: {
                let warnings = scenario.warnings.iter().map(|warning| format!("\nwarning: {}", warning.says));
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
    for (name, fact) in
        [("follows from it", causes::consequences(cause)), ("not judged because of it", causes::not_judged(cause))]
    {
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
        Verdict::Invalid => Outcome::Failure { kind: "invalid", message, text },
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
        Verdict::Invalid => Outcome::Failure { kind: "invalid", message, text },
    };
    Case { name: row.row.clone(), elapsed_ms: 0, result, output: row.meaning.clone() }
}

fn decision_case(evidence: &Evidence) -> Case {
    let message = format!("{}: {}", words::decision_and_rows(evidence), words::headline(evidence));
    let text = evidence.judged.decision.reasons.join("\n");
    let result = match words::tone(evidence) {
        Tone::Good => Outcome::Passed,
        Tone::Open => Outcome::Skipped(text),
        Tone::Bad => Outcome::Failure { kind: "block", message: message.clone(), text },
    };
    Case { name: "decision".to_owned(), elapsed_ms: 0, result, output: message }
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

/// What a list of cases comes to, as attributes of its element.
fn totals(name: &str, cases: &[&Case]) -> Vec<(&'static str, String)> {
    let count = |is: fn(&Outcome) -> bool| cases.iter().filter(|case| is(&case.result)).count().to_string();
    vec![
        ("name", name.to_owned()),
        ("tests", cases.len().to_string()),
        ("failures", count(|result| matches!(result, Outcome::Failure { .. }))),
        ("errors", count(|result| matches!(result, Outcome::Error { .. }))),
        ("time", time(cases.iter().map(|case| case.elapsed_ms).sum())),
    ]
}

type Xml<'w> = Writer<&'w mut dyn Write>;

/// An element to be filled. Its attributes hold any text.
fn element<'x, 'w>(
    xml: &'x mut Xml<'w>,
    name: &str,
    attributes: &[(&str, String)],
) -> ElementWriter<'x, &'w mut dyn Write> {
    let escaped: Vec<_> = attributes.iter().map(|(name, value)| (*name, text::xml(value))).collect();
    let attributes = escaped.iter().map(|(name, value)| (*name, value.as_str()));
    xml.create_element(name.to_owned()).with_attributes(attributes)
}

fn suite(name: &str, cases: &[Case], evidence: &Evidence, xml: &mut Xml<'_>) -> io::Result<()> {
    let name = format!("cutover.{name}");
    let mut attributes = totals(&name, &cases.iter().collect::<Vec<_>>());
    let skipped = cases.iter().filter(|case| matches!(case.result, Outcome::Skipped(_)));
    attributes.push(("skipped", skipped.count().to_string()));
    let properties = [
        ("seed", evidence.seed.to_string()),
        ("run", evidence.run.clone()),
        ("decision", words::decision_name(evidence).to_owned()),
        ("rows", words::rows_shown(evidence)),
    ];
    let inner = |xml: &mut Xml<'_>| {
        element(xml, "properties", &[]).write_inner_content(|xml| {
            properties.iter().try_for_each(|(name, value)| {
                let attributes = [("name", (*name).to_owned()), ("value", value.clone())];
                element(xml, "property", &attributes).write_empty().map(drop)
            })
        })?;
        cases.iter().try_for_each(|case| one(&name, case, xml))
    };
    element(xml, "testsuite", &attributes).write_inner_content(inner).map(drop)
}

fn one(suite: &str, case: &Case, xml: &mut Xml<'_>) -> io::Result<()> {
    let attributes = [("classname", suite.to_owned()), ("name", case.name.clone()), ("time", time(case.elapsed_ms))];
    let inner = |xml: &mut Xml<'_>| {
        match &case.result {
            Outcome::Passed => {}
            Outcome::Skipped(message) => {
                element(xml, "skipped", &[("message", message.clone())]).write_empty()?;
            }
            Outcome::Failure { kind, message, text } => wrong("failure", kind, message, text, xml)?,
            Outcome::Error { message, text } => wrong("error", "unknown", message, text, xml)?,
        }
        let output = text::xml(&case.output);
        element(xml, "system-out", &[]).write_text_content(BytesText::new(&output)).map(drop)
    };
    element(xml, "testcase", &attributes).write_inner_content(inner).map(drop)
}

fn wrong(name: &str, kind: &str, message: &str, text: &str, xml: &mut Xml<'_>) -> io::Result<()> {
    let attributes = [("type", kind.to_owned()), ("message", message.to_owned())];
    let text = text::xml(text);
    element(xml, name, &attributes).write_text_content(BytesText::new(&text)).map(drop)
}

/// Seconds with three decimals.
fn time(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}
