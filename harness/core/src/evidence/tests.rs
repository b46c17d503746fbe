//! Snapshots of every renderer, over a fabricated run in which everything that can be shown is shown.
#![allow(clippy::unwrap_used)]

mod causes;
mod decisions;
mod junit;

use std::collections::{BTreeMap, BTreeSet};

use super::layout::FileEntry;
use super::report::{FORMATS, Report, Terminal, pages, report};
use super::*;
use crate::check::Verdict;
use crate::check::tests::finding;
use crate::gate::fit::{Means, ServerKind};
use crate::gate::{Asked, DRAWN, Scope, Shortfall, drawn_name, suite_digest};
use crate::hash::sha256;
use crate::ids::{LaneId, Seed};
use crate::matrix::row;
use crate::plan::Expectation;
use crate::stats::{Budgets, Comparison, Sample, compare};

pub(super) fn seen(deliveries: u64, resumes: u64, duplicates: u64, faults: u64) -> Seen {
    Seen { deliveries, resumes, refusals: 0, duplicates, faults, unplanned_ends: 0, unplanned_silences: 0 }
}

pub(super) fn scenario(name: &str, title: &str, outcome: ScenarioOutcome, seen: [Seen; 2]) -> JudgedScenario {
    JudgedScenario {
        name: name.to_owned(),
        digest: sha256(name.as_bytes()),
        title: title.to_owned(),
        proves: vec!["replay-determinism".to_owned()],
        parts: LaneId::BOTH
            .map(|lane| (lane, row("replay-determinism").unwrap().parts.iter().copied().collect()))
            .into(),
        steps: 3,
        expect: Expectation::Allow,
        verdict: match outcome {
            ScenarioOutcome::Passed | ScenarioOutcome::Caught => Verdict::Valid,
            ScenarioOutcome::Unknown => Verdict::Unknown,
            _ => Verdict::Invalid,
        },
        outcome,
        reasons: vec![],
        checkers: BTreeMap::from([("gap".to_owned(), Verdict::Valid)]),
        measured: BTreeMap::new(),
        left_out: 0,
        findings: vec![],
        warnings: vec![],
        waived: BTreeMap::new(),
        normalised: BTreeMap::new(),
        passed_over: BTreeMap::new(),
        seen: LaneId::BOTH.into_iter().zip(seen).collect(),
        ledger: vec![LedgerEntry {
            fault: "cut-3".into(),
            lane: LaneId::Legacy,
            client: "phone".into(),
            fired: 1,
            hit: Some("delivery run:alpha:events 3".to_owned()),
        }],
    }
}

pub(super) fn known_bad(name: &str, outcome: ScenarioOutcome) -> JudgedScenario {
    let lane = LaneId::Candidate;
    let found = finding("gap", "skipped").on(lane).in_stream("run:alpha:events").of_event(5);
    let mut scenario =
        scenario(name, "A delivery is taken out of the stream", outcome, [seen(10, 0, 10, 0), seen(9, 0, 0, 1)]);
    scenario.expect = Expectation::Block { findings: vec!["gap".to_owned()], lane };
    if outcome == ScenarioOutcome::Caught {
        scenario.findings.push(JudgedFinding {
            finding: found,
            says: "client phone went from seq 4 to seq 6".to_owned(),
            explained_by: None,
            shown_by: vec![],
        });
    } else {
        scenario.reasons.push("it must be caught with exactly gap on candidate, but nothing was found".to_owned());
    }
    scenario
}

fn failed() -> JudgedScenario {
    let title = "Resuming after a cut at every position gives the same stream";
    let mut failed = scenario(
        "resume-after-a-cut-at-every-position",
        title,
        ScenarioOutcome::Failed,
        [seen(4800, 240, 4800, 240), seen(4799, 239, 17, 240)],
    );
    let found = finding("hash-mismatch", "not-what-was-published")
        .on(LaneId::Candidate)
        .at_client("tablet <b>")
        .in_stream("run:alpha:events")
        .of_event(17);
    failed.findings.push(JudgedFinding {
        finding: found.clone(),
        says: "the payload of seq 17 is another one than was published: at /a/0 \"x & y\" became \"x | y\"".to_owned(),
        explained_by: None,
        shown_by: vec![ShownBy {
            lane: LaneId::Candidate,
            line: 218,
            record:
                "delivered to tablet <b>: run:alpha:events seq 17, sha256:9f86d081884c7d65, by transaction, applied"
                    .to_owned(),
        }],
    });
    for seq in 20..27 {
        let found = finding("gap", "skipped").on(LaneId::Candidate).in_stream("run:b:events").of_event(seq);
        failed.findings.push(JudgedFinding {
            finding: found,
            says: "skipped".to_owned(),
            explained_by: None,
            shown_by: vec![],
        });
    }
    failed.reasons.push("8 findings on the candidate lane".to_owned());
    failed
}

