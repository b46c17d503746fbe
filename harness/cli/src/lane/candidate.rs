//! A profile for a published database, by the schema that its server reports.

use cutover_core::ids::LaneId;
use cutover_core::text::Secret;

use super::lanes::with_environment;
use super::proposal::Proposal;
use crate::exit::Failure;
use crate::lanes;

/// # Errors
/// A URL that names no database, a server that does not answer, or a schema without an event log.
pub async fn propose(url: &str, token: Option<&Secret>) -> Result<Proposal, Failure> {
    let source = lanes::outside(LaneId::Candidate, url, token)?;
    let proposed = with_environment(LaneId::Candidate, source, None, async |environment| {
        environment.proposed(LaneId::Candidate).await
    });
    let Some((profile, undecided)) = proposed.await? else {
        return Err(Failure::usage(format!("{url} is no SpacetimeDB server")).hint("--legacy takes a Phoenix socket"));
    };
    Ok(Proposal { profile, undecided })
}
