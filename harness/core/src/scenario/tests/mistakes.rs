//! What is said of mistakes: each with line, column and hint, and all of them at once.

use super::*;

/// Breaks [`GOOD`] in one place and compares the first line of what is said.
fn check(from: &str, to: &str, expect: &str) {
    assert!(GOOD.contains(from), "{from}");
    let said = errors(&GOOD.replacen(from, to, 1));
    assert!(said.contains(expect), "expected `{expect}`, but this is said:\n{said}");
}

#[test]
fn three_mistakes_give_three_messages_with_line_and_column() {
    let text = GOOD
        .replace("\"publish\", stream ", "\"publsh\", stream ")
        .replace("seq = 4", "seq = \"four\"")
        .replace("replay-determinism", "replay-determinsm");
    insta::assert_snapshot!(errors(&text));
}

#[test]
fn mistakes_of_the_script_and_of_the_head_are_told_together() {
    let text = GOOD
        .replace("replay-determinism", "nothing")
        .replace("{ do = \"await\" }", "{ do = \"await\", clients = [\"phone\"] }")
        .replace("seq = 4", "seq = 40");
    insta::assert_snapshot!(errors(&text));
}

#[test]
fn broken_lines_are_told_beside_other_mistakes() {
    let text = GOOD
        .replace("title = \"A story\"", "title = A story")
        .replace("{ do = \"connect\" }", "{ do = \"conect\" }")
        .replace("deliveries = 10", "deliveries = 10, delivered = 5");
    insta::assert_snapshot!(errors(&text));
}

#[test]
fn an_empty_file_says_all_that_is_needed() {
    insta::assert_snapshot!(errors(""));
}

#[test]
fn a_broken_header_takes_its_section_with_it() {
    let text = "schema = 1\n[[streams]\ntopic = 5\n[[clients]]\nname = 7\n";
    insta::assert_snapshot!(errors(text));
}

#[test]
fn names_must_be_of_the_contract_and_of_the_file() {
    check("name = \"x\"", "name = \"y\"", "2:8: the scenario is called `y`, but its file `x`");
    check("topic = \"run:b:events\"", "topic = \"job:b:events\"", "the contract has no class for the topic");
    check("topic = \"run:b:events\"", "topic = \"run:a:events\"", "are one stream on the candidate");
    check("name = \"phone\"", "name = \"writer\"", "`writer` is the name of the one who publishes");
    check("name = \"phone\"", "name = \"desk\"", "two clients are called `desk`");
    check(
        "stream = \"run:a:events\", count",
        "stream = \"run:c:events\", count",
        "no stream has the topic `run:c:events`",
    );
    check("streams = [\"run:a:events\"] }]", "streams = [\"run:b\"] }]", "no stream has the topic `run:b`");
    check("schema = 1", "schema = 2", "unknown schema");
}

#[test]
fn a_script_that_waits_for_what_can_never_come_is_refused() {
    check(
        "\"await\" }",
        "\"await\", clients = [\"phone\"] }",
        "12:3: `phone` is not connected, so it would never catch up",
    );
    check("{ do = \"await\" }", "{ do = \"disconnect\" }, { do = \"await\" }", "nobody to wait for");
    check(
        "\"await\" }",
        "\"await-fault\", fault = \"cot-1\" }",
        "no fault is called `cot-1`\n  hint: did you mean `cut-1`?",
    );
    let kill = "{ do = \"server\", lane = \"legacy\", action = \"kill\" }, { do = \"await\" }";
    check("{ do = \"await\" }", kill, "waiting for clients while the legacy server is down would wait forever");
    check("{ do = \"await\" }", kill, "the legacy server is left down");
    let pause = "{ do = \"server\", lane = \"both\", action = \"pause\" }";
    check("{ do = \"await\" }", pause, "the legacy server is left paused");
    check("{ do = \"await\" }", "{ do = \"server\", lane = \"both\", action = \"restart\" }", "was not killed");
}

