//! Verdicts, and the reasons that findings can have. A checker's file declares its reasons.
#![allow(missing_docs, reason = "the names say it")]

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// A judgement. Ordered from best to worst, so that the worst of several is their maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It was checked, and nothing is wrong.
    Valid,
    /// It is not known whether anything is wrong. Never as good as valid.
    Unknown,
    /// A property is violated.
    Invalid,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Valid => "valid",
            Verdict::Unknown => "unknown",
            Verdict::Invalid => "invalid",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    pub word: &'static str,
    /// The verdict of a finding, unless the finding has one of its own.
    pub verdict: Verdict,
    /// The sentence of a finding, without a period. Names in braces are filled in: see [`super::describe`].
    pub says: &'static str,
    /// What the lane did, where many findings are summed up; `None` where it is not the lane that did something.
    pub deed: Option<&'static str>,
    /// Of an unknown finding: its place between what keeps a run waiting and what the run then did not do.
    pub(super) shortage: Option<Shortage>,
}

/// Why a run could not do everything, from cause to effect. A finding may account for one that stands further down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shortage {
    /// An invalid finding.
    SomethingWrong,
    NoAnswer,
    NoConnection,
    TimedOut,
    NotDone,
}

impl Reason {
    const fn new(verdict: Verdict, word: &'static str, says: &'static str) -> Reason {
        Reason { word, verdict, says, deed: None, shortage: None }
    }

    pub(super) const fn invalid(word: &'static str, says: &'static str) -> Reason {
        Reason::new(Verdict::Invalid, word, says)
    }

    pub(super) const fn unknown(word: &'static str, says: &'static str) -> Reason {
        Reason::new(Verdict::Unknown, word, says)
    }

    pub(super) const fn warning(word: &'static str, says: &'static str) -> Reason {
        Reason::new(Verdict::Valid, word, says)
    }

    pub(super) const fn deed(mut self, deed: &'static str) -> Reason {
        self.deed = Some(deed);
        self
    }

    pub(super) const fn shortage(mut self, shortage: Shortage) -> Reason {
        self.shortage = Some(shortage);
        self
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word)
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word)
    }
}
