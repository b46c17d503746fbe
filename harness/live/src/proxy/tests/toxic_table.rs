//! Every byte toxic on sockets, in either direction: there before the connection, added, changed and removed while it
//! lives; with nothing sent after that, with data its way, against it, and both. What is expected is what Toxiproxy's
//! own source does (`toxics/*.go`, `link.go`), but for the differences that docs/FAULTS.md lists.

use std::time::Duration;

use cutover_core::plan::{ByteToxic, Direction};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::rig::{End, Ended, Rig, soon};
use crate::toxic::Toxic;

/// Longer than any test waits.
const HOUR: i64 = 3_600_000;

/// Sent before a change, under the toxic as it was.
const FIRST: &[u8] = b"abc";
/// Sent once all is set.
const THEN: &[u8] = b"0123456789";
/// Sent the other way.
const AGAINST: &[u8] = b"against";

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// It stays open; a half-close passes no sooner than after so many milliseconds.
    Open(u64),
    /// It stays open for data the other way.
    Stays,
    /// Both sides see FIN.
    Fin,
    /// Both sides see RST.
    Rst,
}
use Ends::{Fin, Open, Rst, Stays};

/// What arrives, not before so many milliseconds have passed, and how it ends.
type Seen = (&'static str, u64, Ends);

/// When the toxic is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Before,
    Added,
    Changed,
    Removed,
}

/// A toxic; how it is before a change or a removal; and for each life what is seen of an idle connection and of data.
struct Row {
    toxic: ByteToxic,
    held: ByteToxic,
    lives: [(Life, Seen, Seen); 4],
}

async fn shows(row: Row) {
    let mut cases = JoinSet::new();
    for (life, idle, along) in row.lives {
        for direction in [Direction::Upstream, Direction::Downstream] {
            for (data, against) in [(false, false), (true, false), (false, true), (true, true)] {
                let (toxic, held) = (row.toxic.clone(), row.held.clone());
                let expect = if data { along } else { idle };
                cases.spawn(async move {
                    let what = format!("{toxic:?} {life:?} {direction:?} data {data} against {against}");
                    let case = Case { life, direction, data, against };
                    soon(case.run(toxic, held, expect, &what)).await;
                });
            }
        }
    }
    while let Some(ended) = cases.join_next().await {
        ended.unwrap();
    }
}

struct Case {
    life: Life,
    direction: Direction,
    data: bool,
    against: bool,
}

impl Case {
    async fn run(&self, toxic: ByteToxic, held: ByteToxic, (bytes, least, ends): Seen, what: &str) {
        let of = |toxic: ByteToxic| {
            let direction = self.direction;
            vec![Toxic { name: "t".into(), direction, toxicity: 1.0, toxic }]
        };
        let rig = Rig::new(vec![]).await;
        let mut begun = Instant::now();
        match self.life {
            Life::Before => rig.proxy.set_toxics(of(toxic.clone())),
            Life::Added => {}
            Life::Changed | Life::Removed => rig.proxy.set_toxics(of(held)),
        }
        let (client, lane) = rig.connect().await;
        let (mut source, mut sink) = match self.direction {
            Direction::Upstream => (client, lane),
            Direction::Downstream => (lane, client),
        };
        let received = || match self.direction {
            Direction::Upstream => rig.proxy.stats().to_lane.received,
            Direction::Downstream => rig.proxy.stats().to_client.received,
        };
        if self.life != Life::Before {
            // So that the connection is through when the change comes.
            sink.send(b"up").await;
            source.expect(b"up").await;
        }
        if self.life == Life::Added {
            source.send(b"hi").await;
            sink.expect(b"hi").await;
        }
        if matches!(self.life, Life::Changed | Life::Removed) && self.data {
            source.send(FIRST).await;
            while received() < FIRST.len() as u64 {
                tokio::task::yield_now().await;
            }
        }
        if self.life != Life::Before {
            begun = Instant::now();
            let toxics = if self.life == Life::Removed { Vec::new() } else { of(toxic) };
            rig.proxy.set_toxics(toxics);
        }
        if self.data {
            // A connection that ends may refuse it.
            let _ = source.stream.write_all(THEN).await;
        }
        if self.against {
            let _ = sink.stream.write_all(AGAINST).await;
        }
        let arrived = gather(&mut sink, bytes.len(), ends).await;
        assert!(begun.elapsed() >= Duration::from_millis(least), "{what}: after {:?}", begun.elapsed());
        assert_eq!(arrived, (bytes.to_owned(), over(ends)), "{what}");
        self.against(&mut source, &mut sink, ends, what).await;
    }

    /// What goes the other way passes while the connection is open, and sees its end.
    async fn against(&self, source: &mut End, sink: &mut End, ends: Ends, what: &str) {
        let sent = if self.against { AGAINST } else { b"" };
        if let Fin | Rst = ends {
            let (got, ended) = gather(source, usize::MAX, ends).await;
            assert!(sent.starts_with(got.as_bytes()), "{what}: {got}");
            assert_eq!(ended, over(ends), "{what}");
            return;
        }
        source.expect(sent).await;
        sink.send(b"more").await;
        source.expect(b"more").await;
        if let Open(least) = ends {
            let begun = Instant::now();
            source.stream.shutdown().await.unwrap();
            assert_eq!(gather(sink, 0, Fin).await, (String::new(), Some(Ended::Eof)), "{what}");
            assert!(begun.elapsed() >= Duration::from_millis(least), "{what}: after {:?}", begun.elapsed());
        }
    }
}

