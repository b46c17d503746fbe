use super::*;

fn table() -> Table {
    let mut table = Table::new(&[("scenario", Align::Left), ("seen", Align::Right), ("verdict", Align::Left)], 0);
    table.row(vec!["resume-after-a-cut-at-every-position".to_owned(), "1200".to_owned(), "valid".to_owned()]);
    table.row(vec!["equal".to_owned(), "3".to_owned()]);
    table
}

#[test]
fn a_table_is_as_wide_as_what_stands_in_it() {
    assert_eq!(
        table().lines(200),
        [
            "  scenario                              seen  verdict",
            "  resume-after-a-cut-at-every-position  1200  valid",
            "  equal                                    3",
        ]
    );
}

#[test]
fn a_table_that_is_too_wide_shortens_the_column_that_gives_way() {
    let lines = table().lines(40);
    assert!(lines.iter().all(|line| columns(line) <= 40), "{lines:#?}");
    assert!(lines[1].contains('…'), "{lines:#?}");
}

#[test]
fn text_is_broken_at_blanks_and_a_path_stays_whole() {
    assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    assert_eq!(wrap("a reports/20260101T000000Z-42 b", 10), ["a", "reports/20260101T000000Z-42", "b"]);
    assert!(wrap("  ", 10).is_empty());
}

#[test]
fn a_word_that_is_no_path_never_makes_a_line_too_long() {
    let text = format!("got \"{}\"", "x".repeat(25));
    assert_eq!(wrap(&text, 10), ["got", "\"xxxxxxxxx", "xxxxxxxxxx", "xxxxxx\""]);
}
