//! A profile for a Phoenix service.

use cutover_core::text::Secret;

use super::init::Proposal;
use crate::exit::Failure;

/// # Errors
/// A URL that is no socket, or a service that does not answer.
pub async fn propose(_url: &str, _token: Option<&Secret>) -> Result<Proposal, Failure> {
    Err(Failure::usage("`lane init --legacy` is not built yet"))
}
