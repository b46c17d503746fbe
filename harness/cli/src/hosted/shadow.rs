//! `cutover shadow`: follows two live lanes, shows what it sees, and keeps the record of it.

mod metrics;
mod view;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cutover_core::ids::{LaneId, StreamId};
use cutover_core::shadow::Followed;
use cutover_core::stage::shadow::{self, ShadowFacts};
use cutover_live::clock;
use cutover_live::environment::{Environment, Source};
use cutover_live::lane::protocol::Profile;
use cutover_live::lane::spacetime::operate::Claims;
use cutover_live::plain_file;
use cutover_live::shadow::ShadowError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::environment::HostedEnvironment;
use super::stage::Stage;
use crate::args::ShadowArgs;
use crate::driver::unavailable;
use crate::exit::{Exit, Failure};
use crate::lanes;
use crate::out::note;
use crate::signals::{StopSignals, runtime};
use crate::work_dir::WorkDir;

const MAX_FILE_BYTES: u64 = 16 << 20;

/// How long connections and proxies have to end.
const END_WITHIN: Duration = Duration::from_secs(5);

pub fn run(args: &ShadowArgs) -> Result<Exit, Failure> {
    let streams = streams(args)?;
    let legacy = lanes::outside(LaneId::Legacy, &args.legacy, args.legacy_token.as_ref())?;
    let candidate = candidate(args)?;
    let tokens = [(LaneId::Legacy, &legacy), (LaneId::Candidate, &candidate)];
    let tokens = tokens.into_iter().filter_map(|(lane, source)| Some((lane, expires_in_s(source)?))).collect();
    let facts = |followed: Followed| ShadowFacts {
        asked_ms: ms(args.time),
        most_lag_ms: ms(args.most_lag),
        token_expires_in_s: tokens,
        followed,
    };
    let env = args.env.map_or("unnamed", |env| env.as_str());
    let mut stage = Stage::begin_in(shadow::COMMAND, env, args.out.as_ref(), args.format)?;
    let runtime = runtime()?;
    let work = WorkDir::make().map_err(|error| Failure::environment(format!("no directory for the run: {error}")))?;
    let environment = Environment::new(Path::new(""), work.path(), "shadow", legacy, candidate);
    let followed = runtime.block_on(follow(args, &environment, streams))?;
    runtime.shutdown_timeout(END_WITHIN);
    stage.judge(&facts(followed))?;
    stage.conclude()
}

async fn follow(args: &ShadowArgs, environment: &Environment, streams: Vec<StreamId>) -> Result<Followed, Failure> {
    let mut signals = StopSignals::listen()?;
    let stop = CancellationToken::new();
    let (state, states) = watch::channel(Followed::default());
    let serving = match args.metrics {
        Some(address) => Some(metrics::serve(address, states.clone()).await?),
        None => None,
    };
    let showing = tokio::spawn(view::show(states, args.time));
    let following = cutover_live::shadow::shadow(environment, streams, stop.clone(), state);
    tokio::pin!(following);
    let mut time = std::pin::pin!(tokio::time::sleep(args.time));
    let followed = loop {
        tokio::select! {
            followed = &mut following => break followed,
            () = &mut time, if !stop.is_cancelled() => stop.cancel(),
            signal = signals.next() => {
                if stop.is_cancelled() {
                    return Err(Failure::environment(format!("stopped by a second {signal}")));
                }
                note(&format!("{signal}: ending"));
                stop.cancel();
            }
        }
    };
    let _ = showing.await;
    if let Some(serving) = serving {
        serving.abort();
    }
    let _ = environment.teardown(END_WITHIN).await;
    followed.map_err(|error| match error {
        ShadowError::Environment(error) => unavailable(error),
        ShadowError::Names(error) => Failure::usage(error.to_string()),
    })
}

/// Seconds until the token of a lane expires, where its claims say so.
fn expires_in_s(source: &Source) -> Option<i64> {
    let Source::Outside(profile) = source else { return None };
    let expires = Claims::of(profile.token()?).ok()?.expires?;
    Some(expires - i64::try_from(clock::Moment::now().0 / 1000).ok()?)
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The streams of the arguments and of the file, each once.
fn streams(args: &ShadowArgs) -> Result<Vec<StreamId>, Failure> {
    let mut named: Vec<String> = args.stream.clone();
    if let Some(path) = &args.streams {
        let text = plain_file::read_text(path, MAX_FILE_BYTES).map_err(|error| Failure::unreadable(path, &error))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        named.extend(lines.map(str::to_owned));
    }
    if let Some(wrong) =
        named.iter().find(|name| name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()))
    {
        return Err(Failure::usage(format!("`{wrong}` is no topic")).hint("write it as `run:42:events`"));
    }
    let mut streams: Vec<StreamId> = named.into_iter().map(StreamId::new).collect();
    streams.sort();
    streams.dedup();
    match streams.is_empty() {
        true => Err(Failure::usage("there is no stream to follow").hint("name one by --stream or in the file")),
        false => Ok(streams),
    }
}

fn candidate(args: &ShadowArgs) -> Result<Source, Failure> {
    let Some(env) = args.env else {
        let at = args.candidate.as_deref().unwrap_or_default();
        return lanes::outside(LaneId::Candidate, at, args.candidate_token.as_ref());
    };
    let profile = HostedEnvironment::read(env, &args.variables)?.profile()?;
    Ok(Source::Outside(Arc::new(profile) as Arc<dyn Profile>))
}
