//! The variables of an environment: `<PREFIX>_<ENV>_HTTP_BASE_URL` and so on, from the process and from a file.
//!
//! A variable of the process wins over one of the file. A token comes only from the process.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cutover_core::stage::provision::Misfit;
use cutover_core::text::{Secret, learn, visible};
use cutover_live::lane::spacetime::SpacetimeProfile;
use cutover_live::plain_file;

use crate::args::{EnvName, VariableArgs};
use crate::exit::Failure;

pub const PREFIX: &str = "OA_SPACETIME";

const MAX_FILE_BYTES: u64 = 1 << 20;

/// A variable of an environment, by what stands behind `<PREFIX>_<ENV>_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variable {
    HttpBaseUrl,
    Database,
    WebsocketPath,
    TokenIssuer,
    TokenAudience,
    HealthPath,
    CaFile,
    Token,
    Fingerprint,
    Version,
    Disposable,
}

impl Variable {
    pub const ALL: [Variable; 11] = [
        Variable::HttpBaseUrl,
        Variable::Database,
        Variable::WebsocketPath,
        Variable::TokenIssuer,
        Variable::TokenAudience,
        Variable::HealthPath,
        Variable::CaFile,
        Variable::Token,
        Variable::Fingerprint,
        Variable::Version,
        Variable::Disposable,
    ];

    pub fn suffix(self) -> &'static str {
        match self {
            Variable::HttpBaseUrl => "HTTP_BASE_URL",
            Variable::Database => "DATABASE",
            Variable::WebsocketPath => "WEBSOCKET_PATH",
            Variable::TokenIssuer => "TOKEN_ISSUER",
            Variable::TokenAudience => "TOKEN_AUDIENCE",
            Variable::HealthPath => "HEALTH_PATH",
            Variable::CaFile => "CA_FILE",
            Variable::Token => "TOKEN",
            Variable::Fingerprint => "FINGERPRINT",
            Variable::Version => "VERSION",
            Variable::Disposable => "DISPOSABLE",
        }
    }

    fn is_required(self) -> bool {
        matches!(self, Variable::HttpBaseUrl | Variable::Database)
    }

    fn example(self) -> &'static str {
        match self {
            Variable::HttpBaseUrl => "https://maincloud.spacetimedb.com",
            Variable::Database => "my-sync",
            Variable::WebsocketPath => "/v1/database/{database}/subscribe",
            Variable::TokenIssuer => "https://auth.example.com",
            Variable::TokenAudience => "sync",
            Variable::HealthPath => "/v1/health",
            Variable::CaFile => "certificates/authority.pem",
            Variable::Token => "the token",
            Variable::Fingerprint => "sha256:...",
            Variable::Version => "2.8",
            Variable::Disposable => "true",
        }
    }

    /// What is wrong with a value; `None` where it is well formed.
    fn misfit(self, value: &str) -> Option<&'static str> {
        let (is_path, is_plain) =
            (value.starts_with('/'), !value.contains(|c: char| c.is_whitespace() || c.is_control()));
        match self {
            _ if !is_plain && self != Variable::CaFile => Some("holds a blank or a control character"),
            // The profile of the lane says more.
            Variable::HttpBaseUrl => None,
            Variable::Database if value.contains(['/', '?', '#', '%']) => Some("is no name or identity of a database"),
            Variable::WebsocketPath if !is_path || !value.contains("{database}") => {
                Some("does not begin with `/`, or has no `{database}` in it")
            }
            Variable::HealthPath if !is_path => Some("does not begin with `/`"),
            Variable::Fingerprint if !is_digest(value) => Some("is not `sha256:` and 64 hexadecimal digits"),
            Variable::Disposable if !matches!(value, "true" | "false") => Some("is neither `true` nor `false`"),
            _ => None,
        }
    }
}

pub fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The variables of one environment as they were found.
#[derive(Debug, Clone)]
pub struct HostedEnvironment {
    pub name: EnvName,
    prefix: String,
    values: BTreeMap<Variable, String>,
    pub token: Option<Secret>,
    pub misfits: Vec<Misfit>,
}

