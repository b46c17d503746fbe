//! The files in a bundle's directory. They are listed first by name, kind and length, and read only where they are what
//! the document lists.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use crate::evidence::bundle::is_digested;
use crate::evidence::document::{Evidence, State};
use crate::evidence::layout::{self, FileEntry};
use crate::evidence::report::pages;
use crate::gate::Scope;

/// A longer file is not read: the gate writes none.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Entry {
    File(u64),
    Folder,
    Link,
    /// A pipe, a socket or a device.
    Special,
}

pub trait Bundle {
    /// Everything in it, by relative path with `/` between; of folders that no bundle has, only the name.
    fn entries(&self) -> BTreeMap<String, Entry>;

    /// The content of a file, which has so many bytes.
    fn read(&self, path: &str, bytes: u64) -> Result<Vec<u8>, String>;
}

/// What is in a bundle. A problem of a file is reported once, and such a file is not read again.
pub struct Inventory<'a> {
    bundle: &'a dyn Bundle,
    entries: BTreeMap<String, Entry>,
    reported: BTreeSet<String>,
    /// Every scenario that any file, the list of files or the judgement names.
    names: BTreeSet<String>,
}

impl<'a> Inventory<'a> {
    /// Looks at every file, and compares the digested ones with their length and digest. Names what is missing, what
    /// was added and what is no plain file.
    pub fn at(
        bundle: &'a dyn Bundle,
        entries: BTreeMap<String, Entry>,
        evidence: &Evidence,
        problems: &mut Vec<Problem>,
    ) -> Inventory<'a> {
        let judged = evidence.judged.scenarios.iter().map(|scenario| scenario.name.clone());
        // A file that is not listed is reported as such. Before the end of a run there is no list.
        let listed = |path: &&String| evidence.files.contains_key(*path) || evidence.state == State::InProgress;
        let there = entries.keys().filter(|path| is_digested(path)).filter(listed);
        let paths = there.chain(evidence.files.keys());
        let of_files = paths.filter_map(|path| layout::scenario_of(path)).map(str::to_owned);
        let names = judged.chain(of_files).collect();
        let mut inventory = Inventory { bundle, entries, reported: BTreeSet::new(), names };
        let mut found = inventory.listed(evidence);
        found.extend(inventory.missing(evidence));
        found.extend(inventory.surplus(evidence));
        found.sort_by(|a, b| a.file.cmp(&b.file));
        inventory.reported = found.iter().map(|problem| problem.file.clone()).collect();
        problems.extend(found);
        inventory
    }

    /// Every scenario that has any file or judgement, in order of names.
    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// Whether a file is there and nothing is wrong with it.
    pub fn has(&self, path: &str) -> bool {
        matches!(self.entries.get(path), Some(Entry::File(_))) && !self.reported.contains(path)
    }

    /// A file's content; `None` where something is wrong with the file, which is then reported.
    pub fn content(&self, path: &str, problems: &mut Vec<Problem>) -> Option<Vec<u8>> {
        if !self.has(path) {
            return None;
        }
        self.read(path).map_err(|problem| problems.push(problem)).ok()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Problem> {
        read(self.bundle, path, self.entries.get(path).copied())
    }

    fn listed(&self, evidence: &Evidence) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut without_folder = BTreeMap::<&str, Vec<&str>>::new();
        for (path, entry) in &evidence.files {
            if !is_digested(path) {
                problems.push(Problem::new(path, "is listed in evidence.json, but no bundle has such a file"));
            } else if let Some(folder) = self.lost_folder(path) {
                without_folder.entry(folder).or_default().push(path);
            } else {
                problems.extend(self.as_listed(path, entry).err());
            }
        }
        // A folder that is a link or a file is reported as such.
        without_folder.retain(|folder, _| !self.entries.contains_key(*folder));
        problems.extend(without_folder.iter().map(|(folder, paths)| match paths.as_slice() {
            [path] => Problem::new(path, "is missing"),
            paths => Problem::new(folder, format!("is missing, with {} files in it", paths.len())),
        }));
        problems
    }

    /// The folder that a file should lie in, where there is no such folder.
    fn lost_folder<'p>(&self, path: &'p str) -> Option<&'p str> {
        let mut folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        folders.find(|folder| self.entries.get(*folder) != Some(&Entry::Folder))
    }

    fn as_listed(&self, path: &str, listed: &FileEntry) -> Result<(), Problem> {
        if let Some(Entry::File(bytes)) = self.entries.get(path)
            && *bytes != listed.bytes
        {
            let (expected, found) = (format!("{} bytes", listed.bytes), format!("{bytes} bytes"));
            let what = "was edited or cut short: its length differs";
            return Err(Problem::between(path, what, expected, found));
        }
        let found = FileEntry::of(&self.read(path)?);
        if found != *listed {
            let what = "was edited: its digest differs";
            return Err(Problem::between(path, what, &listed.digest, found.digest));
        }
        Ok(())
    }

    /// What every bundle and every scenario in it must have. Missing files that are listed were reported before.
    fn missing(&self, evidence: &Evidence) -> Vec<Problem> {
        // A run that was killed wrote only a part.
        if evidence.state == State::InProgress {
            return Vec::new();
        }
        let lost = |path: &String| self.lost_folder(path).is_some_and(|folder| self.entries.contains_key(folder));
        let there = |path: &String| self.entries.contains_key(path) || evidence.files.contains_key(path) || lost(path);
        let policy = (!evidence.scope.policy.is_none()).then_some(layout::POLICY);
        let mut missing: Vec<String> =
            pages().map(|page| page.path).chain([layout::TIMES]).chain(policy).map(str::to_owned).collect();
        missing.retain(|path| !there(path));
        let mut problems: Vec<_> = missing.iter().map(|path| Problem::new(path, "is missing")).collect();
        for name in &self.names {
            let required = files_of(name, &evidence.scope);
            let copies = layout::scenario_places(name);
            if !copies.iter().chain(&required).any(there) {
                let what = format!("is missing, and so is every other file of the scenario {name}");
                problems.push(Problem::new(&layout::plan(name), what));
                continue;
            }
            let copy = copies.first().filter(|_| !copies.iter().any(there));
            let missing = copy.into_iter().chain(required.iter().filter(|path| !there(path)));
            problems.extend(missing.map(|path| Problem::new(path, "is missing")));
        }
        problems
    }

    /// What is in the directory and is no file of this bundle.
    fn surplus(&self, evidence: &Evidence) -> Vec<Problem> {
        let in_progress = evidence.state == State::InProgress;
        let recorded = |name: &str| in_progress || evidence.files.contains_key(&layout::plan(name));
        let is_ours = |path: &str| match layout::scenario_of(path) {
            _ if path == layout::EVIDENCE || path == layout::TIMES => true,
            Some(name) if !is_digested(path) => recorded(name),
            _ if in_progress => is_digested(path) || path.ends_with(layout::UNFINISHED),
            _ => evidence.files.contains_key(path),
        };
        let holds = |folder: &str| {
            let within = |path: &String| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
            self.entries.iter().any(|(path, _)| within(path) && is_ours(path))
        };
        let surplus = self.entries.iter().filter_map(|(path, entry)| match entry {
            // A listed entry that is no file is reported where it can't be read.
            _ if evidence.files.contains_key(path) => None,
            Entry::Folder if layout::FOLDERS.contains(&path.as_str()) && (in_progress || holds(path)) => None,
            Entry::Folder if is_ours(path) => Some(Problem::new(path, no_file(*entry))),
            Entry::Folder => Some(Problem::new(path, "is a folder that is no part of this bundle: it was added later")),
            Entry::File(_) if is_ours(path) => None,
            Entry::File(_) => Some(Problem::new(path, "is not listed in evidence.json: it was added later")),
            Entry::Link | Entry::Special => Some(Problem::new(path, no_file(*entry))),
        });
        surplus.collect()
    }
}

