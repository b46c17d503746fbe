use crate::check::tests::check;

#[test]
fn a_call_that_is_answered_as_planned_is_right() {
    check("reducer-rule", "pub a1; candidate: call a upsert done; candidate: call a upsert conflict", &[]);
}

#[test]
fn a_call_that_had_to_be_refused_is_reported_where_it_was_done() {
    check("reducer-rule", "pub a1; candidate: call a upsert conflict done", &["candidate accepted a"]);
}

#[test]
fn a_call_that_was_refused_is_reported_by_what_was_expected() {
    let text =
        "pub a1; candidate: call a upsert done refused conflict; candidate: call a upsert conflict refused other";
    check("reducer-rule", text, &["candidate refused a", "candidate refused-with-another-code a"]);
}

#[test]
fn other_rows_are_reported() {
    check("reducer-rule", "pub a1; candidate: rows a [[1]] [[1]]", &[]);
    check("reducer-rule", "pub a1; candidate: rows a [[1]] [[2]]", &["candidate other-rows a"]);
}

#[test]
fn a_call_without_an_answer_is_unknown_and_one_that_is_not_offered_is_nothing() {
    check("reducer-rule", "pub a1; candidate: call a upsert done info", &["candidate never-answered a"]);
    check("reducer-rule", "pub a1; legacy: call a upsert done not-offered", &[]);
}
