//! Clients with tokens in front of a lane that refuses some of them: which ones they present, and when they give up.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cutover_control::{Control, Enforcer, Lease, Right, Signs};
use cutover_core::history::{Minting, Record};
use cutover_core::ids::{LaneId, Seed};
use cutover_core::plan::{Change, Plan};
use cutover_core::scenario::{Scenario, compile};
use cutover_core::text::Secret;

use super::super::authority::Authority;
use super::super::checkpoints::CheckpointFile;
use super::super::client::ClientHandle;
use super::super::inbox::Inbox;
use super::super::recorder::Recorder;
use crate::lane::names::Names;
use crate::lane::{ClientOptions, Endpoint, Lane, OpenError, SubscriberSession, WriterSession};

const SCENARIO: &str = r#"
schema = 1
name = "some"
title = "One client"
proves = ["token-lifecycle"]
streams = [{ topic = "run:a:events" }]
identities = [{ name = "alice", tenant = "a", reads = ["run:a:events"] }]
clients = [{ name = "desk", as = "alice" }]
steps = [
  { do = "connect" },
  { do = "publish", stream = "run:a:events", count = 1 },
  { do = "access", change = "expire", as = "alice" },
]
at_least = { deliveries = 1 }
"#;

/// Refuses every token, and says so with the token in its words, as a careless service does.
#[derive(Clone, Default)]
struct Doorman {
    bearer: Option<Secret>,
    seen: Arc<Mutex<Vec<Secret>>>,
}

#[async_trait]
impl Lane for Doorman {
    async fn subscriber(&self, _: &Endpoint, _: &ClientOptions) -> Result<Box<dyn SubscriberSession>, OpenError> {
        let token = self.bearer.clone().unwrap();
        self.seen.lock().unwrap().push(token.clone());
        Err(OpenError::lasting(format!("HTTP 403: the token {} is not welcome", token.reveal())))
    }

    async fn writer(&self, _: &Endpoint) -> Result<Box<dyn WriterSession>, OpenError> {
        Err(OpenError::lasting("no writer"))
    }

    fn bearing(&self, token: Option<Secret>) -> Option<Arc<dyn Lane>> {
        Some(Arc::new(Doorman { bearer: token, ..self.clone() }))
    }
}

struct Quiet;

#[async_trait]
impl Enforcer for Quiet {
    async fn revoked(&self, _: &Lease) -> Result<(), String> {
        Ok(())
    }

    async fn changed(&self, _: &Lease, _: &str, _: Right, _: bool) -> Result<bool, String> {
        Ok(true)
    }

    async fn retired(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
}

fn plan() -> Plan {
    compile(&Scenario::parse("some.toml", SCENARIO).unwrap(), Seed(1))
}

async fn authority(plan: &Plan) -> Arc<Authority> {
    let control = Control::start(Signs::WithSecrets).await.unwrap();
    control.enforced_by(Arc::new(Quiet));
    let streams = plan.cases[0].streams.iter().map(|stream| stream.id.clone()).collect::<Vec<_>>();
    let names = Arc::new(Names::new(streams, None).unwrap());
    Arc::new(Authority::new(control, (plan, Vec::new()), names).unwrap())
}

/// Lets the client of the plan connect until it gives up. Returns what the lane saw, and what was recorded.
async fn gave_up(change: Option<Change>) -> (Vec<Secret>, Vec<Record>) {
    let (plan, dir, doorman) = (plan(), tempfile::tempdir().unwrap(), Doorman::default());
    let authority = authority(&plan).await;
    if let Some(change) = &change {
        authority.change(change).await.unwrap();
    }
    let recorder = Recorder::start("some".to_owned(), LaneId::Legacy, Arc::new(super::NoEvents));
    let file = CheckpointFile::of(dir.path(), "desk");
    let inbox = Inbox::new(plan.cases[0].clients[0].clone(), Arc::default(), recorder.clone(), file);
    let endpoint = Endpoint { connect: ([127, 0, 0, 1], 1).into(), authority: "nowhere".to_owned() };
    let handle = ClientHandle::spawn((Arc::new(doorman.clone()), Some(authority)), endpoint, inbox, recorder.clone());
    handle.connect().await;
    let mut status = handle.status.clone();
    status.wait_for(|status| status.gave_up.is_some()).await.unwrap();
    handle.stop().await;
    let seen = doorman.seen.lock().unwrap().clone();
    (seen, recorder.snapshot().records)
}

fn presented(records: &[Record]) -> Vec<(&str, Option<Minting>)> {
    let presented = records.iter().filter_map(|record| match record {
        Record::Presented { token, minted, .. } => Some((token.as_str(), *minted)),
        _ => None,
    });
    presented.collect()
}

#[tokio::test]
async fn a_client_whose_fresh_token_is_refused_does_not_try_again() {
    let (seen, records) = gave_up(None).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(presented(&records), [("good", Some(Minting::First))]);
}

#[tokio::test]
async fn a_client_whose_expired_token_is_refused_tries_once_more_with_a_fresh_one() {
    let (seen, records) = gave_up(Some(Change::Expire { identity: "alice".to_owned() })).await;
    assert_ne!(seen[0], seen[1]);
    assert_eq!(presented(&records), [("expired", None), ("good", Some(Minting::Refused))]);
}

#[tokio::test]
async fn no_token_is_recorded_though_the_lane_repeats_it() {
    let (seen, records) = gave_up(Some(Change::Expire { identity: "alice".to_owned() })).await;
    let recorded = serde_json::to_string(&records).unwrap();
    assert!(recorded.contains("is not welcome"), "{recorded}");
    for token in &seen {
        assert!(!recorded.contains(token.reveal()), "{recorded}");
        assert!(!recorded.contains(token.reveal().rsplit('.').next().unwrap()), "{recorded}");
    }
}

#[tokio::test]
async fn a_token_that_is_due_is_replaced_before_it_is_refused() {
    let plan = plan();
    let (authority, client) = (authority(&plan).await, "desk".into());
    let first = authority.presented(&client).await.unwrap();
    let kept = authority.presented(&client).await.unwrap();
    assert_eq!((first.minted, kept.minted), (Some(Minting::First), None));
    assert_eq!(first.token, kept.token);
    authority.change(&Change::Due { identity: "alice".to_owned() }).await.unwrap();
    let next = authority.presented(&client).await.unwrap();
    assert_eq!(next.minted, Some(Minting::Due));
    assert_ne!(next.token, kept.token);
}