impl HostedEnvironment {
    /// Reads the variables. Missing and malformed ones are in `misfits`.
    ///
    /// # Errors
    /// A file that can't be read, or has a line that is none of `NAME=value`.
    pub fn read(name: EnvName, args: &VariableArgs) -> Result<HostedEnvironment, Failure> {
        let file = match &args.envvars {
            Some(path) => file_of(path)?,
            None => BTreeMap::new(),
        };
        let prefix = args.env_prefix.as_deref().unwrap_or(PREFIX);
        if prefix.is_empty() || !prefix.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Failure::usage(format!("`{}` is no prefix of a variable", visible(prefix)))
                .hint("use letters, digits and `_`, such as OA_SPACETIME"));
        }
        let process = std::env::vars_os().map(|(key, value)| {
            let value = value.into_string().map_err(|_| "is not in UTF-8".to_owned());
            (key.to_string_lossy().into_owned(), value)
        });
        Ok(HostedEnvironment::of(name, prefix, &process.collect(), &file))
    }

    fn of(
        name: EnvName,
        prefix: &str,
        process: &BTreeMap<String, Result<String, String>>,
        file: &BTreeMap<String, String>,
    ) -> HostedEnvironment {
        let prefix = format!("{prefix}_{}", name.as_str().to_uppercase());
        let mut found = HostedEnvironment { name, prefix, values: BTreeMap::new(), token: None, misfits: Vec::new() };
        for variable in Variable::ALL {
            let key = found.variable(variable);
            if variable == Variable::Token && file.get(&key).is_some_and(|value| !value.is_empty()) {
                found.misfit(variable, "stands in the file", "take it out of the file, and set it in the environment");
            }
            let of_file = file.get(&key).filter(|_| variable != Variable::Token).cloned().map(Ok);
            let value = match process.get(&key).cloned().or(of_file) {
                Some(Ok(value)) => value,
                Some(Err(what)) => {
                    found.misfit(variable, &what, format!("write it as `{}`", variable.example()));
                    continue;
                }
                None => String::new(),
            };
            if value.is_empty() {
                if variable.is_required() {
                    let others = found.others(process.keys().chain(file.keys()));
                    found.misfit(variable, "is not set", format!("set it, such as `{}`{others}", variable.example()));
                }
                continue;
            }
            if variable == Variable::Token {
                found.token = Some(Secret::new(value.as_str()));
            }
            if let Some(what) = variable.misfit(&value) {
                found.misfit(variable, what, format!("write it as `{}`", variable.example()));
            }
            if variable != Variable::Token {
                found.values.insert(variable, value);
            }
        }
        found.misfits_of_profile();
        found
    }

    fn misfits_of_profile(&mut self) {
        let Some(url) = self.get(Variable::HttpBaseUrl) else { return };
        learn(url);
        // The path of the socket has a message of its own.
        let profile = SpacetimeProfile { url: url.to_owned(), ..SpacetimeProfile::default() };
        if let Err(error) = profile.validated(&self.variable(Variable::HttpBaseUrl), None) {
            self.misfit(Variable::HttpBaseUrl, &error.what, error.hint);
        }
    }

    fn misfit(&mut self, variable: Variable, what: &str, mend: impl Into<String>) {
        self.misfits.push(Misfit { variable: self.variable(variable), what: what.to_owned(), mend: mend.into() });
    }

    /// What is set under this prefix and has no meaning: a slip of the pen, maybe.
    fn others<'a>(&self, set: impl Iterator<Item = &'a String>) -> String {
        let known: BTreeSet<String> = Variable::ALL.map(|variable| self.variable(variable)).into();
        let start = format!("{}_", self.prefix);
        let others: BTreeSet<&str> =
            set.filter(|key| key.starts_with(&start) && !known.contains(*key)).map(String::as_str).collect();
        match others.is_empty() {
            true => String::new(),
            false => format!("; these are set and not known: {}", others.into_iter().collect::<Vec<_>>().join(", ")),
        }
    }

    /// `<PREFIX>_<ENV>`, with which its variables begin.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The name of a variable, such as `OA_SPACETIME_DEV_DATABASE`.
    pub fn variable(&self, variable: Variable) -> String {
        format!("{}_{}", self.prefix, variable.suffix())
    }

    pub fn get(&self, variable: Variable) -> Option<&str> {
        self.values.get(&variable).map(String::as_str)
    }

    pub fn database(&self) -> &str {
        self.get(Variable::Database).unwrap_or_default()
    }

    pub fn base_url(&self) -> &str {
        self.get(Variable::HttpBaseUrl).unwrap_or_default()
    }

    /// Whether the data of its database may be deleted. That of production never may.
    pub fn is_disposable(&self) -> bool {
        self.name != EnvName::Prod && self.get(Variable::Disposable) == Some("true")
    }

    /// The names of the variables that are set, without their values.
    pub fn set(&self) -> Vec<String> {
        let token = self.token.iter().map(|_| Variable::Token);
        self.values.keys().copied().chain(token).map(|variable| self.variable(variable)).collect()
    }

    /// The lane profile that the variables stand for.
    ///
    /// # Errors
    /// Every variable that is missing or malformed.
    pub fn profile(&self) -> Result<SpacetimeProfile, Failure> {
        if !self.misfits.is_empty() {
            let lines: Vec<String> = self.misfits.iter().map(line_of).collect();
            let what = format!("the variables of the environment `{}` are wrong\n{}", self.name, lines.join("\n"));
            return Err(Failure::usage(what).hint("`cutover provision-check` checks the whole environment"));
        }
        let usual = SpacetimeProfile::default();
        let profile = SpacetimeProfile {
            url: self.base_url().to_owned(),
            database: Some(self.database().to_owned()),
            token: self.token.clone(),
            ca_file: self.get(Variable::CaFile).map(PathBuf::from),
            websocket_path: self.get(Variable::WebsocketPath).map_or(usual.websocket_path, str::to_owned),
            ..SpacetimeProfile::default()
        };
        profile.validated(&self.prefix, None).map_err(|error| Failure::usage(error.to_string()))
    }
}

