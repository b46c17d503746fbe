//! The defects that the proxy plants between a client and a right lane.
#![allow(missing_docs, reason = "the names say it")]

use super::defects;

defects! { Place::Wire; }
