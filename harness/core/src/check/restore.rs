//! `restore`: of each backup that the plan has restored. The files that the new server started on must be those of the
//! backup's list. The server must then hold an unbroken row of events from the first one on, each with its payload: at
//! least all that was acknowledged when the backup began, and nothing that was published after it was whole. A client
//! that comes back with a cursor beyond the restored head must be told, and in the end each must have been given all
//! that the server holds. Else a client keeps an event under a seq that the server gives to another one.
//!
//! Where the plan damages a backup, this checker must see it twice: in the list of files, and in the events. A server
//! that does not start on it, or does not open its database, shows it, too.

use std::collections::HashMap;

use super::checker::{Checker, nothing};
use super::finding::{Finding, Report};
use super::index::{Index, LaneIndex};
use super::reason::{Reason, Shortage};
use crate::history::{Backup, FileDiffers, Record, Rejoined, Replayed, Restored, Returned};
use crate::ids::{LaneId, Seq, StreamId};
use crate::plan::{Plan, Restore, Step};

pub const NAME: &str = "restore";

static TAIL_LOST: Reason =
    Reason::invalid("tail-lost", "{event} {was} acknowledged before a backup, and not there once it was restored")
        .deed("lost events between a backup and its restore");
static GAP: Reason = Reason::invalid("gap", "the restored {stream} lacks event {seq}, and has later ones")
    .deed("restored a stream with a gap");
static OTHER_PAYLOAD: Reason =
    Reason::invalid("other-payload", "{event} has another payload once its backup is restored")
        .deed("restored other payloads than were published");
static NOT_OF_BACKUP: Reason =
    Reason::invalid("not-of-the-backup", "{event} {was} published after a backup, and there once it was restored")
        .deed("served more than the backup holds");
static FILES_DIFFER: Reason = Reason::invalid("files-differ", "the files of a backup are not those of its list: {got}");
static NOT_SERVED: Reason = Reason::invalid("not-served", "a new server serves nothing from a backup: {got}")
    .deed("does not serve from its own backup");
static NOT_DETECTED: Reason =
    Reason::invalid("damage-not-detected", "a damaged backup was restored, and its list of files shows nothing");
static HARMLESS: Reason =
    Reason::unknown("damage-without-effect", "a damaged backup was restored with all its events, which shows nothing");
static USED_AGAIN: Reason = Reason::invalid(
    "seq-used-again",
    "{client} keeps {event}, which the restored server does not have, and it gave the seq to another event",
)
.deed("used seqs again after a restore, and did not tell the clients that had them");
static NOT_BACK: Reason =
    Reason::invalid("not-brought-back", "{client} does not get all that the restored {stream} holds")
        .deed("left clients without events of a restored server");
static NOT_DONE: Reason =
    Reason::unknown("not-done", "a backup that the plan has restored was not restored").shortage(Shortage::NotDone);
static NOT_WRITTEN: Reason =
    Reason::unknown("not-written", "nothing could be written to a restored server, so that it shows less")
        .shortage(Shortage::NotDone);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a restored backup lacks events, changes them, or leaves clients with events that are gone",
    source: "contract, \"A restore\"",
    rows: &["restore-drill"],
    reasons: &[
        &TAIL_LOST,
        &GAP,
        &OTHER_PAYLOAD,
        &NOT_OF_BACKUP,
        &FILES_DIFFER,
        &NOT_SERVED,
        &NOT_DETECTED,
        &HARMLESS,
        &USED_AGAIN,
        &NOT_BACK,
        &NOT_DONE,
        &NOT_WRITTEN,
    ],
    accounts_for: "",
    explains: nothing,
    check,
};

