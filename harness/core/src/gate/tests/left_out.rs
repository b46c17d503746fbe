//! What the lanes of a run can't be put through.

use super::*;
use crate::gate::fit::{Updates, Windows};

#[test]
fn what_these_lanes_can_not_be_put_through_is_left_out_of_a_full_run() {
    let full = suite();
    let mut outside = scope(&full);
    let legacy = Means {
        server: ServerKind::Outside,
        shared: true,
        scoped: true,
        sets_policies: true,
        confirms_reads: false,
        keeps_watermarks: false,
        hides_keys: false,
        counts_connections: false,
        windows: Windows::Unsaid,
        takes_tokens: true,
        lacks_outbox: false,
        lacks: Vec::new(),
        missing: Vec::new(),
        other_module: false,
        takes_no_hash: false,
        takes_no_seq: false,
        judges_no_cursor: false,
        joins_each_topic: false,
        updates: Updates::None,
        protocol: None,
    };
    outside.lanes.insert(LaneId::Legacy, legacy);
    outside.left_out =
        full.iter().filter_map(|ran| Some((ran.name.clone(), reason_of(&ran.name, &outside)?))).collect();
    assert!(outside.left_out.contains_key("legacy-killed") && outside.left_out.contains_key("drop-event"));
    let ran: Vec<_> = full.iter().filter(|ran| !outside.left_out.contains_key(&ran.name)).cloned().collect();
    assert_eq!(decided(&ran, &outside), (Decision::Allow, vec![]));
    // A row that no scenario of the run can show any more does not have to be shown.
    assert!(outside.can_show(row("durability-gated-delivery").unwrap(), LaneId::Legacy).is_empty());
    // The same over lanes of our own, or for another reason: nothing says that they had to be left out.
    let ours = Scope { lanes: scope(&full).lanes, ..outside.clone() };
    assert_eq!(decided(&ran, &ours).0, Decision::PassedInPart);
    outside.left_out.insert("legacy-killed".to_owned(), "it takes too long".to_owned());
    assert_eq!(decided(&ran, &outside), (Decision::PassedInPart, vec!["not-run".to_owned()]));
}

#[test]
fn a_program_stands_in_for_clients_where_no_scenario_hangs_on_when_it_asks() {
    let stays = |name: &str| {
        let (path, text) = stock().iter().find(|(path, _)| path.ends_with(&format!("/{name}.toml"))).unwrap();
        let plan = compile(&Scenario::parse(path, text).unwrap(), Seed(1));
        !crate::gate::fit::takes_any_program(&plan)
    };
    for ours in ["cursor-rewritten-stale", "cut-during-resume", "heartbeats-starved", "replies-dropped"] {
        assert!(stays(ours), "{ours}");
    }
    for ours in ["resume-after-silence", "server-paused", "tokens", "unsubscribed"] {
        assert!(stays(ours), "{ours}");
    }
    for theirs in ["client-crash", "server-drains", "resume-after-cut", "frames-split-and-merged", "black-hole"] {
        assert!(!stays(theirs), "{theirs}");
    }
}

#[test]
fn a_defect_of_a_client_needs_its_lane() {
    let (path, text) = stock().iter().find(|(path, _)| path.ends_with("/client-loses-event.toml")).unwrap();
    let plan = compile(&Scenario::parse(path, text).unwrap(), Seed(1));
    let lanes = scope(&suite()).lanes;
    assert_eq!(crate::gate::fit::unfit(&plan, &lanes, None), None);
    assert_eq!(crate::gate::fit::unfit(&plan, &lanes, Some(LaneId::Legacy)), None);
    let why = crate::gate::fit::unfit(&plan, &lanes, Some(LaneId::Candidate)).unwrap();
    assert_eq!(why, "it plants a defect in a client of the legacy lane, which does not run here");
}

#[test]
fn what_the_module_of_a_lane_does_not_have_is_left_out_of_a_full_run() {
    let full = suite();
    let mut other = scope(&full);
    let missing = ["set_window", "put_lease", "active_connection", "mark_bridge_event_sent", "prune_stream"];
    let missing = missing.map(str::to_owned).to_vec();
    other.lanes.insert(LaneId::Candidate, Means { missing, ..Means::of_ours(ServerKind::BuiltIn) });
    other.left_out = full.iter().filter_map(|ran| Some((ran.name.clone(), reason_of(&ran.name, &other)?))).collect();
    for (scenario, name) in [
        ("clients-refused", "set_window"),
        ("tokens", "put_lease"),
        ("clients-counted", "active_connection"),
        ("reducers-called", "mark_bridge_event_sent"),
        ("pruned-by-hand", "prune_stream"),
    ] {
        let why = format!("it uses `{name}`, and the module of the candidate lane has none like it");
        assert_eq!(other.left_out.get(scenario), Some(&why), "{scenario}");
    }
    let ran: Vec<_> = full.iter().filter(|ran| !other.left_out.contains_key(&ran.name)).cloned().collect();
    assert_eq!(decided(&ran, &other), (Decision::Allow, vec![]));
    for lost in ["compatibility-negotiation", "token-lifecycle", "authorization", "presence-handshake"] {
        assert!(other.can_show(row(lost).unwrap(), LaneId::Candidate).is_empty(), "{lost}");
    }
}

#[test]
fn what_a_servers_updates_can_not_do_is_left_out_with_the_reason() {
    let full = suite();
    let mut lanes = scope(&full);
    let scenarios = ["module-updated", "module-updated-breaking", "update-loses-event", "equal-streams"];
    for (updates, reasons) in [
        (Updates::None, [Some("a server of the run"), Some("a server of the run"), Some("a server of the run"), None]),
        (Updates::Additive, [None, Some("asks for a migration by hand"), None, None]),
        (Updates::Breaking, [None; 4]),
    ] {
        lanes.lanes.insert(LaneId::Candidate, Means { updates, ..Means::of_ours(ServerKind::Binary) });
        for (scenario, expected) in scenarios.iter().zip(reasons) {
            let reason = reason_of(scenario, &lanes);
            let fits = match (&reason, expected) {
                (Some(reason), Some(words)) => reason.contains(words),
                (reason, expected) => reason.is_none() && expected.is_none(),
            };
            assert!(fits, "{scenario} {updates:?}: {reason:?}");
        }
    }
}
