#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::super::{CheckInput, check_all};
use super::*;
use crate::check::earned;
use crate::history::{Completion, HISTORY_SCHEMA, Header, History, Outcome, Phase};
use crate::ids::{Cursor, LaneId, Seed};
use crate::matrix::Part;
use crate::plan::Plan;
use crate::scenario::Scenario;

const HOT: &str = include_str!("../../../../../scenarios/restored-hot-copy.toml");
const COLD: &str = include_str!("../../../../../scenarios/restored-cold-copy.toml");

fn plan(name: &str, text: &str) -> Plan {
    let scenario = Scenario::parse(&format!("{name}.toml"), text).unwrap();
    crate::scenario::compile(&scenario, Seed(1))
}

/// What a lane records of a right backup and a right restore, from the acknowledged heads.
struct Lane {
    heads: BTreeMap<StreamId, Seq>,
    backups: BTreeMap<String, BTreeMap<StreamId, Seq>>,
    records: Vec<Record>,
}

impl Lane {
    fn back_up(&mut self, backup: &str, begun: BTreeMap<StreamId, Seq>) {
        let (backup, ended) = (backup.to_owned(), self.heads.clone());
        let made = Backup { backup: backup.clone(), begun, ended: ended.clone(), files: vec![] };
        self.records.push(Record::BackedUp(made));
        self.backups.insert(backup, ended);
    }

    /// A damage takes the last events of each stream.
    fn restore(&mut self, plan: &Plan, restore: &Restore) {
        let backup = restore.backup.clone();
        let held = &self.backups[&backup];
        let harm = u64::from(restore.damage.is_some()) * 60;
        let streams: Vec<_> = held
            .iter()
            .map(|(stream, head)| {
                let head = head.0.saturating_sub(harm);
                let events = if head == 0 { vec![] } else { vec![(1, head)] };
                Replayed { stream: stream.clone(), events, other: vec![] }
            })
            .collect();
        let file = FileDiffers { path: "log".to_owned(), bytes: 9, now: Some(5) };
        let files = restore.damage.iter().map(|_| file.clone()).collect();
        let written = restore.next.iter().map(|next| {
            let replayed = streams.iter().find(|replayed| replayed.stream == next.stream).unwrap();
            Some(Seq(replayed.head() + 1))
        });
        let clients = plan.cases[0].clients.iter().flat_map(|client| {
            let returned = |replayed: &Replayed| Returned {
                client: client.id.clone(),
                stream: replayed.stream.clone(),
                from: Cursor(self.heads[&replayed.stream].0),
                told: self.heads[&replayed.stream].0 > replayed.head(),
                given: match self.heads[&replayed.stream].0 > replayed.head() {
                    true => vec![(1, replayed.head() + 1)],
                    false => vec![(replayed.head() + 1, replayed.head() + 1)],
                },
                other: vec![],
                ended: Cursor(replayed.head() + 1),
            };
            streams.iter().map(returned).collect::<Vec<_>>()
        });
        let rejoined = Rejoined { backup: backup.clone(), written: written.collect(), clients: clients.collect() };
        self.records.push(Record::Restoring { backup: backup.clone() });
        self.records.push(Record::Restored(Restored { backup, files, refused: None, streams }));
        self.records.push(Record::Rejoined(rejoined));
    }
}

/// The history of a lane on which all goes as planned.
fn history(plan: &Plan, lane: LaneId) -> History {
    let phase = |phase| Record::Phase { phase };
    let heads = plan.cases[0].streams.iter().map(|stream| (stream.id.clone(), Seq(0))).collect();
    let mut made = Lane { heads, backups: BTreeMap::new(), records: vec![phase(Phase::Setup), phase(Phase::Exercise)] };
    let mut begun = BTreeMap::new();
    for step in &plan.cases[0].steps {
        match step {
            Step::Publish { op, stream, expect: crate::plan::PublishExpect::Accepted { seq }, .. } => {
                let outcome = Outcome::Published { seq: *seq, duplicate: None, differs: vec![] };
                made.records.push(Record::Invoke { op: *op, attempt: 1 });
                let completion = Completion::Ok { outcome };
                made.records.push(Record::Complete { op: *op, attempt: 1, completion });
                made.heads.insert(stream.clone(), *seq);
            }
            Step::Backup { backup, copy: crate::plan::Copying::Cold } => made.back_up(backup, made.heads.clone()),
            Step::Backup { .. } => begun = made.heads.clone(),
            Step::BackedUp { backup } => made.back_up(backup, begun.clone()),
            Step::Restore(restore) => made.restore(plan, restore),
            _ => {}
        }
    }
    made.records.extend([Phase::Heal, Phase::Converge, Phase::ProofOfLife, Phase::Drain, Phase::Done].map(phase));
    let header = Header {
        schema: HISTORY_SCHEMA.to_owned(),
        scenario: plan.scenario.clone(),
        seed: plan.seed,
        lane,
        plan_digest: plan.digest(),
    };
    History { header, records: made.records }
}

/// The reasons of the findings where the candidate's records are changed.
fn found(text: (&str, &str), change: impl Fn(&mut Vec<Record>)) -> Vec<&'static str> {
    let plan = plan(text.0, text.1);
    let (legacy, mut candidate) = (history(&plan, LaneId::Legacy), history(&plan, LaneId::Candidate));
    change(&mut candidate.records);
    let reports = check_all(&CheckInput::new(&plan, &legacy, &candidate));
    let of = reports.iter().filter(|report| report.checker == NAME).flat_map(|report| &report.findings);
    of.inspect(|finding| assert_eq!(finding.lane, Some(LaneId::Candidate))).map(|finding| finding.reason.word).collect()
}

