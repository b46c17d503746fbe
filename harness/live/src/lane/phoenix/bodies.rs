//! Reads and writes a service's messages by its profile: bodies in their envelopes, the events in them, topics, and
//! watermarks.

use cutover_core::plan::rules;

use super::calls::TOPIC;
use super::forms::{Envelope, ResumeForm};
use super::object::quoted;
use super::profile::PhoenixProfile;
use crate::frame::pointer;

impl PhoenixProfile {
    /// Whether messages have the contract's forms, whatever the fields are called.
    pub(super) fn has_usual_forms(&self) -> bool {
        let fields = &self.fields;
        let named = [&fields.topic, &fields.watermark, &fields.payload, &fields.updates, &fields.topics];
        self.envelope == Envelope::default()
            && self.forms.watermark.is_usual()
            && self.forms.resume_after == ResumeForm::Map
            && self.channel_parts().is_none()
            && named.iter().all(|name| !name.is_empty() && !name.starts_with('/'))
    }

    /// What stands around the topic in the name of a channel, where each topic has its own.
    pub(super) fn channel_parts(&self) -> Option<(&str, &str)> {
        self.channel.split_once(TOPIC)
    }

    pub fn is_channel(&self, name: &str) -> bool {
        match self.channel_parts() {
            None => name == self.channel,
            Some(_) => self.topic_of_channel(name).is_some(),
        }
    }

    pub fn channel_of(&self, topic: &str) -> String {
        self.channel.replace(TOPIC, topic)
    }