/// A run of these scenarios over lanes of our own.
fn scope(scenarios: &[JudgedScenario]) -> Scope {
    let asked = scenarios.iter().map(|scenario| {
        let asked = Asked { digest: scenario.digest.clone(), known_bad: scenario.known_bad() };
        (scenario.name.clone(), asked)
    });
    Scope {
        suite: suite_digest(),
        known_bad: true,
        scenarios: asked.collect(),
        lanes: LaneId::BOTH.map(|lane| (lane, Means::of_ours(ServerKind::BuiltIn))).into(),
        ..Scope::default()
    }
}

/// 80 times of each lane, of which the candidate's are longer.
fn measured() -> Comparison {
    let lane = |more: u32| -> Vec<Sample> {
        let sample = |nth: u32| Sample { us: u64::from(1_000 + 37 * (nth * 7 % 80) + more), block: nth / 4 + 1 };
        (0..80).map(sample).collect()
    };
    compare([&lane(0), &lane(12_345)], &Budgets::default().latency, Seed(1))
}

/// A run with every kind of outcome.
pub(crate) fn blocked() -> Evidence {
    let mut unknown = scenario("server-paused", "A paused server", ScenarioOutcome::Unknown, [seen(0, 0, 0, 0); 2]);
    unknown.warnings.push(JudgedFinding {
        finding: finding("unplanned-end", "few").on(LaneId::Candidate),
        says: "candidate: a connection of client <b> ended with 1011, which nothing planned".to_owned(),
        explained_by: None,
        shown_by: vec![],
    });
    unknown.reasons.push("vacuous: 0 deliveries on the legacy lane, at least 40 are asked for".to_owned());
    let mut passed = scenario(
        "equal-streams",
        "Two streams without faults",
        ScenarioOutcome::Passed,
        [seen(120, 0, 120, 0), seen(120, 0, 0, 0)],
    );
    passed.measured = BTreeMap::from([("latency".to_owned(), measured())]);
    let scenarios = vec![
        passed,
        failed(),
        unknown,
        known_bad("known-bad/drop-delivery", ScenarioOutcome::Caught),
        known_bad("known-bad/forget-a-stream", ScenarioOutcome::Missed),
    ];
    let scope = scope(&scenarios);
    let judged = decide(scenarios, &scope, &State::Complete);
    let server = |what: &str, version: &str| LaneServer {
        what: what.to_owned(),
        version: Some(version.to_owned()),
        spoken: BTreeSet::from(["v1.bsatn.spacetimedb, gzip, reads not confirmed".to_owned()]),
    };
    let commit = Checkout { commit: "0123456789abcdef0123456789abcdef01234567".to_owned(), dirty: true };
    Evidence {
        schema: EVIDENCE_SCHEMA.to_owned(),
        state: State::Complete,
        run: "20260225T190000Z-42".to_owned(),
        tool: Tool { name: "cutover".to_owned(), version: "0.1.0".to_owned(), built_from: Some(commit) },
        checkout: None,
        command: ["cutover", "gate", "--seed", "42"].map(str::to_owned).to_vec(),
        reproduce: "cutover gate --seed 42".to_owned(),
        seed: Seed(42),
        repeat: None,
        scope,
        toxiproxy: None,
        lanes: BTreeMap::from([
            (LaneId::Legacy, server("built-in", "reference 0.1.0")),
            (LaneId::Candidate, server("built-in", "SpacetimeDB 1.2.0")),
        ]),
        module_digest: Some(sha256(b"module")),
        environment: None,
        calibration: None,
        judged,
        files: BTreeMap::from([(layout::plan("equal-streams"), FileEntry::of(b"{}"))]),
        digest: String::new(),
    }
}

/// A run of some scenarios, all good.
fn passed_in_part() -> Evidence {
    let mut evidence = blocked();
    evidence.judged.scenarios.retain(|scenario| scenario.outcome.is_good());
    of_scope(evidence, |_| {})
}

/// The run with another scope, decided anew.
fn of_scope(mut evidence: Evidence, change: impl FnOnce(&mut Scope)) -> Evidence {
    evidence.scope = scope(&evidence.judged.scenarios);
    change(&mut evidence.scope);
    evidence.judged = decide(evidence.judged.scenarios, &evidence.scope, &State::Complete);
    evidence
}

