#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn the_saved_calibration_tried_the_defects_that_are_in_the_code() {
    let saved = Calibration::read(SAVED).unwrap();
    let misses = saved.misses();
    assert!(
        misses.is_empty() || saved.defects.is_empty(),
        "run `cutover calibrate --save` with a release build: {misses:?} differ"
    );
}

#[test]
fn a_calibration_is_read_as_it_is_written() {
    let mut made = Calibration::read(SAVED).unwrap();
    made.clean.push(Clean { aa: Some(LaneId::Legacy), seeds: 2, scenarios: 60, alarms: vec!["7 a: gap".to_owned()] });
    made.defects = all().take(3).map(Tried::of).collect();
    made.defects[1].caught =
        Some(Caught { scenario: "lost-ack".to_owned(), by: vec!["gap/skipped".to_owned()], named: true });
    assert_eq!(Calibration::read(&made.to_text()).unwrap(), made);
    let total = made.summary().total();
    assert_eq!((total.planted, total.caught, total.named), (3, 1, 1));
    assert_eq!(made.summary().survivors.len(), 2);
}

#[test]
fn every_checker_that_names_a_defect_exists() {
    let known: Vec<_> = crate::check::names().into_iter().chain(["history"]).collect();
    for kind in Kind::ALL {
        assert!(checkers_of(kind).iter().all(|name| known.contains(name)), "{}", kind.as_str());
    }
}

/// README has the numbers of the saved calibration; `CUTOVER_UPDATE_PAGES=1` writes them.
#[test]
fn the_readme_has_the_numbers() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let summary = Calibration::read(SAVED).unwrap().summary();
    let mut table =
        "\n| place or kind | planted | stateful | caught | named |\n| --- | ---: | ---: | ---: | ---: |\n".to_owned();
    for (name, Count { planted, stateful, caught, named }) in summary.rows() {
        table += &format!("| {name} | {planted} | {stateful} | {caught} | {named} |\n");
    }
    let survivors = match summary.survivors.is_empty() {
        true => "none".to_owned(),
        false => summary.survivors.join(", "),
    };
    let wrapped = |text: String| crate::text::wrap(&text, 118).join("\n");
    let (survivors, sentence) =
        (wrapped(format!("Survivors: {survivors}.")), wrapped(format!("In one sentence: {}.", summary.sentence())));
    let expected = match summary.total().planted {
        0 => "\nNo calibration is saved for this version yet: `cutover calibrate --save` counts and saves it.\n"
            .to_owned(),
        _ => format!("{table}\n{survivors}\n\n{sentence}\n"),
    };
    let (begin, end) = ("<!-- specification: calibration -->", "<!-- end -->");
    let from = text.find(begin).unwrap() + begin.len();
    let to = from + text[from..].find(end).unwrap();
    if text[from..to] != expected && std::env::var_os("CUTOVER_UPDATE_PAGES").is_some() {
        std::fs::write(&path, format!("{}{expected}{}", &text[..from], &text[to..])).unwrap();
    } else {
        assert_eq!(
            &text[from..to],
            expected,
            "CUTOVER_UPDATE_PAGES=1 cargo test -p cutover-core calibration writes it"
        );
    }
}
