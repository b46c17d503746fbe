//! Whether the script of a scenario has what its claims need: a row of the matrix that it can't let a lane see is
//! refused in the file, not after the run.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::errors::Mistakes;
use super::faults::{Fault, Target};
use super::read::At;
use super::script::{Case, Lanes, Step};
use crate::ids::LaneId;
use crate::matrix::{self, Part};
use crate::plan::fault::spec::Effect;
use crate::plan::{PlannedToxic, ServerAction};

/// Notes every claim that no checker covers or that the script can't earn on each lane.
pub(super) fn check(draft: &Draft, cases: &[Case], mistakes: &mut Mistakes) {
    let able = LaneId::BOTH.map(|lane| (lane, parts_of(cases, lane)));
    for At { value: name, at } in &draft.proves {
        let Some(row) = matrix::row(name) else { continue };
        if row.parts.is_empty() {
            let what = format!("no checker covers the row `{name}`, so no scenario can prove it");
            mistakes.whole(*at, what, "leave the row out".to_owned());
            continue;
        }
        let blind = able.iter().find(|(_, parts)| !row.parts.iter().any(|part| parts.contains(part)));
        if let Some((lane, _)) = blind {
            let parts: Vec<_> = row.parts.iter().map(|part| part.says()).collect();
            let what =
                format!("the script can't prove `{name}`: nothing in it lets the {lane} lane see any part of it");
            let hint = format!("leave the row out, or have the script bring one of: {}", parts.join("; "));
            mistakes.whole(*at, what, hint);
        }
    }
}

/// The parts that a lane may come to see. What a run did see is counted from its history.
fn parts_of(cases: &[Case], lane: LaneId) -> BTreeSet<Part> {
    let mut parts = BTreeSet::new();
    for case in cases {
        parts.append(&mut of_case(case, lane));
    }
    parts
}

fn strikes(lanes: Lanes, lane: LaneId) -> bool {
    lanes.is_none_or(|only| only == lane)
}

fn of_case(case: &Case, lane: LaneId) -> BTreeSet<Part> {
    let mut walk = Walk {
        case,
        lane,
        parts: BTreeSet::new(),
        published: vec![false; case.streams.len()],
        clients: vec![Presence::default(); case.clients.len()],
        returns: false,
        killed: false,
    };
    for step in &case.steps {
        walk.step(step);
    }
    let faults = case.faults.iter().filter(|fault| strikes(fault.lane, lane));
    let toxics = case.toxics.iter().filter(|toxic| strikes(toxic.lane, lane));
    faults.for_each(|fault| walk.fault(fault));
    toxics.for_each(|toxic| walk.toxic(toxic));
    walk.finish()
}

#[derive(Debug, Clone, Copy, Default)]
struct Presence {
    connected: bool,
    ever: bool,
}

struct Walk<'a> {
    case: &'a Case,
    lane: LaneId,
    parts: BTreeSet<Part>,
    /// By stream: whether something was published.
    published: Vec<bool>,
    clients: Vec<Presence>,
    /// Whether a client comes back, by the script or because its connection ends.
    returns: bool,
    killed: bool,
}