/// A run of the whole built-in suite, all good.
fn allowed() -> Evidence {
    let mut evidence = passed_in_part();
    let suite = crate::scenario::stock().iter().map(|(path, text)| {
        let name = path.rsplit('/').next().unwrap().trim_end_matches(".toml");
        let mut scenario = match path.contains("/known-bad/") {
            true => known_bad(name, ScenarioOutcome::Caught),
            false => scenario(name, "Of the suite", ScenarioOutcome::Passed, [seen(9, 1, 0, 0); 2]),
        };
        scenario.digest = sha256(text.as_bytes());
        let read = crate::scenario::Scenario::parse(path, text).unwrap();
        (scenario.proves, scenario.parts) = (read.proves, read.earns);
        scenario
    });
    let drawn = (1..=DRAWN).map(drawn_name);
    let drawn = drawn.map(|name| scenario(&name, "Drawn: policy", ScenarioOutcome::Passed, [seen(9, 1, 0, 0); 2]));
    evidence.judged.scenarios = suite.chain(drawn).collect();
    of_scope(evidence, |scope| scope.drawn = DRAWN)
}

/// A run over lanes that are not our own.
fn outside() -> Evidence {
    let mut evidence = passed_in_part();
    let left_out = [
        ("drop-event", "it plants a defect in the built-in legacy server, which does not run here"),
        ("legacy-killed", "it kills or pauses the legacy server, which this tool did not start"),
        ("swap-live", "it plants a defect in the built-in legacy server, which does not run here"),
    ];
    evidence.scope.left_out = left_out.map(|(name, why)| (name.to_owned(), why.to_owned())).into();
    evidence
}

fn fire() -> FireTime {
    FireTime {
        lane: LaneId::Legacy,
        fault: "cut-3".into(),
        conn: 1,
        frame: 7,
        line: 42,
        after_us: 120_500,
        at: "2026-02-25T19:00:03.120Z".to_owned(),
    }
}

fn times() -> Times {
    Times {
        schema: RUN_TIMES_SCHEMA.to_owned(),
        started: "2026-02-25T19:00:00Z".to_owned(),
        elapsed_ms: Some(41_250),
        lanes: BTreeMap::new(),
        scenarios_ms: BTreeMap::from([("equal-streams".to_owned(), 812), ("server-paused".to_owned(), 12_000)]),
        fires: BTreeMap::from([("equal-streams".to_owned(), vec![fire()])]),
    }
}

/// A report in the format of this option or page.
fn printed(format: &str, report: &Report<'_>) -> String {
    let is_it = |option: Option<(&str, &str)>, path: Option<&str>| {
        option.map(|(name, _)| name) == Some(format) || path == Some(format)
    };
    let found = FORMATS.iter().find(|one| is_it(one.option, one.page.as_ref().map(|page| page.path)));
    String::from_utf8(found.unwrap().to_bytes(report)).unwrap()
}

pub(crate) fn rendered(format: &str, evidence: &Evidence) -> String {
    printed(format, &report(evidence, &times()))
}

pub(super) fn at_terminal(width: usize, evidence: &Evidence) -> String {
    let bundle = Some("reports/20260225T190000Z-42");
    printed("text", &report(evidence, &times()).at(Terminal { width, color: false, bundle }))
}

#[test]
fn a_blocked_run_at_80_columns() {
    let text = at_terminal(80, &blocked());
    insta::assert_snapshot!(text);
    fits(&text, 80);
}

#[test]
fn commands_are_quoted_for_a_shell_where_they_need_it() {
    let mut evidence = blocked();
    "/opt/my `tools`/cutover".clone_into(&mut evidence.command[0]);
    evidence.scope.chosen = vec!["it's-*".to_owned()];
    let times = Times::default();
    let terminal = Terminal { width: 80, color: false, bundle: Some("my runs/$(id)") };
    let told = printed("text", &report(&evidence, &times).at(terminal));
    let recheck = "  recheck    '/opt/my `tools`/cutover' recheck 'my runs/$(id)'\n";
    assert!(told.contains(recheck), "{told}");
    let told = rendered("markdown", &evidence);
    let again = r"| reproduce | `cutover gate --seed 42 --scenario 'it'\''s-*'` |";
    assert!(told.contains(again), "{told}");
}

/// No line is longer than this but for commands and paths, which are there to be copied.
pub(super) fn fits(text: &str, width: usize) {
    let too_long: Vec<_> = text
        .lines()
        .filter(|line| line.chars().count() > width)
        .filter(|line| !line.trim_start().starts_with("reproduce") && line.trim().contains(' '))
        .collect();
    assert!(too_long.is_empty(), "{too_long:#?}");
}