#[test]
fn what_is_not_published_can_be_neither_repeated_nor_struck() {
    check(
        "{ do = \"await\" }",
        "{ do = \"conflict\", stream = \"run:b:events\", seqs = [7] }",
        "is not published by now: its head is 6",
    );
    check("seq = 4", "seq = 10", "event 10 of `run:a:events` is never published: it ends at 9");
    check(
        "[\"desk\"], at = { delivery = \"run:a:events\", seq = 4",
        "[\"phone\"], at = { delivery = \"run:a:events\", seq = 8",
        "never reaches `phone`",
    );
    check(
        "[\"desk\"], at = { delivery = \"run:a:events\"",
        "[\"phone\"], at = { delivery = \"run:b:events\"",
        "`phone` does not subscribe to `run:b:events`",
    );
    check(
        "delivery = \"run:a:events\", seq = 4",
        "resume = 4",
        "`desk` never comes to resume 4 on the legacy lane, only to 1",
    );
    check("count = 12", "count = 1", "can't share");
}

#[test]
fn who_is_away_can_not_resubscribe_and_an_id_holds_no_dot() {
    let away = "{ do = \"resubscribe\", clients = [\"phone\"] }";
    check("{ do = \"await\" }", away, "`phone` is not connected, so it can't resubscribe");
    check("topic = \"run:b:events\"", "topic = \"run:b.c:events\"", "the id in `run:b.c:events` holds a dot");
}

#[test]
fn who_does_not_subscribe_to_a_stream_can_not_subscribe_to_it_again() {
    let other = "{ do = \"resubscribe\", clients = [\"desk\"], stream = \"run:b:events\" }";
    check("{ do = \"await\" }", other, "nothing is wrong");
    check("{ name = \"desk\" }", "{ name = \"desk\", streams = [\"run:a:events\"] }", "nothing is wrong");
    let text = GOOD.replace("{ do = \"await\" }", other);
    let said = errors(&text.replace("{ name = \"desk\" }", "{ name = \"desk\", streams = [\"run:a:events\"] }"));
    assert!(said.contains("`desk` does not subscribe to `run:b:events`"), "{said}");
}

#[test]
fn a_long_stream_has_a_policy_and_joined_keys_have_a_partner() {
    let long = "stream = \"run:a:events\", count = 10_001";
    let text = GOOD.replace("stream = \"run:a:events\", count = 3", long);
    assert_eq!(errors(&text), "nothing is wrong");
    let said = errors(&text.replace("retention = 5, replay_budget = 50", "retention = 5"));
    assert!(said.contains("10007 events, which a lane's own policy may limit"), "{said}");
    check("retention = 5,", "keys = \"joined\",", "joined keys need several streams");
}

#[test]
fn a_range_of_events_has_a_beginning_and_an_end() {
    let again = |seqs: &str| format!("{{ do = \"republish\", stream = \"run:a:events\", seqs = \"{seqs}\" }}");
    check("{ do = \"await\" }", &again("1..=9"), "nothing is wrong");
    check("{ do = \"await\" }", &again("8..=10"), "event 10 of `run:a:events` is not published by now");
    for wrong in ["0..=3", "4..=3", "1..=20000"] {
        check("{ do = \"await\" }", &again(wrong), "a range of `seqs` has 1 to 10000 numbers");
    }
}

#[test]
fn a_cursor_is_set_on_a_client_that_is_away_and_means_something_there() {
    let set = |rest: &str| format!("{{ do = \"set-cursor\", {rest} }}");
    let desk = set("client = \"desk\", stream = \"run:a:events\", to = 3");
    check("{ do = \"await\" }", &desk, "`desk` is connected, so its checkpoint is in use");
    let other = set("client = \"phone\", stream = \"run:b:events\", to = 3");
    check("{ do = \"await\" }", &other, "`phone` does not subscribe to `run:b:events`");
    let budget = set("client = \"phone\", stream = \"run:a:events\", to = \"beyond-budget\"");
    check("{ do = \"await\" }", &budget, "no cursor lies 51 behind the head 9");
    let each = set("client = \"phone\", stream = \"run:a:events\", to = \"each\"");
    check("{ do = \"await\" }", &each, "`each` stands for the positions of `expand`, and there are none");
    let flor = set("client = \"phone\", stream = \"run:a:events\", to = \"flor\"");
    check("{ do = \"await\" }", &flor, "unknown cursor `flor`\n  hint: did you mean `floor`?");
}

