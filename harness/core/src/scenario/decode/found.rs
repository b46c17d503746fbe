//! Reads what a search wrote into a file: the seed, and what the scenario gave.

use super::super::Found;
use super::super::errors::{Mistakes, did_you_mean};
use super::super::read::Section;
use super::super::words::{self, keys};
use super::defects;
use crate::check::ALL;
use crate::ids::Seed;

pub(super) fn seed(root: &Section<'_>, mistakes: &mut Mistakes) -> Option<Seed> {
    let node = root.get("seed")?;
    match node.integer().map(u64::try_from) {
        Some(Ok(seed)) => Some(Seed(seed)),
        _ => {
            mistakes.local(node.at, "`seed` is a whole number from 0 to 9223372036854775807", None);
            None
        }
    }
}

pub(super) fn found(root: &Section<'_>, mistakes: &mut Mistakes) -> Option<Found> {
    let section = Section::of(root.get("found")?, "`found`", mistakes)?;
    section.only(keys::FOUND, mistakes);
    let checker = section.need_text("checker", mistakes);
    let reason = section.need_text("reason", mistakes);
    let lane = section.word("lane", words::LANES, mistakes);
    let (checker, reason) = (checker?, reason?);
    let names: Vec<&str> = ALL.iter().map(|it| it.name).collect();
    let Some(known) = ALL.iter().find(|it| it.name == checker.value) else {
        let what = format!("there is no checker `{}`", checker.value);
        mistakes.local(checker.at, what, did_you_mean(checker.value, &names));
        return None;
    };
    let reasons: Vec<&str> = known.reasons.iter().map(|it| it.word).collect();
    if !reasons.contains(&reason.value) {
        let what = format!("the checker `{}` has no reason `{}`", checker.value, reason.value);
        mistakes.local(reason.at, what, did_you_mean(reason.value, &reasons));
        return None;
    }
    Some(Found {
        checker: checker.value.to_owned(),
        reason: reason.value.to_owned(),
        lane,
        came: section.text("came", mistakes).map(|text| text.value.to_owned()),
        legacy_defects: defects(&section, "legacy_defects", words::LEGACY_DEFECTS, mistakes),
        candidate_defects: defects(&section, "candidate_defects", words::CANDIDATE_DEFECTS, mistakes),
    })
}
