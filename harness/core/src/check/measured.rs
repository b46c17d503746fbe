//! What was measured by turns: the samples of each lane, and how the lanes compare.

use super::finding::{Finding, Report};
use super::index::Index;
use super::reason::Reason;
use crate::history::{History, Record};
use crate::ids::LaneId;
use crate::stats::{Comparison, Limits, Quantile, Sample, Standing, compare};

/// A duration that both lanes are compared by, and what is reported of the comparison.
pub(super) struct Measure {
    pub checker: &'static str,
    /// The duration of a record that is a sample.
    pub us: fn(&Record) -> Option<u64>,
    pub slower: &'static Reason,
    pub too_few: &'static Reason,
    pub noisy: &'static Reason,
    pub alone: &'static Reason,
}

pub fn samples(history: &History, us: impl Fn(&Record) -> Option<u64>) -> Vec<Sample> {
    let mut block = 0;
    let mut samples = Vec::new();
    for record in &history.records {
        match record {
            Record::Turn { block: next } => block = *next,
            other => samples.extend(us(other).map(|us| Sample { us, block })),
        }
    }
    samples
}

impl Measure {
    /// Compares the lanes, and reports what is not within the limits.
    pub fn judge(&self, index: &Index<'_>, limits: &Limits, report: &mut Report) {
        let [legacy, candidate] = index.lanes() else {
            report.push(Finding::new(self.checker, self.alone));
            return;
        };
        let lanes = [legacy, candidate].map(|lane| samples(lane.history, self.us));
        let compared = compare([&lanes[0], &lanes[1]], limits, index.plan.plan.seed);
        let may_be_slower = index.plan.plan.budgets().legacy_may_be_slower;
        for quantile in Quantile::ALL {
            let must_be_known = limits.of(quantile).noise_ms.is_some();
            let Some(difference) = compared.differences.get(&quantile) else {
                if must_be_known {
                    self.too_few(quantile, &compared, report);
                }
                continue;
            };
            match difference.standing {
                Standing::Slower(LaneId::Legacy) if may_be_slower => {}
                Standing::Slower(lane) => {
                    let took = |lane| compared.lanes.get(&lane).and_then(|times| times.quantiles.get(&quantile));
                    let (Some(slow), Some(other)) = (took(lane), took(lane.other())) else { continue };
                    let most = format!(
                        "{quantile} of at most {}: {} on the other lane, and {} more",
                        ms(other.us + difference.allowed_us),
                        ms(other.us),
                        ms(difference.allowed_us),
                    );
                    let noise = ms(difference.noise_us);
                    let got = format!("{quantile} of {}, with noise of {noise}", ms(slow.us));
                    report.push(Finding::new(self.checker, self.slower).on(lane).expected(most, got));
                }
                Standing::Noisy => {
                    let most =
                        format!("noise of at most {} ms in the {quantile}", limits.of(quantile).noise_ms.unwrap_or(0));
                    let noise = ms(difference.noise_us);
                    report.push(Finding::new(self.checker, self.noisy).expected(most, noise));
                }
                Standing::Within => {}
            }
        }
        report.compared.insert(self.checker.to_owned(), compared);
    }

    fn too_few(&self, quantile: Quantile, compared: &Comparison, report: &mut Report) {
        for (lane, times) in &compared.lanes {
            report.count(&format!("{lane} samples"), times.samples);
        }
        let fewest = compared.lanes.iter().min_by_key(|(_, times)| times.samples);
        if let Some((lane, times)) = fewest {
            let least = format!("{} or more for the {quantile}, in 8 turns or more", quantile.least());
            report.push(Finding::new(self.checker, self.too_few).on(*lane).expected(least, times.samples));
        }
    }
}

/// Microseconds as milliseconds, to a tenth.
pub fn ms(us: u64) -> String {
    let tenths = us.saturating_add(50) / 100;
    format!("{}.{} ms", tenths / 10, tenths % 10)
}

#[cfg(test)]
pub(super) mod tests;