#[test]
fn faults_that_compete_or_hang_are_refused() {
    let more = |fault: &str| format!("seq = 4 }} }},\n  {fault}\n");
    let same = more("{ do = \"repeat\", clients = [\"desk\"], at = { delivery = \"run:a:events\", seq = 4 } },");
    check("seq = 4 } },\n", &same, "another fault fires at the same position");
    let burst = more("{ do = \"repeat\", clients = [\"desk\"], at = { delivery = \"run:a:events\", seq = 8 } },");
    check("seq = 4 } },\n", &burst, "one message may carry the positions of two faults");
    let hold = "do = \"hold\", until = \"heal\", clients";
    check("do = \"cut\", how = \"close\", when = \"before\", clients", hold, "would wait forever");
    check("do = \"cut\", how", "do = \"cut\", times = \"always\", how", "never lets the client get on");
    check("do = \"cut\", how", "do = \"cut\", draws = 3, how", "only a random position can be drawn more than once");
    check("clients = [\"desk\"], at", "clients = [\"writer\"], at", "never comes by its position");
}

#[test]
fn a_defect_is_planted_where_one_is_expected_and_nowhere_else() {
    check(
        "at_least",
        "legacy_defects = [\"accept-stale\"]\nat_least",
        "`legacy_defects` are planted, but no finding is expected",
    );
    check(
        "at_least",
        "candidate_defects = [\"hash-over-text\"]\nat_least",
        "`candidate_defects` are planted, but no finding is expected",
    );
    check("at_least", "candidate_defects = [\"hash-over-tex\"]\nat_least", "did you mean `hash-over-text`?");
    check("at_least", "legacy_defects = [\"acept-stale\"]\nat_least", "did you mean `accept-stale`?");
    check("do = \"cut\", how = \"close\", when = \"before\"", "do = \"drop-event\"", "a defect is planted in one lane");
    let expect = "expect = { decision = \"block\", findings = [\"gap\"], lane = \"legacy\" }\nat_least";
    check("at_least", expect, "no defect is planted");
    check("at_least", expect, "a scenario that must be blocked stands among the honest ones");
    let honest = Scenario::parse("scenarios/known-bad/x.toml", GOOD).unwrap_err().to_string();
    assert!(honest.contains("a known-bad scenario says which findings it must give"), "{honest}");
}

#[test]
fn a_close_that_keeps_a_client_of_a_habit_away_is_a_planted_defect() {
    let away = "a client of this habit does not come back after this close, but no finding is expected";
    let habit = |habit: &str| GOOD.replacen("name = \"desk\"", &format!("name = \"desk\", habit = \"{habit}\""), 1);
    let closes = |text: &str, code: u16, more: &str| {
        text.replacen("how = \"close\",", &format!("how = \"close\", code = {code},{more}"), 1)
    };
    assert!(errors(&closes(&habit("phoenix-1.8.15"), 1000, "")).contains(away));
    assert!(errors(&closes(&habit("phoenix-1.8.15"), 1000, " lane = \"legacy\",")).contains(away));
    for honest in [
        closes(&habit("phoenix-1.8.15"), 1001, ""),
        closes(&habit("phoenix-1.8.15"), 1000, " lane = \"candidate\","),
        closes(&habit("phoenix-1.8.16"), 1000, ""),
        closes(&habit("phoenix-1.8.15"), 1000, "").replace("clients = [\"desk\"], at", "clients = [\"phone\"], at"),
    ] {
        assert!(!errors(&honest).contains(away), "{honest}");
        let expect = "expect = { decision = \"block\", findings = [\"unreached\"], lane = \"legacy\" }\nat_least";
        let expected = honest.replacen("at_least", expect, 1);
        assert!(errors(&expected).contains("no defect is planted"), "{expected}");
    }
}

#[test]
fn what_can_not_be_had_is_not_asked_for() {
    check("deliveries = 10", "deliveries = 22", "22 deliveries are asked for, but 21 events are all");
    check("deliveries = 10", "deliveries = 10, resumes = 3", "3 resumes are asked for, but at most 2");
    check("deliveries = 10", "deliveries = 10, refusals = 1", "1 refusals are asked for, but at most 0");
    check("deliveries = 10", "deliveries = 10, duplicates = 1", "nothing makes every lane repeat itself");
    check("deliveries = 10", "deliveries = 10, faults = 2", "2 faults are asked for on each lane, but one lane has 1");
    check("deliveries = 10", "resumes = 0", "content with no delivery at all");
}