fn line_of(misfit: &Misfit) -> String {
    let mend = if misfit.mend.is_empty() { String::new() } else { format!(" ({})", misfit.mend) };
    format!("{}: {}{mend}", misfit.variable, visible(&misfit.what))
}

fn file_of(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let text = plain_file::read_text(path, MAX_FILE_BYTES).map_err(|error| Failure::unreadable(path, &error))?;
    let hint = "a line is NAME=value, `export NAME=value`, empty, or a comment that begins with `#`";
    lines_of(&text).map_err(|(line, what)| Failure::usage(format!("{}:{line}: {what}", path.display())).hint(hint))
}

/// The variables of a file. The error is a line, from 1, and what is wrong with it; it shows no value.
fn lines_of(text: &str) -> Result<BTreeMap<String, String>, (usize, String)> {
    let mut values = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |what: String| (index + 1, what);
        let (key, value) = line.split_once('=').ok_or_else(|| wrong("there is no `=`".to_owned()))?;
        let key = key.trim().trim_start_matches("export ").trim();
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(wrong("what stands before `=` is no name of a variable".to_owned()));
        }
        let value = unquoted(value.trim()).ok_or_else(|| wrong(format!("the value of {key} has an open quote")))?;
        if key.ends_with("TOKEN") && !value.is_empty() {
            // From here on it is never printed.
            let _ = Secret::new(value.as_str());
        }
        if values.insert(key.to_owned(), value).is_some() {
            return Err(wrong(format!("{key} is set twice")));
        }
    }
    Ok(values)
}

/// A value without its quotes and without a comment behind it.
fn unquoted(value: &str) -> Option<String> {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            let (inner, behind) = rest.split_once(quote)?;
            let behind = behind.trim();
            return (behind.is_empty() || behind.starts_with('#')).then(|| inner.to_owned());
        }
    }
    Some(value.split(" #").next().unwrap_or_default().trim_end().to_owned())
}

#[cfg(test)]
mod tests;