/// One planned restore, and what the history has of it.
pub(super) struct Drill<'a> {
    pub(super) plan: &'a Restore,
    pub(super) backup: Option<(usize, &'a Backup)>,
    pub(super) restored: Option<(usize, &'a Restored)>,
    pub(super) rejoined: Option<(usize, &'a Rejoined)>,
}

/// The restores of a plan on one lane, in their order. Each record belongs to the one that began last.
pub(super) fn drills<'a>(plan: &'a Plan, lane: LaneId, records: &'a [Record]) -> Vec<Drill<'a>> {
    let restores = plan.cases.iter().flat_map(|case| &case.steps).filter_map(|step| match step {
        Step::Restore(restore) if restore.is_on(lane) => Some(restore),
        _ => None,
    });
    let mut drills: Vec<_> =
        restores.map(|plan| Drill { plan, backup: None, restored: None, rejoined: None }).collect();
    let mut backups = HashMap::new();
    let mut begun = 0;
    for (at, record) in records.iter().enumerate() {
        if let Record::BackedUp(backup) = record {
            backups.insert(backup.backup.as_str(), (at, backup));
        }
        begun += usize::from(matches!(record, Record::Restoring { .. }));
        let Some(drill) = begun.checked_sub(1).and_then(|nth| drills.get_mut(nth)) else { continue };
        let named = drill.plan.backup.as_str();
        match record {
            Record::Restoring { .. } => drill.backup = backups.get(named).copied(),
            Record::Restored(restored) if restored.backup == named => drill.restored = Some((at, restored)),
            Record::Rejoined(rejoined) if rejoined.backup == named => drill.rejoined = Some((at, rejoined)),
            _ => {}
        }
    }
    drills
}

/// The first event of each stream that was acknowledged before the backup and is not there.
pub(super) fn lost<'a>(backup: &'a Backup, restored: &'a Restored) -> impl Iterator<Item = (&'a StreamId, u64, u64)> {
    backup.begun.iter().filter_map(|(stream, begun)| {
        let head = restored.head_of(stream);
        (head < begun.0).then_some((stream, head + 1, begun.0))
    })
}

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        for drill in drills(index.plan.plan, lane.lane, &lane.history.records) {
            judge(index, lane, &drill, report);
        }
    }
}

fn judge(index: &Index<'_>, lane: &LaneIndex<'_>, drill: &Drill<'_>, report: &mut Report) {
    let finding = |reason| Finding::new(NAME, reason).on(lane.lane);
    let (Some((backed_up, backup)), Some((at, restored))) = (drill.backup, drill.restored) else {
        if lane.done {
            report.push(finding(&NOT_DONE));
        }
        return;
    };
    report.count("restored backups", 1);
    let told = drill.plan.told();
    match (told, restored.files.as_slice()) {
        (None, []) => {}
        (None, files) => report.push(finding(&FILES_DIFFER).seen_at(backed_up).seen_at(at).got(listed(files))),
        (Some(_), []) => report.push(finding(&NOT_DETECTED).seen_at(at)),
        (Some(_), _) => report.count("damages that the list of files shows", 1),
    }
    if let Some(why) = &restored.refused {
        match told {
            None => report.push(finding(&NOT_SERVED).seen_at(backed_up).seen_at(at).got(why.clone())),
            Some(_) => report.count("damages that the server refuses", 1),
        }
        return;
    }
    let in_stream = |reason, stream: &StreamId| {
        let finding = finding(reason).in_stream(stream.as_str());
        finding.seen_at(backed_up).seen_at(at)
    };
    let mut missing = lost(backup, restored).peekable();
    match told {
        Some(_) if missing.peek().is_none() => report.push(finding(&HARMLESS).seen_at(at)),
        Some(_) => report.count("damages that the events show", 1),
        None => {
            missing.for_each(|(stream, first, last)| report.push(in_stream(&TAIL_LOST, stream).of_events(first, last)))
        }
    }
    for replayed in &restored.streams {
        report.count("restored events", replayed.head());
        if let Some(gap) = replayed.gap() {
            report.push(in_stream(&GAP, &replayed.stream).of_event(gap));
        }
        if let Some((seq, _)) = replayed.other.first() {
            report.push(in_stream(&OTHER_PAYLOAD, &replayed.stream).of_event(*seq));
        }
        let sent = sent_before(index, lane, &replayed.stream, backed_up);
        if replayed.head() > sent {
            let finding = in_stream(&NOT_OF_BACKUP, &replayed.stream);
            report.push(finding.of_events(sent + 1, replayed.head()));
        }
    }
    rejoin(lane, drill, restored, report);
}

