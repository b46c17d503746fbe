//! Imports: between crates, between rooms, and in circles of files.
//!
//! A name is followed through re-exports to the file that defines it; an import depends on that file. A module and the
//! files below it are one thing from outside: that a module uses a file of its own folder is no import.

use std::collections::{BTreeMap, BTreeSet};

use super::debts::{CIRCLES, ROOMS, is_owed};
use super::none;
use super::sources::{ALL, code_of, is_word, read};

/// Each crate of ours: its folder and the crates of ours that it may use.
const CRATES: [(&str, &[&str]); 11] = [
    ("harness/core", &[]),
    ("harness/control", &["cutover-core"]),
    ("harness/bridge", &["cutover-core"]),
    ("harness/live", &["cutover-core", "cutover-control", "cutover-bridge"]),
    ("harness/reference", &["cutover-core"]),
    ("harness/toxiproxy", &["cutover-core", "cutover-live"]),
    (
        "harness/cli",
        &["cutover-bridge", "cutover-core", "cutover-live", "cutover-reference", "cutover-toxiproxy", "cutover-engine"],
    ),
    ("spacetime/engine", &[]),
    ("spacetime/module", &[]),
    ("spacetime/fixtures/append-only", &[]),
    ("spacetime/fixtures/renamed", &[]),
];

/// What would let a judgement depend on the machine.
const WORLD: [&str; 8] =
    ["std::fs", "std::net", "std::process", "std::thread", "std::env", "SystemTime", "Instant", "tokio"];

#[test]
fn crates_use_only_the_crates_that_they_may() {
    let mut wrong = Vec::new();
    for (folder, allowed) in CRATES {
        let manifest = read(&format!("{folder}/Cargo.toml"));
        let section = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default();
        let section = section.split("\n[").next().unwrap_or_default();
        let used = section.lines().filter_map(|line| line.split([' ', '.', '=']).next());
        let ours = used.filter(|name| name.starts_with("cutover-") && !allowed.contains(name));
        wrong.extend(ours.map(|name| format!("{folder}/Cargo.toml depends on {name}")));
    }
    none(
        &wrong,
        "Move the code to the crate that may use both. `docs/ARCHITECTURE.md`, \"The tree\", has the reasons.",
    );
}

#[test]
fn what_judges_touches_no_machine() {
    let core = ALL.iter().filter(|source| source.path.starts_with("harness/core/src/") && source.is_production());
    let mut wrong = Vec::new();
    for source in core {
        for (index, line) in code_of(&source.text).lines().enumerate() {
            let touched = WORLD.iter().filter(|word| has_path(line, word));
            wrong.extend(touched.map(|word| format!("{}: {word}", source.at(index + 1))));
        }
    }
    none(&wrong, "Pass the value in: `core` has no files, sockets, clock, threads or environment.");
}

/// Whether a path stands in the code, as a whole.
fn has_path(line: &str, path: &str) -> bool {
    line.match_indices(path)
        .any(|(at, _)| !line[..at].ends_with(is_word) && !line[at + path.len()..].starts_with(is_word))
}

#[test]
fn rooms_import_only_rooms_above_them() {
    let page = read("docs/ARCHITECTURE.md");
    let mut wrong = Vec::new();
    for name in ["core", "live"] {
        let listed = rooms_of(&page, name);
        let code = Crate::read(&format!("harness/{name}/src/"));
        let rank = |room: &str| listed.iter().position(|listed| listed == room);
        for room in code.files.iter().filter_map(File::room).collect::<BTreeSet<_>>() {
            if rank(room).is_none() {
                wrong.push(format!("harness/{name}/src/{room} is not in the list of rooms of `{name}`"));
            }
        }
        for (from, to) in code.edges() {
            let (from, to) = (&code.files[from], &code.files[to]);
            let (Some(room), Some(used)) = (from.room(), to.room()) else { continue };
            if room != used && rank(used) > rank(room) && !is_owed(ROOMS, &from.path) {
                wrong.push(format!("{} imports from {}, but `{used}` stands below `{room}`", from.path, to.path));
            }
        }
    }
    none(
        &wrong,
        "Move the name up to the room that both may use, or, if the order of the rooms is wrong, mend the list in \
         docs/ARCHITECTURE.md, \"The rooms\".",
    );
}

/// The rooms that the page lists for a crate, in their order.
fn rooms_of(page: &str, name: &str) -> Vec<String> {
    let list = page.split(&format!("\n**{name}**\n")).nth(1).unwrap_or_default();
    let rows = list.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.filter_map(|row| Some(row.strip_prefix("| `")?.split('`').next()?.to_owned())).collect()
}

