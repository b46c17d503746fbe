//! Text within markup: none of it is markup.

use super::{visible, written_out};

/// Text that a page shows as it is; also within an attribute in double quotes.
pub fn html(text: &str) -> String {
    quick_xml::escape::escape(xml(text)).into_owned()
}

/// Text as XML 1.0 can hold it: the other characters can't be in it even as a reference. The writer of the document
/// escapes the rest.
pub fn xml(text: &str) -> String {
    written_out(text, |c| matches!(c, '\n' | '\t'))
}

/// Splits what would be a mention, a number of an issue or a link, and is not seen.
const SPLIT: &str = "<!-- -->";

/// Text that Markdown shows as it is, also within a table: neither CommonMark nor what GitHub makes of a text (math,
/// mentions, numbers of issues, bare links) finds markup in it.
pub fn markdown(text: &str) -> String {
    let text = written_out(text, |c| c == '\n').replace('\n', " ");
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let before = shown.len();
        match c {
            ' ' if before == 0 => shown.push_str("&#32;"),
            '-' | '+' | '=' if before == 0 => shown.extend(['\\', c]),
            // `1.` begins a list.
            '.' | ')' if shown.bytes().all(|byte| byte.is_ascii_digit()) => shown.extend(['\\', c]),
            // A backslash does not keep GitHub from reading math.
            '$' => shown.push_str("&#36;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '~' => shown.extend(['\\', c]),
            _ => shown.push(c),
        }
        let link = (c == ':' && next == '/') || (c == '.' && shown.to_ascii_lowercase().ends_with("www."));
        if link || c == '@' || (c == '#' && next.is_ascii_digit()) {
            shown.push_str(SPLIT);
        }
    }
    shown
}

/// Text as code, which is read back as it is: its fence is longer than any run of backticks in it, and a blank that
/// CommonMark takes away stands at both ends where the text begins or ends with a backtick or a blank.
pub fn code(text: &str) -> String {
    let text = visible(text);
    let runs = text.split(|c| c != '`').map(str::len);
    // A code span can't be empty, and of one of blanks only none is taken away.
    let fence = match text.is_empty() {
        true => String::new(),
        false => "`".repeat(runs.max().unwrap_or(0) + 1),
    };
    let at_end = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    let blank = if at_end && text.contains(|c| c != ' ') { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// Text as code in a cell of a table, which a `|` would end even there.
pub fn code_in_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            markdown("cost $5$ for @all, see #12"),
            "cost &#36;5&#36; for @<!-- -->all, see \\#<!-- -->12"
        );
        assert_eq!(markdown("http://a.b www.c.d"), "http:<!-- -->//a.b www.<!-- -->c.d");
        assert_eq!(markdown("a\nb | <c>"), "a b \\| \\<c\\>");
        assert_eq!(code("a`b|c\u{1b}"), "``a`b|c\\u{1b}``");
        assert_eq!(code_in_cell("`a`|b"), "`` `a`\\|b ``");
        assert_eq!(code("a\nb"), "`a\\u{a}b`");
        assert_eq!([code(""), code("  "), code(" a")], ["", "`  `", "`  a `"]);
    }
}
