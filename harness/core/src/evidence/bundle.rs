//! Binds a run into a bundle: every file of it, and the document that names them.

use super::document::{Evidence, Times};
use super::layout::{self, FileEntry, Files};
use super::render::{HtmlRenderer, JunitRenderer, MarkdownRenderer, Renderer, to_bytes};
use super::run::Driven;
use super::vectors;
use crate::history::file;
use crate::ids::LaneId;

/// The files that one driven scenario adds. They can be written as soon as it ended, so that a run that is killed leaves
/// what it had.
pub fn scenario_files(scenario_toml: &[u8], driven: &Driven) -> Files {
    let name = &driven.plan.scenario;
    let mut files = Files::new();
    files.insert(layout::scenario(&driven.plan), scenario_toml.to_vec());
    files.insert(layout::plan(name), driven.plan.to_json().into_bytes());
    let vectors = vectors::of(&driven.plan, [&driven.legacy.history, &driven.candidate.history]);
    for (lane, vector) in LaneId::BOTH.into_iter().zip(vectors) {
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

/// The pages that show a document and its times. A page names the digest of no page.
pub fn pages(evidence: &Evidence, times: &Times) -> Files {
    let times = Some(times);
    let pages: [(&str, &dyn Renderer); 3] = [
        (layout::SUMMARY, &MarkdownRenderer { times }),
        (layout::JUNIT, &JunitRenderer { times }),
        (layout::PAGE, &HtmlRenderer { times }),
    ];
    pages.iter().map(|(path, renderer)| ((*path).to_owned(), to_bytes(*renderer, evidence))).collect()
}

/// The files that are written last: the pages, the times, and the document, whose list of files this completes.
///
/// `entries` of the scenarios' files must be in `evidence.files` already.
pub fn closing_files(evidence: &mut Evidence, times: &Times) -> Files {
    let mut files = pages(evidence, times);
    let entries = files.iter().map(|(path, content)| (path.clone(), FileEntry::of(content)));
    evidence.files.extend(entries);
    files.insert(layout::TIMES.to_owned(), times.to_bytes());
    evidence.seal();
    files.insert(layout::EVIDENCE.to_owned(), evidence.to_bytes());
    files
}
