//! Reads Toxiproxy's configuration file: the JSON array of proxies that its `-config` takes.

use std::path::{Path, PathBuf};

use cutover_live::plain_file;

use cutover_core::text::visible;

use crate::go::address::split;
use crate::go::scan::first_value;
use crate::proxies::Asked;

const MAX_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}{place}: {}; {mend}", visible(what))]
pub struct ConfigError {
    pub path: String,
    pub place: String,
    pub what: String,
    pub mend: String,
}

#[derive(Debug)]
pub struct Config {
    pub path: PathBuf,
    pub text: Vec<u8>,
}

const SHAPE: &str =
    r#"it has to be a list such as [{"name": "sync", "listen": "127.0.0.1:26379", "upstream": "127.0.0.1:6379"}]"#;

pub fn read(path: PathBuf) -> Result<Config, ConfigError> {
    let wrong = |place: String, what: String, mend: &str| ConfigError {
        path: path.display().to_string(),
        place,
        what,
        mend: mend.to_owned(),
    };
    let text = text_of(&path).map_err(|what| wrong(String::new(), what, "name a Toxiproxy configuration file"))?;
    if let Err(malformed) = first_value(&text) {
        let place = place_of(&text, malformed.offset);
        return Err(wrong(place, format!("it is no JSON: {}", malformed.message), SHAPE));
    }
    if text.iter().find(|byte| !b" \t\r\n".contains(byte)) != Some(&b'[') {
        return Err(wrong(String::new(), "it is no list of proxies".to_owned(), SHAPE));
    }
    let asked = Asked::list(&text).map_err(|error| {
        let what = error.message.strip_prefix("bad request body: ").unwrap_or(&error.message);
        wrong(String::new(), what.to_owned(), SHAPE)
    })?;
    let mut names = std::collections::BTreeSet::new();
    for (at, proxy) in asked.iter().enumerate() {
        let (number, name, listen) = (at + 1, &proxy.name, &proxy.wanted.listen);
        if !names.insert(name) {
            let what = format!("proxy {number} has the name `{name}`, which an earlier one has");
            return Err(wrong(String::new(), what, "give each proxy a name of its own"));
        }
        // An empty one takes a free port.
        if let (false, Err(why)) = (listen.is_empty(), split(listen)) {
            let what = format!("proxy {number} (`{name}`) listens on `{listen}`: {why}");
            return Err(wrong(String::new(), what, "write it as host:port, such as 127.0.0.1:26379"));
        }
    }
    Ok(Config { path, text })
}

fn text_of(path: &Path) -> Result<Vec<u8>, String> {
    plain_file::read(path, MAX_BYTES).map_err(|error| format!("it can't be read: {error}"))
}

fn place_of(text: &[u8], offset: usize) -> String {
    let before = &text[..offset.min(text.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    format!(":{line}:{column}")
}

#[cfg(test)]
mod tests;
