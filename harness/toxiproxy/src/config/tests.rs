#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn what_is_wrong_is_told_with_its_place_and_how_to_mend_it() {
    let dir = tempfile::tempdir().unwrap();
    let told: Vec<String> = [
        "",
        "[{\"name\":\"a\",\n  upstream:1}]",
        r#"{"name":"a"}"#,
        r#"[{"name":"a"}]"#,
        r#"[{"name":"a","upstream":"b:1"},{"upstream":"b:1"}]"#,
        r#"[{"name":"a","upstream":5}]"#,
        r#"[{"name":"a","upstream":"b:1"},{"name":"a","upstream":"b:1"}]"#,
        r#"[{"name":"a","upstream":"b:1","listen":"localhost"}]"#,
    ]
    .into_iter()
    .map(|text| {
        let path = dir.path().join("toxiproxy.json");
        std::fs::write(&path, text).unwrap();
        let said = read(path).unwrap_err().to_string();
        said.replace(dir.path().to_str().unwrap(), "DIR")
    })
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let said = read(PathBuf::from("/no/such/toxiproxy.json")).unwrap_err().to_string();
    assert!(said.starts_with("/no/such/toxiproxy.json: it can't be read: "), "{said}");
}
