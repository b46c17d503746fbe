use super::{Told, told};

fn ok(accepted: &str, words: &str) -> Option<Told> {
    told(&format!(r#"["OK","ab",{accepted},"{words}"]"#), "ab")
}

#[test]
fn the_third_value_decides_and_the_words_say_what_to_do() {
    assert_eq!(ok("true", ""), Some(Told::Has));
    assert_eq!(ok("true", "duplicate: already have this event"), Some(Told::Has));
    assert_eq!(ok("false", "duplicate: already have this event"), Some(Told::Has));
    for words in ["rate-limited: slow down", "error: database error", "replaced: have newer event", "no words"] {
        assert_eq!(ok("false", words), Some(Told::Later(words.to_owned())));
    }
    for words in ["blocked: no", "invalid: bad signature", "restricted: no", "mute: no", "pow: 20", "auth-required: x"]
    {
        assert_eq!(ok("false", words), Some(Told::Never(words.to_owned())));
    }
}

#[test]
fn what_is_no_answer_to_the_event_is_passed_over() {
    let others = [
        "no JSON",
        "{}",
        "[]",
        r#"["OK"]"#,
        r#"["OK","cd",true,""]"#,
        r#"["OK","ab","true",""]"#,
        r#"["OK","ab",true]"#,
        r#"["NOTICE","ab"]"#,
        r#"["EVENT","s",{}]"#,
        r#"["OK","ab",1,""]"#,
    ];
    for text in others {
        assert_eq!(told(text, "ab"), None, "{text}");
    }
}
