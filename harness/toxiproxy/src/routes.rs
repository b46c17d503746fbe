//! Which request is whose: paths and methods, as the router that Toxiproxy is built on tells them apart.

use std::borrow::Cow;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Opens all proxies and takes all toxics off.
    Reset,
    /// Lists proxies.
    Proxies,
    /// Creates a proxy.
    CreateProxy,
    /// Creates and replaces proxies.
    Populate,
    /// Shows a proxy.
    Proxy(String),
    /// Changes a proxy.
    UpdateProxy(String),
    /// Deletes a proxy.
    DeleteProxy(String),
    /// Lists a proxy's toxics.
    Toxics(String),
    /// Adds a toxic.
    CreateToxic(String),
    /// Shows a toxic.
    Toxic(String, String),
    /// Changes a toxic.
    UpdateToxic(String, String),
    /// Takes a toxic off.
    DeleteToxic(String, String),
    /// Says which version this is compatible with.
    Version,
    /// Numbers for Prometheus.
    Metrics,
    /// What all toxics struck.
    Ledgers,
    /// What a proxy's toxics struck.
    Ledger(String),
    /// The path is there, and takes other methods.
    WrongMethod,
    /// Nothing is there.
    Nothing,
    /// The path is to be written like this.
    Moved(String),
    /// The path can't be read.
    Unreadable,
}

/// What a request's method, path and query ask for.
pub fn route(method: &str, path: &str, query: Option<&str>) -> Route {
    let Some(decoded) = percent_decoded(path) else {
        return Route::Unreadable;
    };
    let clean = cleaned(&decoded);
    if clean != decoded {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        return Route::Moved(format!("{}{query}", percent_encoded(&clean)));
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

/// A path with its escapes read; `None` where one is none, or it gives no text.
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

fn percent_encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~$&+,:;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A path without empty segments, `.` and `..`; a slash at its end stays.
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
