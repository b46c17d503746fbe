//! The defects that the second wasm of the SpacetimeDB module can be armed with.
#![allow(missing_docs, reason = "the names say it")]

use super::defects;

defects! { Place::Module; }