const BOTH: [(&str, &str); 2] = [("restored-hot-copy", HOT), ("restored-cold-copy", COLD)];

/// Changes the nth restored server.
fn restored(records: &mut [Record], nth: usize, change: impl Fn(&mut Restored)) {
    let mut all = records.iter_mut().filter_map(|record| match record {
        Record::Restored(restored) => Some(restored),
        _ => None,
    });
    change(all.nth(nth).unwrap());
}

fn rejoined(records: &mut [Record], change: impl Fn(&mut Rejoined)) {
    let mut all = records.iter_mut().filter_map(|record| match record {
        Record::Rejoined(rejoined) => Some(rejoined),
        _ => None,
    });
    change(all.next().unwrap());
}

#[test]
fn a_lane_that_restores_as_the_contract_says_has_no_finding_and_shows_the_whole_row() {
    let mut parts = std::collections::BTreeSet::new();
    for (name, text) in BOTH {
        assert_eq!(found((name, text), |_| {}), Vec::<&str>::new(), "{name}");
        let plan = plan(name, text);
        parts.extend(earned(&plan, &history(&plan, LaneId::Legacy)));
    }
    let row = crate::matrix::row("restore-drill").unwrap();
    assert!(row.parts.iter().all(|part| parts.contains(part)), "{parts:?}");
}

#[test]
fn a_backup_whose_head_did_not_move_was_not_taken_while_writing() {
    let plan = plan("restored-hot-copy", HOT);
    let mut history = history(&plan, LaneId::Legacy);
    for record in &mut history.records {
        if let Record::BackedUp(backup) = record {
            backup.ended = backup.begun.clone();
        }
    }
    assert!(!earned(&plan, &history).contains(&Part::RestoredHot));
}

#[test]
fn a_tail_that_is_lost_in_silence_is_found() {
    let lose = |restored: &mut Restored| restored.streams[0].events = vec![(1, 19)];
    assert_eq!(found(BOTH[0], |records| restored(records, 0, lose))[0], "tail-lost");
}

#[test]
fn a_gap_another_payload_and_more_than_the_backup_has_are_found() {
    let with = |change: fn(&mut Replayed)| {
        found(BOTH[0], |records| restored(records, 0, |restored| change(&mut restored.streams[0])))
    };
    assert_eq!(with(|replayed| replayed.events = vec![(1, 4), (6, 60)]), ["gap"]);
    assert_eq!(
        with(|replayed| (replayed.events, replayed.other) = (vec![(1, 59)], vec![(60, None)])),
        ["other-payload"]
    );
    assert_eq!(with(|replayed| replayed.events = vec![(1, 61)])[0], "not-of-the-backup");
}

#[test]
fn files_that_changed_and_a_server_that_does_not_serve_are_found() {
    let change = |restored: &mut Restored| {
        restored.files = vec![FileDiffers { path: "log".to_owned(), bytes: 5, now: None }];
    };
    assert_eq!(found(BOTH[0], |records| restored(records, 0, change)), ["files-differ"]);
    let refuse = |restored: &mut Restored| restored.refused = Some("status 500".to_owned());
    assert_eq!(found(BOTH[0], |records| restored(records, 0, refuse)), ["not-served"]);
}

#[test]
fn a_damage_that_shows_nowhere_is_found_and_one_that_the_server_refuses_is_seen() {
    let hide = |restored: &mut Restored| restored.files.clear();
    assert_eq!(found(BOTH[0], |records| restored(records, 1, hide)), ["damage-not-detected"]);
    let whole = |restored: &mut Restored| restored.streams[0].events = vec![(1, 40)];
    let of_both = |restored: &mut Restored| {
        whole(restored);
        restored.streams[1].events = vec![(1, 20)];
    };
    assert_eq!(found(BOTH[0], |records| restored(records, 1, of_both))[0], "damage-without-effect");
    let refuse = |restored: &mut Restored| restored.refused = Some("status 500".to_owned());
    assert_eq!(found(BOTH[0], |records| restored(records, 1, refuse)), Vec::<&str>::new());
}

#[test]
fn a_seq_that_is_used_again_without_the_client_being_told_is_found() {
    let untold = |rejoined: &mut Rejoined| rejoined.clients[0].told = false;
    assert_eq!(found(BOTH[0], |records| rejoined(records, untold)), ["seq-used-again"]);
    let lacks = |rejoined: &mut Rejoined| rejoined.clients[0].given = vec![(2, 61)];
    assert_eq!(found(BOTH[0], |records| rejoined(records, lacks)), ["not-brought-back"]);
}

#[test]
fn a_restore_that_was_not_done_and_one_that_takes_no_events_are_unknown() {
    let never = |records: &mut Vec<Record>| records.retain(|record| !matches!(record, Record::Restored(_)));
    assert_eq!(found(BOTH[1], never), ["not-done"; 3]);
    let no_answer = |rejoined: &mut Rejoined| rejoined.written[0] = None;
    assert_eq!(found(BOTH[0], |records| rejoined(records, no_answer)), ["not-written"]);
}
