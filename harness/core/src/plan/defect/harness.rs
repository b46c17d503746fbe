//! The defects of this tool itself, planted in what it records, keeps and judges.
#![allow(missing_docs, reason = "the names say it")]

use super::defects;

defects! { Place::Harness; }
