#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn all_that_lies_in_a_bundle_is_looked_at_and_links_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let bundle = BundleDir::create(dir.path().join("run")).unwrap();
    let files = [(layout::EVIDENCE, "{}"), ("plans/a.json", "{}"), ("scenarios/known-bad/a.toml", "xyz")];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    bundle.write(&files.into()).unwrap();
    let at = |name: &str| bundle.path().join(name);
    fs::write(at("notes.txt"), "mine").unwrap();
    fs::create_dir(at("mine")).unwrap();
    fs::write(at("mine/notes.txt"), "mine").unwrap();
    std::os::unix::fs::symlink("/", at("plans/root")).unwrap();
    nix::unistd::mkfifo(&at("plans/pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let there = BundleThere::look(bundle.path()).unwrap();
    let expected = [
        ("evidence.json", Entry::File(2)),
        ("mine", Entry::Folder),
        ("notes.txt", Entry::File(4)),
        ("plans", Entry::Folder),
        ("plans/a.json", Entry::File(2)),
        ("plans/pipe", Entry::Special),
        ("plans/root", Entry::Link),
        ("scenarios", Entry::Folder),
        ("scenarios/known-bad", Entry::Folder),
        ("scenarios/known-bad/a.toml", Entry::File(3)),
    ];
    assert_eq!(there.entries(), expected.map(|(path, entry)| (path.to_owned(), entry)).into());
    assert_eq!(there.read("scenarios/known-bad/a.toml", 3), Ok(b"xyz".to_vec()));
    assert_eq!(there.read("scenarios/known-bad/a.toml", 1), Ok(b"xy".to_vec()));
    assert!(there.read("plans/b.json", 1).unwrap_err().contains("No such file"));
}

#[test]
fn a_directory_with_something_in_it_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("evidence.json"), "{}").unwrap();
    let refused = BundleDir::create(dir.path().to_owned()).unwrap_err();
    assert_eq!(refused.exit, crate::exit::Exit::Usage);
    assert!(refused.message.contains("is not empty"), "{refused}");
}

#[test]
fn runs_of_one_name_have_directories_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["run", "run-2", "run-3"] {
        let path = not_there(dir.path(), "run");
        assert_eq!(path, dir.path().join(name));
        fs::create_dir(path).unwrap();
    }
}
