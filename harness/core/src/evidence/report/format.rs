//! What a format of a report declares.
#![allow(missing_docs, reason = "the names say it")]

use std::io::{self, Write};

use super::model::Report;
use crate::evidence::repeat::Repeated;

pub type PrintRepeated = fn(&Repeated, &Report<'_>, &mut dyn Write) -> io::Result<()>;

/// A form in which a report is printed. The same evidence always gives the same bytes.
#[derive(Debug)]
pub struct Format {
    /// The value of `--format` that asks for it, and what `--help` says of it.
    pub option: Option<(&'static str, &'static str)>,
    /// The file of every bundle that holds the report in this form.
    pub page: Option<Page>,
    /// Whether people read it at a terminal; else standard output holds the document alone.
    pub at_terminal: bool,
    pub print: fn(&Report<'_>, &mut dyn Write) -> io::Result<()>,
    /// Writes what repeated runs have in common, behind or instead of the report of the worst run. Else only that
    /// report is written.
    pub repeated: Option<PrintRepeated>,
}

#[derive(Debug)]
pub struct Page {
    pub path: &'static str,
    pub about: &'static str,
}

impl Format {
    pub fn to_bytes(&self, report: &Report<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A vector takes every write.
        let _ = (self.print)(report, &mut bytes);
        bytes
    }
}
