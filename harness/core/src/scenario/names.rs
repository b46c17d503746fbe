//! The names that the steps, faults and toxics of a file may use.

use super::cast::{Client, Identity, Stream};
use super::errors::{Mistakes, did_you_mean};
use super::read::{At, Section};

/// The greatest number that a scenario may hold.
pub(super) const MAX_NUMBER: u64 = 1_000_000;

pub(super) struct Names<'a> {
    pub(super) streams: &'a [At<Stream>],
    pub(super) identities: &'a [At<Identity>],
    pub(super) clients: &'a [At<Client>],
}

impl Names<'_> {
    pub(super) fn stream(&self, topic: At<&str>, mistakes: &mut Mistakes) -> Option<usize> {
        let found = self.streams.iter().position(|stream| stream.value.topic == topic.value);
        if found.is_none() {
            let known: Vec<_> = self.streams.iter().map(|stream| stream.value.topic.as_str()).collect();
            let what = format!("no stream has the topic `{}`", topic.value);
            mistakes.whole(topic.at, what, did_you_mean(topic.value, &known));
        }
        found
    }

    pub(super) fn client(&self, name: At<&str>, mistakes: &mut Mistakes) -> Option<usize> {
        let found = self.clients.iter().position(|client| client.value.name == name.value);
        if found.is_none() {
            let known: Vec<_> = self.clients.iter().map(|client| client.value.name.as_str()).collect();
            let what = format!("no client is called `{}`", name.value);
            mistakes.whole(name.at, what, did_you_mean(name.value, &known));
        }
        found
    }

    pub(super) fn identity(&self, name: At<&str>, mistakes: &mut Mistakes) -> Option<usize> {
        let found = self.identities.iter().position(|identity| identity.value.name == name.value);
        if found.is_none() {
            let known: Vec<_> = self.identities.iter().map(|identity| identity.value.name.as_str()).collect();
            let what = format!("no identity is called `{}`", name.value);
            mistakes.whole(name.at, what, did_you_mean(name.value, &known));
        }
        found
    }

    pub(super) fn need_identity(&self, section: &Section<'_>, mistakes: &mut Mistakes) -> Option<usize> {
        let name = section.need_text("as", mistakes)?;
        self.identity(name, mistakes)
    }

    pub(super) fn clients(&self, section: &Section<'_>, mistakes: &mut Mistakes) -> Option<Vec<usize>> {
        section.has("clients").then(|| {
            let names = section.texts("clients", mistakes);
            names.into_iter().filter_map(|name| self.client(name, mistakes)).collect()
        })
    }

    pub(super) fn streams(&self, section: &Section<'_>, mistakes: &mut Mistakes) -> Vec<usize> {
        if section.get("streams").is_some_and(|node| node.str() == Some("all")) {
            return (0..self.streams.len()).collect();
        }
        if section.has("streams") {
            let topics = section.texts("streams", mistakes);
            return topics.into_iter().filter_map(|topic| self.stream(topic, mistakes)).collect();
        }
        self.need_stream(section, mistakes).into_iter().collect()
    }

    pub(super) fn need_stream(&self, section: &Section<'_>, mistakes: &mut Mistakes) -> Option<usize> {
        let topic = section.need_text("stream", mistakes)?;
        self.stream(topic, mistakes)
    }
}
