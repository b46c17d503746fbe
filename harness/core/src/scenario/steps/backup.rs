//! `backup`: copies the data directory of each lane's server.

use super::super::compile::planner::StepPlanner;
use super::super::script::Backup;
use super::prelude::*;
use crate::plan::Copying;

pub(super) const KIND: StepKind = StepKind {
    name: "backup",
    keys: &["backup", "how", "stream", "count"],
    what: "the data directory of each lane's server is copied to the backup of this name. The last acknowledged event \
           is on disk before. `how` is `cold` (the server is stopped in good order and started again) or `hot` (it \
           runs, and `count` events are published to `stream` meanwhile; its logs are copied last, behind half of \
           these events)",
    read,
};

/// The shortest hot copy: its logs are copied behind the first of these events.
const HOT_MIN: u64 = 2;

#[derive(Debug)]
struct MakeBackup {
    name: String,
    /// Stream and number of the events that are published meanwhile; `None` for a cold copy.
    meanwhile: Option<(usize, u64)>,
}

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let name = section.need_text("backup", mistakes)?.value.to_owned();
    section.need("how", mistakes);
    let hot = section.word("how", &[("hot", true), ("cold", false)], mistakes)?;
    let meanwhile = match hot {
        true => {
            section.need("count", mistakes);
            let stream = names.need_stream(section, mistakes);
            Some((stream?, section.number("count", HOT_MIN..=1_000, mistakes)?))
        }
        false => None,
    };
    for key in ["stream", "count"] {
        if let Some(node) = section.get(key).filter(|_| !hot) {
            let hint = "leave it out, or say how = \"hot\"".to_owned();
            mistakes.local(node.at, "nothing is published while a stopped server is copied", hint);
        }
    }
    Some(Box::new(MakeBackup { name, meanwhile }))
}

impl Step for MakeBackup {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        let name = self.name.clone();
        rehearsal.needs_servers("a backup");
        if rehearsal.world.backups.iter().any(|backup| backup.name == name) {
            rehearsal.refuse(format!("there is a backup `{name}` already"), "give each a name of its own");
        }
        let draft = rehearsal.world.draft;
        if !draft.identities.is_empty() {
            let hint = "leave out `identities`, or the backup";
            rehearsal.refuse("a restored server would ask for tokens that the new clients do not have", hint);
        }
        if rehearsal.world.streams.iter().any(|stream| stream.retention.is_some() || stream.floor > 0) {
            let hint = "leave out `retention` and `prune`, or the backup";
            rehearsal.refuse("a restored stream is compared from its first event on, and retention prunes", hint);
        }
        let heads = |rehearsal: &Rehearsal<'_, '_>| -> Vec<u64> {
            rehearsal.world.streams.iter().map(|stream| stream.head).collect()
        };
        let begun = heads(rehearsal);
        if begun.iter().all(|head| *head == 0) {
            rehearsal.refuse("nothing is published yet, so a backup of it shows nothing", None);
        }
        let copy = match self.meanwhile {
            Some((_, count)) => Copying::Hot { after: count / 2 },
            None => Copying::Cold,
        };
        rehearsal.push(plan::Step::Backup { backup: name.clone(), copy });
        if let Some((stream, count)) = self.meanwhile {
            for _ in 0..count {
                rehearsal.world.publish(rehearsal.index, stream, false);
            }
            rehearsal.then(move |planner: &mut StepPlanner<'_>| (0..count).for_each(|_| planner.publish(stream, None)));
            rehearsal.push(plan::Step::BackedUp { backup: name.clone() });
        } else {
            for client in rehearsal.connected() {
                rehearsal.world.comes_back(None, client);
                rehearsal.world.resume(client, None, true);
            }
        }
        let ended = heads(rehearsal);
        rehearsal.world.backups.push(Backup { name, begun, ended });
    }

    fn controls_server(&self) -> bool {
        true
    }
}
