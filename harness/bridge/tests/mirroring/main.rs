//! A bridge between a database in memory and a real relay.
#![allow(clippy::unwrap_used)]

mod database;

use std::time::Duration;

use cutover_bridge::{Bridge, Relay, Settings, new_secret_key};
use cutover_core::history::{Arrival, RelayAnswer};
use cutover_core::plan::Mood;
use cutover_core::plan::defect::bridge::Defect;
use cutover_core::text::Secret;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use database::Database;

struct World {
    database: Database,
    relay: Relay,
    arrivals: mpsc::UnboundedReceiver<(Mood, Arrival)>,
    settings: Settings,
    bridge: Option<JoinHandle<()>>,
    _dir: TempDir,
}

impl World {
    async fn new(defects: &[Defect]) -> World {
        let (sender, arrivals) = mpsc::unbounded_channel();
        let (database, mut relay) = (Database::start().await, Relay::new(sender));
        let (address, dir) = (relay.up().await.unwrap(), TempDir::new().unwrap());
        let settings = Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            data_dir: dir.path().to_owned(),
            candidate: format!("ws://{}", database.address),
            host: None,
            database: "db".to_owned(),
            token: Secret::new("owner"),
            relay: format!("ws://{address}"),
            secret_key: new_secret_key(),
            answer_within: Duration::from_millis(300),
            backoff: (Duration::from_millis(1), Duration::from_millis(5)),
            attempts: 5,
            defects: defects.to_vec(),
        };
        World { database, relay, arrivals, settings, bridge: None, _dir: dir }
    }

    async fn start_bridge(&mut self) {
        let bridge = Bridge::bind(self.settings.clone()).await.unwrap();
        self.bridge = Some(tokio::spawn(bridge.run(std::future::pending())));
    }

    fn kill_bridge(&mut self) {
        self.bridge.take().unwrap().abort();
    }

    async fn arrival(&mut self) -> Arrival {
        tokio::time::timeout(Duration::from_secs(20), self.arrivals.recv()).await.expect("an arrival").unwrap().1
    }

    async fn arrived(&mut self, count: usize) -> Vec<(String, RelayAnswer)> {
        let mut arrived = Vec::new();
        while arrived.len() < count {
            let arrival = self.arrival().await;
            assert_eq!(arrival.wrong, None);
            arrived.push((arrival.key, arrival.answer));
        }
        arrived
    }

    async fn until(&self, reached: impl Fn(&[(String, String)]) -> bool) -> Vec<(String, String)> {
        let marks = async {
            loop {
                let marks = self.database.marks();
                if reached(&marks) {
                    return marks;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), marks).await.expect("the marks")
    }

    async fn until_all_marked(&self) -> Vec<(String, String)> {
        self.until(|marks| marks.iter().all(|(_, mark)| !mark.is_empty())).await
    }
}

fn stored(key: &str) -> (String, RelayAnswer) {
    (key.to_owned(), RelayAnswer::Stored)
}

fn refused(key: &str, why: &str) -> (String, RelayAnswer) {
    (key.to_owned(), RelayAnswer::Refused { why: why.to_owned() })
}

#[tokio::test]
async fn rows_are_mirrored_once_in_their_order_and_marked_with_the_id() {
    let mut world = World::new(&[]).await;
    for key in ["a", "b"] {
        world.database.enqueue(key);
    }
    world.start_bridge().await;
    let first = world.arrival().await;
    assert_eq!((first.key.as_str(), first.stream.as_str(), first.position), ("a", "s", 1));
    world.database.enqueue("c");
    assert_eq!(world.arrived(2).await, [stored("b"), stored("c")]);
    assert_eq!(world.until_all_marked().await[0].1, first.id);
}

#[tokio::test]
async fn what_waits_while_the_relay_is_down_is_mirrored_when_it_is_back() {
    let mut world = World::new(&[]).await;
    world.start_bridge().await;
    world.database.enqueue("a");
    assert_eq!(world.arrived(1).await, [stored("a")]);
    world.until_all_marked().await;
    world.relay.down();
    for key in ["b", "c"] {
        world.database.enqueue(key);
    }
    // The proxy in front of a relay keeps its address. Here the bridge is told the new one.
    world.kill_bridge();
    world.settings.relay = format!("ws://{}", world.relay.up().await.unwrap());
    world.start_bridge().await;
    world.until_all_marked().await;
    assert_eq!(world.arrived(2).await, [stored("b"), stored("c")]);
}

#[tokio::test]
async fn an_event_without_an_answer_comes_again_as_the_same_one_also_after_a_restart() {
    let mut world = World::new(&[]).await;
    world.relay.set_mood(Mood::Silent);
    world.database.enqueue("a");
    world.start_bridge().await;
    let (first, again) = (world.arrival().await, world.arrival().await);
    world.kill_bridge();
    world.relay.set_mood(Mood::Well);
    world.start_bridge().await;
    let marks = world.until_all_marked().await;
    assert_eq!(marks, [("a".to_owned(), first.id.clone())]);
    let last = world.arrival().await;
    assert_eq!([&again.id, &last.id], [&first.id, &first.id]);
    assert_eq!([first.answer, again.answer], [RelayAnswer::Stored, RelayAnswer::Duplicate]);
}

