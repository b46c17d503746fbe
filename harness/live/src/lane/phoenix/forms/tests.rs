#![allow(clippy::unwrap_used)]

use super::*;

fn form(text: &str) -> WatermarkForm {
    WatermarkForm::try_from(text.to_owned()).unwrap()
}

#[test]
fn a_watermark_is_read_as_it_is_written() {
    for text in ["{seq}", "\"{seq}\"", "\"s-{seq}\"", "{\"seq\": {seq}}", "{\"at\": {\"n\": \"{seq}\"}}", "[0, {seq}]"]
    {
        let form = form(text);
        assert_eq!(form.read(&form.write(42)), Some(42), "{text}");
        assert_eq!(form.read(&form.write(0)), Some(0), "{text}");
    }
    assert_eq!(form("\"s-{seq}\"").write(7), "\"s-7\"");
}

#[test]
fn a_watermark_of_another_form_is_not_read() {
    for (text, other) in [
        ("{seq}", "\"42\""),
        ("{seq}", "-1"),
        ("{seq}", "1.5"),
        ("\"{seq}\"", "42"),
        ("\"{seq}\"", "\"+42\""),
        ("\"{seq}\"", "\"\""),
        ("\"s-{seq}\"", "\"t-42\""),
        ("{\"seq\": {seq}}", "42"),
        ("{\"seq\": {seq}}", "{\"other\": 42}"),
    ] {
        assert_eq!(form(text).read(other), None, "{text} of {other}");
    }
    // What else an object has does not matter.
    assert_eq!(form("{\"seq\": {seq}}").read("{\"epoch\": \"a\", \"seq\": 42}"), Some(42));
}

#[test]
fn a_form_without_a_place_for_the_number_is_refused() {
    for wrong in ["", "seq", "{seq", "{seq}{seq}", "\"a\"", "{seq} and more"] {
        let why = WatermarkForm::try_from(wrong.to_owned()).unwrap_err();
        assert!(why.contains("{seq}"), "{why}");
    }
}
