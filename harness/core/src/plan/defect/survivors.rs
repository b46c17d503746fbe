//! The planted defects that the gate is known not to find, and why. `cutover calibrate` fails if another one survives.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Survivor {
    pub name: &'static str,
    pub why: &'static str,
}

const KNOWN: &[Survivor] = &[
    Survivor { name: "client-takes-for-repeat", why: "only the word of the record is wrong: the watermark is right" },
    Survivor { name: "off-unreached", why: NO_SAMPLE },
    Survivor { name: "off-unseen", why: NO_SAMPLE },
    Survivor { name: "off-convergence", why: NO_SAMPLE },
    Survivor { name: "repeat-without-hash", why: "a service may leave the payload hash out of its answers" },
    Survivor {
        name: "empty-stream-never-stale",
        why: "a legacy lane keeps at least one event, so no scenario resumes a stream without any",
    },
    Survivor {
        name: "conflict-accepted-with-nulls",
        why: "what a conflict changes is drawn, so that a null is left out on some seeds only",
    },
    Survivor { name: "trim-keys", why: SPACES },
    Survivor { name: "key-trimmed", why: SPACES },
];

const NO_SAMPLE: &str = "in each known-bad scenario another checker finds the cause, and this one only what follows";

const SPACES: &str = "HTTP trims a key that stands in a header, so no scenario has spaces around one";

/// Why a defect is known to survive.
pub fn survivor(name: &str) -> Option<&'static Survivor> {
    KNOWN.iter().find(|known| known.name == name)
}

#[cfg(test)]
pub(super) fn known() -> &'static [Survivor] {
    KNOWN
}
