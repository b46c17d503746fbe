//! Planted defects: what a broken server does, by name, so that a known-bad scenario can prove it is caught.
//!
//! All are off by default. Each is deterministic: it strikes at a fixed position of every topic it concerns.

use std::{fmt, str::FromStr};

/// The sequence number at which every delivery defect strikes, in each topic.
pub const DEFECT_SEQ: u64 = 5;

macro_rules! defects {
    ($($(#[doc = $doc:literal])+ $variant:ident => $name:literal,)+) => {
        /// One planted defect.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Defect {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Defect {
            /// Every defect, in the order of the documentation.
            pub const ALL: &'static [Defect] = &[$(Defect::$variant),+];

            /// The name by which it is asked for.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Defect::$variant => $name),+ }
            }

            /// What it does, in a line.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self { $(Defect::$variant => concat!($($doc),+)),+ }
            }
        }
    };
}

defects! {
    /// After a restart the last two events of the first topic (by name) are gone, and their keys with them.
    ForgetAfterRestart => "forget-after-restart",
    /// After a restart the first topic (by name) is empty, as if it had never been written.
    ForgetTopicAfterRestart => "forget-topic-after-restart",
    /// Publishes are acknowledged while their records wait in memory: only a clean stop writes them.
    AckBeforeJournal => "ack-before-journal",
    /// There is no stale check: any cursor resumes from whatever is retained.
    AcceptStale => "accept-stale",
    /// The replay budget is checked before the retention floor, so a cursor that fails both gets the wrong reason.
    WrongStaleReason => "wrong-stale-reason",
    /// The retention floor is one too low: a cursor one below the true floor is accepted.
    StaleOffByOne => "stale-off-by-one",
    /// Only the first topic that a subscribe names is checked for staleness.
    StaleFirstOnly => "stale-first-only",
    /// A publish with a known key is appended again.
    IgnoreIdempotency => "ignore-idempotency",
    /// A known key with another payload is answered 200 and `duplicate: true`.
    AcceptConflict => "accept-conflict",
    /// Nothing is ever pruned, whatever the policy says.
    IgnoreRetention => "ignore-retention",
    /// The 5th event of each topic is never delivered, live or replayed.
    DropEvent => "drop-event",
    /// The 5th event of each topic is skipped on the live tail; a replay has it.
    SkipLive => "skip-live",
    /// On the live tail the 5th event of each topic is held until the 6th was pushed.
    SwapLive => "swap-live",
    /// One byte of the 5th event's payload is changed when it is delivered, and its hash is made to match.
    ChangePayload => "change-payload",
    /// The 5th event of each topic is delivered with a payload_hash that is not its payload's.
    WrongHash => "wrong-hash",
    /// A channel crashes, with `phx_error`, whenever it has delivered three events live.
    ChannelCrash => "channel-crash",
    /// The `sync:frame` of a batch names a seq one above the batch's highest.
    WrongFrameSeq => "wrong-frame-seq",
    /// The 5th event of each topic is delivered again, once a channel, as the next event of another subscribed topic.
    CrossStreams => "cross-streams",
    /// After the 5th event of each topic an event that nobody published is delivered as the next after the head.
    Phantom => "phantom",
    /// Nothing after the 5th event of each topic is delivered, live or replayed.
    StopTail => "stop-tail",
    /// A channel whose subscribe named a cursor gets its replay and no live push.
    DeadAfterResume => "dead-after-resume",
    /// Unsubscribe keeps the watermark: a subscribe without a cursor goes on from there instead of from the beginning.
    KeepWatermark => "keep-watermark",
    /// Each live push is sent three times.
    FloodLive => "flood-live",
    /// Behind the 5th event of each topic an event of a topic of somebody else's is pushed, once a channel.
    StrangeTopic => "strange-topic",
    /// The 5th publish to each topic is answered well, once, and not written.
    AckWithoutWrite => "ack-without-write",
    /// The 6th event of each topic is delivered under the sequence number 5.
    DuplicateSeq => "duplicate-seq",
    /// Topics that the token does not grant are delivered all the same.
    IgnoreGrants => "ignore-grants",
    /// Expired and too old tokens are accepted.
    AcceptExpired => "accept-expired",
    /// Compatibility is not checked at the join, even where it is switched on.
    IgnoreCompat => "ignore-compat",
}

/// After so many live events a channel crashes.
pub(crate) const CRASH_AFTER: u64 = 3;

/// A set of planted defects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defects(Vec<Defect>);

/// A defect was asked for that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no defect `{name}`; known are: {}", Defects::names().join(", "))]
pub struct UnknownDefect {
    /// The name as it was given.
    pub name: String,
}

impl Defects {
    /// No defect.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads names separated by commas; blanks are ignored.
    ///
    /// # Errors
    /// The first name that is not known.
    pub fn parse(names: &str) -> Result<Self, UnknownDefect> {
        let mut defects = Vec::new();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let Some(defect) = Defect::ALL.iter().copied().find(|defect| defect.name() == name) else {
                return Err(UnknownDefect { name: name.to_owned() });
            };
            if !defects.contains(&defect) {
                defects.push(defect);
            }
        }
        Ok(Self(defects))
    }

    /// The names of all defects.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        Defect::ALL.iter().map(|defect| defect.name()).collect()
    }

    /// Whether `defect` is planted.
    #[must_use]
    pub fn has(&self, defect: Defect) -> bool {
        self.0.contains(&defect)
    }

    /// Whether none is planted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Defects {
    type Err = UnknownDefect;

    fn from_str(names: &str) -> Result<Self, Self::Err> {
        Self::parse(names)
    }
}

impl fmt::Display for Defects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|defect| defect.name()).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests;
