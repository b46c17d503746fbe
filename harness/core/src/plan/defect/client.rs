//! The defects of a client of this tool, planted in what it did.
#![allow(missing_docs, reason = "the names say it")]

use super::defects;

defects! { Place::Client;
    /// A client does not apply the first event that comes.
    SkipsFirst => "client-skips-first", Loss;
    /// A client does not apply the last event of a stream that comes.
    SkipsLate => "client-skips-late", Loss, stateful;
    /// A client takes a new event of a later connection for a repeat.
    TakesForRepeat => "client-takes-for-repeat", Loss, stateful;
    /// A client applies a repeat.
    AppliesTwice => "client-applies-twice", Duplicate;
    /// A client applies the last repeat that comes.
    AppliesTwiceLate => "client-applies-twice-late", Duplicate, stateful;
    /// A client applies an event behind a gap.
    SkipsGap => "client-skips-gap", Order, stateful;
    /// A client applies the last event of a stream with the payload of the one before it.
    AppliesBroken => "client-applies-other-payload", Payload, stateful;
    /// A client resumes without its checkpoint.
    ForgetsCheckpoint => "client-forgets-checkpoint", Checkpoint, stateful;
    /// A client resumes one event behind its checkpoint.
    ResumesBeyond => "client-resumes-beyond", Checkpoint, stateful;
    /// A client does not give up a cursor that was refused.
    KeepsStale => "client-keeps-stale-cursor", Checkpoint, stateful;
    /// A client ends one event below what it applied.
    WatermarkLow => "client-watermark-low", Checkpoint;
    /// A client ends one event beyond what it applied.
    WatermarkHigh => "client-watermark-high", Checkpoint;
    /// A client ends with the watermarks of two streams exchanged.
    WatermarkOfOther => "client-watermark-of-other", Checkpoint, stateful;
    /// A client does not say how far it came.
    NoWatermark => "client-without-watermark", Checkpoint;
    /// A client does nothing at all.
    Absent => "client-absent", Liveness;
    /// A client gives up at the end.
    GaveUp => "client-gave-up", Liveness, stateful;
    /// A client reads nothing more once the run heals.
    StopsReading => "client-stops-reading", Liveness, stateful;
    /// A client takes an event for one of another stream.
    WrongStream => "client-mixes-streams", Stream, stateful;
}
