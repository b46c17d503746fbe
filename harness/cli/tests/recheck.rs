//! `cutover recheck` over a directory in which somebody put something else: each is told, none is followed, and none
//! costs more than looking at it.
#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used)]

mod support;

use std::fs::{self, File};
use std::path::Path;

use support::{gate, run, text};

const HISTORY: &str = "histories/equal-streams.legacy.jsonl";

/// What recheck prints of a bundle that does not hold.
fn does_not_hold(bundle: &Path) -> String {
    let ran = run(&["recheck", &text(bundle)]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("DOES NOT HOLD  1 problem "), "{}", ran.out);
    // A report is wrapped at the terminal's width.
    ran.out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn whatever_else_lies_in_a_bundle_is_told_and_neither_followed_nor_read() {
    let dir = tempfile::tempdir().unwrap();
    let ran = gate(dir.path(), "out", &["--scenario", "equal-streams"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let bundle = dir.path().join("out");
    assert_eq!(run(&["recheck", &text(&bundle)]).code, 0);
    let (history, kept) = (bundle.join(HISTORY), dir.path().join("kept"));
    fs::rename(&history, &kept).unwrap();

    // A pipe that nothing writes to: to open it would be to wait for ever.
    nix::unistd::mkfifo(&history, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(does_not_hold(&bundle).contains("is no plain file"));
    fs::remove_file(&history).unwrap();

    // To follow this one would be right by its digest.
    std::os::unix::fs::symlink(&kept, &history).unwrap();
    assert!(does_not_hold(&bundle).contains("is a symbolic link"));
    fs::remove_file(&history).unwrap();

    // To read so much would take minutes, if there were memory for it.
    File::create(&history).unwrap().set_len(1 << 40).unwrap();
    assert!(does_not_hold(&bundle).contains("its length differs"));
    fs::remove_file(&history).unwrap();

    fs::rename(&kept, &history).unwrap();
    fs::write(bundle.join("notes\u{1b}[2J.txt"), "mine").unwrap();
    let told = does_not_hold(&bundle);
    assert!(told.contains("notes\\u{1b}[2J.txt: is not listed in evidence.json"), "{told}");
    fs::remove_file(bundle.join("notes\u{1b}[2J.txt")).unwrap();

    fs::create_dir(bundle.join("mine")).unwrap();
    assert!(does_not_hold(&bundle).contains("is a folder that is no part of this bundle"));
    fs::remove_dir(bundle.join("mine")).unwrap();
    assert_eq!(run(&["recheck", &text(&bundle)]).code, 0);
}
