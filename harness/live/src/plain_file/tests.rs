#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn only_a_plain_file_of_a_bounded_size_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    std::os::unix::fs::symlink("/dev/zero", at("endless")).unwrap();
    std::fs::write(at("text"), "abcd").unwrap();
    std::fs::write(at("bytes"), b"ab\xff").unwrap();
    let refused = |name: &str| read_text(&at(name), 4).unwrap_err().to_string();
    assert!(refused("pipe").contains("no plain file"));
    assert!(refused("endless").contains("no plain file"));
    assert!(refused(".").contains("directory"));
    assert!(refused("bytes").contains("byte 2"), "{}", refused("bytes"));
    assert_eq!(read_text(&at("text"), 4).unwrap(), "abcd");
    assert!(read_text(&at("text"), 3).unwrap_err().to_string().contains("longer than 3 bytes"));
    // The system says that this one has no bytes.
    assert!(!read(Path::new("/proc/self/status"), 1 << 20).unwrap().is_empty());
}
