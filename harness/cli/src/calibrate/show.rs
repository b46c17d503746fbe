//! The result of a calibration, for people.

use cutover_core::calibration::{Calibration, Count, Tried};
use cutover_core::plan::defect::{Kind, Place, survivor};
use cutover_core::text::{Align, Table, wrap};

pub fn text(result: &Calibration, width: usize) -> String {
    let summary = result.summary();
    let mut lines = Vec::new();
    let heads =
        [("planted", Align::Right), ("stateful", Align::Right), ("caught", Align::Right), ("named", Align::Right)];
    let table = |first: &str, rows: Vec<(&str, Count)>| {
        let mut table = Table::new(&[&[(first, Align::Left)], &heads[..]].concat(), 0);
        for (name, count) in rows {
            let numbers = [count.planted, count.stateful, count.caught, count.named].map(|number| number.to_string());
            table.row([vec![name.to_owned()], numbers.to_vec()].concat());
        }
        table.lines(width)
    };
    let mut places: Vec<(&str, Count)> =
        summary.places.iter().map(|(place, count)| (Place::as_str(*place), *count)).collect();
    places.push(("all", summary.total()));
    lines.extend(table("place", places));
    lines.push(String::new());
    lines.extend(table("kind", summary.kinds.iter().map(|(kind, count)| (Kind::as_str(*kind), *count)).collect()));
    let survivors: Vec<&Tried> = result.defects.iter().filter(|tried| tried.caught.is_none()).collect();
    if !survivors.is_empty() {
        lines.push(String::new());
        lines.push("survivors:".to_owned());
    }
    for tried in survivors {
        let why = match survivor(&tried.name) {
            Some(known) => format!("known: {}", known.why),
            None if tried.scenarios == 0 => "no scenario has a place for it".to_owned(),
            None => format!("not found in {} scenarios", tried.scenarios),
        };
        lines.push(format!("  {} ({}, {}): {why}", tried.name, tried.place.as_str(), tried.kind.as_str()));
    }
    for clean in &result.clean {
        for alarm in &clean.alarms {
            lines.push(format!("false alarm: {alarm}"));
        }
    }
    lines.push(String::new());
    lines.extend(wrap(&summary.sentence(), width));
    lines.join("\n")
}
