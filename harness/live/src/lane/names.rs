//! The names of the plan's streams on the wire: a topic, maybe scoped to this run, or the stream id of that topic. A
//! protocol uses one of them.

#![allow(missing_docs, reason = "the names say it")]

use std::collections::BTreeMap;

use cutover_core::ids::StreamId;
use cutover_core::topic::{scoped, stream_id_of};

#[derive(Debug, Clone, Default)]
struct Form {
    names: BTreeMap<StreamId, String>,
    streams: BTreeMap<String, StreamId>,
}

/// The streams of a run and their names on the wire, both ways. Every mapping is one to one.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Whether any name on the wire is a stream of the same name.
    any: bool,
    scope: Option<String>,
    topics: Form,
    stream_ids: Form,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamesError {
    #[error("streams `{first}` and `{second}` are both `{name}` on the wire; rename one of them")]
    Collision { first: StreamId, second: StreamId, name: String },
    /// The stream's topic has no id that a scope could go into.
    #[error(
        "stream `{stream}` can't be scoped to this run, since its topic has no id; leave it out, or set \
         `scoped = false` in the lane profile"
    )]
    Unscopable { stream: StreamId },
}

impl Form {
    fn add(&mut self, stream: &StreamId, name: String) -> Result<(), NamesError> {
        if let Some(first) = self.streams.insert(name.clone(), stream.clone()) {
            return Err(NamesError::Collision { first, second: stream.clone(), name });
        }
        self.names.insert(stream.clone(), name);
        Ok(())
    }
}

impl Names {
    /// Names the streams. With a scope, topics carry it in their ids, so that two runs against one server share none.
    pub fn new(streams: impl IntoIterator<Item = StreamId>, scope: Option<&str>) -> Result<Names, NamesError> {
        let mut names = Names { scope: scope.map(str::to_owned), ..Names::default() };
        for stream in streams {
            if names.topics.names.contains_key(&stream) {
                continue;
            }
            let topic = match scope {
                None => stream.as_str().to_owned(),
                Some(scope) => {
                    scoped(stream.as_str(), scope).ok_or_else(|| NamesError::Unscopable { stream: stream.clone() })?
                }
            };
            names.stream_ids.add(&stream, stream_id_of(&topic))?;
            names.topics.add(&stream, topic)?;
        }
        Ok(names)
    }

    /// Takes any name of either form for a stream of that name: for a proxy that knows no run.
    pub fn any() -> Names {
        Names { any: true, ..Names::default() }
    }

    pub fn is_any(&self) -> bool {
        self.any
    }

    /// Streams that have their own name in both forms, as those of recordings do.
    #[cfg(test)]
    pub(crate) fn verbatim(streams: &[&str]) -> Names {
        let mut names = Names::default();
        for name in streams {
            for form in [&mut names.topics, &mut names.stream_ids] {
                let _ = form.add(&StreamId::new(*name), (*name).to_owned());
            }
        }
        names
    }

    /// The word that topics carry in their ids, where they carry one.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// The same streams, with ids on the wire made of each topic and the id that the contract gives it.
    pub fn with_ids(&self, id: impl Fn(&str, &str) -> String) -> Result<Names, NamesError> {
        let mut names = Names { stream_ids: Form::default(), ..self.clone() };
        for (stream, topic) in &self.topics.names {
            names.stream_ids.add(stream, id(topic, &stream_id_of(topic)))?;
        }
        Ok(names)
    }

    /// The name of a client, so that no other scenario of the run has one of that name.
    pub fn client(&self, name: &str) -> String {
        self.scope.as_ref().map_or_else(|| name.to_owned(), |scope| format!("{scope}-{name}"))
    }

    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.topics.names.values().map(String::as_str)
    }

    pub fn topic<'a>(&'a self, stream: &'a StreamId) -> Option<&'a str> {
        self.name(&self.topics, stream)
    }

    pub fn stream_id<'a>(&'a self, stream: &'a StreamId) -> Option<&'a str> {
        self.name(&self.stream_ids, stream)
    }

    pub fn stream_of_topic(&self, topic: &str) -> Option<StreamId> {
        self.stream(&self.topics, topic)
    }

    pub fn stream_of_id(&self, stream_id: &str) -> Option<StreamId> {
        self.stream(&self.stream_ids, stream_id)
    }

    fn name<'a>(&self, form: &'a Form, stream: &'a StreamId) -> Option<&'a str> {
        if self.any { Some(stream.as_str()) } else { form.names.get(stream).map(String::as_str) }
    }

    fn stream(&self, form: &Form, name: &str) -> Option<StreamId> {
        if self.any { Some(StreamId::new(name)) } else { form.streams.get(name).cloned() }
    }
}

#[cfg(test)]
mod tests;
