//! An event table of SpacetimeDB 2: its rows come to who is subscribed, and are not kept.

use std::path::Path;

use cutover_core::history::Via;
use cutover_core::ids::{LaneId, Seed, Seq, StreamId};
use cutover_core::plan::{Compression, Plan, Serializer};
use cutover_core::scenario::{Scenario, compile};
use cutover_live::drive::{Destination, LaneStack};
use cutover_live::environment::{Environment, Source};
use cutover_live::lane::protocols::profile_of_toml;
use cutover_live::lane::{Arrival, ClientOptions, Endpoint, Publish, SubscriberSession};

use super::{binary, repo};

/// A module with an event log, and an event table beside it.
const MODULE: &str = "spacetime/fixtures/signals";
const STREAM: &str = "run:a:events";

fn plan() -> Plan {
    let text = format!(
        "schema = 1\nname = \"x\"\ntitle = \"A stream\"\nproves = [\"replay-determinism\"]\n\
         streams = [{{ topic = \"{STREAM}\" }}]\nclients = [{{ name = \"desk\" }}]\nsteps = [\n\
         {{ do = \"connect\" }},\n{{ do = \"publish\", streams = \"all\", count = 1 }}]\n\
         at_least = {{ deliveries = 1 }}\n"
    );
    compile(&Scenario::parse("x.toml", &text).unwrap_or_else(|errors| panic!("{errors}")), Seed(1))
}

/// A lane's profile in the fixture's folder, with more lines before its sections.
fn profile(name: &str, more: &str) -> String {
    let text = std::fs::read_to_string(repo().join(MODULE).join(name)).unwrap();
    text.replacen("\n\n", &format!("\n{more}\n\n"), 1)
}

async fn lane_of(work: &Path, source: Source, wasm: Vec<u8>) -> (Environment, LaneStack) {
    let binary = Path::new(env!("CARGO_BIN_EXE_cutover"));
    let environment = Environment::new(binary, work, "signals", Source::Bundled, source).with_module(wasm);
    let prepared = environment.prepare(LaneId::Candidate, LaneId::Candidate, &plan(), "x").await.unwrap();
    (environment, prepared.stack)
}

fn endpoint(destination: &Destination) -> Endpoint {
    let at = destination.upstream.borrow().clone().unwrap();
    Endpoint { connect: format!("{}:{}", at.host, at.port).parse().unwrap(), authority: destination.authority.clone() }
}

async fn subscribed(stack: &LaneStack) -> Box<dyn SubscriberSession> {
    let (serializer, compression) = (Serializer::V2, Compression::None);
    let client = ClientOptions { name: "desk".to_owned(), serializer, compression, join: None };
    let mut session = stack.lane.subscriber(&endpoint(&stack.socket), &client).await.unwrap();
    session.subscribe(&[(StreamId::new(STREAM), None)], 200).await.unwrap();
    session
}

/// All that came, once nothing is in flight any more.
async fn all_of(mut session: Box<dyn SubscriberSession>) -> Vec<(Seq, Via)> {
    session.heartbeat().await.unwrap();
    session.close().await;
    let mut all = Vec::new();
    loop {
        match session.next().await {
            Arrival::Event { seq, via, .. } => all.push((seq, via)),
            Arrival::Closed(_) => return all,
            other => panic!("{other:?} after {all:?}"),
        }
    }
}

fn live(seqs: &[u64]) -> Vec<(Seq, Via)> {
    seqs.iter().map(|seq| (Seq(*seq), Via::Transaction)).collect()
}

pub fn come_once(version: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(come_once_on(&format!("subprotocols = [\"{version}.bsatn.spacetimedb\"]")));
}

async fn come_once_on(spoken: &str) {
    let dir = tempfile::tempdir().unwrap();
    let wasm = std::fs::read(repo().join(MODULE).join("cutover_fixture.wasm")).unwrap();
    let kept = profile_of_toml(&profile("lane.toml", spoken), "lane.toml").unwrap().of_managed_server().unwrap();
    let source = Source::Binary { path: binary().into(), profile: kept };
    let (kept_environment, kept) = lane_of(&dir.path().join("kept"), source, wasm.clone()).await;

    // The signals are on the same server, in the same database.
    let open = kept.lane.for_program(&endpoint(&kept.socket), "desk", &[StreamId::new(STREAM)]).unwrap().open;
    let said = |name: &str| open[name].as_str().unwrap().to_owned();
    let there = format!(
        "{spoken}\nurl = \"{}\"\ndatabase = \"{}\"\ntoken = \"{}\"\nscoped = false",
        said("url"),
        said("database"),
        said("token")
    );
    let source = Source::Outside(profile_of_toml(&profile("signals.toml", &there), "signals.toml").unwrap());
    let (signal_environment, signals) = lane_of(&dir.path().join("signals"), source, wasm).await;

    let stream = StreamId::new(STREAM);
    let follower = subscribed(&kept).await;
    let (first, second) = (subscribed(&signals).await, subscribed(&signals).await);
    let mut writer = kept.lane.writer(&endpoint(&kept.writer)).await.unwrap();
    for seq in 1..=3 {
        writer.publish(Publish::new(&stream, &format!("k{seq}"), "{}")).await.unwrap();
        let args = format!("[\"{{stream}}\", {seq}, \"{{}}\"]");
        writer.call(&stream, "send_signal", &args).await.unwrap().unwrap();
    }
    assert_eq!(all_of(first).await, live(&[1, 2, 3]));
    // One that comes back gets nothing of what it missed, and goes on with what comes.
    let returned = subscribed(&signals).await;
    writer.call(&stream, "send_signal", "[\"{stream}\", 4, \"{}\"]").await.unwrap().unwrap();
    assert_eq!(all_of(returned).await, live(&[4]));
    assert_eq!(all_of(second).await, live(&[1, 2, 3, 4]));
    // What is durable has the events alone, live and in a replay.
    assert_eq!(all_of(follower).await, live(&[1, 2, 3]));
    let replay: Vec<_> = (1..=3).map(|seq| (Seq(seq), Via::Snapshot)).collect();
    assert_eq!(all_of(subscribed(&kept).await).await, replay);
    for environment in [signal_environment, kept_environment] {
        environment.teardown(std::time::Duration::from_secs(5)).await;
    }
}
