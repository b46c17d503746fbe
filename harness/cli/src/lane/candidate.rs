//! A profile for a published database, by the schema that its server reports.

use cutover_core::text::Secret;

use super::proposal::Proposal;
use crate::exit::Failure;

/// # Errors
/// A URL that names no database, a server that does not answer, or a schema without an event log.
pub async fn propose(_url: &str, _token: Option<&Secret>) -> Result<Proposal, Failure> {
    Err(Failure::usage("`lane init --candidate` is not built yet"))
}
