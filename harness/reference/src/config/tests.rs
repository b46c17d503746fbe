#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn a_toml_file_sets_some_and_leaves_the_rest() {
    let text = "[tokens]\nkey = 'k'\nfallback_keys = ['old']\n[timeouts]\nsocket_idle_ms = 5\n";
    let config = Config::from_text(Path::new("legacy.toml"), text).unwrap();
    assert_eq!(config.tokens.keys().collect::<Vec<_>>(), ["k", "old"]);
    assert_eq!((config.timeouts.socket_idle_ms, config.timeouts.channel_tick_ms), (5, 15_000));
    assert_eq!(config.tokens.leeway_s, 30);
}

#[test]
fn a_json_file_is_read_by_its_name_and_an_unknown_key_is_named() {
    let read = |text| Config::from_text(Path::new("legacy.json"), text);
    assert!(read(r#"{"compat": {"enforced": true}}"#).unwrap().compat.enforced);
    let error = read(r#"{"compt": {}}"#).unwrap_err().to_string();
    assert!(error.contains("legacy.json") && error.contains("compt"), "{error}");
}

#[test]
fn a_mistake_is_told_without_the_line_that_may_hold_a_key() {
    let text = "[tokens]\nkey = 'k3y-of-mine' x\n";
    let error = Config::from_text(Path::new("legacy.toml"), text).unwrap_err().to_string();
    assert!(error.contains("line 2") && !error.contains("k3y"), "{error}");
}

/// The block of the page that shows every key.
fn shown() -> &'static str {
    let page = include_str!("../../../../docs/OPERATING.md");
    let block = page.split("```toml\n").find(|block| block.starts_with("quiet = "));
    block.and_then(|block| block.split("```").next()).unwrap()
}

#[test]
fn the_page_shows_every_key_with_its_default() {
    let of_page: Config = toml::from_str(shown()).unwrap();
    assert_eq!(format!("{of_page:?}"), format!("{:?}", Config::default()));
    // An unknown key is answered with a list of those that there are.
    for table in ["topics", "classes", "classes.run_events", "tokens", "publish", "limits", "timeouts", "compat"] {
        let error = toml::from_str::<Config>(&format!("[{table}]\nno_such_key = 1")).unwrap_err();
        let keys = error.message().split('`').skip(3).step_by(2);
        for key in keys {
            assert!(shown().contains(key), "{table}.{key} is not on the page");
        }
    }
}

#[test]
fn what_the_page_shows_without_a_default_is_read() {
    let all = shown().replace("\n#", "\n");
    toml::from_str::<Config>(&all).unwrap();
}

#[test]
fn a_value_of_another_type_is_not_repeated_and_what_an_option_says_is_refused() {
    for (text, told) in [
        ("[tokens]\nfallback_keys = 'the-old-key'", "line 2: invalid type: string, expected a sequence"),
        ("listen = '127.0.0.1:1'", "unknown field `listen`"),
        ("\"x\\nALLOW\" = 1", "unknown field `x\\u{a}ALLOW`"),
    ] {
        let error = Config::from_text(Path::new("c.toml"), text).unwrap_err().to_string();
        assert!(error.contains(told) && !error.contains("the-old-key"), "{error}");
    }
}
