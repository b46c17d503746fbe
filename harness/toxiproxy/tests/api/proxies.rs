//! Proxies: made, shown, changed, replaced, reset and taken away.

use crate::rig::{Api, echo, settings, there_and_back};
use crate::transcript;

#[tokio::test]
async fn a_proxys_life() {
    let api = Api::start().await;
    insta::assert_snapshot!(
        transcript(
            &api,
            &[
                ("GET", "/proxies", ""),
                ("POST", "/proxies", r#"{"name":"a","listen":"localhost:0","upstream":"localhost:1"}"#),
                (
                    "POST",
                    "/proxies",
                    r#"{"NAME":"<b>","listen":"[::1]:0","upstream":"b:1","enabled":false,"more":[1]} and so on"#
                ),
                ("POST", "/proxies", r#"{"name":"c","upstream":"c:1","listen":null,"enabled":null}"#),
                ("POST", "/proxies", r#"{"name":"d","upstream":"d:1","listen":"0.0.0.0:0"}"#),
                ("GET", "/proxies", ""),
                ("GET", "/proxies/a", ""),
                ("GET", "/proxies/%3Cb%3E", ""),
                ("POST", "/proxies/a", r#"{"enabled":false}"#),
                ("PATCH", "/proxies/a", r#"{"name":"z","upstream":"e:1"}"#),
                ("PATCH", "/proxies/a", r#"{"enabled":true}"#),
                ("DELETE", "/proxies/a", ""),
                ("GET", "/proxies/a", ""),
                ("DELETE", "/proxies/a", ""),
                ("POST", "/proxies/a", "{}"),
            ]
        )
        .await
    );
}

#[tokio::test]
async fn a_proxy_that_is_wrong_is_refused_in_toxiproxys_words() {
    let api = Api::with_proxy("127.0.0.1:1").await;
    let before = api.get("/proxies").await.body;
    let bodies = [
        "",
        " ",
        "{",
        "hello",
        r#"{"name":"x","#,
        r#"{name:"x"}"#,
        r#"{"name":"x" "upstream":"y"}"#,
        "[]",
        "7",
        "null",
        "{}",
        r#"{"name":""}"#,
        r#"{"name":"x"}"#,
        r#"{"name":5}"#,
        r#"{"name":"x","upstream":{}}"#,
        r#"{"name":"x","upstream":"y","listen":[]}"#,
        r#"{"name":"x","upstream":"y","enabled":"yes"}"#,
        r#"{"name":"p","upstream":"y"}"#,
        r#"{"name":"x","upstream":"y","listen":"nothing"}"#,
        r#"{"name":"x","upstream":"y","listen":"127.0.0.1:99999"}"#,
        r#"{"name":"x","upstream":"y","listen":"192.0.2.1:80"}"#,
    ];
    let requests: Vec<_> = bodies.iter().map(|body| ("POST", "/proxies", *body)).collect();
    insta::assert_snapshot!(transcript(&api, &requests).await);
    assert_eq!(api.get("/proxies").await.body, before);
}

#[tokio::test]
async fn a_taken_port_is_told_and_changes_nothing() {
    let upstream = echo().await;
    let api = Api::with_proxy(&upstream.to_string()).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap();
    let before = api.get("/proxies").await.body;
    let refusal = format!("{{\"error\":\"listen tcp {port}: bind: address already in use\",\"status\":500}}\n");
    for (path, body) in [
        ("/proxies", format!(r#"{{"name":"x","upstream":"y","listen":"{port}"}}"#)),
        ("/proxies/p", format!(r#"{{"listen":"{port}"}}"#)),
    ] {
        let reply = api.post(path, &body).await;
        assert_eq!((reply.status, reply.body), (500, refusal.clone()), "{path}");
    }
    let reply = api.post("/proxies/p", r#"{"listen":"nothing","upstream":"elsewhere:1"}"#).await;
    assert_eq!(reply.json()["error"], "address nothing: missing port in address");
    assert_eq!(api.get("/proxies").await.body, before);
    assert_eq!(there_and_back(api.listens("p").await, b"hello").await.unwrap(), b"hello");
}

#[tokio::test]
async fn a_proxy_whose_own_port_is_in_the_way_keeps_it() {
    let upstream = echo().await;
    let api = Api::with_proxy("127.0.0.1:1").await;
    let listens = api.listens("p").await;
    let body = format!(r#"{{"listen":"localhost:{}","upstream":"{upstream}"}}"#, listens.port());
    let reply = api.post("/proxies/p", &body).await;
    assert_eq!((reply.status, reply.json()["listen"].clone()), (200, listens.to_string().into()));
    assert_eq!(there_and_back(listens, b"hello").await.unwrap(), b"hello");
}

#[tokio::test]
async fn bytes_pass_while_it_is_enabled_and_none_connects_while_it_is_not() {
    let upstream = echo().await;
    let api = Api::with_proxy(&upstream.to_string()).await;
    let listens = api.listens("p").await;
    assert_eq!(there_and_back(listens, b"hello").await.unwrap(), b"hello");
    api.post("/proxies/p", r#"{"enabled":false}"#).await;
    assert!(there_and_back(listens, b"hello").await.is_err());
    api.post("/proxies/p", r#"{"enabled":true}"#).await;
    assert_eq!(there_and_back(listens, b"hello").await.unwrap(), b"hello");
}

#[tokio::test]
async fn a_connection_whose_upstream_is_not_there_is_closed() {
    for upstream in ["127.0.0.1:1", "nowhere"] {
        let api = Api::with_proxy(upstream).await;
        let mut stream = tokio::net::TcpStream::connect(api.listens("p").await).await.unwrap();
        let mut read = Vec::new();
        let end = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut read).await;
        assert_eq!(end.unwrap(), 0, "{upstream}");
    }
}

#[tokio::test]
async fn populate_creates_keeps_and_replaces() {
    let api = Api::start().await;
    let two = r#"[{"name":"a","listen":"127.0.0.1:0","upstream":"a:1"},{"name":"b","listen":"127.0.0.1:0","upstream":"b:1","enabled":false}]"#;
    let first = api.post("/populate", two).await;
    api.post("/proxies/a/toxics", r#"{"type":"latency"}"#).await;
    let listens = api.listens("a").await;
    // Its name for its address is as good as the address.
    let again = format!(
        r#"[{{"name":"a","listen":"localhost:{0}","upstream":"a:1","enabled":false}},{{"name":"b","listen":"localhost:0","upstream":"b:2","enabled":false}}]"#,
        listens.port()
    );
    let second = api.post("/populate", &again).await;
    let third = api.post("/populate", &format!(r#"[{{"name":"a","listen":"{listens}","upstream":"a:2"}}]"#)).await;
    insta::assert_snapshot!(format!("{first}\n{second}\n{third}\n{}", api.post("/populate", "[]").await));
}

#[tokio::test]
async fn populate_refuses_what_is_wrong_and_shows_how_far_it_came() {
    let api = Api::start().await;
    insta::assert_snapshot!(
        transcript(
            &api,
            &[
                ("POST", "/populate", ""),
                ("POST", "/populate", "{}"),
                ("POST", "/populate", "null"),
                ("POST", "/populate", "[5]"),
                ("POST", "/populate", r#"[{"name":5}]"#),
                ("POST", "/populate", r#"[{"name":"a","upstream":"b:1","enabled":1}]"#),
                ("POST", "/populate", r#"[{"name":"a","upstream":"b:1"},{"name":"b"}]"#),
                ("POST", "/populate", r#"[{"name":"a","upstream":"b:1"},{"upstream":"b"}]"#),
                ("GET", "/proxies", ""),
                (
                    "POST",
                    "/populate",
                    r#"[{"name":"a","upstream":"b:1","listen":"127.0.0.1:0"},{"name":"b","upstream":"b:1","listen":"local"},{"name":"c","upstream":"b:1"}]"#
                ),
                ("GET", "/proxies", ""),
            ]
        )
        .await
    );
}

#[tokio::test]
async fn reset_enables_all_and_takes_toxics_off() {
    let api = Api::with_proxy("127.0.0.1:1").await;
    api.post("/proxies/p/toxics", r#"{"type":"latency"}"#).await;
    api.post("/proxies/p/toxics", r#"{"type":"ws_drop","stream":"upstream"}"#).await;
    api.post("/proxies/p", r#"{"enabled":false}"#).await;
    assert_eq!(api.post("/reset", "").await.to_string(), "204 -\n\"\"");
    let proxy = api.get("/proxies/p").await.json();
    assert_eq!((&proxy["enabled"], &proxy["toxics"]), (&true.into(), &serde_json::json!([])));
}

#[tokio::test]
async fn a_reset_that_can_not_enable_all_changes_nothing() {
    let api = Api::with_proxy("127.0.0.1:1").await;
    api.post("/proxies/p/toxics", r#"{"type":"latency"}"#).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (name, listen) in [("a", "127.0.0.1:0".to_owned()), ("z", taken.local_addr().unwrap().to_string())] {
        let body = format!(r#"{{"name":"{name}","upstream":"y","listen":"{listen}","enabled":false}}"#);
        assert_eq!(api.post("/proxies", &body).await.status, 201);
    }
    let enabled = |all: &serde_json::Value| ["a", "p", "z"].map(|name| all[name]["enabled"] == true);
    assert_eq!(api.post("/reset", "").await.status, 500);
    let all = api.get("/proxies").await.json();
    assert_eq!(enabled(&all), [false, true, false]);
    assert_eq!(all["p"]["toxics"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_hundred_clients_at_once_leave_what_they_should() {
    let api = std::sync::Arc::new(Api::start().await);
    let clients: Vec<_> = (0..100)
        .map(|number| {
            let api = std::sync::Arc::clone(&api);
            tokio::spawn(async move {
                // Five names, so that they meet.
                let name = format!("n{}", number % 5);
                let body = format!(r#"{{"name":"{name}","listen":"127.0.0.1:0","upstream":"127.0.0.1:1"}}"#);
                let path = format!("/proxies/{name}");
                let mut seen = vec![api.post("/proxies", &body).await.status];
                seen.push(api.post(&format!("{path}/toxics"), r#"{"type":"latency"}"#).await.status);
                seen.push(api.post("/populate", &format!("[{body}]")).await.status);
                seen.push(api.call("PATCH", &path, r#"{"enabled":false}"#).await.status);
                seen.push(api.get("/proxies").await.status);
                seen.push(api.post("/reset", "").await.status);
                seen.push(api.delete(&path).await.status);
                seen
            })
        })
        .collect();
    for client in clients {
        let seen = client.await.unwrap();
        assert!([201, 409].contains(&seen[0]), "{seen:?}");
        assert!([200, 409, 404].contains(&seen[1]), "{seen:?}");
        assert_eq!((seen[2], seen[4], seen[5]), (201, 200, 204), "{seen:?}");
        assert!([200, 404].contains(&seen[3]) && [204, 404].contains(&seen[6]), "{seen:?}");
    }
    for number in 0..5 {
        api.delete(&format!("/proxies/n{number}")).await;
    }
    assert_eq!(api.get("/proxies").await.body, "{}");
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_no_change_half_done() {
    let api = Api::start().await;
    for number in 0..20 {
        let mut stream = tokio::net::TcpStream::connect(api.addr).await.unwrap();
        let body = format!(r#"{{"name":"n{number}","listen":"127.0.0.1:0","upstream":"u:1"}}"#);
        let head = format!("POST /proxies HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
        let request = format!("{head}{body}");
        tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    }
    let all = api.get("/proxies").await.json();
    for (name, proxy) in all.as_object().unwrap() {
        assert_eq!(proxy["enabled"], true, "{name}");
        assert_eq!(api.delete(&format!("/proxies/{name}")).await.status, 204);
    }
}

#[tokio::test]
async fn proxies_of_a_configuration_file_are_there_from_the_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("toxiproxy.json");
    std::fs::write(
        &path,
        r#"[{"name":"a","listen":"127.0.0.1:0","upstream":"a:1"},{"name":"b","upstream":"b:1","enabled":false}]"#,
    )
    .unwrap();
    let mut with_config = settings();
    with_config.config = Some(path.clone());
    let api = Api::with(with_config.clone()).await;
    let all = api.get("/proxies").await.json();
    assert_eq!((&all["a"]["enabled"], &all["b"]["enabled"]), (&true.into(), &false.into()));

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap();
    std::fs::write(&path, format!(r#"[{{"name":"a","listen":"{port}","upstream":"a:1"}}]"#)).unwrap();
    let error = cutover_toxiproxy::Service::bind(with_config).await.err().unwrap().to_string();
    assert!(error.ends_with(&format!("listen tcp {port}: bind: address already in use")), "{error}");
}
