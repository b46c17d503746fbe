use super::*;

#[test]
fn paths_and_methods_are_told_apart() {
    let x = || "x".to_owned();
    for (method, path, expect) in [
        ("GET", "/proxies", Route::Proxies),
        ("HEAD", "/proxies", Route::WrongMethod),
        ("PUT", "/proxies/x", Route::WrongMethod),
        ("PATCH", "/proxies/x", Route::UpdateProxy(x())),
        ("POST", "/proxies/x", Route::UpdateProxy(x())),
        ("PATCH", "/proxies/x/toxics", Route::WrongMethod),
        ("PATCH", "/proxies/x/toxics/y", Route::UpdateToxic(x(), "y".to_owned())),
        ("GET", "/proxies/", Route::Nothing),
        ("GET", "/proxies/x/", Route::Nothing),
        ("GET", "/proxies/x/other", Route::Nothing),
        ("GET", "/", Route::Nothing),
        ("GET", "/reset", Route::WrongMethod),
        ("PUT", "/metrics", Route::Metrics),
        ("GET", "/proxies/a%20b", Route::Proxy("a b".to_owned())),
        // A slash is a slash however it is written.
        ("GET", "/proxies/a%2Fb", Route::Nothing),
        ("GET", "/proxies/a%zz", Route::Unreadable),
        ("GET", "//proxies", Route::Moved("/proxies?q=1".to_owned())),
        ("GET", "/proxies/x/../y z", Route::Moved("/proxies/y%20z?q=1".to_owned())),
    ] {
        assert_eq!(route(method, path, Some("q=1")), expect, "{method} {path}");
    }
}
