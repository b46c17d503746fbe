//! An event table of SpacetimeDB 2: its rows come to who is subscribed, and are not kept.

use std::path::Path;
use std::time::Duration;

use cutover_core::history::Via;
use cutover_core::ids::{LaneId, Seed, Seq, StreamId};
use cutover_core::plan::{Compression, Plan, Serializer};
use cutover_core::scenario::{Scenario, compile};
use cutover_live::drive::{Destination, LaneStack};
use cutover_live::environment::{Environment, Source};
use cutover_live::lane::protocols::profile_of_toml;
use cutover_live::lane::{Arrival, ClientOptions, Completion, Endpoint, Publish, SubscriberSession};
use tokio::runtime::Runtime;

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

async fn try_subscribe(stack: &LaneStack) -> Completion<Box<dyn SubscriberSession>> {
    let (serializer, compression) = (Serializer::V2, Compression::None);
    let client = ClientOptions { name: "desk".to_owned(), serializer, compression, join: None };
    let mut session = stack.lane.subscriber(&endpoint(&stack.socket), &client).await.unwrap();
    session.subscribe(&[(StreamId::new(STREAM), None)], 200).await?;
    Ok(session)
}

async fn subscribed(stack: &LaneStack) -> Box<dyn SubscriberSession> {
    try_subscribe(stack).await.unwrap_or_else(|error| panic!("{error:?}"))
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
    runtime().block_on(come_once_on(&format!("subprotocols = [\"{version}.bsatn.spacetimedb\"]")));
}

/// A lane over the module's event log, on a server of its own, and one over its event table in the same database.
async fn lanes(dir: &Path, spoken: &str) -> [(Environment, LaneStack); 2] {
    let wasm = std::fs::read(repo().join(MODULE).join("cutover_fixture.wasm")).unwrap();
    let kept = profile_of_toml(&profile("lane.toml", spoken), "lane.toml").unwrap().of_managed_server().unwrap();
    let source = Source::Binary { path: binary().into(), profile: kept };
    let kept = lane_of(&dir.join("kept"), source, wasm.clone()).await;
    let open = kept.1.lane.for_program(&endpoint(&kept.1.socket), "desk", &[StreamId::new(STREAM)]).unwrap().open;
    let said = |name: &str| open[name].as_str().unwrap().to_owned();
    let there = format!(
        "{spoken}\nurl = \"{}\"\ndatabase = \"{}\"\ntoken = \"{}\"\nscoped = false",
        said("url"),
        said("database"),
        said("token")
    );
    let source = Source::Outside(profile_of_toml(&profile("signals.toml", &there), "signals.toml").unwrap());
    let signals = lane_of(&dir.join("signals"), source, wasm).await;
    [kept, signals]
}

async fn end(lanes: [(Environment, LaneStack); 2]) {
    for (environment, _) in lanes.into_iter().rev() {
        environment.teardown(Duration::from_secs(5)).await;
    }
}

async fn come_once_on(spoken: &str) {
    let dir = tempfile::tempdir().unwrap();
    let lanes = lanes(dir.path(), spoken).await;
    let [(_, kept), (_, signals)] = &lanes;
    let stream = StreamId::new(STREAM);
    let follower = subscribed(kept).await;
    let (first, second) = (subscribed(signals).await, subscribed(signals).await);
    let mut writer = kept.lane.writer(&endpoint(&kept.writer)).await.unwrap();
    for seq in 1..=3 {
        writer.publish(Publish::new(&stream, &format!("k{seq}"), "{}")).await.unwrap();
        let args = format!("[\"{{stream}}\", {seq}, \"{{}}\"]");
        writer.call(&stream, "send_signal", &args).await.unwrap().unwrap();
    }
    assert_eq!(all_of(first).await, live(&[1, 2, 3]));
    // One that comes back gets nothing of what it missed, and goes on with what comes.
    let returned = subscribed(signals).await;
    writer.call(&stream, "send_signal", "[\"{stream}\", 4, \"{}\"]").await.unwrap().unwrap();
    assert_eq!(all_of(returned).await, live(&[4]));
    assert_eq!(all_of(second).await, live(&[1, 2, 3, 4]));
    // What is durable has the events alone, live and in a replay.
    assert_eq!(all_of(follower).await, live(&[1, 2, 3]));
    let replay: Vec<_> = (1..=3).map(|seq| (Seq(seq), Via::Snapshot)).collect();
    assert_eq!(all_of(subscribed(kept).await).await, replay);
    end(lanes).await;
}

pub fn refused_on_v1() {
    runtime().block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let lanes = lanes(dir.path(), "subprotocols = [\"v1.bsatn.spacetimedb\"]").await;
        let refused = try_subscribe(&lanes[1].1).await.err().unwrap().what();
        assert!(refused.contains("event tables") && refused.contains("v2"), "{refused}");
        // The event log beside it is not touched by that.
        assert_eq!(all_of(subscribed(&lanes[0].1).await).await, []);
        end(lanes).await;
    });
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}
