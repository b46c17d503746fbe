//! The defects that the reference legacy server can be started with, so that a known-bad scenario can prove that each
//! is caught.
//!
//! This list is the only one: scenarios, the server and the documentation's tests read it. To add a defect, add a line
//! here, plant it in `harness/reference`, and write a known-bad scenario.

macro_rules! defects {
    ($($(#[doc = $doc:literal])+ $variant:ident => $name:literal,)+) => {
        /// A planted defect. Each is deterministic: it fires at a fixed position of every topic that it concerns.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Defect {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Defect {
            pub const ALL: &'static [Defect] = &[$(Defect::$variant),+];

            pub const NAMES: &'static [&'static str] = &[$($name),+];

            pub fn name(self) -> &'static str {
                match self { $(Defect::$variant => $name),+ }
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
    /// The `sync:frame` of a batch names a seq one above the batch's highest.
    WrongFrameSeq => "wrong-frame-seq",
    /// A channel crashes, with `phx_error`, whenever it has delivered three events live.
    ChannelCrash => "channel-crash",
    /// The 5th event of each topic is delivered again, once a channel, as the next event of another subscribed topic.
    CrossStreams => "cross-streams",
    /// After the 5th event of each topic an event that was never published is delivered as the next after the head.
    Phantom => "phantom",
    /// Nothing after the 5th event of each topic is delivered, live or replayed.
    StopTail => "stop-tail",
    /// A channel whose subscribe named a cursor gets its replay and no live push.
    DeadAfterResume => "dead-after-resume",
    /// Unsubscribe keeps the watermark: a subscribe without a cursor goes on from there instead of from the beginning.
    KeepWatermark => "keep-watermark",
    /// Each live push is sent three times.
    FloodLive => "flood-live",
    /// Behind the 5th event of each topic an event of a topic that the client did not subscribe is pushed, once a
    /// channel.
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
