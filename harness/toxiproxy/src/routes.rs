//! Which handler a request is for, by path and method, as in Toxiproxy's router.

use std::borrow::Cow;

use cutover_core::text::percent_encoded;

/// What a request asks for, with the names of the proxy and the toxic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    Reset,
    Proxies,
    CreateProxy,
    Populate,
    Proxy(String),
    UpdateProxy(String),
    DeleteProxy(String),
    Toxics(String),
    CreateToxic(String),
    Toxic(String, String),
    UpdateToxic(String, String),
    DeleteToxic(String, String),
    Version,
    Metrics,
    Ledgers,
    Ledger(String),
    /// The path exists, and takes other methods.
    WrongMethod,
    Nothing,
    /// The canonical form of the path.
    Moved(String),
    Unreadable,
}

pub fn route(method: &str, path: &str, query: Option<&str>) -> Route {
    let Some(decoded) = percent_decoded(path) else {
        return Route::Unreadable;
    };
    let clean = cleaned(&decoded);
    if clean != decoded {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        return Route::Moved(format!("{}{query}", path_encoded(&clean)));
    }
    let segments: Vec<&str> = clean.split('/').skip(1).collect();
    if segments.iter().any(|segment| segment.is_empty()) {
        return Route::Nothing;
    }
    at(method, &segments)
}

fn at(method: &str, segments: &[&str]) -> Route {
    let own = |name: &str| name.to_owned();
    match (segments, method) {
        (["reset"], "POST") => Route::Reset,
        (["proxies"], "GET") => Route::Proxies,
        (["proxies"], "POST") => Route::CreateProxy,
        (["populate"], "POST") => Route::Populate,
        (["proxies", proxy], "GET") => Route::Proxy(own(proxy)),
        (["proxies", proxy], "POST" | "PATCH") => Route::UpdateProxy(own(proxy)),
        (["proxies", proxy], "DELETE") => Route::DeleteProxy(own(proxy)),
        (["proxies", proxy, "toxics"], "GET") => Route::Toxics(own(proxy)),
        (["proxies", proxy, "toxics"], "POST") => Route::CreateToxic(own(proxy)),
        (["proxies", proxy, "toxics", toxic], "GET") => Route::Toxic(own(proxy), own(toxic)),
        (["proxies", proxy, "toxics", toxic], "POST" | "PATCH") => Route::UpdateToxic(own(proxy), own(toxic)),
        (["proxies", proxy, "toxics", toxic], "DELETE") => Route::DeleteToxic(own(proxy), own(toxic)),
        (["version"], "GET") => Route::Version,
        (["metrics"], _) => Route::Metrics,
        (["ledger"], "GET") => Route::Ledgers,
        (["proxies", proxy, "ledger"], "GET") => Route::Ledger(own(proxy)),
        (
            ["reset" | "proxies" | "populate" | "version" | "ledger"]
            | ["proxies", _]
            | ["proxies", _, "toxics" | "ledger"]
            | ["proxies", _, "toxics", _],
            _,
        ) => Route::WrongMethod,
        _ => Route::Nothing,
    }
}

/// A path with its escapes decoded; `None` where one is malformed, or the result is no UTF-8.
fn percent_decoded(path: &str) -> Option<String> {
    if !path.contains('%') {
        return Some(path.to_owned());
    }
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

fn path_encoded(path: &str) -> String {
    let encoded = |character: char| match character {
        '/' | '$' | '&' | '+' | ',' | ':' | ';' | '=' | '@' => character.to_string(),
        _ => percent_encoded(character.encode_utf8(&mut [0; 4])),
    };
    path.chars().map(encoded).collect()
}

/// A path without empty segments, `.` and `..`. A slash at its end stays.
fn cleaned(path: &str) -> Cow<'_, str> {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut clean = format!("/{}", segments.join("/"));
    if path.ends_with('/') && clean.len() > 1 {
        clean.push('/');
    }
    if clean == path { Cow::Borrowed(path) } else { Cow::Owned(clean) }
}

#[cfg(test)]
mod tests;
