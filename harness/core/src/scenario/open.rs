//! Values that a scenario leaves open: to the case (`each`), or to the plan, which draws them.

use crate::plan::fault::spec::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Fixed(u64),
    Each,
    Random,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CursorWord {
    Number(u64),
    Zero,
    Behind,
    Floor,
    BelowFloor,
    Head,
    BeyondHead,
    AtBudget,
    BeyondBudget,
    Foreign(usize),
    Random,
    Each,
}

/// A number that is fixed, or drawn from a range with both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    pub low: u64,
    pub high: u64,
}

impl Choice {
    pub fn fixed(value: u64) -> Choice {
        Choice { low: value, high: value }
    }
}

/// An attribute of a fault or filter, from the file to the plan. `N` is a number in the file, and later in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Setting<N> {
    Is(Value),
    Each,
    /// The plan draws one of these words.
    OneOf(Vec<&'static str>),
    /// A stream, by its index.
    Stream(usize),
    Number(N),
    /// Until the event of a stream is acknowledged, or until the heal phase.
    Until(Option<(usize, N)>),
    Cursor(CursorWord, usize),
    Between(Choice),
}

/// The attributes of a fault or filter, in the order of its specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings<N>(pub(crate) Vec<(&'static str, Setting<N>)>);

impl<N: Copy> Settings<N> {
    pub(super) fn get(&self, name: &str) -> Option<&Setting<N>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, setting)| setting)
    }

    /// A word or text that is not left open.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Setting::Is(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn stream(&self, name: &str) -> Option<usize> {
        match self.get(name)? {
            Setting::Stream(stream) => Some(*stream),
            _ => None,
        }
    }

    /// The event that a filter names.
    pub(crate) fn event(&self) -> Option<(usize, N)> {
        match self.get("seq")? {
            Setting::Number(seq) => Some((self.stream("topic")?, *seq)),
            _ => None,
        }
    }
}
