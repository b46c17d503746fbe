//! The defects that the proxy plants between a client and a right lane.
#![allow(missing_docs, reason = "the names say it")]

use super::defects;

defects! { Place::Wire;
    /// The 20th event of a stream never reaches one client of the legacy lane.
    LegacyDrop20 => "legacy-drop-20", Loss, stateful;
    /// The 20th event of a stream never reaches one client of the candidate.
    CandidateDrop20 => "candidate-drop-20", Loss, stateful;
    /// The 200th event of a stream never reaches one client of the legacy lane.
    LegacyDrop200 => "legacy-drop-200", Loss, stateful;
    /// The 200th event of a stream never reaches one client of the candidate.
    CandidateDrop200 => "candidate-drop-200", Loss, stateful;
    /// The frame with the 10th event of a stream is left out, and the batch comes.
    LegacyDropFrame => "legacy-drop-frame", Loss, stateful;
    /// The 30th event of a stream is left out once, and a resume brings it.
    CandidateDropOnce => "candidate-drop-once", Loss, stateful;
    /// On the legacy lane, the event that proves a stream alive does not come.
    LegacyDropProof => "legacy-drop-proof", Liveness, stateful;
    /// On the candidate, the event that proves a stream alive does not come.
    CandidateDropProof => "candidate-drop-proof", Liveness, stateful;
    /// On the legacy lane, the 30th event of a stream changes places with the next message.
    LegacySwap30 => "legacy-swap-30", Order, stateful;
    /// On the candidate, the 30th event of a stream changes places with the next message.
    CandidateSwap30 => "candidate-swap-30", Order, stateful;
    /// On the legacy lane, the message with the 60th event of a stream comes four times.
    LegacyFlood60 => "legacy-flood-60", Duplicate, stateful;
    /// On the candidate, the message with the 60th event of a stream comes four times.
    CandidateFlood60 => "candidate-flood-60", Duplicate, stateful;
    /// On the legacy lane, the 100th event of a stream has another payload.
    LegacyReplace100 => "legacy-replace-100", Payload, stateful;
    /// On the candidate, the 100th event of a stream has another payload.
    CandidateReplace100 => "candidate-replace-100", Payload, stateful;
    /// On the legacy lane, the last event of a stream has another payload.
    LegacyReplaceLast => "legacy-replace-last", Payload, stateful;
    /// On the candidate, the last event of a stream has another payload.
    CandidateReplaceLast => "candidate-replace-last", Payload, stateful;
    /// On the legacy lane, an event comes under another stream, too.
    LegacyMisdeliver => "legacy-misdeliver", Stream, stateful;
    /// On the candidate, an event comes under another stream, too.
    CandidateMisdeliver => "candidate-misdeliver", Stream, stateful;
    /// On the legacy lane, the 12th event of a stream comes under another key.
    LegacyKey => "legacy-doc-key", Field, stateful;
    /// On the candidate, the row of the 12th event of a stream has another key.
    CandidateKey => "candidate-row-key", Field, stateful;
    /// On the candidate, the row of the 12th event of a stream has another hash.
    CandidateHash => "candidate-row-hash", Payload, stateful;
    /// On the candidate, the row of the 12th event of a stream is not confirmed.
    CandidateConfirmed => "candidate-row-unconfirmed", Field, stateful;
    /// On the candidate, the row of the 12th event of a stream is from 1970.
    CandidateTime => "candidate-row-time", Field, stateful;
    /// On the candidate, the row of the 12th event of a stream names a stream of others.
    CandidateForeign => "candidate-row-stream", Stream, stateful;
    /// The call that publishes the 9th event to the candidate arrives with another key.
    CandidateWriterKey => "candidate-call-key", Key, stateful;
    /// The call that publishes the 9th event to the candidate arrives for another stream.
    CandidateWriterStream => "candidate-call-stream", Answer, stateful;
}
