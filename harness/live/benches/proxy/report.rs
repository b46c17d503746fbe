//! The tables, in Markdown, and the goals.

use crate::client::Case;
use crate::peers::Way;
use crate::rounds::{Idle, Taken, megabytes};

/// The most that a transparent proxy of ours may add to the median round trip, in µs.
const ADDED_MAX_US: f64 = 100.0;

/// ... and as a multiple of what HAProxy adds.
const ADDED_MAX_OF_HAPROXY: f64 = 1.5;

/// The least share of HAProxy's bulk.
const BULK_MIN_OF_HAPROXY: f64 = 0.7;

/// The least multiple of mitmproxy's messages a second.
const RATE_MIN_OF_MITMPROXY: f64 = 20.0;

/// All that was measured.
pub struct Report<'a> {
    pub taken: &'a [Taken],
    pub idle: &'a [Idle],
    pub missing: &'a [(Way, String)],
}

impl Report<'_> {
    fn find(&self, way: Way) -> Option<&Taken> {
        self.taken.iter().find(|taken| taken.way == way)
    }

    /// What a way adds to the median round trip, in µs.
    fn added_us(&self, taken: &Taken, case: Case) -> Option<f64> {
        let direct = self.find(Way::Direct).filter(|_| taken.way != Way::Direct)?;
        Some(taken.against(direct, case, |turn| turn.p50_us, |mine, direct| mine - direct))
    }

    /// A way's rate as a multiple of another's.
    fn times(&self, taken: &Taken, other: Way, case: Case) -> Option<f64> {
        let other = self.find(other)?;
        Some(taken.against(other, case, |turn| turn.rate, |mine, other| mine / other))
    }

    /// What a way adds, as a multiple of what HAProxy adds.
    fn added_times(&self, taken: &Taken, case: Case) -> Option<f64> {
        Some(self.added_us(taken, case)? / self.added_us(self.find(Way::Haproxy)?, case)?)
    }

    pub fn print(&self) {
        self.print_ways();
        self.print_round_trips(Case::RoundTrip, "Round trips of 200-byte messages, one after another");
        self.print_round_trips(Case::Http, "Plain HTTP requests on one connection, answers of 200 bytes");
        self.print_short();
        self.print_bulk();
        self.print_idle();
        self.print_failed();
        self.print_goals();
    }

    fn print_failed(&self) {
        let mut failed = self.taken.iter().flat_map(|taken| &taken.failed).peekable();
        if failed.peek().is_some() {
            println!("\nTurns that failed, and are left out:\n");
        }
        for what in failed {
            println!("- {what}");
        }
    }

    fn print_ways(&self) {
        let mut table = Table::new(&["through", "version"]);
        for taken in self.taken {
            table.row(vec![taken.way.name().to_owned(), taken.version.clone()]);
        }
        for (way, _) in self.missing {
            table.row(vec![way.name().to_owned(), "missing".to_owned()]);
        }
        table.print("What the messages go through");
        for (way, how) in self.missing {
            println!("\n{} is missing: {how}", way.name());
        }
    }

    fn print_round_trips(&self, case: Case, title: &str) {
        let mut table = Table::new(&[
            "through",
            "p50 µs",
            "p99 µs",
            "added p50 µs",
            "× HAProxy's",
            "a second",
            "× mitmproxy's",
            "CPU µs each",
        ]);
        for taken in self.taken {
            let median = |value| taken.median(case, value);
            table.row(vec![
                taken.way.name().to_owned(),
                format!("{:.1}", median(|turn| turn.p50_us)),
                format!("{:.1}", median(|turn| turn.p99_us)),
                number(self.added_us(taken, case), 1),
                number(self.added_times(taken, case), 2),
                format!("{:.0}", median(|turn| turn.rate)),
                number(self.times(taken, Way::Mitmproxy, case), 1),
                format!("{:.1}", median(|turn| turn.cpu_us)),
            ]);
        }
        table.print(title);
    }

    fn print_short(&self) {
        let mut table = Table::new(&["through", "messages/s", "× HAProxy's", "× mitmproxy's", "CPU µs each"]);
        for taken in self.taken {
            let case = Case::ShortToClient;
            table.row(vec![
                taken.way.name().to_owned(),
                format!("{:.0}", taken.median(case, |turn| turn.rate)),
                number(self.times(taken, Way::Haproxy, case), 2),
                number(self.times(taken, Way::Mitmproxy, case), 1),
                format!("{:.2}", taken.median(case, |turn| turn.cpu_us)),
            ]);
        }
        table.print("200-byte messages, lane to client, as fast as possible");
    }

    fn print_bulk(&self) {
        for (case, way) in [(Case::LongToClient, "lane to client"), (Case::LongToLane, "client to lane")] {
            let mut table =
                Table::new(&["through", "MB/s", "× HAProxy's", "messages/s", "× mitmproxy's", "CPU µs each"]);
            for taken in self.taken {
                let rate = taken.median(case, |turn| turn.rate);
                table.row(vec![
                    taken.way.name().to_owned(),
                    format!("{:.0}", megabytes(rate)),
                    number(self.times(taken, Way::Haproxy, case), 2),
                    format!("{rate:.0}"),
                    number(self.times(taken, Way::Mitmproxy, case), 1),
                    format!("{:.1}", taken.median(case, |turn| turn.cpu_us)),
                ]);
            }
            table.print(&format!("Bulk of 64 KiB messages, {way}"));
        }
    }

    fn print_idle(&self) {
        if self.idle.is_empty() {
            return;
        }
        let mut table = Table::new(&["through", "connections, all working", "KiB each"]);
        for idle in self.idle {
            table.row(vec![
                idle.way.name().to_owned(),
                idle.connections.to_string(),
                format!("{:.1}", idle.bytes_each / 1024.0),
            ]);
        }
        table.print("Memory of idle connections");
    }

    fn print_goals(&self) {
        println!("\nGoals, for the transparent proxy:\n");
        let Some(ours) = self.find(Way::Transparent) else {
            println!("- not measured");
            return;
        };
        goal("added p50 at most 1.5 times HAProxy's", self.added_times(ours, Case::RoundTrip), |value| {
            value <= ADDED_MAX_OF_HAPROXY
        });
        goal("added p50 under 100 µs", self.added_us(ours, Case::RoundTrip), |value| value < ADDED_MAX_US);
        let bulk = |value| value >= BULK_MIN_OF_HAPROXY;
        let rate = |value| value >= RATE_MIN_OF_MITMPROXY;
        let times = |other, case| self.times(ours, other, case);
        goal("bulk to the client at least 0.7 of HAProxy's", times(Way::Haproxy, Case::LongToClient), bulk);
        goal("bulk to the lane at least 0.7 of HAProxy's", times(Way::Haproxy, Case::LongToLane), bulk);
        goal(
            "200-byte messages a second at least 20 times mitmproxy's",
            times(Way::Mitmproxy, Case::ShortToClient),
            rate,
        );
        let long = Case::LongToClient;
        goal("64 KiB messages a second at least 20 times mitmproxy's", times(Way::Mitmproxy, long), rate);
        let direct = self.find(Way::Direct);
        if let Some(most) = direct.and_then(|direct| self.times(direct, Way::Mitmproxy, long)) {
            println!("  (the most that is possible without a proxy: {most:.2})");
        }
    }
}