/// How many bytes a file of the list has, and has now.
fn listed(files: &[FileDiffers]) -> String {
    let said = |file: &FileDiffers| match file.now {
        None => format!("`{}` is missing", file.path),
        Some(now) if now == file.bytes => format!("`{}` has other content", file.path),
        Some(now) => format!("`{}` has {now} bytes, not {}", file.path, file.bytes),
    };
    let mut listed: Vec<_> = files.iter().take(3).map(said).collect();
    listed.extend((files.len() > 3).then(|| format!("{} more", files.len() - 3)));
    listed.join(", ")
}

/// The last event of a stream that had been sent before a record.
fn sent_before(index: &Index<'_>, lane: &LaneIndex<'_>, stream: &StreamId, at: usize) -> u64 {
    let Some(stream) = index.plan.streams.get(stream.as_str()) else { return 0 };
    let ops = index.plan.ops.iter().zip(&lane.ops).filter(|(op, _)| op.stream == stream && op.hash().is_some());
    let sent = ops.filter(|(_, state)| state.sent.is_some_and(|sent| sent < at));
    sent.filter_map(|(op, state)| state.acked_seq().max(op.planned_seq())).max().unwrap_or(0)
}

fn rejoin(lane: &LaneIndex<'_>, drill: &Drill<'_>, restored: &Restored, report: &mut Report) {
    let finding = |reason| Finding::new(NAME, reason).on(lane.lane);
    let Some((at, rejoined)) = drill.rejoined else {
        if lane.done {
            report.push(finding(&NOT_DONE));
        }
        return;
    };
    if rejoined.written.len() != drill.plan.next.len() || rejoined.written.contains(&None) {
        report.push(finding(&NOT_WRITTEN).seen_at(at));
        return;
    }
    for client in &rejoined.clients {
        report.count("clients that came back to a restored server", 1);
        let head = restored.streams.iter().find(|replayed| replayed.stream == client.stream).map_or(0, Replayed::head);
        let holds = head_of(drill.plan, rejoined, client, head);
        let place = |reason| {
            let finding = finding(reason).at_client(client.client.as_str()).in_stream(client.stream.as_str());
            finding.seen_at(at)
        };
        if client.from.0 > head && !client.told {
            report.push(place(&USED_AGAIN).of_events(head + 1, client.from.0.min(holds.max(head + 1))));
            continue;
        }
        if !is_brought_back(client, holds) {
            let has = format!("cursor {}, given {}", client.ended, spans(&client.given));
            report.push(place(&NOT_BACK).expected(format!("all events up to {holds}"), has));
        }
    }
}

/// The head of a client's stream on the restored server once the events are written.
fn head_of(plan: &Restore, rejoined: &Rejoined, client: &Returned, restored: u64) -> u64 {
    let written = plan.next.iter().zip(&rejoined.written).filter(|(next, _)| next.stream == client.stream);
    written.filter_map(|(_, seq)| seq.map(|Seq(seq)| seq)).max().unwrap_or(restored).max(restored)
}

/// Whether a client that was told, or did not have to be, got everything from its cursor, or from the start, to the
/// head, and nothing else.
pub(super) fn is_brought_back(client: &Returned, holds: u64) -> bool {
    let first = if client.told { 1 } else { client.from.0 + 1 };
    let given = match client.given.as_slice() {
        [] => first > holds,
        [(from, to)] => *from <= first && *to == holds,
        _ => false,
    };
    given && client.other.is_empty() && client.ended.0 == holds
}

fn spans(ranges: &[(u64, u64)]) -> String {
    let spans: Vec<_> = ranges.iter().map(|(first, last)| format!("{first} to {last}")).collect();
    if spans.is_empty() { "nothing".to_owned() } else { spans.join(", ") }
}

#[cfg(test)]
mod tests;
