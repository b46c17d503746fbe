//! Each committed wasm module was built from the committed source: the published one, the planted one, and those of the
//! fixtures.
//!
//! Building them takes a toolchain that not every machine has, so this compares digests that `build.sh` wrote down.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

const PUBLISHED: &str = "cutover_module.wasm";
const PLANTED: &str = "cutover_module_planted.wasm";
const HOW_TO_MEND: &str = "run spacetime/module/build.sh, for a fixture with its folder, and commit each .wasm and \
    .wasm.json file together with the source";

/// Each folder of a module, and the modules that are built from it.
const BUILT: [(&str, &[&str]); 4] = [
    ("module", &[PUBLISHED, PLANTED]),
    ("fixtures/append-only", &["cutover_fixture.wasm"]),
    ("fixtures/renamed", &["cutover_fixture.wasm"]),
    ("fixtures/signals", &["cutover_fixture.wasm"]),
];

fn dir_of(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spacetime").join(folder)
}

fn module_dir() -> PathBuf {
    dir_of("module")
}

fn recorded(folder: &str, wasm: &str, field: &str) -> String {
    let text = std::fs::read_to_string(dir_of(folder).join(format!("{wasm}.json"))).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    manifest[field].as_str().unwrap_or_default().to_owned()
}

fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The paths, relative to `root`, of all files under `root/folder`.
fn files_under(root: &Path, folder: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() { files_under(root, &path, found) } else { found.push(path) }
    }
}

/// Every file of the source.
fn sources(folder: &str) -> Vec<String> {
    let mut paths = vec!["Cargo.toml".to_owned(), "Cargo.lock".to_owned()];
    files_under(&dir_of(folder), "src", &mut paths);
    paths.sort();
    paths
}

#[test]
fn each_committed_wasm_is_the_one_that_the_build_wrote_down() {
    for (folder, names) in BUILT {
        for name in names {
            let wasm = std::fs::read(dir_of(folder).join(name)).unwrap();
            let recorded = recorded(folder, name, "wasm_sha256");
            let wrong = format!("{folder}/{name} is not the file that {name}.json tells of: {HOW_TO_MEND}");
            assert_eq!(sha256_hex(&wasm), recorded, "{wrong}");
        }
    }
}

#[test]
fn each_committed_wasm_was_built_from_the_committed_source() {
    for (folder, names) in BUILT {
        let paths = sources(folder);
        let listing = paths.iter().fold(String::new(), |mut listing, path| {
            let content = std::fs::read(dir_of(folder).join(path)).unwrap();
            let _ = writeln!(listing, "{}  {path}", sha256_hex(&content));
            listing
        });
        for name in names {
            assert_eq!(
                sha256_hex(listing.as_bytes()),
                recorded(folder, name, "source_sha256"),
                "the source changed after {folder}/{name} was built (files looked at: {paths:?}): {HOW_TO_MEND}"
            );
        }
    }
}

#[test]
fn the_published_wasm_has_no_planted_defects_and_the_other_one_has_all() {
    let has = |name: &str, text: &str| {
        let wasm = std::fs::read(module_dir().join(name)).unwrap();
        wasm.windows(text.len()).any(|bytes| bytes == text.as_bytes())
    };
    for text in ["planted", "arm_defect"] {
        assert!(!has(PUBLISHED, text) && has(PLANTED, text), "{text}");
    }
}

#[test]
fn each_defect_of_the_list_is_planted_in_the_source_and_each_planted_one_is_in_the_list() {
    let files =
        sources("module").into_iter().filter(|path| path.starts_with("src/planted/") && !path.ends_with("tests.rs"));
    let source: String = files.map(|path| std::fs::read_to_string(module_dir().join(path)).unwrap()).collect();
    let is_name = |text: &str| text.contains('-') && text.split('-').all(is_word);
    let planted: BTreeSet<&str> = source.split('"').filter(|text| is_name(text)).collect();
    assert_eq!(planted, cutover_core::plan::defect::module::NAMES.iter().copied().collect());
}

fn is_word(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
