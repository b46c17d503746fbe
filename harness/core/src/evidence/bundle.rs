//! Binds a run into a bundle: every file of it, and the document that names them.

use super::document::{Evidence, Times};
use super::layout::{self, FileEntry, Files};
use super::report;
use super::run::Driven;
use super::vectors;
use crate::gate::Scope;
use crate::history::file;
use crate::ids::LaneId;

/// The files that one driven scenario adds. They can be written as soon as it ended, so that a run that is killed
/// leaves what it had.
pub fn scenario_files(scenario_toml: &[u8], driven: &Driven, scope: &Scope) -> Files {
    let name = &driven.plan.scenario;
    let mut files = Files::new();
    files.insert(layout::scenario(&driven.plan), scenario_toml.to_vec());
    files.insert(layout::plan(name), driven.plan.to_json().into_bytes());
    let histories = [&driven.legacy.history, &driven.candidate.history];
    let vectors = vectors::of(&driven.plan, histories, &scope.policy.normalise);
    for (lane, vector) in LaneId::BOTH.into_iter().zip(vectors).filter(|(lane, _)| scope.driven().contains(lane)) {
        let run = driven.lane(lane);
        files.insert(layout::history(name, lane), file::to_bytes(&run.history));
        files.insert(layout::vector(name, lane), vector);
        let mut times = Vec::new();
        // A vector takes every write.
        let _ = file::write_times(&run.times_us, &mut times);
        files.insert(layout::times(name, lane), times);
    }
    files
}

/// Whether a file shows the evidence. Such pages follow from the document and the times.
pub fn is_page(path: &str) -> bool {
    report::pages().any(|page| page.path == path)
}

/// Whether a file is digested. Times are not: two runs of one seed may be equal in all but them.
pub fn is_digested(path: &str) -> bool {
    is_page(path) || path == layout::POLICY || (layout::scenario_of(path).is_some() && !path.starts_with("times/"))
}

/// The files that are written last: the pages, the times, and the document, whose list of files this completes.
///
/// `entries` of the scenarios' files must be in `evidence.files` already.
pub fn closing_files(evidence: &mut Evidence, times: &Times) -> Files {
    // A page names the digest of no page.
    let mut files = report::print_pages(evidence, times);
    let entries = files.iter().map(|(path, content)| (path.clone(), FileEntry::of(content)));
    evidence.files.extend(entries);
    files.insert(layout::TIMES.to_owned(), times.to_bytes());
    evidence.seal();
    files.insert(layout::EVIDENCE.to_owned(), evidence.to_bytes());
    files
}