/// The files that a scenario leaves, beside the copy of itself.
pub fn files_of(name: &str, scope: &Scope) -> Vec<String> {
    let of_lane = |lane| [layout::history(name, lane), layout::vector(name, lane), layout::times(name, lane)];
    let of_lanes = scope.driven().iter().copied().flat_map(of_lane);
    let baseline = scope.has_baseline(name).then(|| layout::baseline(name));
    [layout::plan(name)].into_iter().chain(of_lanes).chain(baseline).collect()
}

/// Reads a file, where it is one and no longer than any that the gate writes.
pub fn read(bundle: &dyn Bundle, path: &str, entry: Option<Entry>) -> Result<Vec<u8>, Problem> {
    match entry {
        None => Err(Problem::new(path, "is missing")),
        Some(Entry::File(bytes)) if bytes > MAX_FILE_BYTES => {
            let (expected, found) = (format!("at most {MAX_FILE_BYTES} bytes"), format!("{bytes} bytes"));
            Err(Problem::between(path, "is longer than any file of a bundle", expected, found))
        }
        Some(Entry::File(bytes)) => {
            bundle.read(path, bytes).map_err(|error| Problem::new(path, format!("cannot be read: {error}")))
        }
        Some(other) => Err(Problem::new(path, no_file(other))),
    }
}

fn no_file(entry: Entry) -> &'static str {
    match entry {
        Entry::Link => "is a symbolic link; a bundle has none",
        Entry::Folder => "is a folder where a file should be",
        Entry::Special | Entry::File(_) => "is no plain file; a bundle has no pipes, sockets or devices",
    }
}
