//! The defects that the reference legacy server can be started with.
//!
//! To add one: a line here, `defects.has(Defect::NAME)` in `harness/reference`, and `cutover calibrate --defect NAME`,
//! which says whether the gate finds it.
#![allow(missing_docs, reason = "the names say it")]

use super::defects;

defects! { Place::Reference;
/// After a restart the last two events of the first topic (by name) are gone, and their keys with them.
ForgetAfterRestart => "forget-after-restart", Restart, stateful;
/// After a restart the first topic (by name) is empty, as if it had never been written.
ForgetTopicAfterRestart => "forget-topic-after-restart", Restart, stateful;
/// Publishes are acknowledged while their records wait in memory: only a clean stop writes them.
AckBeforeJournal => "ack-before-journal", Restart, stateful;
/// There is no stale check: any cursor resumes from whatever is retained.
AcceptStale => "accept-stale", Stale;
/// The replay budget is checked before the retention floor, so a cursor that fails both gets the wrong reason.
WrongStaleReason => "wrong-stale-reason", Stale, stateful;
/// The retention floor is one too low: a cursor one below the true floor is accepted.
StaleOffByOne => "stale-off-by-one", Stale, stateful;
/// Only the first topic that a subscribe names is checked for staleness.
StaleFirstOnly => "stale-first-only", Stale, stateful;
/// A publish with a known key is appended again.
IgnoreIdempotency => "ignore-idempotency", Key;
/// A known key with another payload is answered 200 and `duplicate: true`.
AcceptConflict => "accept-conflict", Key;
/// Nothing is ever pruned, whatever the policy says.
IgnoreRetention => "ignore-retention", Policy;
/// The 5th event of each topic is never delivered, live or replayed.
DropEvent => "drop-event", Loss;
/// The 5th event of each topic is skipped on the live tail; a replay has it.
SkipLive => "skip-live", Loss;
/// On the live tail the 5th event of each topic is held until the 6th was pushed.
SwapLive => "swap-live", Order;
/// One byte of the 5th event's payload is changed when it is delivered, and its hash is made to match.
ChangePayload => "change-payload", Payload;
/// The 5th event of each topic is delivered with a payload_hash that is not its payload's.
WrongHash => "wrong-hash", Payload;
/// The `sync:frame` of a batch names a seq one above the batch's highest.
WrongFrameSeq => "wrong-frame-seq", Field;
/// A channel crashes, with `phx_error`, whenever it has delivered three events live.
ChannelCrash => "channel-crash", Liveness;
/// The 5th event of each topic is delivered again, once a channel, as the next event of another subscribed topic.
CrossStreams => "cross-streams", Stream, stateful;
/// After the 5th event of each topic an event that was never published is delivered as the next after the head.
Phantom => "phantom", Stream;
/// Nothing after the 5th event of each topic is delivered, live or replayed.
StopTail => "stop-tail", Loss;
/// A channel whose subscribe named a cursor gets its replay and no live push.
DeadAfterResume => "dead-after-resume", Liveness, stateful;
/// Unsubscribe keeps the watermark: a subscribe without a cursor goes on from there instead of from the beginning.
KeepWatermark => "keep-watermark", Checkpoint, stateful;
/// Each live push is sent three times.
FloodLive => "flood-live", Duplicate;
/// Behind the 5th event of each topic an event of a topic that the client did not subscribe is pushed, once a
/// channel.
StrangeTopic => "strange-topic", Stream;
/// The 5th publish to each topic is answered well, once, and not written.
AckWithoutWrite => "ack-without-write", Answer;
/// The 6th event of each topic is delivered under the sequence number 5.
DuplicateSeq => "duplicate-seq", Seq;
/// Topics that the token does not grant are delivered all the same.
IgnoreGrants => "ignore-grants", Access;
/// Expired and too old tokens are accepted.
AcceptExpired => "accept-expired", Access;
/// Compatibility is not checked at the join, even where it is switched on.
IgnoreCompat => "ignore-compat", Access;
}
