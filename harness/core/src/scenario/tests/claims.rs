//! Claims that a script can't earn are mistakes of the file.

use super::super::*;
use crate::matrix::ROWS;

/// A scenario with these claims and these lines after its clients.
fn scenario(claims: &str, clients: &str, rest: &str) -> String {
    format!(
        "schema = 1\nname = \"claims\"\ntitle = \"Claims\"\nproves = [{claims}]\n\
         streams = [{{ topic = \"run:alpha:events\" }}]\nclients = [{clients}]\n{rest}\nat_least = {{ deliveries = 1 }}\n"
    )
}

const ONE: &str = "{ name = \"desk\" }";
const FOLLOWS: &str =
    "steps = [\n  { do = \"connect\" },\n  { do = \"publish\", stream = \"run:alpha:events\", count = 1 },\n]";

fn mistakes(text: &str) -> Vec<ScenarioError> {
    Scenario::parse("claims.toml", text).map_or_else(|errors| errors.errors, |_| Vec::new())
}

#[test]
fn one_client_and_one_event_can_not_claim_all_rows() {
    let claims: Vec<_> = ROWS.iter().map(|row| format!("\"{}\"", row.name)).collect();
    let errors = mistakes(&scenario(&claims.join(", "), ONE, FOLLOWS));
    assert_eq!(errors.len(), 15, "{errors:#?}");
    assert!(errors.iter().all(|error| error.line == 4 && error.hint.is_some()));
    let columns: std::collections::BTreeSet<_> = errors.iter().map(|error| error.column).collect();
    assert_eq!(columns.len(), 15, "each claim has its own place");
    assert!(!errors.iter().any(|error| error.what.contains("replay-determinism")));
    let of = |row: &str| errors.iter().find(|error| error.what.contains(row)).unwrap().to_string();
    insta::assert_snapshot!(format!("{}\n{}", of("multi-device"), of("bridge-isolation")));
}

#[test]
fn a_claim_that_the_script_can_earn_is_taken() {
    let repeats =
        "faults = [{ do = \"repeat\", clients = [\"desk\"], at = { delivery = \"run:alpha:events\", seq = 1 } }]";
    let with = format!("{FOLLOWS}\n{repeats}");
    assert_eq!(mistakes(&scenario("\"duplicate-idempotency\"", ONE, &with)), []);
    assert_eq!(mistakes(&scenario("\"duplicate-idempotency\"", ONE, FOLLOWS)).len(), 1);
    let two = "{ name = \"desk\" }, { name = \"phone\" }";
    assert_eq!(mistakes(&scenario("\"multi-device\"", two, FOLLOWS)), []);
}

#[test]
fn a_claim_has_to_be_earned_on_both_lanes() {
    let on_one = "faults = [{ do = \"repeat\", lane = \"legacy\", clients = [\"desk\"], \
                  at = { delivery = \"run:alpha:events\", seq = 1 } }]";
    let errors = mistakes(&scenario("\"duplicate-idempotency\"", ONE, &format!("{FOLLOWS}\n{on_one}")));
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].what.contains("the candidate lane"), "{}", errors[0]);
}
