//! `cutover handshake`: two clients of a hosted database come and go, and are counted.

use std::time::Duration;

use cutover_core::stage::Check;
use cutover_core::stage::handshake::{COMMAND, checks};
use cutover_live::bounds::Bound;
use cutover_live::hosted::{Handshake, Line, reach, shake};
use cutover_live::lane::protocol::Profile;
use cutover_live::lane::socket::Bounds;
use cutover_live::lane::spacetime::presence::Seat;
use cutover_live::lane::spacetime::{Schema, SpacetimeProfile, admin};

use super::environment::HostedEnvironment;
use super::{ANSWER, Stage, conduct, refused};
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
    conduct(stage, async |stage| {
        stage.fact("server", profile.url.clone());
        stage.fact("database", environment.database());
        stage.fact("table", args.table.clone());
        stage.fact("asked", args.repeat);
        stage.fact("half_open", args.half_open.is_some());
        stage.fact("rounds", serde_json::json!([]));
        if let Err(check) = rounds(args, &profile, environment.database(), stage).await {
            stage.check(check);
            stage.unavailable();
        }
        let derived = checks(&stage.record().facts);
        stage.checks(derived);
        Ok(())
    })
}

/// Does the rounds. The check that stands in the way is the error.
async fn rounds(
    args: &HandshakeArgs,
    profile: &SpacetimeProfile,
    database: &str,
    stage: &mut Stage,
) -> Result<(), Check> {
    let name = "server";
    let mend = "`cutover provision-check` says what is missing";
    let origin = profile.socket_origin();
    reach(&origin, origin.tls).await.map_err(|unreached| Check::unknown(name, unreached.why, mend))?;
    let unavailable = |why: String| Check::unknown(name, why, mend);
    let line = Line::open(profile.clone()).await.map_err(|error| unavailable(error.to_string()))?;
    let mut http = line.http(profile.token.as_ref(), ANSWER).map_err(|error| unavailable(error.to_string()))?;
    let schema = match admin::schema(&mut http, database).await {
        Ok(schema) => schema.unwrap_or_else(|| Schema::clone(&Schema::module())),
        Err(error) => return Err(refused(name, &error, mend)),
    };
    stage.check(Check::passed(name, format!("`{database}` on {}", origin.authority())));
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
    stage.fact("rounds", serde_json::to_value(&rounds).unwrap_or_default());
    Ok(())
}
