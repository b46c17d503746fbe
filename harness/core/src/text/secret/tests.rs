use super::*;

#[test]
fn a_secret_is_found_in_every_spelling_and_in_every_text() {
    let secret = Secret::new("Bearer pa ss/w\"rd+1");
    assert_eq!(format!("{secret:?}"), "***");
    let spellings = [
        "pa ss/w\"rd+1".to_owned(),
        "Bearer pa ss/w\"rd+1".to_owned(),
        percent_encoded("Bearer pa ss/w\"rd+1"),
        "Bearer+pa+ss%2Fw%22rd%2B1".to_owned(),
        BASE64_STANDARD_NO_PAD.encode("Bearer pa ss/w\"rd+1"),
        serde_json::to_string("Bearer pa ss/w\"rd+1").unwrap_or_default(),
    ];
    for spelling in &spellings[1..] {
        let text = format!("the lane said {spelling}, and left");
        assert!(!scrubbed(&text).contains("rd"), "{}", scrubbed(&text));
    }
    assert_eq!(scrubbed("nothing of it here"), "nothing of it here");
    Secret::new("short");
    assert_eq!(scrubbed("short is a word"), "short is a word");
}

#[test]
fn a_secret_is_found_in_the_spellings_of_other_languages() {
    Secret::new("Sp/el+li=ng\"9");
    for spelling in
        ["Sp%2fel%2bli%3dng%229", "%53%70%2F%65%6C%2B%6C%69%3D%6E%67%22%39", "Sp\\/el+li=ng\\\"9", "Sp/el+li=ng&quot;9"]
    {
        assert_eq!(scrubbed(spelling), "***", "{spelling}");
    }
}

#[test]
fn a_short_value_is_masked_everywhere_but_under_a_harmless_name() {
    learn("http://h/?ticket=admit-me&region=westeros");
    assert_eq!(scrubbed("admit-me to westeros"), "*** to westeros");
}

#[test]
fn of_a_url_only_what_is_no_secret_is_shown() {
    for (url, shown) in [
        ("http://user:pw@h:1/p?token=t&vsn=2.0.0", "http://***@h:1/p?token=***&vsn=2.0.0"),
        ("HTTP://u@h/?Token=t;%74oken=t&VSN=1", "HTTP://***@h/?Token=***;%74oken=***&VSN=1"),
        ("ftp://u:p@h/?api_key=k#access_token=k", "ftp://***@h/?api_key=***#access_token=***"),
        ("http://u:p/q?r@h/", "http://***@h/"),
        ("127.0.0.1:1/?token=t", "127.0.0.1:1/?token=***"),
        ("u:p@h", "***@h"),
        ("http://h/?bare", "http://h/?***"),
        ("http://h:99999/p", "http://h:99999/p"),
        ("lanes/staging.toml", "lanes/staging.toml"),
        ("http://[::1]:4000/?", "http://[::1]:4000/?"),
    ] {
        assert_eq!(masked(url), shown);
    }
    assert_eq!(
        scrubbed("it redirects to `wss://h/s?jwt=abc`, see (https://x.y/#z)"),
        "it redirects to `wss://h/s?jwt=***`, see (https://x.y/#***)"
    );
}

#[test]
fn what_may_not_stand_in_a_path_is_encoded() {
    assert_eq!(percent_encoded("run:a:events"), "run%3Aa%3Aevents");
    assert_eq!(percent_encoded("é/~"), "%C3%A9%2F~");
}

#[test]
fn a_url_that_is_refused_teaches_its_secrets() {
    learn("ftp://user:s%33kret-password@h:99999/?Api_Key=k3y-of-mine&region=europe");
    assert_eq!(scrubbed("got s3kret-password and s%33kret-password"), "got *** and ***");
    assert_eq!(scrubbed("k3y-of-mine in europe"), "*** in europe");
}
