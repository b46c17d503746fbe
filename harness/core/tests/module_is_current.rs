//! Both committed wasm modules were built from the committed source: the published one and the planted one.
//!
//! Building them takes a toolchain that not every machine has, so this compares digests that `build.sh` wrote down.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

const PUBLISHED: &str = "cutover_module.wasm";
const PLANTED: &str = "cutover_module_planted.wasm";
const HOW_TO_MEND: &str = "run spacetime/module/build.sh and commit both .wasm and both .wasm.json files together with \
    the source";

fn module_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spacetime/module")
}

fn recorded(wasm: &str, field: &str) -> String {
    let text = std::fs::read_to_string(module_dir().join(format!("{wasm}.json"))).unwrap();
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
fn sources() -> Vec<String> {
    let mut paths = vec!["Cargo.toml".to_owned(), "Cargo.lock".to_owned()];
    files_under(&module_dir(), "src", &mut paths);
    paths.sort();
    paths
}

#[test]
fn each_committed_wasm_is_the_one_that_the_build_wrote_down() {
    for name in [PUBLISHED, PLANTED] {
        let wasm = std::fs::read(module_dir().join(name)).unwrap();
        let recorded = recorded(name, "wasm_sha256");
        assert_eq!(sha256_hex(&wasm), recorded, "{name} is not the file that {name}.json tells of: {HOW_TO_MEND}");
    }
}

#[test]
fn each_committed_wasm_was_built_from_the_committed_source() {
    let paths = sources();
    let listing = paths.iter().fold(String::new(), |mut listing, path| {
        let content = std::fs::read(module_dir().join(path)).unwrap();
        let _ = writeln!(listing, "{}  {path}", sha256_hex(&content));
        listing
    });
    for name in [PUBLISHED, PLANTED] {
        assert_eq!(
            sha256_hex(listing.as_bytes()),
            recorded(name, "source_sha256"),
            "the module's source changed after {name} was built (files looked at: {paths:?}): {HOW_TO_MEND}"
        );
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
    let files = sources().into_iter().filter(|path| path.starts_with("src/planted/") && !path.ends_with("tests.rs"));
    let source: String = files.map(|path| std::fs::read_to_string(module_dir().join(path)).unwrap()).collect();
    let is_name = |text: &str| text.contains('-') && text.split('-').all(is_word);
    let planted: BTreeSet<&str> = source.split('"').filter(|text| is_name(text)).collect();
    assert_eq!(planted, cutover_core::plan::defect::module::NAMES.iter().copied().collect());
}

fn is_word(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
