//! How a server is started: our own binary in one of its roles, or a SpacetimeDB binary of the user.

use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use super::ServerError;
use super::durable::Durability;

/// Ports below those that Linux and other systems give to programs that ask for any port.
const UNASKED_PORTS: Range<u16> = 20_000..32_768;
const TRIES: u32 = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCommand {
    pub program: PathBuf,
    form: Form,
    /// This binary. It ends a program of the user when the run ends.
    tied_by: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// `cutover serve ROLE --listen ADDR --data-dir DIR`
    Ours { role: &'static str, more: Vec<String> },
    /// `spacetimedb-standalone start --listen-addr ADDR --data-dir DIR`
    Standalone,
    /// `spacetime start --listen-addr ADDR --data-dir DIR`
    SpacetimeCli,
}

impl ServerCommand {
    /// The reference legacy server of this binary, with more options.
    pub fn legacy(cutover: &Path, more: Vec<String>) -> ServerCommand {
        ServerCommand { program: cutover.to_owned(), form: Form::Ours { role: "legacy", more }, tied_by: None }
    }

    pub fn candidate(cutover: &Path) -> ServerCommand {
        let form = Form::Ours { role: "candidate", more: Vec::new() };
        ServerCommand { program: cutover.to_owned(), form, tied_by: None }
    }

    /// The bridge of this binary, with more options.
    pub fn bridge(cutover: &Path, more: Vec<String>) -> ServerCommand {
        ServerCommand { program: cutover.to_owned(), form: Form::Ours { role: "bridge", more }, tied_by: None }
    }

    /// A `spacetime` or `spacetimedb-standalone` binary, started by way of `cutover`, this program.
    pub fn spacetimedb(cutover: &Path, binary: &Path) -> ServerCommand {
        let standalone = binary.file_name().is_some_and(|name| name.to_string_lossy().contains("standalone"));
        let form = if standalone { Form::Standalone } else { Form::SpacetimeCli };
        ServerCommand { program: binary.to_owned(), form, tied_by: Some(cutover.to_owned()) }
    }

    /// Whether the server prints `listening on ADDR` when it is ready. Others are ready when they take connections.
    pub(super) fn says_listening(&self) -> bool {
        matches!(self.form, Form::Ours { .. })
    }

    pub(super) fn durability(&self) -> Durability {
        match self.form {
            Form::Ours { role: "legacy", .. } => Durability::Acknowledged,
            _ => Durability::Commitlog,
        }
    }

    /// The signal that asks the program to end, where the system does not show which one it handles. A SpacetimeDB
    /// 2.x handles SIGINT only.
    pub(super) fn orderly_signal(&self) -> Signal {
        match self.form {
            Form::Ours { .. } => Signal::SIGTERM,
            Form::Standalone | Form::SpacetimeCli => Signal::SIGINT,
        }
    }

    /// Where the server listens: port 0 if it prints the port, else a port that is free now.
    pub(super) fn choose_address(&self) -> Result<SocketAddr, ServerError> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        if self.says_listening() {
            return Ok(any);
        }
        // The system gives these ports to nobody who asks for any port. Between now and the start of the server,
        // another server of the run could get any other.
        let drawn = (0..TRIES).map(|nth| {
            let span = u64::from(UNASKED_PORTS.end - UNASKED_PORTS.start);
            let port = u16::try_from(RandomState::new().hash_one(nth) % span).unwrap_or(0);
            SocketAddr::from((Ipv4Addr::LOCALHOST, UNASKED_PORTS.start + port))
        });
        if let Some(free) = drawn.into_iter().find(|address| TcpListener::bind(address).is_ok()) {
            return Ok(free);
        }
        let bound = TcpListener::bind(any).and_then(|listener| listener.local_addr());
        bound.map_err(|source| ServerError::NoPort { source })
    }

    /// Checks that a program named by a path is there. `cutover tied`, which starts it, can't report that as well.
    pub(super) fn find_program(&self) -> std::io::Result<()> {
        if self.program.components().count() < 2 {
            return Ok(());
        }
        match std::fs::metadata(&self.program)? {
            found if found.is_dir() => Err(std::io::Error::from(std::io::ErrorKind::IsADirectory)),
            found if found.permissions().mode() & 0o111 == 0 => {
                Err(std::io::Error::other("it may not be executed (chmod +x makes it so)"))
            }
            _ => Ok(()),
        }
    }

    /// How a program of the user was started. It may not know these options.
    pub(super) fn form_in_words(&self) -> Option<&'static str> {
        match self.form {
            Form::Ours { .. } => None,
            Form::Standalone => {
                Some("start --listen-addr ADDR --data-dir DIR --jwt-priv-key-path FILE --jwt-pub-key-path FILE")
            }
            Form::SpacetimeCli => Some("--root-dir DIR start --listen-addr ADDR --data-dir DIR"),
        }
    }

    pub(super) fn line(&self, listen: SocketAddr, data_dir: &Path) -> (&Path, Vec<OsString>) {
        let arguments = self.arguments(listen, data_dir);
        let Some(cutover) = &self.tied_by else {
            return (&self.program, arguments);
        };
        let parent = std::process::id().to_string();
        let mut tied = vec!["tied".into(), parent.into(), "--".into(), self.program.clone().into_os_string()];
        tied.extend(arguments);
        (cutover, tied)
    }

    fn arguments(&self, listen: SocketAddr, data_dir: &Path) -> Vec<OsString> {
        let listen = listen.to_string();
        let mut arguments: Vec<OsString> = match &self.form {
            Form::Ours { role, .. } => vec!["serve".into(), (*role).into(), "--listen".into()],
            Form::Standalone => vec!["start".into(), "--listen-addr".into()],
            Form::SpacetimeCli => {
                vec!["--root-dir".into(), data_dir.join("root").into(), "start".into(), "--listen-addr".into()]
            }
        };
        arguments.extend([listen.into(), "--data-dir".into(), data_dir.into()]);
        match &self.form {
            Form::Ours { more, .. } => {
                // So that nothing is left behind even where we are killed ourselves.
                arguments.extend(["--die-with-parent".into(), std::process::id().to_string().into()]);
                arguments.extend(more.iter().map(OsString::from));
            }
            Form::Standalone => {
                arguments.extend(["--jwt-priv-key-path".into(), data_dir.join("id_ecdsa").into()]);
                arguments.extend(["--jwt-pub-key-path".into(), data_dir.join("id_ecdsa.pub").into()]);
            }
            Form::SpacetimeCli => {}
        }
        arguments
    }
}
