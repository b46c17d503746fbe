use super::*;

fn pattern(text: &str, code: &str) -> Pattern {
    Pattern { text: text.to_owned(), code: code.to_owned() }
}

#[test]
fn a_plain_text_has_the_code_and_the_numbers_of_its_pattern() {
    let patterns = vec![pattern("conflict expected={expected} actual={actual}", "sequence_conflict")];
    let refusals = Refusals { form: Form::Text, patterns };
    let refusal = refusals.read(&Names::any(), "conflict expected=4 actual=9");
    assert_eq!(refusal.code, "sequence_conflict");
    assert_eq!((refusal.numbers["expected"], refusal.numbers["actual"]), (4, 9));
    let other = refusals.read(&Names::any(), r#"{"code":"stale_cursor"}"#);
    assert_eq!((other.code.as_str(), other.message.as_str()), ("server_error", r#"{"code":"stale_cursor"}"#));
}

#[test]
fn json_is_read_as_the_contract_has_it() {
    let refusal = Refusals::default().read(&Names::any(), r#"{"code":"sequence_conflict","expected":4,"actual":9}"#);
    assert_eq!((refusal.code.as_str(), refusal.numbers["actual"]), ("sequence_conflict", 9));
}

#[test]
fn a_pattern_that_fits_every_text_is_a_mistake() {
    for (text, code) in [("{all}", "x"), (" ", "x"), ("words", "")] {
        let refusals = Refusals { form: Form::Text, patterns: vec![pattern(text, code)] };
        assert_eq!(refusals.misfits().len(), 1, "{text}");
    }
}