fn over(ends: Ends) -> Option<Ended> {
    match ends {
        Open(_) | Stays => None,
        Fin => Some(Ended::Eof),
        Rst => Some(Ended::Reset),
    }
}

/// Reads so many bytes, or to the end where one is expected.
async fn gather(end: &mut End, bytes: usize, ends: Ends) -> (String, Option<Ended>) {
    let to_the_end = over(ends).is_some();
    let mut got = Vec::new();
    loop {
        if !to_the_end && got.len() >= bytes {
            return (String::from_utf8(got).unwrap(), None);
        }
        let ended = match end.stream.read_buf(&mut got).await {
            Ok(0) => Ended::Eof,
            Ok(_) => continue,
            Err(_) => Ended::Reset,
        };
        return (String::from_utf8(got).unwrap(), Some(ended));
    }
}

const NONE: Seen = ("", 0, Open(0));

#[tokio::test]
async fn latency_is_toxiproxys() {
    shows(Row {
        toxic: ByteToxic::Latency { latency: 40, jitter: 0 },
        held: ByteToxic::Latency { latency: HOUR, jitter: 0 },
        lives: [
            (Life::Before, NONE, ("0123456789", 40, Open(0))),
            (Life::Added, NONE, ("0123456789", 40, Open(0))),
            // What it holds goes at once, and the new latency counts for what comes.
            (Life::Changed, NONE, ("abc0123456789", 40, Open(0))),
            (Life::Removed, NONE, ("abc0123456789", 0, Open(0))),
        ],
    })
    .await;
}

#[tokio::test]
async fn bandwidth_is_toxiproxys() {
    shows(Row {
        toxic: ByteToxic::Bandwidth { rate: 1 },
        held: ByteToxic::Bandwidth { rate: 0 },
        lives: [
            (Life::Before, NONE, ("0123456789", 10, Open(0))),
            (Life::Added, NONE, ("0123456789", 10, Open(0))),
            (Life::Changed, NONE, ("abc0123456789", 10, Open(0))),
            (Life::Removed, NONE, ("abc0123456789", 0, Open(0))),
        ],
    })
    .await;
}

#[tokio::test]
async fn slow_close_is_toxiproxys() {
    let slow = ("", 0, Open(40));
    shows(Row {
        toxic: ByteToxic::SlowClose { delay: 40 },
        held: ByteToxic::SlowClose { delay: HOUR },
        lives: [
            (Life::Before, slow, ("0123456789", 0, Open(40))),
            (Life::Added, slow, ("0123456789", 0, Open(40))),
            (Life::Changed, slow, ("abc0123456789", 0, Open(40))),
            (Life::Removed, NONE, ("abc0123456789", 0, Open(0))),
        ],
    })
    .await;
}

#[tokio::test]
async fn timeout_is_toxiproxys() {
    let closes = ("", 100, Fin);
    shows(Row {
        toxic: ByteToxic::Timeout { timeout: 100 },
        held: ByteToxic::Timeout { timeout: 0 },
        lives: [
            (Life::Before, closes, closes),
            (Life::Added, closes, closes),
            (Life::Changed, closes, closes),
            // Its removal closes the connection, whether it has swallowed anything or not.
            (Life::Removed, ("", 0, Fin), ("", 0, Fin)),
        ],
    })
    .await;
}

#[tokio::test]
async fn reset_peer_is_toxiproxys() {
    let open = ("", 0, Stays);
    shows(Row {
        toxic: ByteToxic::ResetPeer { timeout: 40 },
        held: ByteToxic::ResetPeer { timeout: HOUR },
        lives: [
            (Life::Before, open, ("", 40, Rst)),
            // Toxiproxy: FIN, since it asks for RST only where a connection begins.
            (Life::Added, open, ("", 40, Rst)),
            // Toxiproxy answers the change, or the removal, only once the old time is up.
            (Life::Changed, open, ("", 0, Rst)),
            (Life::Removed, open, ("", 0, Rst)),
        ],
    })
    .await;
}

#[tokio::test]
async fn slicer_is_toxiproxys() {
    let slicer = |delay| ByteToxic::Slicer { average_size: 1, size_variation: 0, delay };
    shows(Row {
        toxic: slicer(5_000),
        held: slicer(HOUR * 1_000),
        lives: [
            (Life::Before, NONE, ("0123456789", 40, Open(0))),
            (Life::Added, NONE, ("0123456789", 40, Open(0))),
            // The rest of what was being cut goes at once.
            (Life::Changed, NONE, ("abc0123456789", 40, Open(0))),
            (Life::Removed, NONE, ("abc0123456789", 0, Open(0))),
        ],
    })
    .await;
}

#[tokio::test]
async fn limit_data_is_toxiproxys() {
    shows(Row {
        toxic: ByteToxic::LimitData { bytes: 4 },
        held: ByteToxic::LimitData { bytes: 100 },
        lives: [
            (Life::Before, NONE, ("0123", 0, Fin)),
            // What passed before it was added does not count.
            (Life::Added, NONE, ("0123", 0, Fin)),
            // What passed before the change does.
            (Life::Changed, NONE, ("abc0", 0, Fin)),
            (Life::Removed, NONE, ("abc0123456789", 0, Open(0))),
        ],
    })
    .await;
}
