//! Which rule about its fields a message broke (contract, "Every field").

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contradiction {
    /// A `sync:frame` names another seq than the highest one of the batch that it holds.
    FrameSeq,
    /// A `sync:frame` names another topic than its batch.
    FrameTopic,
    /// A batch names a head below an event that it brings.
    HeadBelowEvent,
    /// A batch names a head beyond its events. Wrong where no such event can have been published.
    HeadBeyond,
    /// A batch names the head of a topic that is not its own, or not that of its own.
    HeadOfOther,
    /// The reply came behind a replay whose last batch said that it was not complete.
    NeverComplete,
    /// A batch says that the replay is complete and names a head beyond its events.
    CompleteTooSoon,
    /// A batch reaches the head that it names and says that more follows.
    CompleteTooLate,
    /// A batch has more events than the client asked for.
    BatchTooLong,
    /// A field is missing, or has another type.
    FieldMissing,
    /// An event's `doc_version` is not its seq.
    DocVersion,
    /// `hydration_required` is not whether the payload is null.
    Hydration,
    /// An event with a payload has no payload hash.
    HashMissing,
    SchemaVersion,
    /// A frame holds another text than the message that it repeats.
    CopiesDiffer,
    /// An answer names another `subscription_id` than the join's.
    SubscriptionId,
    /// An answer to a join names watermarks, or a topic twice.
    JoinAnswer,
    /// An answer lists other topics than those that are subscribed.
    TopicsAnswered,
    /// A watermark is not what was sent of the topic, or its list has other topics than it should.
    Watermark,
    /// An answer to a heartbeat came without a `sync:heartbeat` before it.
    HeartbeatUnpushed,
    /// An event came after its topic was unsubscribed.
    AfterUnsubscribe,
    /// A stale refusal came without its `sync:error`, or without the frame of that.
    ErrorUnpushed,
    /// The `sync:error` beside a stale refusal, or its frame, says something else.
    ErrorCopiesDiffer,
    /// A request that must be refused was answered otherwise.
    OddAnswer,
    /// The time of a row's commit is impossible, changed, or earlier than that of an event before it.
    CommittedAt,
    ConfirmedRead,
    /// A row that a client has was written anew.
    RowRewritten,
    /// A row was deleted that retention keeps.
    RowDeleted,
    /// A stream's row names another head than the event that was just written.
    RowHead,
}
