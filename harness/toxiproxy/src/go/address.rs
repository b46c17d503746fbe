//! Reads listening addresses as Go's `net.Listen` does, and says in Go's words why one is unavailable.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The address that a text names: `host:port`, with no host for every interface, and no port or 0 for a free one. A
/// name is looked up, and an IPv4 address preferred.
pub async fn listen(text: &str) -> Result<SocketAddr, String> {
    if text.is_empty() {
        return Ok(every_interface(0));
    }
    let (host, port) = split(text).map_err(|why| format!("listen tcp: address {text}: {why}"))?;
    let port = port_of(port).map_err(|why| format!("listen tcp: {why}"))?;
    if host.is_empty() {
        return Ok(every_interface(port));
    }
    // A scoped address is listened on through its plain form, so that its zone is cut off.
    let literal = host.split_once('%').map_or(host, |(address, _)| address);
    match literal.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() => Ok(every_interface(port)),
        Ok(address) => Ok(SocketAddr::new(address, port)),
        Err(_) => look_up(host, port).await.map_err(|why| format!("listen tcp: {why}")),
    }
}

/// An address as `net.ResolveTCPAddr` gives it, to compare with one that is listened on.
pub async fn resolve(text: &str) -> Result<String, String> {
    let (host, port) = match text {
        "" => ("", "0"),
        text => split(text).map_err(|why| format!("address {text}: {why}"))?,
    };
    let port = port_of(port)?;
    if host.is_empty() {
        return Ok(format!(":{port}"));
    }
    match host.parse::<IpAddr>() {
        Ok(address) => Ok(SocketAddr::new(address, port).to_string()),
        Err(_) => Ok(look_up(host, port).await?.to_string()),
    }
}

pub fn bind_failed(address: SocketAddr, error: &io::Error) -> String {
    let what = match error.kind() {
        io::ErrorKind::AddrInUse => "address already in use".to_owned(),
        io::ErrorKind::AddrNotAvailable => "cannot assign requested address".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::InvalidInput => "invalid argument".to_owned(),
        _ => plain(error).to_lowercase(),
    };
    format!("listen tcp {address}: bind: {what}")
}

fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Go listens on every interface with IPv6, which takes IPv4 in.
fn every_interface(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port)
}

/// Every interface of IPv4, where every interface was asked for and the error is that IPv6 is missing: EAFNOSUPPORT,
/// and what Linux says where IPv6 is turned off.
pub fn without_ipv6(address: SocketAddr, error: &io::Error) -> Option<SocketAddr> {
    let kinds = [io::ErrorKind::Unsupported, io::ErrorKind::AddrNotAvailable];
    let lacks = kinds.contains(&error.kind()) || error.raw_os_error() == Some(97);
    (lacks && address.is_ipv6() && address.ip().is_unspecified())
        .then(|| SocketAddr::from(([0, 0, 0, 0], address.port())))
}

/// Host and port of a text, by the rules of `net.SplitHostPort`.
pub fn split(text: &str) -> Result<(&str, &str), &'static str> {
    let colon = text.rfind(':').ok_or("missing port in address")?;
    let (host, after_brackets) = match text.strip_prefix('[') {
        Some(inner) => {
            let end = text.find(']').ok_or("missing ']' in address")?;
            match text[end + 1..].chars().next() {
                None => return Err("missing port in address"),
                Some(':') if end + 1 == colon => {}
                Some(':') => return Err("too many colons in address"),
                Some(_) => return Err("missing port in address"),
            }
            (&inner[..end - 1], end + 1)
        }
        None if text[..colon].contains(':') => return Err("too many colons in address"),
        None => (&text[..colon], 0),
    };
    let (from, rest) = (usize::from(after_brackets > 0), &text[after_brackets..]);
    if text[from..].contains('[') {
        return Err("unexpected '[' in address");
    }
    if rest.contains(']') {
        return Err("unexpected ']' in address");
    }
    Ok((host, &text[colon + 1..]))
}

/// A port's number, from its digits or from the name of a well-known service.
pub fn port_of(text: &str) -> Result<u16, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        if digits.is_empty() {
            return Ok(0);
        }
        return text.parse().map_err(|_| format!("address {text}: invalid port"));
    }
    match text {
        "domain" => Ok(53),
        "ftp" => Ok(21),
        "http" => Ok(80),
        "https" => Ok(443),
        "ldap" => Ok(389),
        "smtp" => Ok(25),
        "ssh" => Ok(22),
        "telnet" => Ok(23),
        _ => Err(format!("lookup tcp/{text}: unknown port")),
    }
}

async fn look_up(host: &str, port: u16) -> Result<SocketAddr, String> {
    let found: Vec<SocketAddr> = match tokio::net::lookup_host((host, port)).await {
        Ok(found) => found.collect(),
        Err(_) => Vec::new(),
    };
    let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
    if let Some(first) = first {
        return Ok(*first);
    }
    let asked = !host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    Err(match name_server().await {
        Some(server) if asked => format!("lookup {host} on {server}: no such host"),
        _ => format!("lookup {host}: no such host"),
    })
}

async fn name_server() -> Option<SocketAddr> {
    let text = tokio::fs::read_to_string("/etc/resolv.conf").await.ok()?;
    let server = text.lines().find_map(|line| line.trim().strip_prefix("nameserver "))?;
    Some(SocketAddr::new(server.trim().parse().ok()?, 53))
}

#[cfg(test)]
mod tests;