fn goal(what: &str, seen: Option<f64>, met: fn(f64) -> bool) {
    match seen {
        Some(value) => println!("- {what}: {value:.2}, {}", if met(value) { "met" } else { "NOT MET" }),
        None => println!("- {what}: not measured"),
    }
}

fn number(value: Option<f64>, digits: usize) -> String {
    match value {
        Some(value) if value.is_finite() => format!("{value:.digits$}"),
        _ => "–".to_owned(),
    }
}

/// A table of Markdown that can also be read as it is.
struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(head: &[&str]) -> Table {
        Table { rows: vec![head.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    fn row(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    fn print(&self, title: &str) {
        println!("\n{title}:\n");
        let columns = self.rows.first().map_or(0, Vec::len);
        let widest = |at: usize| self.rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(widest).collect();
        for (number, row) in self.rows.iter().enumerate() {
            let cells =
                row.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
                    if at == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                });
            println!("| {} |", cells.collect::<Vec<_>>().join(" | "));
            if number == 0 {
                let rules = widths.iter().enumerate().map(|(at, width)| {
                    let rule = "-".repeat(*width);
                    if at == 0 { rule } else { format!("{}:", &rule[1..]) }
                });
                println!("| {} |", rules.collect::<Vec<_>>().join(" | "));
            }
        }
    }
}
