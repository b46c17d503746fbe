//! What the gate runs as each lane, by its arguments.

use std::sync::Arc;

use cutover_core::ids::LaneId;
use cutover_core::text::{Secret, masked};
use cutover_live::environment::Source;
use cutover_live::lane::protocol::Profile;
use cutover_live::lane::protocols::{PROTOCOLS, profile_of};
use cutover_live::lane::spacetime::SpacetimeProfile;

use crate::args::GateArgs;
use crate::exit::Failure;

pub fn sources(args: &GateArgs) -> Result<[Source; 2], Failure> {
    let legacy = match &args.legacy {
        Some(at) => outside(LaneId::Legacy, at, args.legacy_token.as_ref())?,
        None => Source::Bundled,
    };
    let token = args.candidate_token.as_ref();
    let candidate = match (&args.candidate, &args.candidate_bin) {
        (profile, Some(path)) => {
            let profile = match profile {
                Some(at) => profile_of_binary(at)?,
                None => Arc::new(SpacetimeProfile::default()),
            };
            Source::Binary { path: path.clone(), profile: with_token(profile, token) }
        }
        (Some(at), None) => outside(LaneId::Candidate, at, token)?,
        (None, None) => Source::Bundled,
    };
    Ok([legacy, candidate])
}

fn outside(lane: LaneId, at: &str, token: Option<&Secret>) -> Result<Source, Failure> {
    let profile = parse(lane, at)?;
    if profile.is_without_url() {
        return Err(Failure::usage(format!("{at} does not say where the server is"))
            .hint("add `url`, or give --candidate-bin to have a server started"));
    }
    Ok(Source::Outside(with_token(profile, token)))
}

fn profile_of_binary(at: &str) -> Result<Arc<dyn Profile>, Failure> {
    let profile = parse(LaneId::Candidate, at)?;
    profile.of_managed_server().ok_or_else(|| {
        let protocol = PROTOCOLS.iter().find(|protocol| protocol.kind() == profile.kind());
        let server = protocol.map_or("another server", |protocol| protocol.server());
        let at = masked(at);
        Failure::usage(format!("{at} is the profile of {server}, and --candidate-bin starts a SpacetimeDB server"))
    })
}

fn with_token(profile: Arc<dyn Profile>, token: Option<&Secret>) -> Arc<dyn Profile> {
    token.map_or(profile.clone(), |token| profile.with_token(token.clone()))
}

fn parse(lane: LaneId, at: &str) -> Result<Arc<dyn Profile>, Failure> {
    profile_of(lane, at).map_err(|error| Failure::usage(error.to_string()))
}
