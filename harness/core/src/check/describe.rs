//! A finding in words, for people. No judgement depends on them.
//!
//! The sentence of a reason has names in braces: `{client}`, `{stream}`, `{event}` (with `{was}`, its verb), `{seq}`,
//! `{op}`, `{fault}`, `{checker}`, `{expected}` and `{got}`.

use super::{Finding, Reason};
use crate::text::{code_points, visible};

impl Finding {
    /// One line without a period: where and what, with what was expected and what came.
    pub fn describe(&self) -> String {
        let mut line = String::new();
        if let Some(lane) = self.lane {
            line.push_str(&format!("{lane}: "));
        }
        line.push_str(&self.sentence());
        if let Some(path) = &self.witness.path {
            line.push_str(&format!(", at {path}"));
        }
        if let (Some(expected), Some(got)) = (&self.witness.expected, &self.witness.got) {
            line.push_str(&format!(" (expected {}; got {}", visible(expected), visible(got)));
            if let Some(points) = code_points(expected, got) {
                line.push_str(&format!("; they differ {points}"));
            }
            line.push(')');
        }
        if self.witness.repeats > 0 {
            line.push_str(&format!(", and {} more like it", self.witness.repeats));
        }
        line
    }

    /// What the lane did, in a sentence without a period that fits every finding of this reason.
    pub fn summary(&self) -> String {
        match (self.lane, self.reason.deed) {
            (Some(lane), Some(deed)) => format!("the {lane} lane {deed}"),
            (Some(lane), None) => format!("on the {lane} lane {}", self.sentence()),
            (None, _) => self.sentence(),
        }
    }

    fn sentence(&self) -> String {
        let witness = &self.witness;
        let stream = || self.stream.as_ref().map_or("a stream".to_owned(), ToString::to_string);
        let text = |text: &Option<String>, none: &str| text.clone().unwrap_or_else(|| none.to_owned());
        fill(self.reason.says, |name| match name {
            "client" => self.client.as_ref().map_or("a client".to_owned(), |client| format!("client {client}")),
            "stream" => stream(),
            "event" => match (self.seq, witness.through) {
                (Some(first), Some(last)) => format!("events {first} to {last} of {}", stream()),
                (Some(seq), None) => format!("event {seq} of {}", stream()),
                (None, _) => stream(),
            },
            "was" => if witness.through.is_some() { "were" } else { "was" }.to_owned(),
            "seq" => self.seq.map_or("?".to_owned(), |seq| seq.to_string()),
            "op" => witness.op.map_or("an operation".to_owned(), |op| format!("operation {op}")),
            "fault" => witness.fault.as_ref().map_or("a fault".to_owned(), |fault| format!("fault {fault}")),
            "checker" => self.checker.to_owned(),
            "expected" => text(&witness.expected, "something"),
            "got" => text(&witness.got, "nothing was told"),
            _ => String::new(),
        })
    }
}

impl Reason {
    /// Its sentence, of no finding in particular.
    pub fn in_general(&self) -> String {
        let says = fill(self.says, |name| match name {
            "client" => "a client".to_owned(),
            "stream" => "a stream".to_owned(),
            "event" => "an event".to_owned(),
            "was" => "was".to_owned(),
            "seq" => "n".to_owned(),
            "op" => "an operation".to_owned(),
            "fault" => "a fault".to_owned(),
            _ => "…".to_owned(),
        });
        says.trim_end_matches(": …").to_owned()
    }
}

fn fill(text: &str, value: impl Fn(&str) -> String) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        filled.push_str(before);
        filled.push_str(&value(name));
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests;
