//! The files of the repository, and Rust code without its comments and texts.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Folders that hold no source of ours.
const SKIPPED: [&str; 3] = ["target", "node_modules", "bindings"];
/// Its folders are the output of runs.
const REPORTS: &str = "reports";

pub struct Source {
    /// From the root of the repository, with `/`.
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn has_ending(&self, endings: &[&str]) -> bool {
        endings.iter().any(|ending| self.path.ends_with(ending))
    }

    /// Whether the file is part of a program, and not of its tests or benchmarks.
    pub fn is_production(&self) -> bool {
        let mut parts = self.path.split('/');
        self.path.ends_with(".rs") && !parts.any(|part| ["tests", "tests.rs", "benches"].contains(&part))
    }

    /// The lines with their numbers from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// A place as editors open it.
    pub fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every source, page, settings file and script.
pub static ALL: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let root = root();
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
});

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            let is_output = folder == root.join(REPORTS);
            if !is_output && !SKIPPED.contains(&name) && (!name.starts_with('.') || name == ".ci") {
                collect(root, &path, found);
            }
        } else if is_source(name) {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push(Source { path: path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"), text });
        }
    }
}

fn is_source(name: &str) -> bool {
    ["rs", "md", "toml", "sh"].iter().any(|ending| name.ends_with(&format!(".{ending}")))
        || ["run", "justfile"].contains(&name)
}

/// Rust code with comments and the contents of texts taken out. Lines stay where they are.
pub fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '"' {
            length_of_text(rest)
        } else if let Some(length) = length_of_raw(rest).filter(|_| !code.ends_with(is_word)) {
            length
        } else if let Some(length) = length_of_char(rest) {
            length
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.extend(rest[..length].chars().filter(|c| *c == '\n'));
        code.push(' ');
        rest = &rest[length..];
    }
    code
}

/// Whether a character may stand in an identifier.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn length_of_text(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == '"' && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    rest.len()
}

fn length_of_raw(rest: &str) -> Option<usize> {
    let marks = rest.strip_prefix("br").or(rest.strip_prefix('r'))?;
    let hashes = marks.len() - marks.trim_start_matches('#').len();
    let body = marks[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(rest.len() - body.len() + body.find(&close)? + close.len())
}

/// A character, and not a lifetime.
fn length_of_char(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let first = body.chars().next()?;
    let inner = if first == '\\' { 1 + body[1..].chars().next()?.len_utf8() } else { first.len_utf8() };
    let end = body[inner..].find('\'')?;
    (end == 0 || first == '\\' && end < 8).then_some(1 + inner + end + 1)
}

#[test]
fn code_is_read_without_comments_and_texts() {
    let text =
        "let a = \"use x;\\\"\"; // use y\nlet b = r#\"\"use z\"#; let c = '\"'; fn f<'a>() {} /* use w */ g('\\'')";
    let code = code_of(text);
    assert_eq!(code.lines().count(), 2);
    for word in ["use", "x", "y", "z", "w"] {
        assert!(!code.split(|c| !is_word(c)).any(|found| found == word), "{word} in {code}");
    }
    for kept in ["let a", "let b", "let c", "fn f<'a>() {}", "g("] {
        assert!(code.contains(kept), "{kept} in {code}");
    }
}
