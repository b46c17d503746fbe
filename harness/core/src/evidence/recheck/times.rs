//! The times of a bundle. No judgement uses them. But each record has one, and `times.json` and the pages must agree
//! with the files of times and the histories.

use std::collections::BTreeMap;

use super::bundle::Inventory;
use super::{Problem, first_difference};
use crate::evidence::bundle::is_page;
use crate::evidence::document::{Evidence, FireTime, RUN_TIMES_SCHEMA, Times};
use crate::evidence::layout;
use crate::evidence::report::print_pages;
use crate::evidence::speed::{LaneTimes, lane_time};
use crate::history::{History, Record, file};
use crate::ids::LaneId;

/// When the faults of a scenario fired, in the order of the histories; the wall clock is left empty.
#[derive(Default)]
pub struct Fires(Vec<FireTime>, LaneTimes);

impl Fires {
    pub fn read(&mut self, name: &str, lane: LaneId, history: &History, times: &[u8]) -> Result<(), Problem> {
        let path = layout::times(name, lane);
        let times = file::read_times(times).map_err(|error| Problem::new(&path, format!("cannot be read: {error}")))?;
        if times.len() != history.records.len() {
            let (expected, found) = (format!("{} times", history.records.len()), format!("{} times", times.len()));
            return Err(Problem::between(&path, "has not one time for each record", expected, found));
        }
        self.0.extend(fires(lane, history, &times, |_| String::new()));
        self.1.insert(lane, lane_time(history, &times));
        Ok(())
    }
}

/// When each fault fired on a lane; `at` makes a wall-clock time of microseconds since the lane's run began.
pub fn fires<'a>(
    lane: LaneId,
    history: &'a History,
    times_us: &'a [u64],
    at: impl Fn(u64) -> String + 'a,
) -> impl Iterator<Item = FireTime> + 'a {
    let timed = history.records.iter().zip(times_us).enumerate();
    timed.filter_map(move |(record, (what, after_us))| {
        let Record::Fault { fault, fire, .. } = what else {
            return None;
        };
        Some(FireTime {
            lane,
            fault: fault.clone(),
            conn: fire.conn,
            frame: fire.frame,
            line: file::line_of(record),
            after_us: *after_us,
            at: at(*after_us),
        })
    })
}

/// Reads `times.json`, and compares its entries with what the scenarios left.
pub fn of_run(
    inventory: &Inventory<'_>,
    computed: &BTreeMap<String, Fires>,
    whole: bool,
    problems: &mut Vec<Problem>,
) -> Option<Times> {
    let bytes = inventory.content(layout::TIMES, problems)?;
    let read = serde_json::from_slice::<Times>(&bytes).map_err(|error| format!("cannot be read: {error}"));
    let problem = match read {
        Err(what) => Problem::new(layout::TIMES, what),
        Ok(times) if times.schema != RUN_TIMES_SCHEMA => {
            Problem::between(layout::TIMES, "is of another schema", RUN_TIMES_SCHEMA, times.schema)
        }
        Ok(times) if times.to_bytes() != bytes => Problem::not_as_written(layout::TIMES, &bytes, &times.to_bytes()),
        Ok(times) => match differs(&times, computed, whole) {
            None => return Some(times),
            Some(name) => {
                Problem::new(layout::TIMES, format!("does not follow from the histories and times of {name}"))
            }
        },
    };
    problems.push(problem);
    None
}

/// The first scenario whose entries are not what its files say. Where not every scenario could be read, the others are
/// not missed.
fn differs(times: &Times, computed: &BTreeMap<String, Fires>, whole: bool) -> Option<String> {
    let without_clock = |fire: &FireTime| FireTime { at: String::new(), ..fire.clone() };
    let recorded = |name: &String| -> Vec<FireTime> {
        times.fires.get(name).map(|fires| fires.iter().map(without_clock).collect()).unwrap_or_default()
    };
    // A bundle of an older version has none.
    let lanes = |name: &String| times.lanes.is_empty() || times.lanes.get(name) == computed.get(name).map(|of| &of.1);
    let other = computed
        .iter()
        .find(|(name, fires)| !times.scenarios_ms.contains_key(*name) || recorded(name) != fires.0 || !lanes(name));
    let named = times.scenarios_ms.keys().chain(times.fires.keys()).chain(times.lanes.keys());
    let unknown = || named.clone().find(|name| whole && !computed.contains_key(*name));
    other.map(|(name, _)| name.clone()).or_else(|| unknown().cloned())
}

/// Each page must be what the document and the times give, byte for byte.
pub fn pages_follow(evidence: &Evidence, times: &Times, inventory: &Inventory<'_>, problems: &mut Vec<Problem>) {
    let mut shown = evidence.clone();
    // No page names the digest of a page.
    shown.files.retain(|path, _| !is_page(path));
    for (path, page) in print_pages(&shown, times) {
        let Some(found) = inventory.content(&path, problems) else {
            continue;
        };
        if page != found {
            let line = first_difference(&page, &found);
            let what = format!("does not follow from evidence.json and times.json, from line {line} on");
            problems.push(Problem::new(&path, what));
        }
    }
}
