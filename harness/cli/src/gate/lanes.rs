//! What the gate runs as each lane, by its arguments.

use cutover_core::ids::LaneId;
use cutover_core::text::{Secret, masked};
use cutover_live::environment::Source;
use cutover_live::lane::profile::{LaneTarget, SpacetimeProfile};

use crate::args::GateArgs;
use crate::exit::Failure;

/// The sources of the legacy lane and of the candidate lane.
///
/// # Errors
/// A URL or a profile is wrong.
pub fn sources(args: &GateArgs) -> Result<[Source; 2], Failure> {
    let legacy = match &args.legacy {
        Some(at) => outside(LaneId::Legacy, at, args.legacy_token.as_ref())?,
        None => Source::Bundled,
    };
    let token = args.candidate_token.as_ref();
    let candidate = match (&args.candidate, &args.candidate_bin) {
        (profile, Some(path)) => {
            let mut profile = profile.as_deref().map(profile_of_binary).transpose()?.unwrap_or_default();
            profile.token = token.or(profile.token.as_ref()).cloned();
            Source::binary(path.clone(), Some(profile))
        }
        (Some(at), None) => outside(LaneId::Candidate, at, token)?,
        (None, None) => Source::Bundled,
    };
    Ok([legacy, candidate])
}

/// A server that runs already, at a URL or by a profile.
fn outside(lane: LaneId, at: &str, token: Option<&Secret>) -> Result<Source, Failure> {
    let target = parse(lane, at)?;
    if matches!(&target, LaneTarget::Spacetime(profile) if profile.is_without_url()) {
        return Err(Failure::usage(format!("{at} does not say where the server is"))
            .hint("add `url`, or give --candidate-bin to have a server started"));
    }
    Ok(Source::Outside(match token {
        Some(token) => target.with_token(token.clone()),
        None => target,
    }))
}

/// The profile of a server that this run starts.
fn profile_of_binary(at: &str) -> Result<SpacetimeProfile, Failure> {
    match parse(LaneId::Candidate, at)? {
        LaneTarget::Spacetime(profile) => Ok(*profile),
        LaneTarget::Phoenix(_) => Err(Failure::usage(format!(
            "{} is the profile of a Phoenix service, and --candidate-bin starts a SpacetimeDB server",
            masked(at)
        ))),
    }
}

fn parse(lane: LaneId, at: &str) -> Result<LaneTarget, Failure> {
    LaneTarget::parse(lane, at).map_err(|error| Failure::usage(error.to_string()))
}
