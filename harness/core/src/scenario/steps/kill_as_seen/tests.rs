use crate::scenario::Scenario;

/// What is said of a script with these clients connected when the server is killed.
fn said(connected: &str) -> String {
    let text = format!(
        "schema = 1\nname = \"x\"\ntitle = \"A kill\"\nproves = [\"durability-gated-delivery\"]\n\
         streams = [{{ topic = \"run:a:events\" }}, {{ topic = \"run:b:events\" }}]\n\
         clients = [{{ name = \"desk\" }}, {{ name = \"other\", streams = [\"run:b:events\"] }}]\nsteps = [\n\
         {{ do = \"connect\", clients = [{connected}] }},\n\
         {{ do = \"publish\", streams = \"all\", count = 6 }},\n\
         {{ do = \"kill-as-seen\", lane = \"both\", stream = \"run:a:events\" }},\n\
         {{ do = \"connect\" }},\n{{ do = \"await\" }}]\nat_least = {{ deliveries = 1 }}\n"
    );
    Scenario::parse("x.toml", &text).map_or_else(|errors| errors.to_string(), |_| String::new())
}

#[test]
fn an_event_that_nobody_sees_kills_no_server() {
    assert_eq!(said("\"desk\""), "");
    assert!(said("\"other\"").contains("no connected client follows `run:a:events`"));
}
