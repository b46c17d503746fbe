//! `restore`: starts a new server on a copy of a backup, beside the lane's own.

use super::super::script::{Backup, Lanes};
use super::super::words;
use super::prelude::*;
use crate::matrix::Part;
use crate::plan::{Damage, NextEvent, Restore};

pub(super) const KIND: StepKind = StepKind {
    name: "restore",
    keys: &["backup", "lane", "damage", "told", "writers"],
    what: "a new server is started on a copy of the backup, beside the lane's own, which goes on. Its streams are read \
           from the start; then a copy of each client that was connected before comes back to it with the cursors \
           that the client has; then one event is written to each stream. `damage` is `torn-tail` (the log ends \
           within the last event that was acknowledged before the backup), `missing-segment` (the last file of the \
           log is away) or `older-copy` (the files are those of the backup before): the loss must show. Known-bad \
           only: with `told = \"no\"` (`yes` by default), the damage is done after the files were compared, and no \
           checker is told of it; with `writers = \"first\"` (`last` by default), events are written before the \
           clients come back",
    read,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    TornTail,
    MissingSegment,
    OlderCopy,
}

const HARMS: &[(&str, Harm)] =
    &[("torn-tail", Harm::TornTail), ("missing-segment", Harm::MissingSegment), ("older-copy", Harm::OlderCopy)];

#[derive(Debug)]
struct TryRestore {
    name: String,
    lane: Lanes,
    harm: Option<Harm>,
    in_silence: bool,
    writers_first: bool,
}

fn read(section: &Section<'_>, _: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let name = section.need_text("backup", mistakes)?.value.to_owned();
    let lane = section.word("lane", words::SERVERS, mistakes).flatten();
    let harm = section.word("damage", HARMS, mistakes);
    let in_silence = section.word("told", &[("no", true), ("yes", false)], mistakes).unwrap_or(false);
    let writers_first = section.word("writers", &[("first", true), ("last", false)], mistakes).unwrap_or(false);
    if let Some(node) = section.get("told").filter(|_| !section.has("damage")) {
        mistakes.local(node.at, "there is no damage that could be told", "add `damage`, or leave it out".to_owned());
    }
    Some(Box::new(TryRestore { name, lane, harm, in_silence, writers_first }))
}

impl Step for TryRestore {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("a restore");
        let backups = &rehearsal.world.backups;
        let Some(at) = backups.iter().position(|backup| backup.name == self.name) else {
            let hint = "make it before: { do = \"backup\", backup = \"..\", how = \"hot\", .. }";
            return rehearsal.refuse(format!("there is no backup `{}` yet", self.name), hint);
        };
        let (backup, older) = (backups[at].clone(), at.checked_sub(1).map(|before| backups[before].clone()));
        let damage = match (self.harm, older) {
            (None, _) => None,
            (Some(Harm::TornTail), _) => Some(Damage::TornTail),
            (Some(Harm::MissingSegment), _) => Some(Damage::MissingSegment),
            (Some(Harm::OlderCopy), Some(older)) if lacks_events(&older, &backup) => {
                Some(Damage::OlderCopy { of: older.name })
            }
            (Some(Harm::OlderCopy), _) => {
                let what = format!("no backup before `{}` has fewer events for certain", self.name);
                return rehearsal.refuse(what, "make one, and publish more than it holds");
            }
        };
        if self.writers_first && !rehearsal.world.clients.iter().any(|client| is_beyond(&client.cursors, &backup)) {
            rehearsal.refuse("no client's cursor lies beyond the backup, so no seq of theirs is used again", None);
        }
        self.earn(rehearsal, &backup, damage.as_ref());
        let (lane, in_silence, writers_first) = (self.lane, self.in_silence, self.writers_first);
        // Where writers come first, they write beyond every cursor.
        let counts: Vec<u64> =
            rehearsal.world.streams.iter().map(|state| if writers_first { state.head + 1 } else { 1 }).collect();
        let ids = rehearsal.world.stream_ids.clone();
        rehearsal.then(move |planner| {
            let mut next = Vec::new();
            for (stream, count) in counts.iter().enumerate() {
                for _ in 0..*count {
                    let (key, payload, hash) = planner.apart(stream);
                    next.push(NextEvent { stream: ids[stream].clone(), key, payload, hash });
                }
            }
            let (backup, damage) = (backup.name.clone(), damage.clone());
            planner.push(plan::Step::Restore(Restore { lane, backup, damage, in_silence, writers_first, next }));
        });
    }

    fn controls_server(&self) -> bool {
        true
    }

    fn plants(&self) -> Option<Lanes> {
        (self.in_silence || self.writers_first).then_some(self.lane)
    }
}

impl TryRestore {
    fn earn(&self, rehearsal: &mut Rehearsal<'_, '_>, backup: &Backup, damage: Option<&Damage>) {
        let part = Damage::shows(damage, backup.begun != backup.ended);
        let world = &mut *rehearsal.world;
        world.earn(self.lane, [part]);
        if world.clients.iter().any(|client| is_beyond(&client.cursors, backup)) {
            world.earn(self.lane, [Part::RestoredBelowCursor]);
        }
    }
}

/// Whether the first one was whole before something was published that the second one has.
fn lacks_events(older: &Backup, newer: &Backup) -> bool {
    older.ended.iter().zip(&newer.begun).any(|(older, newer)| older < newer)
}

fn is_beyond(cursors: &[Option<u64>], backup: &Backup) -> bool {
    cursors.iter().zip(&backup.ended).any(|(cursor, head)| cursor.is_some_and(|cursor| cursor > *head))
}

#[cfg(test)]
mod tests;
