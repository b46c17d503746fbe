//! `access`: rights, tokens or keys change.

use super::prelude::*;
use crate::matrix::Part;
use crate::plan::{Change, Right};

pub(super) const KIND: StepKind = StepKind {
    name: "access",
    keys: &["change", "as", "stream", "right"],
    what: "`grant` and `withdraw` change a `right` (`read` or `write`) to `stream` of the identity in `as`; `revoke` \
           ends every token that it has; `expire` has its clients hold expired tokens, and `due` tokens that are to be \
           replaced; `rotate-key` signs new tokens with the next key, and `retire-key` ends the first one",
    read,
};

const RIGHTS: &[(&str, Right)] = &[("read", Right::Read), ("write", Right::Write)];

const CHANGES: &[(&str, What)] = &[
    ("grant", What::Right(true)),
    ("withdraw", What::Right(false)),
    ("revoke", What::Revoke),
    ("expire", What::Expire),
    ("due", What::Due),
    ("rotate-key", What::Rotate),
    ("retire-key", What::Retire),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Whether it is granted.
    Right(bool),
    Revoke,
    Expire,
    Due,
    Rotate,
    Retire,
}

#[derive(Debug)]
struct Access {
    what: What,
    identity: usize,
    stream: usize,
    right: Right,
}

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    section.need("change", mistakes)?;
    let what = section.word("change", CHANGES, mistakes)?;
    let mut access = Access { what, identity: 0, stream: 0, right: Right::Read };
    if !matches!(what, What::Rotate | What::Retire) {
        access.identity = names.need_identity(section, mistakes)?;
    }
    if let What::Right(_) = what {
        access.stream = names.need_stream(section, mistakes)?;
        section.need("right", mistakes)?;
        access.right = section.word("right", RIGHTS, mistakes)?;
    }
    Some(Box::new(access))
}

impl Step for Access {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("a change");
        let Access { what, identity, stream: at, right } = *self;
        let Some(name) = rehearsal.world.draft.identities.get(identity).map(|known| known.value.name.clone()) else {
            rehearsal
                .refuse("the scenario has no identities", "add `identities = [{ name = \"..\", tenant = \"..\" }]`");
            return;
        };
        let stream = rehearsal.world.stream_ids[at].clone();
        let followers = |rehearsal: &Rehearsal<'_, '_>| -> Vec<usize> {
            let clients = rehearsal.world.draft.clients.iter().enumerate();
            clients.filter(|(_, client)| client.value.identity == Some(identity)).map(|(index, _)| index).collect()
        };
        let change = match what {
            What::Right(granted) => {
                let rights = &mut rehearsal.world.rights[identity];
                let streams = if right == Right::Read { &mut rights.reads } else { &mut rights.writes };
                let changed = if granted { streams.insert(at) } else { streams.remove(&at) };
                if !changed {
                    let state = if granted { "granted already" } else { "not granted" };
                    rehearsal.refuse(format!("this right of `{name}` is {state}"), None);
                }
                let follows = |client: &usize| rehearsal.world.subscribes(*client, at);
                if !granted && followers(rehearsal).iter().any(follows) {
                    let hint = "use `hold` and `held` of an identity without clients";
                    rehearsal.refuse("a client would follow a stream that it may no longer read", hint);
                }
                match granted {
                    true => Change::Grant { identity: name, stream, right },
                    false => Change::Withdraw { identity: name, stream, right },
                }
            }
            What::Revoke => {
                if followers(rehearsal).iter().any(|client| rehearsal.world.clients[*client].connected) {
                    let hint = "disconnect them, or use `hold` and `held` of an identity without clients";
                    rehearsal.refuse("clients of this identity are connected", hint);
                }
                rehearsal.world.rights[identity].held.values_mut().for_each(|good| *good = false);
                Change::Revoke { identity: name }
            }
            What::Expire => Change::Expire { identity: name },
            What::Due => Change::Due { identity: name },
            What::Rotate => Change::RotateKey,
            What::Retire => {
                if !rehearsal.connected().is_empty() {
                    rehearsal.refuse("a connected client may have a token of this key", "disconnect the clients first");
                }
                rehearsal.world.retired = true;
                Change::RetireKey
            }
        };
        rehearsal.push(plan::Step::Access(change));
        rehearsal.world.earn(None, [Part::TokenReminted, Part::ExpiryStorm]);
    }
}
