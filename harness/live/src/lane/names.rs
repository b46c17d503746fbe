//! What the plan's streams are called on the wire: a legacy topic, maybe scoped to this run, and the candidate's stream id
//! of that topic.

use std::collections::BTreeMap;

use cutover_core::ids::StreamId;
use cutover_core::topic::{scoped, stream_id_of};

/// A stream's names on the two wires.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wire {
    topic: String,
    candidate: String,
}

/// The streams of a run and their names on the wire, both ways. Every mapping is one to one.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Whether any name on the wire is a stream of the same name.
    any: bool,
    wires: BTreeMap<StreamId, Wire>,
    by_topic: BTreeMap<String, StreamId>,
    by_candidate: BTreeMap<String, StreamId>,
}

/// Why streams can't be named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the names say it")]
pub enum NamesError {
    /// Two streams would have one name.
    #[error("streams `{first}` and `{second}` are both `{name}` on the wire; rename one of them")]
    Collision { first: StreamId, second: StreamId, name: String },
    /// The stream's topic has no id that a scope could go into.
    #[error(
        "stream `{stream}` can't be scoped to this run, since its topic has no id; leave it out, or set `scoped = false` \
         in the lane profile"
    )]
    Unscopable { stream: StreamId },
}

impl Names {
    /// Names the streams. With a scope, topics carry it in their ids, so that two runs against one server share none.
    ///
    /// # Errors
    /// Where two streams would share a name, or one can't carry the scope.
    pub fn new(streams: impl IntoIterator<Item = StreamId>, scope: Option<&str>) -> Result<Names, NamesError> {
        let mut names = Names::default();
        for stream in streams {
            if names.wires.contains_key(&stream) {
                continue;
            }
            let topic = match scope {
                None => stream.as_str().to_owned(),
                Some(scope) => {
                    scoped(stream.as_str(), scope).ok_or_else(|| NamesError::Unscopable { stream: stream.clone() })?
                }
            };
            let candidate = stream_id_of(&topic);
            claim(&mut names.by_topic, &topic, &stream)?;
            claim(&mut names.by_candidate, &candidate, &stream)?;
            names.wires.insert(stream, Wire { topic, candidate });
        }
        Ok(names)
    }

    /// Takes any name on either wire for a stream of that name: for a proxy that knows no run.
    pub fn any() -> Names {
        Names { any: true, ..Names::default() }
    }

    /// Whether any name is a stream.
    pub fn is_any(&self) -> bool {
        self.any
    }

    /// Streams that have their own name on both wires, as those of recordings do.
    #[cfg(test)]
    pub(crate) fn verbatim(streams: &[&str]) -> Names {
        let mut names = Names::default();
        for name in streams {
            let stream = StreamId::new(*name);
            let wire = Wire { topic: (*name).to_owned(), candidate: (*name).to_owned() };
            names.by_topic.insert((*name).to_owned(), stream.clone());
            names.by_candidate.insert((*name).to_owned(), stream.clone());
            names.wires.insert(stream, wire);
        }
        names
    }

    /// The stream's legacy topic on the wire.
    pub fn topic<'a>(&'a self, stream: &'a StreamId) -> Option<&'a str> {
        if self.any {
            return Some(stream.as_str());
        }
        self.wires.get(stream).map(|wire| wire.topic.as_str())
    }

    /// The stream's id on the candidate's wire.
    pub fn candidate<'a>(&'a self, stream: &'a StreamId) -> Option<&'a str> {
        if self.any {
            return Some(stream.as_str());
        }
        self.wires.get(stream).map(|wire| wire.candidate.as_str())
    }

    /// The stream that has this topic on the wire.
    pub fn stream_of_topic(&self, topic: &str) -> Option<StreamId> {
        if self.any {
            return Some(StreamId::new(topic));
        }
        self.by_topic.get(topic).cloned()
    }

    /// The stream that has this id on the candidate's wire.
    pub fn stream_of_candidate(&self, candidate: &str) -> Option<StreamId> {
        if self.any {
            return Some(StreamId::new(candidate));
        }
        self.by_candidate.get(candidate).cloned()
    }

    /// All streams, in order.
    pub fn streams(&self) -> impl Iterator<Item = &StreamId> {
        self.wires.keys()
    }
}

fn claim(names: &mut BTreeMap<String, StreamId>, name: &str, stream: &StreamId) -> Result<(), NamesError> {
    match names.insert(name.to_owned(), stream.clone()) {
        None => Ok(()),
        Some(first) => Err(NamesError::Collision { first, second: stream.clone(), name: name.to_owned() }),
    }
}

#[cfg(test)]
mod tests;