#[test]
fn ends_that_nothing_planned_are_summed_over_scenarios() {
    let with = |ends: u64| {
        let names = ["one", "two", "three"];
        let scenarios = names.map(|name| {
            let mut clean = scenario(name, "Some", ScenarioOutcome::Passed, [seen(8, 0, 0, 0); 2]);
            for seen in clean.seen.iter_mut().filter(|(lane, _)| **lane == LaneId::Candidate) {
                seen.1.unplanned_ends = ends;
            }
            clean
        });
        decide(scenarios.to_vec(), &scope(&scenarios), &State::Complete).decision
    };
    let ends = |reason: &&String| reason.starts_with("nothing planned");
    assert_eq!(with(0).reasons.iter().filter(ends).count(), 0);
    let many = with(1);
    assert_eq!((many.allow, many.exit_code), (false, 2));
    assert_eq!(
        many.reasons.iter().filter(ends).collect::<Vec<_>>(),
        ["nothing planned that connections end: 3 ended and 0 went silent in 24 deliveries on the candidate lane, \
          0 ended and 0 went silent in 24 deliveries on the legacy lane"]
    );
}

#[test]
fn a_blocked_run_at_200_columns() {
    let text = at_terminal(200, &blocked());
    fits(&text, 200);
    insta::assert_snapshot!(text);
}

#[test]
fn an_allowed_run_at_80_columns() {
    let text = at_terminal(80, &allowed());
    let (_, end) = text.split_once("Verification matrix").unwrap();
    insta::assert_snapshot!(without_counts(end));
}

#[test]
fn a_run_that_passed_in_part_at_80_columns() {
    insta::assert_snapshot!(without_counts(&at_terminal(80, &passed_in_part())));
}

/// The text without the size of the built-in suite, which grows.
fn without_counts(text: &str) -> String {
    let [honest, known_bad] = [false, true].map(Shortfall::of);
    text.replace(&format!("{honest} of {honest}"), "N of N").replace(&format!("{known_bad} of {known_bad}"), "K of K")
}

#[test]
fn the_summary_in_markdown() {
    insta::assert_snapshot!(rendered("markdown", &blocked()));
}

#[test]
fn the_report_for_a_ci() {
    insta::assert_snapshot!(rendered("junit", &blocked()));
}

#[test]
fn the_report_page() {
    let page = rendered("index.html", &blocked());
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    insta::assert_snapshot!(format!("{before}{after}"));
    for outside in ["http://", "https://", "<script", "<img", "<link"] {
        assert!(!page.contains(outside), "the page has {outside}");
    }
}

#[test]
fn the_documentation_names_every_page_of_a_bundle() {
    let docs = include_str!("../../../../docs/EVIDENCE.md");
    for page in pages() {
        let row = format!("\n| `{}` | ", page.path);
        assert!(docs.contains(&row), "docs/EVIDENCE.md lacks the row {row:?} in its table of files");
    }
}

/// Not a check: writes both pages where `CUTOVER_PAGE_DIR` says, to be looked at in a browser.
#[test]
fn pages_can_be_looked_at() {
    let Some(dir) = std::env::var_os("CUTOVER_PAGE_DIR").map(std::path::PathBuf::from) else {
        return;
    };
    for (name, evidence) in [("blocked.html", blocked()), ("allowed.html", allowed())] {
        std::fs::write(dir.join(name), rendered("index.html", &evidence)).unwrap();
    }
}

#[test]
fn a_document_reads_back_as_it_was_written() {
    let evidence = blocked();
    let text = rendered("json", &evidence);
    let again: Evidence = serde_json::from_str(&text).unwrap();
    assert_eq!(again, evidence);
    assert_eq!(rendered("json", &again), text);
}

#[test]
fn colours_are_only_where_they_are_asked_for() {
    let (evidence, times) = (blocked(), times());
    let told = |color| printed("text", &report(&evidence, &times).at(Terminal { width: 80, color, bundle: None }));
    assert!(!told(false).contains('\x1b'));
    assert!(told(true).contains("\x1b[1;31mBLOCK\x1b[0m"));
}

#[test]
fn what_was_left_out_is_said_everywhere_with_its_reason() {
    let evidence = outside();
    let text = rendered("text", &evidence);
    let (_, section) = text.split_once("Left out").unwrap();
    let (section, rest) = section.split_once("\n\n").unwrap();
    insta::assert_snapshot!("left_out", section);
    assert!(rest.contains("caught, 3 left out"), "{rest}");
    for page in pages().map(|page| rendered(page.path, &evidence)) {
        assert!(page.contains("legacy-killed") && page.contains("which this tool did not start"), "{page}");
    }
    let junit = rendered("junit", &evidence);
    assert_eq!(junit.matches("<skipped message=\"it ").count(), 3, "{junit}");
}

#[test]
fn a_document_without_anything_left_out_reads_and_writes_as_before() {
    let bytes = allowed().to_bytes();
    assert!(!String::from_utf8(bytes.clone()).unwrap().contains("left_out\": {"));
    let again: Evidence = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(again.to_bytes(), bytes);
}
