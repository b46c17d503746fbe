//! The defects of a client of this tool, planted in what it did.
#![allow(missing_docs, reason = "the names say it")]

use super::defects;

defects! { Place::Client; }
