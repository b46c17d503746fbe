//! `cutover handshake`: two clients of a hosted database come and go, and are counted.

use std::time::Duration;

use cutover_core::stage::handshake::{COMMAND, HandshakeFacts};
use cutover_core::stage::provision::ModuleSeen;
use cutover_core::stage::server::Trouble;
use cutover_live::bounds::Bound;
use cutover_live::hosted::{Handshake, Line, reach, shake};
use cutover_live::lane::protocol::Profile;
use cutover_live::lane::socket::Bounds;
use cutover_live::lane::spacetime::presence::Seat;
use cutover_live::lane::spacetime::{Schema, SpacetimeProfile, admin, operate};

use super::environment::HostedEnvironment;
use super::{ANSWER, Stage, conduct, trouble};
use crate::args::HandshakeArgs;
use crate::exit::{Exit, Failure};
use crate::out;

pub fn run(args: &HandshakeArgs) -> Result<Exit, Failure> {
    let environment = HostedEnvironment::read(args.hosted.env, &args.hosted.variables)?;
    let profile = environment.profile()?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if args.table.is_empty() || !args.table.chars().all(is_name) {
        return Err(
            Failure::usage(format!("`{}` is no name of a table", args.table)).hint("use letters, digits and `_`")
        );
    }
    let stage = Stage::begin(COMMAND, args.hosted.env, args.hosted.out.as_ref(), args.hosted.format)?;
    let facts = HandshakeFacts {
        server: profile.url.clone(),
        database: environment.database().to_owned(),
        table: args.table.clone(),
        asked: args.repeat.into(),
        half_open: args.half_open.is_some(),
        ..HandshakeFacts::default()
    };
    conduct(stage, facts, async |stage, facts| {
        let reached = rounds(args, &profile, environment.database(), facts).await;
        if reached.is_err() {
            stage.unavailable();
        }
        facts.reached = Some(reached.into());
        Ok(())
    })
}

/// Does the rounds. What stands in the way is the error.
async fn rounds(
    args: &HandshakeArgs,
    profile: &SpacetimeProfile,
    database: &str,
    facts: &mut HandshakeFacts,
) -> Result<String, Trouble> {
    let origin = profile.socket_origin();
    let unavailable = |why: String| Trouble::new(why, true);
    reach(&origin, origin.tls).await.map_err(|unreached| unavailable(unreached.why))?;
    let line = Line::open(profile.clone()).await.map_err(|error| unavailable(error.to_string()))?;
    let mut http = line.http(profile.token.as_ref(), ANSWER).map_err(|error| unavailable(error.to_string()))?;
    let schema = admin::schema(&mut http, database).await.map_err(|error| trouble(&error))?;
    let schema = schema.unwrap_or_else(|| Schema::clone(&Schema::module()));
    facts.module = operate::module_bytes_digest(&mut http, database).await.ok().map(|sha256| ModuleSeen { sha256 });
    let seconds = |name, seconds| Bound::new(name, Duration::from_secs(seconds));
    let handshake = Handshake {
        seat: Seat {
            profile: profile.clone(),
            database: database.to_owned(),
            table: args.table.clone(),
            schema,
            token: profile.token.clone(),
            bounds: Bounds::default(),
        },
        rounds: args.repeat,
        within: seconds("--within", args.within),
        half_open: args.half_open.map(|bound| seconds("--half-open", bound)),
    };
    let rounds = shake(&line, &handshake, &mut |nth| out::note(&format!("round {nth} of {}", args.repeat))).await;
    line.close().await;
    facts.rounds = rounds;
    Ok(origin.authority())
}
