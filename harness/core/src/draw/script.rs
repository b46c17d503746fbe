//! The steps that a sketch takes, and what they change in it.

use super::dice::Dice;
use super::sketch::{MAX_APPLIED, MAX_EVENTS, MAX_LOCKSTEP, Sketch};

impl Sketch {
    pub(super) fn connect(&mut self, clients: &[usize]) {
        let away = self.connected(false);
        match clients == away {
            true => self.step("\"connect\"".to_owned()),
            false => self.step(format!("\"connect\", clients = {}", self.names(clients))),
        }
        for client in clients {
            self.clients[*client].connected = true;
            self.clients[*client].resumes += 1;
        }
    }

    pub(super) fn await_all(&mut self) {
        if !self.connected(true).is_empty() && self.steps.last().is_none_or(|step| step != "{ do = \"await\" }") {
            self.step("\"await\"".to_owned());
        }
    }

    /// Publishes so many events as there is room for; nothing where there is none.
    pub(super) fn publish(&mut self, streams: &[usize], count: u64, lockstep: bool, spread: Option<&str>) {
        let count = count.min(self.room(streams)).min(if lockstep { MAX_LOCKSTEP } else { MAX_EVENTS });
        if streams.is_empty() || count < streams.len() as u64 {
            return;
        }
        let mut step = match streams {
            [only] => format!("\"publish\", stream = \"{}\"", self.streams[*only].topic),
            several => format!("\"publish\", streams = {}", self.quoted(several)),
        };
        if count > 1 {
            step += &format!(", count = {count}");
        }
        if !lockstep {
            step += ", pace = \"burst\"";
        }
        if let Some(spread) = spread.filter(|_| streams.len() > 1) {
            step += &format!(", spread = \"{spread}\"");
        }
        self.step(step);
        self.events += count;
        for (place, stream) in streams.iter().enumerate() {
            let n = streams.len() as u64;
            let share = count / n + u64::from((place as u64) < count % n);
            self.applied += share * self.readers(*stream);
            let before = self.streams[*stream].head;
            self.streams[*stream].head += share;
            self.prune(*stream);
            let exact = spread.is_none_or(|spread| spread == "even") || n == 1;
            for client in &mut self.clients {
                if client.connected && client.streams.contains(stream) && exact {
                    match lockstep {
                        true => client.alone.extend((before + 1..=before + share).map(|seq| (*stream, seq))),
                        false if share > 1 => client.bursts.push((*stream, before + 1, before + share)),
                        false => {}
                    }
                }
            }
        }
    }

    pub(super) fn some_streams(&self, dice: &mut Dice<'_>) -> Vec<usize> {
        let all: Vec<usize> = (0..self.streams.len()).collect();
        if dice.one_in(2) { dice.pick(&all).into_iter().collect() } else { dice.some(&all) }
    }

    /// A stream that has events.
    pub(super) fn published(&self, dice: &mut Dice<'_>) -> Option<usize> {
        let published: Vec<usize> = (0..self.streams.len()).filter(|stream| self.streams[*stream].head > 0).collect();
        dice.pick(&published)
    }

    fn readers(&self, stream: usize) -> u64 {
        self.clients.iter().filter(|client| client.streams.contains(&stream)).count() as u64
    }

    /// How many more events there may be. Each stream may have one in any case.
    fn room(&self, streams: &[usize]) -> u64 {
        let readers = streams.iter().map(|stream| self.readers(*stream)).max().unwrap_or(1).max(1);
        let room = MAX_EVENTS.saturating_sub(self.events).min(MAX_APPLIED.saturating_sub(self.applied) / readers);
        let own = streams.iter().map(|stream| &self.streams[*stream]);
        let room = own.map(|stream| stream.most.saturating_sub(stream.head)).min().map_or(room, |own| room.min(own));
        match streams.iter().any(|stream| self.streams[*stream].head == 0) {
            true => room.max(streams.len() as u64),
            false => room,
        }
    }

    pub(super) fn prune(&mut self, stream: usize) {
        let stream = &mut self.streams[stream];
        if let Some(retention) = stream.retention {
            self.prunes = true;
            stream.floor = stream.floor.max(stream.head.saturating_sub(retention));
        }
    }
}
