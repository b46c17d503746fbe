//! The join of a channel: its parameters, and what it is refused for.

use cutover_core::plan::JoinParams;
use serde_json::Value;

use super::session::PhoenixSession;
use crate::lane::refusal::{said, with_own_protocol};
use crate::lane::{ClientOptions, OpenError};

/// The code of a lane that limits the rate (contract, "Errors").
const RATE_LIMITED: &str = "rate_limited";

/// What stands for the client's name in the parameters of a join.
const CLIENT: &str = "{client}";

/// The reason of Phoenix for a channel that it does not have.
const UNMATCHED_TOPIC: &str = "unmatched topic";

/// Puts the client's name where a parameter of a join asks for it.
fn fill_in(value: &mut toml::Value, name: &str) {
    match value {
        toml::Value::String(text) => *text = text.replace(CLIENT, name),
        toml::Value::Table(table) => table.iter_mut().for_each(|(_, value)| fill_in(value, name)),
        _ => {}
    }
}

impl PhoenixSession {
    /// Whether the channel that was refused takes a subscription.
    pub(super) async fn is_subscribed_all_the_same(&mut self, channel: &str) -> bool {
        let Some(topic) = self.names.topics().next().map(str::to_owned) else { return false };
        if self.profile.joins_to_subscribe() {
            return false;
        }
        let payload = self.profile.request(self.topics_alone(&[topic]));
        let event = self.profile.events.subscribe.clone();
        let answered = self.push_and_wait(channel, &event, payload, self.connection.bounds.heartbeat).await;
        answered.is_ok_and(|reply| reply.ok)
    }

    pub(super) fn join_params(&mut self, client: &ClientOptions) -> toml::Table {
        let mut params = self.profile.join.clone();
        let name = self.names.client(&client.name);
        let is_empty = client.join == Some(JoinParams::default());
        params.iter_mut().for_each(|(_, value)| fill_in(value, &name));
        if let Some(join) = &client.join {
            let negotiated = self.profile.negotiated();
            negotiated.iter().for_each(|field| drop(params.remove(*field)));
            let protocol = join.protocol.map(|protocol| said(protocol, self.profile.protocol_version()).into());
            let schema = join.schema.and_then(|schema| i64::try_from(schema).ok()).map(toml::Value::from);
            let values = [join.build.clone().map(toml::Value::from), protocol, schema];
            let said = negotiated.iter().zip(values).filter_map(|(field, value)| Some(((*field).to_owned(), value?)));
            params.extend(said);
        }
        if is_empty {
            params.clear();
        } else if self.profile.names_clients() {
            params.insert(self.profile.client_param.clone(), name.clone().into());
            self.client = self.profile.presence.is_there().then_some(name);
        }
        params
    }

    /// The payload of a join with these fields besides its parameters.
    pub(super) fn join_body(&self, fields: Vec<String>) -> Result<String, OpenError> {
        let params = serde_json::to_string(&self.params).map_err(|error| {
            OpenError::lasting(format!("the profile's [join] can't be written as JSON: {error}"))
                .hint("use strings, numbers, booleans, lists and tables")
        })?;
        let inner = params.strip_prefix('{').and_then(|params| params.strip_suffix('}')).map(str::to_owned);
        let params = inner.filter(|inner| !inner.is_empty());
        let body = format!("{{{}}}", params.into_iter().chain(fields).collect::<Vec<_>>().join(","));
        // The parameters of a join stand in no envelope, unless the join is a request itself.
        Ok(if self.profile.joins_to_subscribe() { self.profile.request(body) } else { body })
    }

    pub(super) fn join_refused(&self, channel: &str, response: &str) -> OpenError {
        let json = self.profile.refused(response);
        let refusal = with_own_protocol(self.refusal(response), self.profile.protocol_version());
        let is_of_the_profile = refusal.code == UNMATCHED_TOPIC;
        let hint = match json.get("upgrade_required") {
            _ if is_of_the_profile => "the lane has no such channel; `channel` of the lane profile names it",
            Some(_) => "the lane refuses this client's build or schema; [join] of the lane profile sets them",
            None => "",
        };
        let passing = ["join crashed", "too many channels joined", RATE_LIMITED].contains(&refusal.code.as_str());
        OpenError {
            what: format!("the join of `{channel}` was refused: {}", refusal.code),
            hint: Some(hint.to_owned()).filter(|hint| !hint.is_empty()),
            retryable: json.get("retryable").and_then(Value::as_bool).unwrap_or(passing),
            retry_after: None,
            refusal: Some(Box::new(refusal)),
            subscribed: false,
            is_of_the_profile,
        }
    }
}