#[test]
fn expansion_leaves_servers_alone_and_needs_topics_with_an_id() {
    let expand = |more: &str| format!("expand = {{ position = \"1..=3\" }}\n{more}");
    let kill = GOOD.replace("{ do = \"await\" }", "{ do = \"server\", lane = \"both\", action = \"kill\" }");
    assert!(errors(&expand(&kill)).contains("cases run side by side on one server"));
    let summary = GOOD.replace("run:b:events", "runtime.run_summaries");
    assert!(errors(&expand(&summary)).contains("has no id, so cases can't each have a copy"));
    let wide = format!("expand = {{ position = \"1..=40\", when = [\"before\", \"after\"] }}\n{GOOD}");
    assert!(errors(&wide).contains("this makes 80 cases"));
    let unused = GOOD.replace("seq = 4", "seq = \"each\"");
    assert!(errors(&unused).contains("`each` stands for the positions of `expand`"));
}

#[test]
fn a_file_too_large_to_be_a_scenario_is_not_read() {
    assert!(errors(&"#".repeat(MAX_FILE_BYTES + 1)).contains("a scenario is at most"));
}

#[test]
fn more_cases_than_are_run_are_told_once() {
    for (positions, expect) in [
        ("\"1..=65\"", "`position` is a range of at most 64 numbers"),
        ("[1, 1]", "the position 1 stands here twice"),
        ("[1]", "this makes a single case"),
    ] {
        let said = errors(&format!("{GOOD}\n[expand]\nposition = {positions}\n"));
        assert!(said.contains(expect), "{said}");
        assert_eq!(said.contains("single case"), expect.contains("single case"), "{said}");
    }
}

#[test]
fn no_list_is_cut_in_silence() {
    let fault = "{ do = \"repeat\", clients = [\"desk\"], at = { resume = 1 } },\n";
    let toxic = "{ type = \"latency\", clients = [\"desk\"], latency = 1 },\n";
    let step = "{ do = \"await\" },\n";
    for (key, member) in [("faults", fault), ("toxics", toxic), ("steps", step)] {
        let list = format!("{key} = [\n{}]\n", member.repeat(257));
        let text = match GOOD.contains(&format!("{key} = [")) {
            true => GOOD.replacen(&format!("{key} = [\n"), &format!("{key} = [\n{}", member.repeat(257)), 1),
            false => format!("{GOOD}{list}"),
        };
        let said = errors(&text);
        assert!(said.contains(&format!("`{key}` has 2")) && said.contains("at most 256 are possible"), "{said}");
    }
}

#[test]
fn clients_beside_a_window_say_something_of_themselves_and_refused_ones_are_not_waited_for() {
    let window = "window = {}\nclients = [{ name = \"desk\" }";
    check("clients = [{ name = \"desk\" }", window, "the window lets in or refuses `desk` by what it says");
    let low = "window = { min_schema = 3, max_schema = 2 }\nclients = [{ name = \"desk\" }";
    check("clients = [{ name = \"desk\" }", low, "`max_schema` is below `min_schema`");
    let join = |build: &str| format!("join = {{ build = \"{build}\", protocol = \"own\", schema = 1 }}");
    let clients = |desk: &str| {
        let (good, desk) = (join("20260225T190000Z"), join(desk));
        let phone = format!("{{ name = \"phone\", streams = [\"run:a:events\"], {good} }}");
        format!("window = {{}}\nclients = [{{ name = \"desk\", {desk} }}, {phone}]")
    };
    let all = "clients = [{ name = \"desk\" }, { name = \"phone\", streams = [\"run:a:events\"] }]";
    let text = GOOD.replacen(all, &clients("20250101T000000Z"), 1);
    let waits = text.replacen("\"await\" }", "\"await\", clients = [\"desk\"] }", 1);
    assert!(errors(&waits).contains("`desk` is not connected"), "{}", errors(&waits));
    let again = text.replacen("{ do = \"await\" }", "{ do = \"connect\", clients = [\"desk\"] }", 1);
    assert!(errors(&again).contains("`desk` was refused, and does not try again"), "{}", errors(&again));
}

