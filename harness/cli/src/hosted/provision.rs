//! `cutover provision-check`: what is there of a hosted lane, from its variables to the schema of its database.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use cutover_core::stage::Surface;
use cutover_core::stage::provision::{
    COMMAND, DatabaseSeen, HealthSeen, Misfit, ModuleSeen, OriginSeen, ProvisionFacts,
};
use cutover_core::stage::server::{Answer, Trouble};
use cutover_live::hosted::{Line, Unreached, reach, resolve};
use cutover_live::lane::http::{HttpClient, HttpError};
use cutover_live::lane::protocol::Profile;
use cutover_live::lane::socket::Bounds;
use cutover_live::lane::spacetime::presence::{Seat, TABLE};
use cutover_live::lane::spacetime::{Schema, SpacetimeProfile, operate};

use super::environment::{HostedEnvironment, Variable};
use super::{ANSWER, Stage, answer, conduct, deployed, token};
use crate::args::ProvisionArgs;
use crate::exit::{Exit, Failure};

const HEALTH_PATH: &str = "/v1/health";

pub fn run(args: &ProvisionArgs) -> Result<Exit, Failure> {
    let environment = HostedEnvironment::read(args.hosted.env, &args.hosted.variables)?;
    let like = args.like.as_deref().map(deployed::surface).transpose()?;
    let stage = Stage::begin(COMMAND, args.hosted.env, args.hosted.out.as_ref(), args.hosted.format)?;
    conduct(stage, asked(args, &environment, like), async |_, facts| {
        let profile = match environment.profile() {
            Ok(profile) => profile,
            Err(failure) => {
                if facts.misfits.is_empty() {
                    let mend = failure.hint.unwrap_or_default();
                    facts.misfits.push(Misfit { variable: String::new(), what: failure.message, mend });
                }
                return Ok(());
            }
        };
        probe(args, &environment, profile, facts).await;
        Ok(())
    })
}

/// What is known before anything is reached.
fn asked(args: &ProvisionArgs, environment: &HostedEnvironment, like: Option<Surface>) -> ProvisionFacts {
    ProvisionFacts {
        variables: environment.prefix().to_owned(),
        set: environment.set(),
        misfits: environment.misfits.clone(),
        database: environment.database().to_owned(),
        health_path: environment.get(Variable::HealthPath).unwrap_or(HEALTH_PATH).to_owned(),
        clock_skew_most_s: args.clock_skew,
        wanted_is_deployed: like.is_some(),
        wanted: like.unwrap_or_else(Schema::module_surface),
        ..ProvisionFacts::default()
    }
}

/// Asks for one thing after another, until something is in the way.
async fn probe(
    args: &ProvisionArgs,
    environment: &HostedEnvironment,
    profile: SpacetimeProfile,
    facts: &mut ProvisionFacts,
) {
    let origin = profile.socket_origin();
    let address = origin.host.trim_matches(['[', ']']).parse::<IpAddr>();
    facts.server.clone_from(&profile.url);
    facts.websocket_path.clone_from(&profile.websocket_path);
    facts.origin = OriginSeen {
        host: origin.host.clone(),
        authority: origin.authority(),
        tls: origin.tls,
        is_here: origin.host == "localhost" || address.is_ok_and(|address| address.is_loopback()),
    };
    let addresses = resolve(&origin).await.map(|found| found.iter().map(ToString::to_string).collect());
    facts.addresses = Some(addresses.map_err(|why| Trouble::new(why, false)).into());
    if facts.addresses.as_ref().is_none_or(|found: &Answer<Vec<String>>| found.seen().is_none()) {
        return;
    }
    let reached = |reached: Result<(), Unreached>| {
        Answer::from(reached.map(|()| true).map_err(|unreached| Trouble::new(unreached.why, unreached.timed_out)))
    };
    let connected = reached(reach(&origin, false).await);
    let goes_on = connected.seen().is_some();
    facts.connected = Some(connected);
    if goes_on && origin.tls {
        facts.secured = Some(reached(reach(&origin, true).await));
    }
    if !goes_on || facts.secured.as_ref().is_some_and(|secured| secured.seen().is_none()) {
        return;
    }
    match Line::open(profile).await {
        Ok(line) => {
            server(args, environment, &line, facts).await;
            line.close().await;
        }
        Err(error) => facts.health = Some(Answer::Trouble(Trouble::new(error.to_string(), true))),
    }
}

/// What is asked of the server itself.
async fn server(args: &ProvisionArgs, environment: &HostedEnvironment, line: &Line, facts: &mut ProvisionFacts) {
    let Ok(mut http) = line.http(None, ANSWER) else { return };
    let health = health(&mut http, line, &facts.health_path).await;
    let is_well = health.seen().is_some_and(|health| health.unwell.is_none());
    let now_s = health.seen().map_or(0, |health| health.date_s.unwrap_or(health.asked_s));
    facts.health = Some(health);
    if !is_well {
        return;
    }
    facts.seen = super::server(&mut http, environment, None).await;
    facts.token = Some(token::look(line, environment, args.token_life, now_s).await);
    let Ok(mut http) = line.http(environment.token.as_ref(), ANSWER) else { return };
    let name = environment.database();
    let found = answer(
        operate::database(&mut http, name)
            .await
            .map(|found| found.map(|operate::Database { identity, owner }| DatabaseSeen { identity, owner })),
    );
    let is_there = matches!(found, Answer::Seen(Some(_)));
    facts.database_seen = Some(found);
    if is_there {
        facts.subprotocols = Some(subprotocols(environment, line).await);
        facts.surface = Some(answer(operate::surface(&mut http, name).await));
        facts.module = operate::module_bytes_digest(&mut http, name).await.ok().map(|sha256| ModuleSeen { sha256 });
    }
}

async fn health(http: &mut HttpClient, line: &Line, path: &str) -> Answer<HealthSeen> {
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let before = SystemTime::now();
    let answered = operate::get(http, path).await;
    let took = before.elapsed().unwrap_or_default();
    let health = answered.map(|answer| HealthSeen {
        status: answer.status,
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        unwell: (!answer.is_ok()).then(|| answer.in_words()),
        passing: answer.is_passing(),
        date_s: answer.date.map(seconds),
        asked_s: seconds(before + took / 2),
    });
    let why = |error: HttpError| {
        // The proxy's own words where it could not reach the server.
        let words = line.last_unreachable().unwrap_or_else(|| error.to_string());
        Trouble::new(words, matches!(error, HttpError::TimedOut { .. }))
    };
    health.map_err(why).into()
}

async fn subprotocols(environment: &HostedEnvironment, line: &Line) -> Answer<Vec<String>> {
    let seat = Seat {
        profile: line.profile.clone(),
        database: environment.database().to_owned(),
        table: TABLE.to_owned(),
        schema: Schema::default(),
        token: environment.token.clone(),
        bounds: Bounds::default(),
    };
    let spoken = seat.subprotocols(line.at()).await;
    spoken.map_err(|error| Trouble::new(error.to_string(), error.retryable)).into()
}
