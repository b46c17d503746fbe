//! What a command runs as each lane, by its arguments.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use cutover_core::ids::LaneId;
use cutover_core::text::{Secret, masked};
use cutover_live::environment::Source;
use cutover_live::lane::protocol::Profile;
use cutover_live::lane::protocols::{PROTOCOLS, profile_of};
use cutover_live::lane::spacetime::SpacetimeProfile;
use cutover_live::plain_file;

use crate::args::LaneArgs;
use crate::driver::Settings;
use crate::exit::Failure;
use crate::hosted::environment::HostedEnvironment;

/// The largest module that is read, in bytes.
const MAX_MODULE_BYTES: u64 = 256 << 20;

/// What these arguments have driven. Everything that can be wrong in them is found here, before anything starts.
pub fn settings(args: &LaneArgs, rate: Option<NonZeroU32>) -> Result<Settings, Failure> {
    Ok(Settings {
        lanes: sources(args)?,
        module: args.module.as_deref().map(read_module).transpose()?,
        aa: args.aa,
        alone: false,
        toxiproxy: None,
        programs: BTreeMap::new(),
        scenario_dirs: BTreeMap::new(),
        keep_databases: args.keep_databases,
        rate,
        legacy_defects: Vec::new(),
        candidate_defects: Vec::new(),
    })
}

fn sources(args: &LaneArgs) -> Result<[Source; 2], Failure> {
    if let (Some(at), Some(_)) = (&args.candidate, &args.candidate_bin)
        && at.contains("://")
    {
        let what = format!("`{}` is a server that runs, and --candidate-bin starts one", masked(at));
        return Err(Failure::usage(what).hint("give one of them, or a lane profile (a file) with --candidate-bin"));
    }
    let legacy = match &args.legacy {
        Some(at) => outside(LaneId::Legacy, at, args.legacy_token.as_ref())?,
        None => Source::Bundled,
    };
    let token = args.candidate_token.as_ref();
    if let Some(env) = args.env {
        let profile = HostedEnvironment::read(env, &args.variables)?.profile()?;
        return Ok([legacy, Source::Outside(with_token(Arc::new(profile), token))]);
    }
    let candidate = match (&args.candidate, &args.candidate_bin) {
        (profile, Some(path)) => {
            let profile = match profile {
                Some(at) => profile_of_binary(at)?,
                None => Arc::new(SpacetimeProfile::default()),
            };
            Source::Binary { path: path.clone(), profile: with_token(profile, token) }
        }
        (Some(at), None) if args.module.is_some() => with_module(at, token)?,
        (Some(at), None) => outside(LaneId::Candidate, at, token)?,
        (None, None) => Source::Bundled,
    };
    Ok([legacy, candidate])
}

pub fn outside(lane: LaneId, at: &str, token: Option<&Secret>) -> Result<Source, Failure> {
    let profile = parse(lane, at)?;
    if profile.is_without_url() {
        return Err(Failure::usage(format!("{at} does not say where the server is"))
            .hint("add `url`, or give --candidate-bin or --module to have a server started"));
    }
    Ok(Source::Outside(with_token(profile, token)))
}

/// A profile without an address describes the module, which the built-in server then gets.
pub fn with_module(at: &str, token: Option<&Secret>) -> Result<Source, Failure> {
    let profile = parse(LaneId::Candidate, at)?;
    match profile.of_managed_server().filter(|_| profile.is_without_url()) {
        Some(profile) => Ok(Source::BundledWith(profile)),
        None => outside(LaneId::Candidate, at, token),
    }
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

pub fn parse(lane: LaneId, at: &str) -> Result<Arc<dyn Profile>, Failure> {
    profile_of(lane, at).map_err(|error| Failure::usage(error.to_string()))
}

/// Reads a module, and makes sure that it is one before a server is asked to take it.
pub fn read_module(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = plain_file::read(path, MAX_MODULE_BYTES).map_err(|error| Failure::unreadable(path, &error))?;
    if !bytes.starts_with(b"\0asm") {
        return Err(Failure::usage(format!("{} is no wasm module", path.display()))
            .hint("spacetime/module/build.sh says how one is built"));
    }
    Ok(bytes)
}
