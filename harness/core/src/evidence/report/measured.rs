//! What was measured on both lanes, as every report has it.

use crate::evidence::judged::JudgedScenario;
use crate::ids::LaneId;
use crate::stats::{Comparison, Interval, Quantile, Standing};
use crate::text::{Align, Table, markdown};

/// What the table is.
pub const TIMES: &str = "Milliseconds that each lane took, with intervals of 95 %. The lanes took turns. Noise is by how \
                         much a lane differs from itself. A lane that is slower than allowed by more than that is a \
                         finding.";

/// The heads of the columns.
pub const HEADS: [&str; 8] = ["scenario", "time", "legacy", "candidate", "difference", "noise", "allowed", "standing"];
/// Those that a narrow screen has room for.
const NARROW: [usize; 5] = [1, 2, 3, 4, 7];

/// A quantile of what was measured.
pub type Line = [String; 8];

/// What honest scenarios measured.
pub fn lines(scenarios: &[JudgedScenario]) -> Vec<Line> {
    let honest = scenarios.iter().filter(|scenario| !scenario.known_bad());
    let measured = honest.flat_map(|scenario| {
        scenario.measured.iter().map(move |(what, compared)| (scenario.name.as_str(), what.as_str(), compared))
    });
    measured.flat_map(|of| Quantile::ALL.into_iter().filter_map(move |quantile| line(of, quantile))).collect()
}

fn line((scenario, what, compared): (&str, &str, &Comparison), quantile: Quantile) -> Option<Line> {
    let took = |lane| compared.lanes.get(&lane).and_then(|times| times.quantiles.get(&quantile));
    let [legacy, candidate] = LaneId::BOTH.map(|lane| took(lane).map(interval));
    if legacy.is_none() && candidate.is_none() {
        return None;
    }
    let difference = compared.differences.get(&quantile);
    let of = |text: fn(&crate::stats::Difference) -> String| difference.map(text).unwrap_or_default();
    let too_few = || "too few".to_owned();
    Some([
        scenario.to_owned(),
        format!("{what} {quantile}"),
        legacy.unwrap_or_else(too_few),
        candidate.unwrap_or_else(too_few),
        of(|found| format!("{} ({}..{})", signed(found.us), signed(found.low_us), signed(found.high_us))),
        of(|found| ms(found.noise_us)),
        of(|found| ms(found.allowed_us)),
        of(|found| match found.standing {
            Standing::Within => "within".to_owned(),
            Standing::Slower(_) => "slower".to_owned(),
            Standing::Noisy => "noisy".to_owned(),
        }),
    ])
}

fn interval(of: &Interval) -> String {
    format!("{} ({}..{})", ms(of.us), ms(of.low_us), ms(of.high_us))
}

/// To a tenth.
fn ms(us: u64) -> String {
    let tenths = us.saturating_add(50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn signed(us: i64) -> String {
    let sign = if us < 0 { "-" } else { "" };
    format!("{sign}{}", ms(us.unsigned_abs()))
}

/// For a screen.
pub fn table(lines: &[Line], is_wide: bool) -> Table {
    let columns = if is_wide { (0..HEADS.len()).collect() } else { NARROW.to_vec() };
    let align = |column: usize| if (2..=6).contains(&column) { Align::Right } else { Align::Left };
    let heads: Vec<_> = columns.iter().map(|column| (HEADS[*column], align(*column))).collect();
    let mut table = Table::new(&heads, 0);
    for line in lines {
        table.row(columns.iter().map(|column| line[*column].clone()).collect());
    }
    table
}

pub fn markdown_table(lines: &[Line]) -> String {
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let heads = row(HEADS.iter().map(|head| (*head).to_owned()).collect());
    let lines = lines.iter().map(|line| row(line.iter().map(|cell| markdown(cell).to_string()).collect()));
    [heads, "|---|---|--:|--:|--:|--:|--:|---|".to_owned()].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}