    /// The topic in the name of a channel, where each topic has its own.
    pub fn topic_of_channel<'c>(&self, name: &'c str) -> Option<&'c str> {
        let (before, behind) = self.channel_parts()?;
        name.strip_prefix(before)?.strip_suffix(behind).filter(|topic| !topic.is_empty())
    }

    /// Whether the join of a channel is the subscribe to its topic.
    pub(super) fn joins_to_subscribe(&self) -> bool {
        self.events.subscribe.is_empty()
    }

    /// The body in the payload of a push.
    pub(super) fn body<'p>(&self, payload: &'p str) -> &'p str {
        inside(payload, &self.envelope.push)
    }

    /// The body in the response to a request.
    pub(super) fn replied<'p>(&self, response: &'p str) -> &'p str {
        inside(response, &self.envelope.reply)
    }

    /// The body in what a client sends.
    pub(super) fn requested<'p>(&self, payload: &'p str) -> &'p str {
        inside(payload, &self.envelope.request)
    }

    /// A client's request with its body in the envelope.
    pub(super) fn request(&self, body: String) -> String {
        let tokens: Vec<_> = self.envelope.request.split('/').skip(1).filter_map(rules::pointer_key).collect();
        let beside = serde_json::to_string(&self.envelope.with).unwrap_or_default();
        let beside = beside.strip_prefix('{').and_then(|beside| beside.strip_suffix('}')).unwrap_or_default();
        tokens.iter().enumerate().rev().fold(body, |body, (depth, token)| {
            let comma = if depth == 0 && !beside.is_empty() { "," } else { "" };
            let beside = if depth == 0 { beside } else { "" };
            format!("{{{beside}{comma}{}:{body}}}", quoted(token))
        })
    }

    /// The texts of the events in a batch's body: a list of them, or one alone. `None` where there is no such place.
    pub(super) fn events_in<'b>(&self, body: &'b str) -> Option<Vec<&'b str>> {
        let name = &self.fields.updates;
        let found = if name.is_empty() { body } else { pointer::named(body, name)? };
        match found.as_bytes().first()? {
            b'[' => pointer::elements(found),
            b'{' if !self.has_every_field() => Some(vec![found]),
            _ => None,
        }
    }

    /// The topic of an event: its own field, or that of the channel that it came on.
    pub(super) fn topic_of(&self, channel: &str, event: &str) -> Option<String> {
        match self.fields.topic.as_str() {
            "" => self.topic_of_channel(channel).map(str::to_owned),
            name => serde_json::from_str(pointer::named(event, name)?).ok(),
        }
    }

    pub(super) fn seq_of(&self, event: &str) -> Option<u64> {
        self.forms.watermark.read(pointer::named(event, &self.fields.watermark)?)
    }

    /// A seq outside of the socket's messages: a watermark, or, where that has a form of its own, a number that may be
    /// text.
    pub(super) fn read_seq(&self, text: &str) -> Option<u64> {
        let form = &self.forms.watermark;
        let number = || if form.is_usual() { None } else { text.trim_matches('"').parse().ok() };
        form.read(text).or_else(number)
    }

    /// The watermarks of a reply or of a subscribe, by topic: a list, an object from topic to watermark, or the
    /// watermark of the channel's one topic.
    pub(super) fn marks(&self, channel: &str, text: &str) -> Vec<(String, u64)> {
        let form = &self.forms.watermark;
        if let (Some(topic), Some(seq)) = (self.topic_of_channel(channel), form.read(text)) {
            return vec![(topic.to_owned(), seq)];
        }
        if let Some(list) = pointer::elements(text) {
            return list
                .iter()
                .filter_map(|entry| Some((self.topic_of(channel, entry)?, self.seq_of(entry)?)))
                .collect();
        }
        let members = pointer::members(text).unwrap_or_default().into_iter();
        members.filter_map(|(topic, value)| Some((topic.into_owned(), form.read(value)?))).collect()
    }

    /// The fields of a subscribe: topics, cursors and the size of a batch, as far as the service has names for them.
    pub(super) fn subscribe_fields(&self, asked: &[(&str, Option<u64>)], replay_batch: u32) -> Vec<String> {
        let fields = &self.fields;
        let mut texts = Vec::new();
        let mut add = |name: &str, value: String| {
            if !name.is_empty() {
                texts.push(format!("{}:{value}", quoted(name)));
            }
        };
        add(
            &fields.topics,
            format!("[{}]", asked.iter().map(|(topic, _)| quoted(topic)).collect::<Vec<_>>().join(",")),
        );
        let cursors: Vec<(&str, u64)> = asked.iter().filter_map(|(topic, cursor)| Some((*topic, (*cursor)?))).collect();
        if !cursors.is_empty() {
            add(&fields.resume_after, self.cursors(&cursors));
        }
        add(&fields.replay_batch_size, replay_batch.to_string());
        texts
    }

    /// The cursors of a subscribe in the service's form.
    pub(super) fn cursors(&self, cursors: &[(&str, u64)]) -> String {
        let form = &self.forms.watermark;
        let (topic, watermark) = (quoted(&self.fields.topic), quoted(&self.fields.watermark));
        let each = cursors.iter().map(|(name, seq)| match self.forms.resume_after {
            ResumeForm::Map => format!("{}:{}", quoted(name), form.write(*seq)),
            ResumeForm::List => format!("{{{topic}:{},{watermark}:{}}}", quoted(name), form.write(*seq)),
            ResumeForm::One => form.write(*seq),
        });
        let each = each.collect::<Vec<_>>().join(",");
        match self.forms.resume_after {
            ResumeForm::Map => format!("{{{each}}}"),
            ResumeForm::List => format!("[{each}]"),
            ResumeForm::One => each,
        }
    }

    /// What is wrong with the forms of a profile: the key, what is wrong, and how to mend it.
    pub(super) fn mistakes_of_forms(&self) -> Vec<(&'static str, String, &'static str)> {
        let mut mistakes = Vec::new();
        let mut add = |key, what: String, hint| mistakes.push((key, what, hint));
        for (key, pointer) in self.envelope.pointers() {
            if !rules::is_pointer(pointer) {
                add(key, format!("`{pointer}` is no JSON pointer"), "write it as `/data`");
            }
        }
        if self.envelope.request.is_empty() && !self.envelope.with.is_empty() {
            let what = "envelope.with has fields, and envelope.request says that there is no envelope";
            add("envelope.with", what.to_owned(), "say where the body goes: `request = \"/data\"`");
        }
        let each_its_own = self.channel_parts().is_some();
        let (fields, events) = (&self.fields, &self.events);
        let only = [
            ("fields.topic", fields.topic.is_empty(), "name the field of an event that has its topic"),
            ("fields.topics", fields.topics.is_empty(), "name the field of a subscribe that lists the topics"),
            ("events.subscribe", events.subscribe.is_empty(), "name the event that subscribes"),
            ("events.unsubscribe", events.unsubscribe.is_empty(), "name the event that unsubscribes"),
            ("forms.resume_after", self.forms.resume_after == ResumeForm::One, "write \"map\" or \"list\""),
        ];
        for (key, is_so, hint) in only {
            if is_so && !each_its_own {
                let what =
                    format!("{key} is of a service with a channel for each topic, and `channel` has no `{{topic}}`");
                add(key, what, hint);
            }
        }
        let asked = [
            ("fields.topics", &fields.topics),
            ("fields.resume_after", &fields.resume_after),
            ("fields.replay_batch_size", &fields.replay_batch_size),
        ];
        for (key, name) in asked.into_iter().filter(|(_, name)| name.starts_with('/')) {
            add(key, format!("`{name}` is a pointer, and a client writes this field"), "write the field's name");
        }
        for (key, name) in [("fields.watermark", &fields.watermark), ("fields.payload", &fields.payload)] {
            if name.is_empty() {
                add(key, format!("{key} is empty"), "every event has it");
            }
        }
        if self.every_field == Some(true) && !(self.has_usual_forms() && self.codes.is_usual()) {
            let what = "every_field = true is of a service with the contract's forms and codes";
            add("every_field", what.to_owned(), "leave it out");
        }
        mistakes
    }
}

fn inside<'t>(text: &'t str, at: &str) -> &'t str {
    if at.is_empty() {
        return text;
    }
    pointer::find(text, at).unwrap_or(text)
}

#[cfg(test)]
mod tests;
