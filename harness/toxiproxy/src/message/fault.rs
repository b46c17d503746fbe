//! Makes the fault of a message toxic's attributes.

use cutover_core::ids::{ClientId, Cursor, FaultId, Seq, StreamId};
use cutover_core::plan::{
    Cut, Direction, FaultKind, MessageKind, Mutation, Pick, PlannedFault, Position, Predicate, Scope, Times, When,
};

use super::read::Attributes;

impl Attributes {
    /// The fault, by the toxic's name, for a proxy's connections.
    pub fn fault(&self, name: &str, proxy: &str, direction: Direction) -> PlannedFault {
        PlannedFault {
            id: FaultId::new(name),
            lane: None,
            client: ClientId::new(proxy),
            at: Position::Message(self.pick(direction)),
            kind: self.action(),
            times: match self.text("times") {
                Some("always") => Times::Always,
                _ => Times::Once,
            },
        }
    }

    fn pick(&self, direction: Direction) -> Pick {
        Pick {
            direction,
            kind: self.kind(direction),
            event: self.text("event").map(str::to_owned),
            stream: self.text("topic").map(StreamId::new),
            seq: self.whole("seq").map(Seq),
            payload: self.text("pointer").map(|pointer| Predicate {
                pointer: pointer.to_owned(),
                equals: self.text("equals").map(str::to_owned),
            }),
            nth: self.whole("nth").map(narrow),
            per: match self.text("per") {
                Some("proxy") => Scope::Proxy,
                _ => Scope::Connection,
            },
        }
    }

    fn kind(&self, direction: Direction) -> Option<MessageKind> {
        match (self.of.name, direction) {
            ("ws_rewrite_cursor", _) => Some(MessageKind::Resume),
            ("ws_starve_heartbeats", Direction::Upstream) => Some(MessageKind::Heartbeat),
            ("ws_starve_heartbeats", Direction::Downstream) => Some(MessageKind::HeartbeatReply),
            _ => self.text("kind").and_then(kind_of),
        }
    }

    fn action(&self) -> FaultKind {
        let ms = |name| self.whole(name).unwrap_or_default();
        let text = |name| self.text(name).unwrap_or_default().to_owned();
        match self.of.name {
            "ws_cut" => self.cut(),
            "ws_repeat" => FaultKind::Repeat { more: self.small("more") },
            "ws_delay" => FaultKind::Delay { ms: ms("ms") },
            "ws_reorder" => FaultKind::Reorder { behind: self.small("behind"), within_ms: ms("within_ms") },
            "ws_rewrite_cursor" => {
                FaultKind::RewriteCursor { stream: StreamId::new(text("topic")), to: Cursor(ms("to")) }
            }
            "ws_set_json" => FaultKind::Mutate {
                mutation: Mutation::SetJson { pointer: text("set_pointer"), value: text("set_value") },
            },
            "ws_set_column" => {
                FaultKind::Mutate { mutation: Mutation::SetColumn { column: text("column"), value: text("value") } }
            }
            "ws_split" => FaultKind::Split { frames: self.short("frames") },
            "ws_merge" => FaultKind::Merge { messages: self.small("messages"), within_ms: ms("within_ms") },
            "ws_drain" => FaultKind::Drain { code: self.short("code"), within_ms: ms("within_ms") },
            // `ws_drop` and `ws_starve_heartbeats`, which differ in what they pick.
            _ => FaultKind::Drop,
        }
    }

    fn cut(&self) -> FaultKind {
        let how = match self.text("how") {
            Some("drop") => Cut::Drop,
            Some("reset") => Cut::Reset,
            Some("silence") => Cut::Silence,
            _ => Cut::Close { code: self.short("code") },
        };
        let when = match self.text("when") {
            Some("before") => When::Before,
            _ => When::After,
        };
        FaultKind::Cut { how, when }
    }

    fn small(&self, name: &str) -> u8 {
        u8::try_from(self.whole(name).unwrap_or_default()).unwrap_or(u8::MAX)
    }

    fn short(&self, name: &str) -> u16 {
        u16::try_from(self.whole(name).unwrap_or_default()).unwrap_or(u16::MAX)
    }
}

/// The table's bounds keep it within range.
fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn kind_of(word: &str) -> Option<MessageKind> {
    let (_, kind) = MessageKind::WORDS.into_iter().find(|(named, _)| *named == word)?;
    Some(kind)
}

#[cfg(test)]
mod tests;