#[test]
fn no_three_files_import_each_other_in_a_circle() {
    let mut wrong = Vec::new();
    for (folder, _) in CRATES {
        let code = Crate::read(&format!("{folder}/src/"));
        let is_new = |circle: &BTreeSet<usize>| !circle.iter().all(|file| is_owed(CIRCLES, &code.files[*file].path));
        for circle in code.circles().into_iter().filter(|circle| circle.len() > 2 && is_new(circle)) {
            wrong.push(format!("a circle of {} files:", circle.len()));
            for (from, to) in code.edges().into_iter().filter(|(from, to)| circle.contains(from) && circle.contains(to))
            {
                wrong.push(format!("  {} imports from {}", code.files[from].path, code.files[to].path));
            }
        }
    }
    none(&wrong, "Move what several files need into a file that imports none of them.");
}

/// A file of a crate as a module.
struct File {
    path: String,
    module: Vec<String>,
    code: String,
    uses: Vec<Use>,
}

impl File {
    fn room(&self) -> Option<&str> {
        self.module.first().map(String::as_str)
    }

    /// Whether the file has an item of this name.
    fn defines(&self, name: &str) -> bool {
        let kinds = ["struct", "enum", "fn", "trait", "const", "static", "type", "union", "macro_rules!"];
        kinds.iter().any(|kind| has_path(&self.code, &format!("{kind} {name}")))
    }
}

/// A name that a `use` brings into a module.
#[derive(Clone)]
struct Use {
    is_public: bool,
    /// `*` for all names.
    alias: String,
    path: Vec<String>,
}

struct Crate {
    files: Vec<File>,
    by_module: BTreeMap<Vec<String>, usize>,
}

impl Crate {
    fn read(folder: &str) -> Crate {
        let sources = ALL.iter().filter(|source| source.path.starts_with(folder) && source.is_production());
        let files: Vec<File> = sources
            .map(|source| {
                let name = source.path[folder.len()..].trim_end_matches(".rs");
                let mut module: Vec<String> = name.split('/').map(str::to_owned).collect();
                if ["mod", "lib", "main"].contains(&module.last().unwrap().as_str()) {
                    module.pop();
                }
                let (uses, code) = uses_of(&code_of(&source.text));
                File { path: source.path.clone(), module, code, uses }
            })
            .collect();
        let by_module = files.iter().enumerate().map(|(index, file)| (file.module.clone(), index)).collect();
        Crate { files, by_module }
    }

    /// Which file uses a definition of which other one.
    fn edges(&self) -> BTreeSet<(usize, usize)> {
        let mut edges = BTreeSet::new();
        for (from, file) in self.files.iter().enumerate() {
            let imported = file.uses.iter().filter(|import| !import.is_public).map(|import| import.path.clone());
            for path in imported.chain(paths_in(&file.code)) {
                let target = self.absolute(from, &path).and_then(|path| self.definer(&path, 0));
                let target = target.filter(|to| !self.files[*to].module.starts_with(&file.module));
                edges.extend(target.map(|to| (from, to)));
            }
        }
        edges
    }

    /// A path from the crate's root, where it lies in the crate.
    fn absolute(&self, from: usize, path: &[String]) -> Option<Vec<String>> {
        let file = &self.files[from];
        let (first, rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => file.module.clone(),
            "super" => file.module.split_last()?.1.to_vec(),
            name => {
                let child = [file.module.as_slice(), &[name.to_owned()]].concat();
                let import = file.uses.iter().find(|import| import.alias == name && import.path != path);
                match import {
                    Some(import) if import.path.first() != Some(first) => self.absolute(from, &import.path)?,
                    _ if self.by_module.contains_key(&child) => child,
                    _ => return None,
                }
            }
        };
        for part in rest {
            match part.as_str() {
                "super" => drop(base.pop()),
                _ => base.push(part.clone()),
            }
        }
        Some(base)
    }

    /// The file that defines what a path names; nothing for a module.
    fn definer(&self, path: &[String], depth: usize) -> Option<usize> {
        let length = (0..=path.len()).rev().find(|length| self.by_module.contains_key(&path[..*length]))?;
        let index = self.by_module[&path[..length]];
        let name = path.get(length)?;
        let file = &self.files[index];
        if depth > 16 || file.defines(name) {
            return Some(index);
        }
        let follow = |import: &Use, path: Vec<String>| {
            let path = self.absolute(index, &path)?;
            (!import.path.is_empty()).then(|| self.definer(&path, depth + 1)).flatten()
        };
        let named = file.uses.iter().filter(|import| import.alias == *name);
        let named = named.filter_map(|import| follow(import, [&import.path, &path[length + 1..]].concat())).next();
        named.or_else(|| {
            let all = file.uses.iter().filter(|import| import.alias == "*");
            let mut found = all.filter_map(|import| follow(import, [&import.path, &path[length..]].concat()));
            found.find(|index| self.files[*index].defines(name)).or(Some(index))
        })
    }

