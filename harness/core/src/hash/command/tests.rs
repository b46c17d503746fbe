#![allow(clippy::unwrap_used)]

use super::*;

fn run(input: &str) -> (Result<Hashed, HashError>, Vec<String>) {
    let mut out = Vec::new();
    let result = hash_documents(&mut input.as_bytes(), true, &mut out);
    let lines = String::from_utf8(out).unwrap().lines().map(str::to_owned).collect();
    (result, lines)
}

fn check(input: &str, expected: &[&str]) {
    let (result, lines) = run(input);
    assert_eq!(result.unwrap().documents, expected.len() as u64, "{input:?}");
    let texts: Vec<_> = lines.iter().skip(1).step_by(2).collect();
    assert_eq!(texts, expected, "{input:?}");
    assert!(lines.iter().step_by(2).all(|line| line.starts_with("sha256:")), "{lines:?}");
}

fn check_error(input: &str, message: &str, written: usize) {
    let (result, lines) = run(input);
    assert_eq!(result.unwrap_err().to_string().split(';').next(), Some(message), "{input:?}");
    assert_eq!(lines.len(), 2 * written, "{input:?}");
}

#[test]
fn one_document_is_one_whatever_lines_it_spans() {
    check(r#"{"b":1,"a":2}"#, &[r#"{"a":2,"b":1}"#]);
    check("\n\n{\n \"b\": 1,\r\n\"a\": [\n]}\n\n", &[r#"{"a":[],"b":1}"#]);
    check("7", &["7"]);
}

#[test]
fn lines_are_documents_where_the_whole_is_none() {
    check("{\"a\":1}\n{\"b\":1}", &[r#"{"a":1}"#, r#"{"b":1}"#]);
    check("\r\n1\r\n \n\"x\"\n\n[ ]\n", &["1", "\"x\"", "[]"]);
}

#[test]
fn a_bad_line_is_named_by_its_place_in_the_file() {
    check_error(
        "{}\n\n{\"a\":01}\n{}\n",
        "line 3, column 6 (byte 9, at /a): the number starts with a superfluous zero",
        1,
    );
    check_error("{\n\"a\": 1,\n\"a\": 2}", "line 3, column 1 (byte 10): the object has the name \"a\" twice", 0);
    check_error("\n[1,\n", "line 3, column 1 (byte 5, at /1): the input ends where a value should come", 0);
    check_error("{}\n{\n}\n", "line 2, column 2 (byte 4): the input ends where a member name should come", 1);
    check_error("{\n} {\n}\n", "line 2, column 3 (byte 4): there is more after the end of the document", 0);
    check_error("\u{feff}{}\n{}\n", "line 1, column 1 (byte 0): the input starts with a byte order mark", 0);
}

#[test]
fn an_input_without_a_document_is_an_error() {
    check_error("", "line 1, column 1 (byte 0): there is no JSON document", 0);
    check_error("\n \n", "line 3, column 1 (byte 3): there is no JSON document", 0);
}

#[test]
fn unsafe_integers_of_all_lines_are_counted() {
    assert_eq!(run("9007199254740993\n[1,-9007199254740993]\n").0.unwrap().unsafe_integers, 2);
}
