//! The committed wasm module was built from the committed source.
//!
//! Building it takes a toolchain that not every machine has, so this compares digests that `build.sh` wrote down.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

const HOW_TO_MEND: &str = "run spacetime/module/build.sh and commit cutover_module.wasm and cutover_module.wasm.json \
    together with the source";

fn module_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spacetime/module")
}

fn recorded(field: &str) -> String {
    let text = std::fs::read_to_string(module_dir().join("cutover_module.wasm.json")).unwrap();
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

#[test]
fn the_committed_wasm_is_the_one_that_the_build_wrote_down() {
    let wasm = std::fs::read(module_dir().join("cutover_module.wasm")).unwrap();
    assert_eq!(
        sha256_hex(&wasm),
        recorded("wasm_sha256"),
        "cutover_module.wasm is not the file that cutover_module.wasm.json tells of: {HOW_TO_MEND}"
    );
}

#[test]
fn the_committed_wasm_was_built_from_the_committed_source() {
    let root = module_dir();
    let mut paths = vec!["Cargo.toml".to_owned(), "Cargo.lock".to_owned()];
    files_under(&root, "src", &mut paths);
    paths.sort();
    let listing = paths.iter().fold(String::new(), |mut listing, path| {
        let content = std::fs::read(root.join(path)).unwrap();
        let _ = writeln!(listing, "{}  {path}", sha256_hex(&content));
        listing
    });
    assert_eq!(
        sha256_hex(listing.as_bytes()),
        recorded("source_sha256"),
        "the module's source changed after its wasm was built (files looked at: {paths:?}): {HOW_TO_MEND}"
    );
}