#[tokio::test]
async fn an_event_that_is_refused_for_now_comes_again_and_keeps_its_place() {
    for (mood, why) in
        [(Mood::Limiting, "rate-limited: slow down"), (Mood::Failing, "error: the store is not available")]
    {
        let mut world = World::new(&[]).await;
        world.relay.set_mood(mood);
        for key in ["a", "b"] {
            world.database.enqueue(key);
        }
        world.start_bridge().await;
        assert_eq!(world.arrived(2).await, [refused("a", why), refused("a", why)]);
        world.relay.set_mood(Mood::Well);
        world.until_all_marked().await;
    }
}

#[tokio::test]
async fn an_event_that_is_refused_too_often_or_for_good_is_parked_and_the_next_one_goes() {
    for mood in [Mood::Limiting, Mood::Blocking] {
        let mut world = World::new(&[]).await;
        world.relay.set_mood(mood);
        world.database.enqueue("a");
        world.start_bridge().await;
        let attempts = if mood == Mood::Limiting { 5 } else { 1 };
        assert_eq!(world.arrived(attempts).await.len(), attempts);
        world.database.enqueue("b");
        while world.arrival().await.key != "b" {}
        world.relay.set_mood(Mood::Well);
        world.database.enqueue("c");
        let marks = world.until(|marks| !marks[2].1.is_empty()).await;
        assert!(marks[0].1.is_empty(), "{marks:?}");
    }
}

#[tokio::test]
async fn garbage_is_no_answer() {
    let mut world = World::new(&[]).await;
    world.relay.set_mood(Mood::Garbling);
    world.database.enqueue("a");
    world.start_bridge().await;
    assert_eq!(world.arrival().await.answer, RelayAnswer::Garbage);
    assert_eq!(world.arrival().await.answer, RelayAnswer::Garbage);
    assert_eq!(world.database.marks()[0].1, "");
    world.relay.set_mood(Mood::Well);
    world.until_all_marked().await;
}

#[tokio::test]
async fn a_bridge_that_makes_another_id_is_stored_twice() {
    let mut world = World::new(&[Defect::AnotherId]).await;
    world.relay.set_mood(Mood::Silent);
    world.database.enqueue("a");
    world.start_bridge().await;
    world.arrival().await;
    world.kill_bridge();
    world.relay.set_mood(Mood::Well);
    world.start_bridge().await;
    world.until_all_marked().await;
    let mut last = world.arrival().await;
    while last.answer == RelayAnswer::Duplicate {
        last = world.arrival().await;
    }
    assert_eq!(last.answer, RelayAnswer::Stored);
}

#[tokio::test]
async fn a_bridge_that_forgets_what_it_read_does_not_send_it_after_a_restart() {
    let mut world = World::new(&[Defect::ForgetsWhatItRead]).await;
    world.relay.set_mood(Mood::Failing);
    world.database.enqueue("a");
    world.start_bridge().await;
    world.arrival().await;
    world.kill_bridge();
    world.relay.set_mood(Mood::Well);
    world.database.enqueue("b");
    world.start_bridge().await;
    let marks = world.until(|marks| !marks[1].1.is_empty()).await;
    assert!(marks[0].1.is_empty(), "{marks:?}");
}

#[tokio::test]
async fn other_planted_defects_show_at_the_relay_or_in_the_marks() {
    let mut world = World::new(&[Defect::ForgetsRefused]).await;
    world.relay.set_mood(Mood::Failing);
    world.database.enqueue("a");
    world.start_bridge().await;
    world.arrival().await;
    world.relay.set_mood(Mood::Well);
    world.database.enqueue("b");
    assert!(world.until(|marks| !marks[1].1.is_empty()).await[0].1.is_empty());

    let mut world = World::new(&[Defect::MarksEarly]).await;
    world.relay.set_mood(Mood::Failing);
    world.database.enqueue("a");
    world.start_bridge().await;
    world.until_all_marked().await;
    assert_eq!(world.arrived(1).await, [refused("a", "error: the store is not available")]);

    let mut world = World::new(&[Defect::NewestFirst]).await;
    for key in ["a", "b"] {
        world.database.enqueue(key);
    }
    world.start_bridge().await;
    assert_eq!(world.arrived(2).await, [stored("b"), stored("a")]);

    let mut world = World::new(&[Defect::WrongSignature]).await;
    world.database.enqueue("a");
    world.start_bridge().await;
    let arrival = world.arrival().await;
    assert!(arrival.wrong.is_some() && arrival.answer.is_final_refusal());

    let mut world = World::new(&[Defect::MarksWithAnotherId]).await;
    for key in ["a", "b"] {
        world.database.enqueue(key);
    }
    world.start_bridge().await;
    let marks = world.until_all_marked().await;
    assert_eq!(marks[0].1, marks[1].1);
}
