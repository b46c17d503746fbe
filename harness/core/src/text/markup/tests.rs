#![allow(clippy::unwrap_used)]
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;

fn github() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_MATH
        | Options::ENABLE_GFM
}

/// What a reader of Markdown sees of a text in a place, and whether anything in it was markup.
fn read(document: &str, place: &str) -> (String, bool) {
    let mut seen = String::new();
    let mut markup = false;
    for event in Parser::new_ext(document, github()) {
        match event {
            Event::Text(text) => seen.push_str(&text),
            Event::InlineHtml(html) if *html == *SPLIT => {}
            Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) => {}
            Event::Start(Tag::Item | Tag::List(None)) | Event::End(TagEnd::Item | TagEnd::List(_))
                if place == "item" => {}
            Event::Start(Tag::Heading { .. }) | Event::End(TagEnd::Heading(_)) if place == "heading" => {}
            Event::Start(Tag::Table(_) | Tag::TableHead | Tag::TableRow | Tag::TableCell)
            | Event::End(TagEnd::Table | TagEnd::TableHead | TagEnd::TableRow | TagEnd::TableCell)
                if place == "cell" => {}
            other => {
                markup = true;
                seen.push_str(&format!("{other:?}"));
            }
        }
    }
    (seen, markup)
}

/// Texts in which markup is likely.
fn texts() -> impl Strategy<Value = String> {
    let likely = "[a-z0-9 \\-+=.)(!:/@#$<>|\\\\`*_\\[\\]&~\"'{}^;\\n\\t\\x1b\u{202e}]{0,24}";
    let words = prop::sample::select(vec![
        "https://a.b/c",
        "www.a.b",
        "a@b.cd",
        "@org/team",
        "#12",
        "$x$",
        "$`x`$",
        "<b>",
        "&lt;",
        "[a](b)",
        "![a](b)",
        "~~x~~",
        "---",
        "1. x",
        "- [ ] x",
        "[^1]: x",
        "> x",
        "    x",
        "| x |",
        "```",
        "**x**",
        "==x==",
        "# x",
    ]);
    prop_oneof![
        any::<String>(),
        likely.prop_map(|text| text),
        prop::collection::vec(words, 1..4).prop_map(|words| words.join(" "))
    ]
}

proptest! {
    #[test]
    fn only_text_comes_out_of_markdown(text in texts()) {
        let shown = markdown(&text);
        let expected = written_out(&text, |c| c == '\n').replace('\n', " ");
        for (place, document) in [
            ("paragraph", format!("{shown}\n")),
            ("item", format!("- {shown}\n")),
            ("heading", format!("### {shown}\n")),
            ("cell", format!("| a | b |\n|---|---|\n| x | {shown} |\n")),
        ] {
            let (seen, markup) = read(&document, place);
            prop_assert!(!markup, "{place}: {document:?} {seen:?}");
            let end = if place == "cell" { seen.strip_prefix("abx").unwrap() } else { &seen };
            prop_assert_eq!(end.trim(), expected.trim(), "{}: {:?}", place, document);
        }
    }

    #[test]
    fn a_code_span_is_read_as_the_text_that_was_given(text in texts()) {
        let (inline, cell) = (code(&text), code_in_cell(&text));
        for (document, before) in [
            (format!("{inline}\n"), ""),
            (format!("- x{inline}\n"), "x"),
            (format!("Reproduce: {inline}\n"), "Reproduce: "),
            (format!("| a | b |\n|---|---|\n| x | {cell} |\n"), "abx"),
        ] {
            let mut seen = String::new();
            let mut spans = Vec::new();
            for event in Parser::new_ext(&document, github()) {
                match event {
                    Event::Text(text) => seen.push_str(&text),
                    Event::Code(text) => spans.push(text.to_string()),
                    Event::Start(
                        Tag::Paragraph | Tag::List(None) | Tag::Item | Tag::Table(_) | Tag::TableHead
                        | Tag::TableRow | Tag::TableCell,
                    )
                    | Event::End(_) => {}
                    other => prop_assert!(false, "{document:?} {other:?}"),
                }
            }
            let expected: Vec<String> = Some(visible(&text)).into_iter().filter(|text| !text.is_empty()).collect();
            prop_assert_eq!(&spans, &expected, "{:?}", document);
            prop_assert_eq!(seen.trim(), before.trim(), "{:?}", document);
        }
    }

    #[test]
    fn no_control_character_and_no_markup_comes_out_of_any_printer(text in any::<String>()) {
        for shown in [html(&text), xml(&text), markdown(&text), code(&text), code_in_cell(&text)] {
            prop_assert!(!shown.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')), "{shown:?}");
        }
        prop_assert!(!html(&text).contains(['<', '>', '"']));
        let document = format!("<a b=\"{0}\">{0}</a>", html(&text));
        let mut reader = quick_xml::Reader::from_str(&document);
        let quick_xml::events::Event::Start(start) = reader.read_event().unwrap() else { panic!() };
        let attribute = start.attributes().next().unwrap().unwrap();
        prop_assert_eq!(attribute.unescape_value().unwrap(), xml(&text));
    }
}

#[test]
fn what_github_would_render_is_neutral() {
    assert_eq!(markdown("cost $5$ for @all, see #12"), "cost &#36;5&#36; for @<!-- -->all, see \\#<!-- -->12");
    assert_eq!(markdown("http://a.b www.c.d"), "http:<!-- -->//a.b www.<!-- -->c.d");
    assert_eq!(markdown("a\nb | <c>"), "a b \\| \\<c\\>");
    assert_eq!(code("a`b|c\u{1b}"), "``a`b|c\\u{1b}``");
    assert_eq!(code_in_cell("`a`|b"), "`` `a`\\|b ``");
    assert_eq!(code("a\nb"), "`a\\u{a}b`");
    assert_eq!([code(""), code("  "), code(" a")], ["", "`  `", "`  a `"]);
}
