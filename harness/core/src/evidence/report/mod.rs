//! Reports: one [`Report`] of a run, which every [`Format`] prints in its own form.
//!
//! A format is a file here and a line in [`FORMATS`]. What the file declares is all that the bundle, its digests,
//! recheck and the command line know of it.
#![allow(missing_docs, reason = "the names say it")]

mod format;
mod html;
mod json;
mod junit;
mod markdown;
mod measured;
mod model;
mod rows;
mod run;
mod text;
mod words;

pub use format::{Format, Page};
pub use model::{Report, Terminal};

pub use rows::{MATRIX, Row, markdown_table, planned, reasons, rows as matrix, table};

use super::document::{Evidence, Times};
use super::layout::Files;

/// Every format. A bundle has its pages in this order.
pub const FORMATS: &[&Format] = &[&text::FORMAT, &json::FORMAT, &markdown::FORMAT, &junit::FORMAT, &html::FORMAT];

pub fn pages() -> impl Iterator<Item = &'static Page> {
    FORMATS.iter().filter_map(|format| format.page.as_ref())
}

pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().copied().find(|format| format.option.is_some_and(|(option, _)| option == name))
}

pub fn report<'a>(evidence: &'a Evidence, times: &'a Times) -> Report<'a> {
    Report::new(evidence, times, pages().map(|page| (page.path, page.about)).collect())
}

pub fn print_pages(evidence: &Evidence, times: &Times) -> Files {
    let report = report(evidence, times);
    let page = |format: &&Format| Some((format.page.as_ref()?.path.to_owned(), format.to_bytes(&report)));
    FORMATS.iter().filter_map(page).collect()
}
