#![allow(clippy::unwrap_used)]

use super::*;

fn process(variables: &[(&str, &str)]) -> BTreeMap<String, Result<String, String>> {
    variables.iter().map(|(key, value)| ((*key).to_owned(), Ok((*value).to_owned()))).collect()
}

fn of(variables: &[(&str, &str)], file: &str) -> HostedEnvironment {
    HostedEnvironment::of(EnvName::Staging, PREFIX, &process(variables), &lines_of(file).unwrap())
}

fn misfits(environment: &HostedEnvironment) -> Vec<String> {
    environment.misfits.iter().map(line_of).collect()
}

const FILE: &str = "\
# The staging lane
export OA_SPACETIME_STAGING_HTTP_BASE_URL=\"https://staging.example.com/stdb\"  # behind the gateway

OA_SPACETIME_STAGING_DATABASE='sync-staging'
OA_SPACETIME_STAGING_TOKEN_ISSUER=https://auth.example.com # the control service
OA_SPACETIME_PROD_DATABASE=sync
";

#[test]
fn a_file_names_the_lane_and_the_process_wins() {
    let environment =
        of(&[("OA_SPACETIME_STAGING_DATABASE", "other"), ("OA_SPACETIME_STAGING_TOKEN", "abc.def")], FILE);
    assert_eq!(misfits(&environment), Vec::<String>::new());
    assert_eq!(environment.database(), "other");
    assert_eq!(environment.get(Variable::TokenIssuer), Some("https://auth.example.com"));
    let profile = environment.profile().unwrap();
    assert_eq!(profile.url, "https://staging.example.com/stdb");
    assert_eq!((profile.base(), profile.publishes_module()), ("/stdb".to_owned(), false));
    assert_eq!(profile.token.unwrap().reveal(), "abc.def");
    assert_eq!(environment.set().len(), 4);
}

#[test]
fn every_missing_and_malformed_variable_is_told_at_once() {
    let environment = of(
        &[
            ("OA_SPACETIME_STAGING_HTTP_BASE_ULR", "https://staging.example.com"),
            ("OA_SPACETIME_STAGING_DATABASE", "a/b"),
            ("OA_SPACETIME_STAGING_WEBSOCKET_PATH", "/subscribe"),
            ("OA_SPACETIME_STAGING_HEALTH_PATH", "health"),
            ("OA_SPACETIME_STAGING_FINGERPRINT", "sha256:12"),
            ("OA_SPACETIME_STAGING_DISPOSABLE", "yes"),
        ],
        "",
    );
    let told = misfits(&environment);
    assert_eq!(told.len(), 6, "{told:#?}");
    assert!(told[0].contains("HTTP_BASE_URL: is not set") && told[0].contains("HTTP_BASE_ULR"), "{}", told[0]);
    let failure = environment.profile().unwrap_err();
    assert_eq!(failure.exit, crate::exit::Exit::Usage);
    assert_eq!(failure.message.lines().count(), 7, "{}", failure.message);
}

#[test]
fn a_url_that_is_none_is_told() {
    for url in ["staging.example.com", "ftp://example.com", "https://user:word@example.com", "https://a/v1/database/x"]
    {
        let variables = [("OA_SPACETIME_STAGING_HTTP_BASE_URL", url), ("OA_SPACETIME_STAGING_DATABASE", "sync")];
        let told = misfits(&of(&variables, ""));
        assert!(told.len() == 1 && !told[0].contains("user:word"), "{url}: {told:?}");
    }
}

#[test]
fn a_token_in_a_file_is_refused_and_not_shown() {
    let environment = of(&[], &format!("{FILE}OA_SPACETIME_STAGING_TOKEN=not-to-be-seen\n"));
    assert!(environment.token.is_none());
    let failure = environment.profile().unwrap_err().to_string();
    assert!(failure.contains("stands in the file") && !failure.contains("not-to-be-seen"), "{failure}");
}

#[test]
fn the_data_of_production_is_never_disposable() {
    let variables = process(&[("P_PROD_DISPOSABLE", "true"), ("P_DEV_DISPOSABLE", "true")]);
    let is_disposable = |name| HostedEnvironment::of(name, "P", &variables, &BTreeMap::new()).is_disposable();
    assert!(is_disposable(EnvName::Dev) && !is_disposable(EnvName::Prod) && !is_disposable(EnvName::Staging));
}

#[test]
fn a_line_that_is_none_is_told_by_its_number() {
    for (text, line, word) in
        [("A=1\nB", 2, "no `=`"), ("a b=1", 1, "no name"), ("A=\"1", 1, "open quote"), ("A=1\n\nA=2", 3, "set twice")]
    {
        let (at, what) = lines_of(text).unwrap_err();
        assert!(at == line && what.contains(word), "{text}: {at} {what}");
    }
}
