//! The faults and toxics of a case.

use super::script::{Choice, Lanes};
use crate::plan::{self, ByteToxic, Direction, MessageKind, Scope};

/// Whom a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// A client.
    Client(usize),
    /// The writer.
    Writer,
}

/// A fault.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Its name, unique in the scenario.
    pub name: String,
    /// Whom it strikes.
    pub victim: Victim,
    /// On which lane.
    pub lane: Lanes,
    /// Where.
    pub at: Place,
    /// What it does.
    pub kind: FaultKind,
    /// Whether it strikes each time.
    pub always: bool,
}

/// Where a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At the delivery of one of these events; no two faults of one client draw the same.
    Delivery {
        /// The stream.
        stream: usize,
        /// The events to draw from.
        seqs: Vec<u64>,
    },
    /// At the delivery of the event that proves the stream alive, behind all that the script publishes.
    Proof {
        /// The stream.
        stream: usize,
    },
    /// At the acknowledgement of one of these events.
    Ack {
        /// The stream.
        stream: usize,
        /// The events to draw from.
        seqs: Vec<u64>,
    },
    /// At the nth resume.
    Resume(u32),
    /// At the answer to the nth resume.
    ResumeReply(u32),
    /// At the answer to the nth heartbeat.
    HeartbeatReply(u32),
    /// At a message, by what it is and carries.
    Message(Pick),
}

/// Picks messages; see [`crate::plan::Pick`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    /// Which way the message goes.
    pub direction: Direction,
    /// What sort of message.
    pub kind: Option<MessageKind>,
    /// The lane's own name for it.
    pub event: Option<String>,
    /// A stream that it is about.
    pub stream: Option<usize>,
    /// A seq that it delivers.
    pub seq: Option<u64>,
    /// A JSON Pointer to what has to be there, and its canonical JSON text where that matters.
    pub payload: Option<(String, Option<String>)>,
    /// Which of those.
    pub nth: Option<u32>,
    /// Over what that counts.
    pub per: Scope,
}

/// A byte toxic.
#[derive(Debug, Clone, PartialEq)]
pub struct Toxic {
    /// Its name, unique in the scenario.
    pub name: String,
    /// Whom it strikes.
    pub victim: Victim,
    /// On which lane.
    pub lane: Lanes,
    /// Which way.
    pub stream: Direction,
    /// The chance that a connection gets it, from 0 to 1.
    pub toxicity: f64,
    /// What it does.
    pub toxic: ByteToxic,
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// Ends the connection.
    Cut {
        /// How: one of these.
        how: Vec<Cut>,
        /// The close code, for [`Cut::Close`].
        code: u16,
        /// When: one of these.
        when: Vec<When>,
    },
    /// Holds until an event is acknowledged, or until the heal phase where `None`.
    Hold {
        /// Stream and seq.
        acked: Option<(usize, u64)>,
    },
    /// Rewrites a cursor.
    RewriteCursor {
        /// The stream.
        stream: usize,
        /// What the lane sees.
        to: Choice,
    },
    /// Changes a character of its payload.
    ReplacePayload,
    /// Delivers it under another stream as well.
    Misdeliver {
        /// The stream.
        stream: usize,
        /// The seq there.
        seq: u64,
    },
    /// What the plan says as it stands here: nothing of it is drawn, published or of one case only.
    Settled(plan::FaultKind),
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// With a close frame.
    Close,
    /// With a FIN alone.
    Drop,
    /// With a RST.
    Reset,
    /// Without a sign.
    Silence,
}

/// On which side of the frame a cut falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The frame is lost.
    Before,
    /// The frame gets through.
    After,
}