#[test]
fn connections_are_counted_where_the_script_alone_decides_which_there_are() {
    let said = "a fault or toxic decides which connections end, and a lane may learn of that late";
    check("{ do = \"await\" }", "{ do = \"await\" },\n  { do = \"count\" }", said);
    check("{ do = \"await\" }", "{ do = \"await\" },\n  { do = \"count\", within_ms = 60000 }", "nothing is wrong");
    let silent = GOOD.replacen("{ name = \"desk\" }", "{ name = \"desk\", join = {} }", 1);
    let silent = silent.replacen("{ do = \"await\" }", "{ do = \"count\", within_ms = 60000 }", 1);
    assert!(errors(&silent).contains("a client that joins without a name can't be counted"), "{}", errors(&silent));
}

#[test]
fn a_cursor_that_a_resume_does_not_have_cannot_be_rewritten() {
    const FAULT: &str = "\"cut\", how = \"close\", when = \"before\", clients = [\"desk\"], \
                         at = { delivery = \"run:a:events\", seq = 4 }";
    let rewrite = |client, nth| {
        format!(
            "\"rewrite-cursor\", stream = \"run:a:events\", to = 0, clients = [\"{client}\"], at = {{ resume = {nth} }}"
        )
    };
    check(
        FAULT,
        &rewrite("desk", 1),
        "resume 1 of `desk` has no cursor of `run:a:events`, so there is none to rewrite",
    );
    let back = GOOD.replace("  { do = \"await\" }", "  { do = \"connect\" },\n  { do = \"await\" }");
    assert_eq!(errors(&back.replace(FAULT, &rewrite("phone", 2))), "nothing is wrong");
    // Below the floor, the second resume is refused, and the third has no cursor.
    let pruned = back.replace("count = 3,", "count = 20,");
    let said = errors(&pruned.replace(FAULT, &rewrite("phone", 3)));
    assert!(said.contains("resume 3 of `phone` has no cursor of `run:a:events`"), "{said}");
}

#[test]
fn a_client_connects_while_a_server_is_down_only_where_the_script_does_not_wait_for_it() {
    const AWAIT: &str = "{ do = \"await\" }";
    let connect = |rest: &str| {
        let server = |action: &str| format!("{{ do = \"server\", lane = \"legacy\", action = \"{action}\" }}");
        let connect = format!("{{ do = \"connect\", clients = [\"phone\"]{rest} }}");
        format!("{},\n  {connect},\n  {},\n  {AWAIT}", server("kill"), server("restart"))
    };
    check(AWAIT, &connect(""), "connecting while the legacy server is down would wait forever");
    assert_eq!(errors(&GOOD.replace(AWAIT, &connect(", pace = \"burst\""))), "nothing is wrong");
}

#[test]
fn a_program_has_a_command_and_no_key_of_our_own_client() {
    let client = |more: &str| format!("clients = [{{ name = \"desk\", {more} }}");
    let driven = client("driver = \"exec\"");
    check("clients = [{ name = \"desk\" }", &driven, "there is no command for the program");
    let command = client("legacy = [\"client\"]");
    check("clients = [{ name = \"desk\" }", &command, "a command without a driver is never run");
    let empty = client("driver = \"exec\", legacy = [\" \"]");
    check("clients = [{ name = \"desk\" }", &empty, "a word of a command is empty");
    let never = client("defect = \"hammers\"");
    check("clients = [{ name = \"desk\" }", &never, "this defect is never planted");
    let planted = client("driver = \"planted\", defect = \"hammers\"");
    check("clients = [{ name = \"desk\" }", &planted, "the client plants a defect, but no finding is expected");
    let both = client("driver = \"planted\", defect = \"hammers\", legacy = [\"client\"]");
    check("clients = [{ name = \"desk\" }", &both, "a command without a driver is never run");
    let which = client("driver = \"planted\"");
    check("clients = [{ name = \"desk\" }", &which, "a client needs `defect`");
    let ours = client("driver = \"exec\", legacy = [\"client\"], serializer = \"v1\"");
    check("clients = [{ name = \"desk\" }", &ours, "`serializer` is about the harness's own client");
}
