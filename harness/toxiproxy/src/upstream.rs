//! Reads where a proxy leads: Toxiproxy's `host:port`, and `tls://` and `wss://` for an upstream that speaks TLS.

use cutover_live::proxy::UpstreamAddr;

use crate::go::address::{port_of, split};

const TLS_PORT: u16 = 443;

/// Where a text leads, or `None` where it says nothing that can be connected to: Toxiproxy takes any text, and closes
/// the connections of a proxy that leads nowhere.
pub fn upstream(text: &str) -> Option<UpstreamAddr> {
    let secure = ["tls://", "wss://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    if let Some(rest) = secure {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (host, port) = match split(authority) {
            Ok((host, port)) => (host, port_of(port).ok()?),
            Err(_) => (authority.trim_start_matches('[').trim_end_matches(']'), TLS_PORT),
        };
        return leads(host, port, true);
    }
    let plain = text.strip_prefix("ws://").map(|rest| rest.split('/').next().unwrap_or_default());
    let (host, port) = split(plain.unwrap_or(text)).ok()?;
    // Go takes a missing host for this machine.
    let host = if host.is_empty() { "localhost" } else { host };
    leads(host, port_of(port).ok()?, false)
}

fn leads(host: &str, port: u16, tls: bool) -> Option<UpstreamAddr> {
    (!host.is_empty()).then(|| UpstreamAddr { host: host.to_owned(), port, tls, authorities: None })
}

#[cfg(test)]
mod tests;
