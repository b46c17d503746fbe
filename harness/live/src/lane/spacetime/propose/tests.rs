#![allow(clippy::unwrap_used)]
use super::super::profile::SpacetimeProfile;
use super::*;

const URL: &str = "http://127.0.0.1:3000/";

fn proposed(schema: &str) -> (String, Vec<String>) {
    propose(&Schema::parse(schema.as_bytes()).unwrap(), URL, "sync").unwrap()
}

/// The proposal, which is a profile that its own schema fits.
fn checked(schema: &str) -> String {
    let (profile, undecided) = proposed(schema);
    let shape = SpacetimeProfile::of_toml(&profile, "proposal.toml").unwrap().shape();
    let schema = Schema::parse(schema.as_bytes()).unwrap().with_shape(shape.into());
    assert_eq!(schema.check(), Ok(()));
    format!("{profile}\n--- notes ---\n{}", undecided.join("\n"))
}

#[test]
fn a_profile_for_the_module_of_this_project() {
    insta::assert_snapshot!(checked(include_str!("../schema/module.json")));
}

#[test]
fn a_profile_for_a_module_that_is_append_only() {
    insta::assert_snapshot!(checked(include_str!("append-only.json")));
}

#[test]
fn a_profile_for_a_module_with_other_names() {
    insta::assert_snapshot!(checked(include_str!("renamed.json")));
}

#[test]
fn a_module_without_an_event_log_gets_no_profile() {
    let mut schema: serde_json::Value = serde_json::from_str(include_str!("../schema/module.json")).unwrap();
    schema["tables"].as_array_mut().unwrap().retain(|table| table["name"] == "active_connection");
    let schema = Schema::parse(schema.to_string().as_bytes()).unwrap();
    insta::assert_snapshot!(propose(&schema, URL, "sync").unwrap_err());
}
