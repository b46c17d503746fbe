#![allow(clippy::unwrap_used)]

use super::Authorities;

#[test]
fn a_file_without_a_certificate_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let said = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        Authorities::of_file(&path).unwrap_err()
    };
    assert!(said("empty", "").ends_with("empty has no certificate"));
    let body = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(said("wrong", body).ends_with("wrong has 1 certificates that can't be read"));
    let gone = Authorities::of_file(&dir.path().join("gone")).unwrap_err();
    assert!(gone.contains("gone"), "{gone}");
}
