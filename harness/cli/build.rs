//! Tells the tool which commit it was built from, where it was built from a checkout.

use std::path::PathBuf;
use std::process::Command;

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn main() {
    // Only a moved HEAD runs this again, so that an edit does not rebuild the tool twice. A tool that is built from
    // edited sources without a new commit may therefore say `clean` where it was clean at the last commit; the dirty
    // flag of the working directory, which the evidence records beside it, is taken when the tool runs.
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", name]).map(PathBuf::from).filter(|path| path.exists()) {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    println!("cargo:rerun-if-changed=build.rs");
    if let Some(commit) = git(&["rev-parse", "HEAD"]) {
        println!("cargo:rustc-env=CUTOVER_BUILD_COMMIT={commit}");
    }
    if let Some(changes) = git(&["status", "--porcelain", "--untracked-files=no"]) {
        println!("cargo:rustc-env=CUTOVER_BUILD_DIRTY={}", !changes.is_empty());
    }
}
