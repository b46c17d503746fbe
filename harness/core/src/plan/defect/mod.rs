//! The planted defects, one list for each place. A known-bad scenario or `cutover calibrate` plants them, and the gate
//! has to find them.
//!
//! To add a defect, add a line to the list of its place, and plant it there.
#![allow(missing_docs, reason = "the names say it")]

pub mod bridge;
pub mod client;
pub mod harness;
pub mod module;
pub mod reference;
mod survivors;
#[cfg(test)]
mod tests;
pub mod wire;

pub use survivors::{Survivor, survivor};

use serde::{Deserialize, Serialize};

/// Makes the list of one place: an enum `Defect`, and what the list says of each.
///
/// A line is a sentence, a variant, a name, a kind, and `stateful` where the defect shows only in some state or
/// combination.
macro_rules! defects {
    (Place::$place:ident;
     $($(#[doc = $doc:literal])+ $variant:ident => $name:literal, $kind:ident $(, $stateful:ident)?;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Defect {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Defect {
            pub const ALL: &'static [Defect] = &[$(Defect::$variant),*];

            pub const NAMES: &'static [&'static str] = &[$($name),*];

            pub fn name(self) -> &'static str {
                match self { $(Defect::$variant => $name),* }
            }
        }

        pub const LIST: &[$crate::plan::defect::Planted] = &[$($crate::plan::defect::Planted {
            place: $crate::plan::defect::Place::$place,
            name: $name,
            says: concat!($($doc),+).trim_ascii(),
            kind: $crate::plan::defect::Kind::$kind,
            stateful: $crate::plan::defect::stateful!($($stateful)?),
        }),*];
    };

    // A list whose names only another program knows has no enum.
    (Place::$place:ident;
     $($(#[doc = $doc:literal])+ $name:literal, $kind:ident $(, $stateful:ident)?;)+) => {
        pub const NAMES: &[&str] = &[$($name),+];

        pub const LIST: &[$crate::plan::defect::Planted] = &[$($crate::plan::defect::Planted {
            place: $crate::plan::defect::Place::$place,
            name: $name,
            says: concat!($($doc),+).trim_ascii(),
            kind: $crate::plan::defect::Kind::$kind,
            stateful: $crate::plan::defect::stateful!($($stateful)?),
        }),+];
    };
}
macro_rules! stateful {
    () => {
        false
    };
    (stateful) => {
        true
    };
}
use {defects, stateful};

/// What a list says of a planted defect. Each defect is deterministic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planted {
    pub place: Place,
    pub name: &'static str,
    pub says: &'static str,
    pub kind: Kind,
    /// Whether it needs a state or a combination to show, such as a length, a restart or a second stream.
    pub stateful: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The built-in legacy server.
    Reference,
    /// The SpacetimeDB module.
    Module,
    /// The bridge from the outbox to a relay.
    Bridge,
    /// The proxy between a client and a right lane.
    Wire,
    /// The client of this tool.
    Client,
    /// What this tool records and judges.
    Harness,
}

/// What goes wrong, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Loss,
    Order,
    Duplicate,
    Payload,
    Key,
    Seq,
    Stale,
    Policy,
    Restart,
    Checkpoint,
    Answer,
    Field,
    Stream,
    Liveness,
    /// How long something takes.
    Speed,
    /// Tokens, grants and negotiation.
    Access,
    /// A run that proves nothing.
    Vacuity,
    /// Records or evidence that are not what happened.
    Evidence,
}

impl Place {
    pub const ALL: [Place; 6] =
        [Place::Reference, Place::Module, Place::Bridge, Place::Wire, Place::Client, Place::Harness];

    pub fn list(self) -> &'static [Planted] {
        match self {
            Place::Reference => reference::LIST,
            Place::Module => module::LIST,
            Place::Bridge => bridge::LIST,
            Place::Wire => wire::LIST,
            Place::Client => client::LIST,
            Place::Harness => harness::LIST,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Place::Reference => "reference",
            Place::Module => "module",
            Place::Bridge => "bridge",
            Place::Wire => "wire",
            Place::Client => "client",
            Place::Harness => "harness",
        }
    }

    pub fn says(self) -> &'static str {
        match self {
            Place::Reference => "In the reference legacy server",
            Place::Module => "In the SpacetimeDB module",
            Place::Bridge => "In the bridge",
            Place::Wire => "On the wire",
            Place::Client => "In the client",
            Place::Harness => "In the tool itself",
        }
    }
}

/// Every planted defect, by place.
pub fn all() -> impl Iterator<Item = &'static Planted> {
    Place::ALL.into_iter().flat_map(Place::list)
}

impl Kind {
    pub const ALL: [Kind; 18] = [
        Kind::Loss,
        Kind::Order,
        Kind::Duplicate,
        Kind::Payload,
        Kind::Key,
        Kind::Seq,
        Kind::Stale,
        Kind::Policy,
        Kind::Restart,
        Kind::Checkpoint,
        Kind::Answer,
        Kind::Field,
        Kind::Stream,
        Kind::Liveness,
        Kind::Speed,
        Kind::Access,
        Kind::Vacuity,
        Kind::Evidence,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Loss => "loss",
            Kind::Order => "order",
            Kind::Duplicate => "duplicate",
            Kind::Payload => "payload",
            Kind::Key => "key",
            Kind::Seq => "seq",
            Kind::Stale => "stale",
            Kind::Policy => "policy",
            Kind::Restart => "restart",
            Kind::Checkpoint => "checkpoint",
            Kind::Answer => "answer",
            Kind::Field => "field",
            Kind::Stream => "stream",
            Kind::Liveness => "liveness",
            Kind::Speed => "speed",
            Kind::Access => "access",
            Kind::Vacuity => "vacuity",
            Kind::Evidence => "evidence",
        }
    }
}
