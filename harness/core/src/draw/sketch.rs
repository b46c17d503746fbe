//! A scenario while it is drawn: its lines, and what is known of its streams and clients by then.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::gate::fit::{Means, Updates};
use crate::ids::{LaneId, Protocol};
use crate::scenario::{AtLeast, Scenario};

/// The most events of a scenario.
pub(super) const MAX_EVENTS: u64 = 700;
/// The most events that all clients apply together.
pub(super) const MAX_APPLIED: u64 = 1_200;
/// The most events of a step that waits after each of them.
pub(super) const MAX_LOCKSTEP: u64 = 12;

/// What the lanes of a run leave room for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Whether the servers of each lane may be killed and paused.
    pub(super) kills: [bool; 2],
    pub(super) kills_at_once: [bool; 2],
    pub(super) policies: bool,
    /// Whether a publish to the candidate names a payload hash.
    pub(super) hashes: bool,
    pub(super) resubscribes: bool,
    /// Whether a publish may be repeated where events are pruned.
    pub(super) repeats_pruned: bool,
    /// Whether each SpacetimeDB lane takes an update of its module.
    pub(super) updates: bool,
    /// Whether there may be topics without an id.
    pub(super) fixed_topics: bool,
}

impl Room {
    pub(super) fn of(lanes: &BTreeMap<LaneId, Means>) -> Room {
        let all = |has: fn(&Means) -> bool| lanes.values().all(has);
        let each = |has: &dyn Fn(LaneId, &Means) -> bool| {
            LaneId::BOTH.map(|lane| lanes.get(&lane).is_some_and(|means| has(lane, means)))
        };
        let of_spacetime = || {
            let spoken = lanes.iter().filter(|(lane, means)| means.protocol(**lane) == Protocol::Spacetime);
            spoken.map(|(_, means)| means)
        };
        Room {
            kills: each(&|_, means| means.is_ours()),
            kills_at_once: each(&|lane, means| {
                means.is_ours() && (means.confirms_reads || means.protocol(lane) != Protocol::Spacetime)
            }),
            hashes: lanes
                .get(&LaneId::Candidate)
                .is_some_and(|means| means.protocol(LaneId::Candidate) == Protocol::Spacetime),
            policies: all(|means| means.sets_policies),
            resubscribes: all(|means| !means.keeps_watermarks),
            repeats_pruned: all(|means| !means.hides_keys),
            updates: of_spacetime().next().is_some() && of_spacetime().all(|means| means.updates >= Updates::Additive),
            fixed_topics: all(|means| !means.shared),
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Stream {
    pub(super) topic: String,
    pub(super) retention: Option<u64>,
    pub(super) budget: Option<u64>,
    pub(super) payload: &'static str,
    pub(super) keys: &'static str,
    /// The most events that it may have.
    pub(super) most: u64,
    pub(super) head: u64,
    pub(super) floor: u64,
    /// Whether it got publishes that were sent together.
    pub(super) together: bool,
    /// Whether scripts of reducers were called for it.
    pub(super) reducers: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Client {
    pub(super) name: &'static str,
    pub(super) streams: Vec<usize>,
    pub(super) replay_batch: Option<u64>,
    pub(super) serializer: Option<&'static str>,
    pub(super) compression: Option<&'static str>,
    pub(super) connected: bool,
    /// How often it connected.
    pub(super) resumes: u64,
    /// Whether it left in good order.
    pub(super) left: bool,
    /// Whether it subscribed anew without a cursor.
    pub(super) resubscribed: bool,
    /// Whether a fault waits for something else than a delivery, and could miss it if another one came before.
    pub(super) faulted: bool,
    /// The events that reach it alone, each before the next one is published.
    pub(super) alone: Vec<(usize, u64)>,
    /// Stretches of events that reach it live with nothing waited for, each with its first and last one.
    pub(super) bursts: Vec<(usize, u64, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Other,
    Step,
    Fault,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Sketch {
    pub(super) streams: Vec<Stream>,
    pub(super) clients: Vec<Client>,
    pub(super) steps: Vec<String>,
    pub(super) faults: Vec<String>,
    pub(super) toxics: Vec<String>,
    pub(super) events: u64,
    /// Whether clients left before they had everything, so that what they apply depends on timing.
    pub(super) hasty: bool,
    /// Whether a cursor is one that only some lanes refuse.
    pub(super) strays: bool,
    pub(super) servers: bool,
    /// Whether the module was updated.
    pub(super) updated: bool,
    /// As with a client.
    pub(super) writer_faulted: bool,
    /// Whether anything is pruned.
    pub(super) prunes: bool,
    /// How many events its clients apply, about.
    pub(super) applied: u64,
}

impl Sketch {
    pub(super) fn step(&mut self, step: String) {
        self.steps.push(format!("{{ do = {step} }}"));
    }

    pub(super) fn quoted(&self, streams: &[usize]) -> String {
        let topics: Vec<_> = streams.iter().map(|stream| format!("\"{}\"", self.streams[*stream].topic)).collect();
        format!("[{}]", topics.join(", "))
    }

    pub(super) fn names(&self, clients: &[usize]) -> String {
        let names: Vec<_> = clients.iter().map(|client| format!("\"{}\"", self.clients[*client].name)).collect();
        format!("[{}]", names.join(", "))
    }

    pub(super) fn connected(&self, connected: bool) -> Vec<usize> {
        (0..self.clients.len()).filter(|client| self.clients[*client].connected == connected).collect()
    }

    fn lines(&self, name: &str, least: &AtLeast) -> Vec<(Part, String)> {
        let mut lines = Vec::new();
        let mut line = |part, text: String| lines.push((part, text));
        line(Part::Other, "schema = 1".to_owned());
        line(Part::Other, format!("name = \"{name}\""));
        line(Part::Other, format!("title = \"Drawn: {}\"", self.title()));
        line(Part::Other, "proves = [\"replay-determinism\"]".to_owned());
        line(Part::Other, String::new());
        let streams = self.streams.iter().map(stream_line).collect();
        let clients = self.clients.iter().map(|client| self.client_line(client)).collect();
        for (key, part, entries) in [
            ("streams", Part::Other, &streams),
            ("clients", Part::Other, &clients),
            ("steps", Part::Step, &self.steps),
            ("faults", Part::Fault, &self.faults),
            ("toxics", Part::Other, &self.toxics),
        ] {
            let entries: &Vec<String> = entries;
            if entries.is_empty() {
                continue;
            }
            line(Part::Other, format!("{key} = ["));
            for entry in entries {
                line(part, format!("  {entry},"));
            }
            line(Part::Other, "]".to_owned());
        }
        line(Part::Other, String::new());
        line(Part::Other, at_least_line(least));
        lines
    }

    pub(super) fn text(&self, name: &str, least: &AtLeast) -> String {
        self.lines(name, least).into_iter().fold(String::new(), |text, (_, line)| text + &line + "\n")
    }

    /// Leaves out the step or the fault at a line of the file, where the others can do without it.
    pub(super) fn leave_out(&mut self, line: usize) -> bool {
        let lines = self.lines("", &AtLeast::default());
        let Some((part, _)) = line.checked_sub(1).and_then(|index| lines.get(index)) else {
            return false;
        };
        let place = lines[..line - 1].iter().filter(|(other, _)| other == part).count();
        let entries = match part {
            Part::Other => return false,
            Part::Step => &mut self.steps,
            Part::Fault => &mut self.faults,
        };
        let needed = ["arm", "disarm", "server", "connect", "publish", "backup", "kill-as-seen"];
        if needed.iter().any(|word| entries[place].starts_with(&format!("{{ do = \"{word}"))) {
            return false;
        }
        entries.remove(place);
        true
    }

    /// What the rehearsal says that each lane must show, as far as no timing decides about it.
    pub(super) fn asks(&self, scenario: &Scenario) -> AtLeast {
        let most = scenario.most;
        let plain = self.faults.is_empty() && self.toxics.is_empty();
        let steady = plain && !self.servers && !self.hasty;
        // Each client sees the end of each of its streams; what was pruned before it came again, it may have missed.
        let ends: usize = self.clients.iter().map(|client| client.streams.len()).sum();
        let whole = !self.hasty && (plain || !self.prunes);
        AtLeast {
            deliveries: if whole { most.deliveries } else { most.deliveries.min(ends as u64) },
            // How many subscriptions resume depends on what a client had applied when it left.
            resumes: if steady && most.refusals == 0 { most.resumes.min(1) } else { 0 },
            refusals: if steady && !self.strays { most.refusals } else { 0 },
            duplicates: 0,
            faults: None,
        }
    }

    /// The kinds of its steps, faults and toxics, each once.
    fn title(&self) -> String {
        let mut words: Vec<&str> = Vec::new();
        for line in self.steps.iter().chain(&self.faults).chain(&self.toxics) {
            let word = line.split('"').nth(1).unwrap_or_default();
            if !words.contains(&word) && !["connect", "await", "await-fault", "disarm"].contains(&word) {
                words.push(word);
            }
        }
        words.join(", ")
    }

    fn client_line(&self, client: &Client) -> String {
        let mut line = format!("{{ name = \"{}\"", client.name);
        if client.streams.len() < self.streams.len() {
            let _ = write!(line, ", streams = {}", self.quoted(&client.streams));
        }
        if let Some(batch) = client.replay_batch {
            let _ = write!(line, ", replay_batch = {batch}");
        }
        for (key, word) in [("serializer", client.serializer), ("compression", client.compression)] {
            if let Some(word) = word {
                let _ = write!(line, ", {key} = \"{word}\"");
            }
        }
        line + " }"
    }
}

fn stream_line(stream: &Stream) -> String {
    let mut line = format!("{{ topic = \"{}\"", stream.topic);
    for (key, number) in [("retention", stream.retention), ("replay_budget", stream.budget)] {
        if let Some(number) = number {
            let _ = write!(line, ", {key} = {number}");
        }
    }
    for (key, word, usual) in [("payload", stream.payload, "small"), ("keys", stream.keys, "own")] {
        if word != usual {
            let _ = write!(line, ", {key} = \"{word}\"");
        }
    }
    line + " }"
}

fn at_least_line(least: &AtLeast) -> String {
    let counts =
        [("deliveries", least.deliveries), ("resumes", least.resumes), ("refusals", least.refusals)].into_iter();
    let counts: Vec<_> =
        counts.filter(|(_, count)| *count > 0).map(|(what, count)| format!("{what} = {count}")).collect();
    format!("at_least = {{ {} }}", counts.join(", "))
}