impl Walk<'_> {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Publish { shares, .. } => {
                for (stream, _) in shares {
                    self.published[*stream] = true;
                    let live = |(client, presence): (usize, &Presence)| {
                        presence.connected && self.case.clients[client].streams.contains(stream)
                    };
                    if self.clients.iter().enumerate().any(live) {
                        self.parts.insert(Part::FollowedLive);
                    }
                }
            }
            Step::Republish { .. } => drop(self.parts.insert(Part::RepeatedPublish)),
            Step::Connect(client) => self.connect(*client),
            Step::Disconnect(client) | Step::Crash(client) => self.clients[*client].connected = false,
            Step::Resubscribe(client) => {
                let streams = &self.case.clients[*client].streams;
                if streams.iter().any(|stream| self.published[*stream]) {
                    self.parts.insert(Part::LateBootstrap);
                }
            }
            Step::SetCursor { stream, .. } => {
                self.parts.extend([Part::CarriedOver, Part::OtherHistory]);
                self.parts.extend(Part::resumed(&self.case.streams[*stream].topic));
                self.returns = true;
            }
            Step::Server { lane, action } if strikes(*lane, self.lane) => {
                self.killed |= action.kills();
                if *action == ServerAction::KillAtOnce
                    && self.published.contains(&true)
                    && self.clients.iter().any(|client| client.ever)
                {
                    self.parts.insert(Part::ConfirmedSurvives);
                }
                if action.kills() || *action == ServerAction::Pause {
                    for client in 0..self.clients.len() {
                        if self.clients[client].connected {
                            self.comes_back(client);
                        }
                    }
                }
                if self.killed && self.published.contains(&true) {
                    self.parts.insert(Part::ReplayAcrossKill);
                }
            }
            _ => {}
        }
    }

    fn connect(&mut self, client: usize) {
        let published = self.case.clients[client].streams.iter().any(|stream| self.published[*stream]);
        let before = std::mem::replace(&mut self.clients[client], Presence { connected: true, ever: true });
        if before.ever {
            self.comes_back(client);
        } else if published {
            self.parts.insert(Part::LateBootstrap);
        }
    }

    /// A client resumes on a new connection.
    fn comes_back(&mut self, client: usize) {
        self.returns = true;
        self.parts.extend([Part::ReplayAfterReconnect, Part::LateBootstrap]);
        for stream in &self.case.clients[client].streams {
            self.parts.extend(Part::resumed(&self.case.streams[*stream].topic));
            let devices = self.case.clients.iter().filter(|other| other.streams.contains(stream));
            if devices.count() > 1 {
                self.parts.insert(Part::DeviceReturns);
            }
        }
    }

    fn fault(&mut self, fault: &Fault) {
        let spec = fault.spec;
        let ends = spec.does(Effect::Ends) || spec.leaves_gap();
        match fault.target {
            Target::Writer if ends => drop(self.parts.insert(Part::LostAnswer)),
            Target::Writer => {}
            Target::Client(_) if spec.does(Effect::Repeats) => drop(self.parts.insert(Part::RepeatedFrame)),
            Target::Client(client) => {
                if spec.does(Effect::MovesCursor) {
                    self.parts.insert(Part::OverlappingReplay);
                }
                self.comes_back(client);
            }
        }
    }

    fn toxic(&mut self, toxic: &PlannedToxic) {
        if !toxic.toxic.spec().ends {
            return;
        }
        match self.case.clients.iter().position(|client| client.name == toxic.client.as_str()) {
            Some(client) => self.comes_back(client),
            None => drop(self.parts.insert(Part::LostAnswer)),
        }
    }

    fn finish(mut self) -> BTreeSet<Part> {
        let policies = self.case.steps.iter().filter_map(|step| match step {
            Step::Policy { retention, replay_budget, .. } => Some((*retention, *replay_budget)),
            _ => None,
        });
        let at_start = self.case.streams.iter().map(|stream| (stream.retention, stream.replay_budget));
        let policies: Vec<_> = at_start.chain(policies).collect();
        if self.returns && policies.iter().any(|(retention, _)| retention.is_some()) {
            self.parts.insert(Part::FloorBreach);
        }
        if self.returns && policies.iter().any(|(_, budget)| budget.is_some()) {
            self.parts.insert(Part::BudgetExceeded);
        }
        let connected = |stream: usize| {
            let devices = self.case.clients.iter().zip(&self.clients);
            devices.filter(|(client, presence)| presence.ever && client.streams.contains(&stream)).count()
        };
        if (0..self.case.streams.len()).any(|stream| self.published[stream] && connected(stream) > 1) {
            self.parts.insert(Part::DevicesEqual);
        }
        self.parts
    }
}
