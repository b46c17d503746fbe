//! Makes the fault of a message toxic's attributes.

use cutover_core::ids::{ClientId, FaultId};
use cutover_core::plan::fault::FILTER;
use cutover_core::plan::fault::spec::{Attribute, Values};
use cutover_core::plan::{Direction, MessageFilter, MessageKind, PlannedFault, Position, Times};

use super::is_upstream_only;
use super::read::Attributes;

impl Attributes {
    pub fn fault(&self, name: &str, proxy: &str, direction: Direction) -> PlannedFault {
        let mut filter = MessageFilter::of(direction, &self.values_of(FILTER));
        if is_upstream_only(self.of) {
            filter.kind = Some(MessageKind::Resume);
        } else if self.of.positions.is_empty() {
            filter.kind = Some(match direction {
                Direction::Upstream => MessageKind::Heartbeat,
                Direction::Downstream => MessageKind::HeartbeatReply,
            });
        }
        PlannedFault {
            id: FaultId::new(name),
            lane: None,
            client: ClientId::new(proxy),
            at: Position::Message(filter),
            kind: (self.of.plan)(&self.values_of(self.of.attributes)),
            times: if self.is_always() { Times::Always } else { Times::Once },
        }
    }

    fn values_of(&self, attributes: &'static [Attribute]) -> Values {
        attributes.iter().filter_map(|attribute| Some((attribute.name, self.value(attribute.api?)?.clone()))).collect()
    }
}

#[cfg(test)]
mod tests;