    /// Groups of files of which each reaches each other one.
    fn circles(&self) -> Vec<BTreeSet<usize>> {
        let mut next: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (from, to) in self.edges() {
            next.entry(from).or_default().push(to);
        }
        let reached: Vec<BTreeSet<usize>> = (0..self.files.len())
            .map(|from| {
                let mut reached = BTreeSet::new();
                let mut open = vec![from];
                while let Some(at) = open.pop() {
                    open.extend(next.get(&at).into_iter().flatten().filter(|to| reached.insert(**to)));
                }
                reached
            })
            .collect();
        let mut circles = BTreeSet::new();
        for (from, reached_from) in reached.iter().enumerate() {
            circles.insert(reached_from.iter().copied().filter(|to| reached[*to].contains(&from)).collect());
        }
        circles.into_iter().collect()
    }
}

/// The names that `use` brings in, and the code without these lines.
fn uses_of(code: &str) -> (Vec<Use>, String) {
    let (mut uses, mut rest) = (Vec::new(), String::new());
    let mut open: Option<(bool, String)> = None;
    for line in code.lines() {
        let text = line.trim();
        let declared = match text.strip_prefix("pub").map(|visible| (visible, visible.find("use "))) {
            Some((visible, Some(at))) if visible.starts_with([' ', '(']) && at < 20 => Some((true, &visible[at + 4..])),
            _ => text.strip_prefix("use ").map(|tree| (false, tree)),
        };
        match (&mut open, declared) {
            (Some((_, tree)), _) => tree.push_str(text),
            (None, Some((is_public, tree))) => open = Some((is_public, tree.to_owned())),
            (None, None) => {
                rest.push_str(line);
                rest.push('\n');
            }
        }
        if let Some((is_public, tree)) = open.take_if(|(_, tree)| tree.contains(';')) {
            expand(&[], tree.split(';').next().unwrap(), is_public, &mut uses);
        }
    }
    (uses, rest)
}

/// One branch of a `use` tree into its names.
fn expand(base: &[String], tree: &str, is_public: bool, uses: &mut Vec<Use>) {
    let tree = tree.trim();
    if let Some((prefix, list)) = tree.split_once('{') {
        let base = [base, &parts(prefix)].concat();
        for branch in branches(list.trim_end().strip_suffix('}').unwrap_or(list)) {
            expand(&base, branch, is_public, uses);
        }
        return;
    }
    let (path, renamed) = tree.split_once(" as ").map_or((tree, None), |(path, name)| (path, Some(name.trim())));
    let mut path = [base, &parts(path)].concat();
    let last = match path.last().map(String::as_str) {
        None => return,
        Some("*" | "self") if path.len() > 1 => path.pop().unwrap(),
        Some(last) => last.to_owned(),
    };
    let name = if last == "self" { path.last().unwrap().clone() } else { last };
    uses.push(Use { is_public, alias: renamed.map_or(name, str::to_owned), path });
}

fn parts(path: &str) -> Vec<String> {
    path.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The branches of a list at its own level.
fn branches(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&list[start..]);
    found.retain(|branch| !branch.trim().is_empty());
    found
}

/// Every `a::b` in code.
fn paths_in(code: &str) -> Vec<Vec<String>> {
    let words = code.split(|c: char| !is_word(c) && c != ':');
    words.filter(|word| word.contains("::") && !word.starts_with(':')).map(parts).collect()
}

#[test]
fn a_use_tree_is_read_to_its_names() {
    let code = "use crate::a::{self, b::{C, D as E}, f::*};\npub use super::g;\nlet x = h::i();\n";
    let (uses, rest) = uses_of(code);
    let shown: Vec<String> =
        uses.iter().map(|import| format!("{} {} {}", import.is_public, import.alias, import.path.join("/"))).collect();
    assert_eq!(
        shown,
        ["false a crate/a", "false C crate/a/b/C", "false E crate/a/b/D", "false * crate/a/f", "true g super/g"]
    );
    assert_eq!(paths_in(&rest), [["h", "i"]]);
}
