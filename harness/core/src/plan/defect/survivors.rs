//! The planted defects that the gate is known not to find, and why. `cutover calibrate` fails if another one survives.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Survivor {
    pub name: &'static str,
    pub why: &'static str,
}

const KNOWN: &[Survivor] = &[
    Survivor { name: "ignore-grants", why: NO_TOKENS },
    Survivor { name: "accept-expired", why: NO_TOKENS },
    Survivor { name: "ignore-compat", why: "no scenario negotiates a version at the join" },
];

const NO_TOKENS: &str = "no scenario has tokens: the built-in server accepts all";

/// Why a defect is known to survive.
pub fn survivor(name: &str) -> Option<&'static Survivor> {
    KNOWN.iter().find(|known| known.name == name)
}

#[cfg(test)]
pub(super) fn known() -> &'static [Survivor] {
    KNOWN
}
