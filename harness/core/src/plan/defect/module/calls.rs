//! Defects of the reducers that no client of a scenario calls, and of access.
#![allow(missing_docs, reason = "the names say it")]

use super::super::defects;

defects! { Place::Module;

    // Presence, capabilities, assignments and the outbox.
    /// Another state under a used key replaces the state of a session.
    "presence-conflict-accepted", Answer, stateful;
    /// A late repeat takes a session back to an older state.
    "presence-goes-back", Key, stateful;
    /// The same call for a session again is refused.
    "presence-repeat-refused", Key, stateful;
    /// A session takes another client.
    "session-changes-its-client", Answer, stateful;
    /// A call for a session sets the state of all other sessions too.
    "presence-of-all-sessions", Field, stateful;
    /// Another descriptor under a used key replaces a capability.
    "capability-conflict-accepted", Answer, stateful;
    /// A provider replaces the capability of all other providers too.
    "capability-of-all-providers", Field, stateful;
    /// An assignment that is opened again begins again.
    "assignment-opened-again", Key, stateful;
    /// Another request under the id of an assignment replaces its request.
    "assignment-conflict-accepted", Answer, stateful;
    /// The key of an update is ignored, so a repeat is refused as illegal.
    "update-key-ignored", Key, stateful;
    /// Another state under a used key is set.
    "update-conflict-accepted", Answer, stateful;
    /// An assignment that ended goes on.
    "assignment-goes-on-after-its-end", Answer, stateful;
    /// An assignment runs before a provider takes it.
    "assignment-skips-a-state", Answer, stateful;
    /// An assignment that runs is assigned again.
    "assignment-goes-back", Answer, stateful;
    /// A second provider takes an assignment.
    "assignment-taken-twice", Answer, stateful;
    /// An update gives an assignment another provider.
    "assignment-changes-its-provider", Answer, stateful;
    /// A wrong hash of an event for the outbox is accepted.
    "outbox-hash-ignored", Answer;
    /// Another payload under the key of an event replaces it in the outbox.
    "outbox-conflict-accepted", Answer, stateful;
    /// A repeat puts an event into the outbox once more.
    "outbox-takes-a-repeat", Duplicate, stateful;
    /// A repeat of an event that was sent marks it as not sent.
    "outbox-repeat-puts-it-back", Field, stateful;
    /// An event that was sent is marked with another id of the relay.
    "outbox-sent-twice", Answer, stateful;
    /// An unknown event is marked as sent without a refusal.
    "outbox-sends-what-is-unknown", Answer;
    /// A mark is answered well and not written.
    "outbox-loses-marks", Loss;
    /// An append is refused while more than two events of the outbox wait.
    "append-waits-for-the-outbox", Liveness, stateful;

    // Tokens, grants and the window.
    /// An expired token is accepted for ever.
    "expiry-ignored", Access;
    /// A token that is not yet valid is accepted.
    "not-before-ignored", Access;
    /// A token that is too old is accepted.
    "age-ignored", Access;
    /// A token with another audience is accepted.
    "audience-ignored", Access;
    /// A token without an id is accepted.
    "token-id-ignored", Access;
    /// The leeway of a token is 60 seconds instead of 30.
    "leeway-twice-as-wide", Access;
    /// A token has no leeway.
    "no-leeway", Access;
    /// A revoked token is accepted.
    "revocation-ignored", Access, stateful;
    /// The grants of a revoked token stay.
    "revocation-leaves-grants", Access, stateful;
    /// A token of a retired key is accepted.
    "retired-key-accepted", Access, stateful;
    /// A grant that is withdrawn stays.
    "withdrawal-ignored", Access, stateful;
    /// A grant also counts for streams whose ids begin with this one's.
    "grant-by-prefix", Access;
    /// A client with one grant reads all streams.
    "granted-all-streams", Access;
    /// A client that may read a stream may write it.
    "reader-writes", Access;
    /// A client with a lease writes all streams.
    "every-lease-writes", Access;
    /// A client acknowledges checkpoints of other clients.
    "checkpoint-of-another-client", Access;
    /// The refusal of a stale cursor tells the head of a stream that is not granted.
    "resume-tells-every-head", Access;
    /// Every build, protocol and schema is accepted.
    "window-ignored", Access;
    /// The least build of the window is refused.
    "least-build-refused", Access;
    /// The greatest build of the window is refused.
    "greatest-build-refused", Access;
    /// The greatest schema of the window is refused.
    "greatest-schema-refused", Access;
    /// The schema is checked before the protocol.
    "schema-before-protocol", Access;
    /// A refusal does not name the greatest build of the window.
    "window-without-its-greatest-build", Access;
}
