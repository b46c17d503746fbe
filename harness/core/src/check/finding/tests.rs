use super::*;
use crate::check::tests::finding;

#[test]
fn the_worst_verdict_is_the_greatest() {
    assert!(Verdict::Valid < Verdict::Unknown && Verdict::Unknown < Verdict::Invalid);
}

#[test]
fn a_report_keeps_a_bounded_number_of_findings_and_counts_the_rest() {
    let mut report = Report::new("gap");
    for seq in 0..1000 {
        report.push(finding("gap", "skipped").on(LaneId::Legacy).of_event(seq));
    }
    assert_eq!(report.findings.len(), MAX_FINDINGS);
    assert_eq!(report.left_out, 1000 - MAX_FINDINGS as u64);
    assert_eq!(report.verdict, Verdict::Invalid);
}
