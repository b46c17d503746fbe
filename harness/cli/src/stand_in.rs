//! Stands in for `toxiproxy-server`: by its name, and with its flags in Go's spelling.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The flags of `toxiproxy-server`, which Go takes with one dash or two.
const FLAGS: [&str; 8] = ["host", "port", "config", "seed", "version", "proxy-metrics", "runtime-metrics", "help"];

/// The arguments as this program's own: `toxiproxy-server -port 8474` is `cutover serve proxy --port 8474`.
pub fn arguments(mut args: Vec<OsString>) -> Vec<OsString> {
    let name = args.first().and_then(|first| Path::new(first).file_name()?.to_str());
    // Its container image calls it `toxiproxy`, its releases add system and machine.
    if name.is_some_and(|name| name == "toxiproxy" || name.starts_with("toxiproxy-server")) {
        args.splice(..1, ["cutover", "serve", "proxy"].map(OsString::from));
    }
    if args.get(1).is_some_and(|arg| arg == "serve") && args.get(2).is_some_and(|arg| arg == "proxy") {
        for arg in &mut args[3..] {
            if is_go_flag(arg) {
                let mut dashed = OsString::from("-");
                dashed.push(&*arg);
                *arg = dashed;
            }
        }
    }
    args
}

fn is_go_flag(arg: &OsStr) -> bool {
    let flag = arg.to_str().and_then(|arg| arg.strip_prefix('-')).unwrap_or_default();
    FLAGS.contains(&flag.split('=').next().unwrap_or_default())
}

#[cfg(test)]
mod tests;
