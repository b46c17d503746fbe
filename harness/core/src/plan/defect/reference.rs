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
/// Revoked tokens are accepted, and sockets that have one stay open.
AcceptRevoked => "accept-revoked", Access;
/// Sockets of a revoked token are closed without a `sync:error`.
RevokeUntold => "revoke-untold", Access;
/// Tokens for another audience are accepted.
AnyAudience => "accept-other-audience", Access;
/// Tokens are accepted before their `nbf`.
AcceptEarly => "accept-not-yet-valid", Access;
/// The fallback keys verify tokens for ever.
KeepOldKeys => "keep-old-keys", Access, stateful;
/// A grant of a topic covers each topic of its form whose id begins with the granted id.
GrantsByPrefix => "grants-by-prefix", Access, stateful;
/// A token that grants no publish may publish.
ReadersWrite => "readers-write", Access;
/// Compatibility is not checked at the join, even where it is switched on.
IgnoreCompat => "ignore-compat", Access;
/// A client of the schema version behind the last one may join.
CompatSchemaOffByOne => "compat-schema-off-by-one", Access, stateful;
/// A client of exactly the oldest build is refused.
CompatBuildOffByOne => "compat-build-off-by-one", Access, stateful;
/// The schema version is checked before the protocol version.
CompatSchemaFirst => "compat-schema-first", Access, stateful;
/// A refusal does not name the newest build that may join.
CompatWithoutMax => "compat-without-max", Access, stateful;
/// A join that is refused opens the channel all the same.
RefusedJoinSubscribes => "refused-join-subscribes", Access;
/// A client that left is still counted.
CountStays => "count-stays", Field;
/// Clients with one token, or without one, are counted as one.
CountByIdentity => "count-by-identity", Field, stateful;
/// Live events are pushed 40 ms late, together with those that came meanwhile.
SlowLive => "slow-live", Speed;
/// The answer to a subscribe with a cursor comes 100 ms late, and its replay too.
SlowResume => "slow-resume", Speed;

    // What is lost.
    /// A replay ends after 200 events, and what comes then is never sent.
    ReplayCut => "replay-cut", Loss, stateful;
    /// The first event after a whole replay batch is skipped.
    BatchBorderSkip => "batch-border-skip", Loss, stateful;
    /// Each 256th event of a topic is skipped on the live tail.
    Skip256Live => "skip-256th-live", Loss, stateful;
    /// Each 128th event of a topic is skipped in replays; it was sent live.
    Skip128Replay => "skip-128th-in-replay", Loss, stateful;
    /// The first live event after a replay of more than one batch is lost.
    SkipAfterReplay => "skip-after-replay", Loss, stateful;
    /// An event with the same payload as the one before it is not delivered.
    SkipEqual => "skip-equal-payload", Loss, stateful;
    /// A payload over 65,535 bytes is left out of replays.
    SkipLargeReplay => "skip-large-in-replay", Loss, stateful;
    /// An event whose payload is null is not pushed live.
    SkipNullLive => "skip-null-live", Loss;
    /// The 10th event of each topic is not sent to a client of serializer version 1.
    SkipV1 => "skip-on-v1", Loss, stateful;
    /// A resume from a cursor of 20 or more begins one event too late.
    ResumeSkips => "resume-skips-one", Loss, stateful;

    // How live and replayed events follow each other.
    /// Before a replay of more than one batch, the newest event is pushed.
    LiveFirst => "live-before-replay", Order, stateful;
    /// The second batch of a replay has its events in the wrong order.
    ReverseBatch => "reverse-second-batch", Order, stateful;
    /// The first two events of a replay behind a cursor are swapped.
    SwapResumed => "swap-in-resumed-replay", Order, stateful;
    /// Each 60th event of a topic is pushed three times.
    Every60Again => "repeat-60th", Duplicate, stateful;
    /// From the fourth join on, each live push is sent three times.
    FloodAfterJoins => "flood-after-joins", Duplicate, stateful;
    /// The second batch of a replay is sent three times.
    BatchAgain => "repeat-second-batch", Duplicate, stateful;
    /// A channel that has pushed 300 events of a topic live pushes no more of them.
    DeadAfter300 => "dead-after-300", Liveness, stateful;
    /// After an unsubscribe and a subscribe of a topic there is no live push.
    DeadAfterResubscribe => "dead-after-resubscribe", Liveness, stateful;

    // Seqs.
    /// A seq over 255 is delivered without its upper bits.
    SeqWraps => "seq-wraps-at-256", Seq, stateful;
    /// A publish that is refused as a conflict uses up a seq.
    RefusalTakesSeq => "refusal-takes-seq", Seq, stateful;
    /// A publish that expects another seq than the next is written all the same.
    ExpectedIgnored => "expected-seq-ignored", Answer;
    /// A publish that expects a seq below the next is written all the same.
    ExpectedLow => "expected-seq-too-low", Answer;

    // Keys.
    /// Keys that differ in blanks at their ends are the same.
    TrimKeys => "trim-keys", Key, stateful;
    /// Keys that differ in case are the same.
    LowerKeys => "lower-case-keys", Key, stateful;
    /// Keys that are equal in their first 64 bytes are the same.
    CutKeys64 => "cut-keys-at-64", Key, stateful;
    /// Keys that are equal in their first 255 bytes are the same.
    CutKeys255 => "cut-keys-at-255", Key, stateful;
    /// The topic's id and the key are joined without a separator: two pairs that meet are the same key.
    JoinKeys => "join-keys", Key, stateful;
    /// Keys that differ in `-` and `_` are the same.
    DashKeys => "dash-keys", Key, stateful;
    /// A key is known in all topics of its class.
    KeysPerClass => "keys-per-class", Key, stateful;
    /// A key is forgotten after 64 further events.
    Window64 => "key-window-64", Key, stateful;
    /// A key is forgotten after 1,000 further events.
    Window1000 => "key-window-1000", Key, stateful;
    /// A key is forgotten once its event is pruned.
    ForgetPrunedKeys => "forget-pruned-keys", Key, stateful;
    /// After a restart all keys are forgotten.
    ForgetKeysRestart => "forget-keys-after-restart", Restart, stateful;
    /// A publish with the payload of the event before it is taken for a repeat.
    DedupeEqual => "equal-payload-is-repeat", Key, stateful;
    /// Another payload under a key whose event is pruned is answered as a repeat.
    PrunedConflict => "accept-pruned-conflict", Key, stateful;
    /// Two payloads that are equal in their first 65,536 bytes are taken for the same.
    ConflictPrefix => "compare-first-64k", Key, stateful;
    /// The same payload in another spelling is refused as a conflict.
    TextConflict => "compare-as-text", Key, stateful;

    // Answers.
    /// A repeat that is not of the newest event is answered with `duplicate: false`.
    RepeatedAsNew => "repeated-as-new", Answer, stateful;
    /// A repeat is answered with the newest seq.
    RepeatedAtHead => "repeated-at-head", Answer;
    /// A repeat is answered without a payload hash.
    RepeatWithoutHash => "repeat-without-hash", Answer;
    /// A conflict with a pruned event is refused as `sequence_conflict`.
    PrunedCode => "code-of-pruned-conflict", Answer, stateful;
    /// A payload over 128 KiB is refused.
    RefuseLarge => "refuse-large-payloads", Answer, stateful;
    /// A key over 255 bytes is refused.
    RefuseLongKeys => "refuse-long-keys", Answer, stateful;
    /// A payload with a member twice is written, with the last one.
    LastMemberWins => "last-member-wins", Answer;

    // Topics.
    /// Events of a topic with capital letters are written to the topic in lower case.
    LowerTopics => "lower-case-topics", Stream, stateful;
    /// Events of a topic with `_` in its id are written to the topic with `-`.
    DashTopics => "dash-topics", Stream, stateful;
    /// Events of a topic over 64 bytes are written to the topic of its first 64 bytes.
    CutTopics => "cut-topics-at-64", Stream, stateful;

    // Retention and budget.
    /// A policy that sets one value sets the other one back to the default.
    PartialPolicy => "partial-policy-resets", Policy, stateful;
    /// A replay budget that was set is never changed.
    FirstBudget => "first-budget-stays", Policy, stateful;
    /// A retention is not used where the topic has events already.
    LateRetention => "retention-before-events-only", Policy, stateful;
    /// A retention of 1 keeps two events.
    KeepTwo => "retention-one-keeps-two", Policy, stateful;
    /// A topic is pruned at each 8th event only.
    PruneSteps => "prune-in-steps", Policy, stateful;
    /// A retention over 255 is cut to eight bits.
    RetentionU8 => "retention-of-8-bits", Policy, stateful;
    /// Where a topic is pruned, the others of its class are pruned up to the same seq.
    FloorPerClass => "floor-per-class", Policy, stateful;
    /// After a restart no topic has its policy.
    PolicyLost => "policy-lost-after-restart", Restart, stateful;
    /// After a restart the pruned events are there again.
    FloorLost => "floor-lost-after-restart", Restart, stateful;
    /// After a restart each payload over 64 KiB is null.
    LargeLost => "large-payload-lost-after-restart", Restart, stateful;
    /// After a restart the newest event is gone if its record is over 64 KiB.
    LargeTailLost => "large-tail-lost-after-restart", Restart, stateful;
    /// After a restart the newest event of a pruned topic is gone.
    PrunedTailLost => "pruned-tail-lost-after-restart", Restart, stateful;
    /// After a restart the events have other hashes.
    HashLost => "hash-lost-after-restart", Restart, stateful;

    // The stale check.
    /// Only the first five topics of a subscribe are checked for staleness.
    StaleFirstFive => "stale-first-five", Stale, stateful;
    /// A cursor of 0 is never stale.
    ZeroNeverStale => "zero-never-stale", Stale, stateful;
    /// A lag over 255 counts as 255.
    LagU8 => "lag-of-8-bits", Stale, stateful;
    /// A replay budget of 0 allows any lag.
    BudgetZero => "budget-zero-is-none", Stale, stateful;
    /// A replay budget of 100 or more is exceeded by a lag that equals it.
    BudgetInclusive => "budget-inclusive-from-100", Stale, stateful;
    /// A refusal lists only the first of the stale topics.
    ListFirst => "stale-lists-first", Stale, stateful;
    /// A refused subscribe subscribes the topics to the live tail.
    RefusedSubscribed => "refused-but-subscribed", Stale, stateful;
    /// A refusal comes without its `sync:error`.
    StaleWithoutError => "stale-without-error", Field;
    /// The `sync:error` of a refusal comes without its frame.
    StaleWithoutFrame => "stale-without-frame", Field;
    /// If two topics are stale, the retention floor of the second is one too high.
    StaleFloor => "stale-floor-off", Field, stateful;
    /// A lag over 20 is reported one too low.
    StaleLag => "stale-lag-off", Field, stateful;
    /// The tier of a topic that is beyond the budget is "cold".
    StaleTier => "stale-tier", Field, stateful;
    /// A refusal reports the class's replay budget.
    StaleBudget => "stale-budget-of-class", Field, stateful;
    /// A refusal for the budget alone does not ask for a full resync.
    StaleResync => "stale-without-resync", Field, stateful;
    /// Two stale topics with one reason give it twice.
    StaleReasonTwice => "stale-reason-twice", Field, stateful;
    /// The snapshot plan has event topics, too.
    PlanWithEvents => "plan-with-event-topics", Field, stateful;

    // Fields of messages.
    /// The first batch of a replay says that the replay is complete.
    CompleteEarly => "complete-too-early", Field, stateful;
    /// The last batch of a replay of several says that more comes.
    NeverComplete => "never-complete", Field, stateful;
    /// The batch size that a client asks for is ignored.
    BatchSizeIgnored => "batch-size-ignored", Field, stateful;
    /// The head of a replayed batch is that of another topic.
    HeadOfOther => "head-of-other", Field, stateful;
    /// From the 20th event on, a live batch names a head that is one too high.
    HeadBeyond => "head-beyond", Field, stateful;
    /// From the 20th event on, an event of a batch has the key of the one before it.
    DocKeyBefore => "doc-key-of-before", Field, stateful;
    /// A key is delivered without what follows its first 64 bytes.
    DocKeyCut => "doc-key-cut-at-64", Field, stateful;
    /// `doc_version` is the seq without its upper bits.
    DocVersionU8 => "doc-version-of-8-bits", Field, stateful;
    /// `hydration_required` is false of a null payload.
    HydrationNever => "hydration-never", Field, stateful;
    /// A frame of a replay names schema version 2.
    SchemaInReplay => "schema-version-in-replay", Field, stateful;
    /// From the second batch of a replay on, there is no frame.
    FrameMissing => "frame-missing-in-replay", Field, stateful;
    /// The frame's copy of a replayed event has no payload hash.
    FrameWithoutHash => "frame-without-hash", Field, stateful;
    /// The frame's copy of a replayed event has another payload.
    FrameChanged => "frame-changed-in-replay", Payload, stateful;
    /// With two topics or more, a heartbeat names the watermark of another topic.
    HeartbeatRotates => "heartbeat-of-other", Field, stateful;
    /// From the 20th event on, a heartbeat names a watermark that is one too low.
    HeartbeatBelow => "heartbeat-below", Field, stateful;
    /// With two topics or more, a heartbeat leaves the last one out.
    HeartbeatOmits => "heartbeat-leaves-out", Field, stateful;
    /// A heartbeat after a resubscribe is answered, and nothing is pushed.
    HeartbeatUnpushed => "heartbeat-unpushed", Field, stateful;
    /// The answer to a subscribe of two topics or more names the watermark of another topic.
    AnswerRotates => "answer-watermark-of-other", Field, stateful;
    /// A second subscribe of a channel is answered with another subscription id.
    SubscriptionChanges => "subscription-id-changes", Field, stateful;
    /// The answer to an unsubscribe still lists the topic.
    UnsubscribeLists => "unsubscribe-still-lists", Field, stateful;
    /// An unsubscribe does not end the live tail.
    UnsubscribeSends => "unsubscribe-keeps-sending", Stream, stateful;

    // Payloads.
    /// Each 7th event of a topic has another payload in replays.
    ChangeInReplay => "change-in-replay", Payload, stateful;
    /// A payload over 64 KiB is delivered with a wrong hash.
    WrongHashLarge => "wrong-hash-on-large", Payload, stateful;
    /// A payload over 64 KiB is delivered without a hash.
    HashMissingLarge => "hash-missing-on-large", Field, stateful;
    /// What comes while the buffer of a client is full is left out for it, and it is told nothing.
    SlowLoses => "slow-loses", Loss, stateful;
    /// While the buffer of one client is full, no client gets live events.
    SlowBlocks => "slow-blocks-others", Liveness, stateful;
    /// The second topic that finds the queue of a client full ends its channel.
    TwoStrikes => "two-strikes", Answer, stateful;
    /// The channel of a slow client ends without the strike that says so.
    StrikeUntold => "strike-untold", Answer, stateful;
    /// A strike names a topic that does not exist.
    StrikeTopic => "strike-topic", Field, stateful;
    /// A strike names an empty queue.
    StrikeDepth => "strike-depth", Field, stateful;
    /// A text over 65,535 bytes is cut there.
    CutText65535 => "cut-text-at-65535", Payload, stateful;
    /// A text over 255 bytes is cut there.
    CutText255 => "cut-text-at-255", Payload, stateful;
    /// Blanks at the end of a text are dropped.
    TrimText => "trim-text", Payload;
    /// CR LF in a text becomes LF.
    CrlfText => "crlf-to-lf", Payload;
    /// NUL is dropped from a text.
    NulText => "drop-nul", Payload;
    /// A byte order mark is dropped from a text.
    BomText => "drop-bom", Payload;
    /// The zone of an ISO date becomes Z, and the time stays.
    IsoDates => "date-to-utc", Payload;
    /// A text that is a number becomes that number.
    NumberText => "number-from-text", Payload;
    /// The texts "true" and "false" become booleans.
    TrueText => "true-from-text", Payload;
    /// An empty text becomes null.
    EmptyText => "empty-text-to-null", Payload;
    /// An integer beyond 2^53 is rounded to a double.
    BigIntegers => "round-big-integers", Payload;
    /// -0.0 and -0 are changed to 1.
    MinusZero => "minus-zero", Payload;
    /// A member that is null is dropped.
    DropNulls => "drop-null-members", Payload;
    /// The names of members are in lower case.
    LowerMembers => "lower-case-members", Payload;
    /// The names of members are in snake case.
    SnakeMembers => "snake-case-members", Payload;
    /// A member with a dot in its name becomes an object.
    DotMembers => "split-dotted-members", Payload;
    /// A member `__proto__` is dropped.
    Proto => "drop-proto-member", Payload;
    /// From the 257th on, the members of an object are dropped.
    Members256 => "members-from-257", Payload, stateful;
    /// From the 257th on, the elements of a list are dropped.
    Elements256 => "elements-from-257", Payload, stateful;
    /// What is nested deeper than 64 levels becomes null.
    Depth64 => "depth-beyond-64", Payload, stateful;
    /// What is nested deeper than 128 levels becomes null.
    Depth128 => "depth-beyond-128", Payload, stateful;
}
