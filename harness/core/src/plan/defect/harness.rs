//! The defects of this tool itself, planted in what it records, keeps and judges.
#![allow(missing_docs, reason = "the names say it")]

use super::defects;

defects! { Place::Harness;
    /// The checker `unreached` is off.
    OffUnreached => "off-unreached", Vacuity;
    /// The checker `observed-then-lost` is off.
    OffObservedThenLost => "off-observed-then-lost", Vacuity;
    /// The checker `stale-cursor` is off.
    OffStaleCursor => "off-stale-cursor", Vacuity;
    /// The checker `wrong-stream` is off.
    OffWrongStream => "off-wrong-stream", Vacuity;
    /// The checker `hash-mismatch` is off.
    OffHashMismatch => "off-hash-mismatch", Vacuity;
    /// The checker `duplicate-apply` is off.
    OffDuplicateApply => "off-duplicate-apply", Vacuity;
    /// The checker `not-live` is off.
    OffNotLive => "off-not-live", Vacuity;
    /// The checker `lost-write` is off.
    OffLostWrite => "off-lost-write", Vacuity;
    /// The checker `wrong-answer` is off.
    OffWrongAnswer => "off-wrong-answer", Vacuity;
    /// The checker `phantom` is off.
    OffPhantom => "off-phantom", Vacuity;
    /// The checker `nonmonotonic` is off.
    OffNonmonotonic => "off-nonmonotonic", Vacuity;
    /// The checker `excess-copies` is off.
    OffExcessCopies => "off-excess-copies", Vacuity;
    /// The checker `gap` is off.
    OffGap => "off-gap", Vacuity;
    /// The checker `unseen` is off.
    OffUnseen => "off-unseen", Vacuity;
    /// The checker `convergence` is off.
    OffConvergence => "off-convergence", Vacuity;
    /// The checker `contradiction` is off.
    OffContradiction => "off-contradiction", Vacuity;
    /// The checker `restore` is off.
    OffRestore => "off-restore", Vacuity;
    /// The checker `latency` is off.
    OffLatency => "off-latency", Vacuity;
    /// The checker `recovery` is off.
    OffRecovery => "off-recovery", Vacuity;
    /// The checker `vacuity` is off.
    OffVacuity => "off-vacuity", Vacuity;
    /// A known-bad scenario plants nothing.
    NothingPlanted => "known-bad-without-defect", Vacuity;
    /// A run leaves the known-bad scenarios out and wants to allow.
    NoKnownBad => "known-bad-left-out", Vacuity;
    /// A run leaves one honest scenario out and wants to allow.
    ShortScope => "scope-shortened", Vacuity;
    /// A run with no scenario at all wants to allow.
    NothingRan => "nothing-ran", Vacuity;
    /// A planned fault never fires.
    FaultSilent => "fault-never-fires", Vacuity, stateful;
    /// A planned fault fires on one lane only.
    FaultUnrecorded => "fault-of-one-lane", Vacuity, stateful;
    /// A history ends before the run did.
    CutHistory => "history-cut", Evidence;
    /// A history ends when the faults go off.
    CutAtHeal => "history-cut-at-heal", Evidence, stateful;
    /// A restored server lacks the last event that its backup had.
    RestoreShort => "restored-without-tail", Restart, stateful;
    /// A client keeps a cursor beyond the restored head, and the seqs below it are used again.
    RestoreUntold => "restored-client-untold", Restart, stateful;
    /// A delivery is not recorded.
    DeliveryDropped => "record-dropped", Evidence, stateful;
    /// The answer to a publish is not recorded.
    AnswerDropped => "answer-dropped", Evidence, stateful;
    /// The beginning of a connection is not recorded.
    OpenDropped => "connection-dropped", Evidence, stateful;
    /// An answer is recorded twice.
    RecordDoubled => "record-doubled", Evidence, stateful;
    /// A delivery is recorded before the connection that brought it.
    RecordsSwapped => "records-swapped", Evidence, stateful;
    /// The histories of the two lanes are exchanged.
    LanesSwapped => "lanes-swapped", Evidence, stateful;
    /// The history of the legacy lane is judged as that of the candidate, too.
    OneLaneTwice => "one-lane-twice", Evidence, stateful;
    /// The history is that of another scenario.
    OtherScenario => "history-of-other-scenario", Evidence;
    /// The history is that of another seed.
    OtherSeed => "history-of-other-seed", Evidence, stateful;
    /// The plan is another one than the one that was driven.
    OtherPlan => "plan-of-other-digest", Evidence, stateful;
    /// A bundle that blocks says that it allows.
    VerdictRaised => "verdict-raised", Evidence;
    /// One byte of a history in a bundle is changed, and its digest is made to match.
    HistoryEdited => "history-edited", Evidence, stateful;
    /// A history is missing in a bundle.
    FileMissing => "file-missing", Evidence;
    /// A page of a bundle says something else than the document.
    PageEdited => "page-edited", Evidence, stateful;
}
