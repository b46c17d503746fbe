//! What the messages go through: nothing, our proxy, and the proxies that it is held against, each a process of its own
//! on a port of its own. A peer that is not here is said to be missing, with how to get it.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{client, ours};

/// How long a peer may take to start.
const START: Duration = Duration::from_secs(30);

/// How often a starting peer is asked whether it works.
const POLL: Duration = Duration::from_millis(50);

/// A way from the client to the lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Direct,
    Haproxy,
    Transparent,
    Armed,
    Noxious,
    Toxiproxy,
    Mitmproxy,
}

impl Way {
    pub const ALL: [Way; 7] =
        [Way::Direct, Way::Haproxy, Way::Transparent, Way::Armed, Way::Noxious, Way::Toxiproxy, Way::Mitmproxy];

    pub fn name(self) -> &'static str {
        match self {
            Way::Direct => "no proxy",
            Way::Haproxy => "HAProxy, TCP mode",
            Way::Transparent => "cutover, transparent",
            Way::Armed => "cutover, message toxics armed",
            Way::Noxious => "noxious",
            Way::Toxiproxy => "Toxiproxy",
            Way::Mitmproxy => "mitmproxy, no-op addon",
        }
    }
}

/// Where a way leads, and the core of what stands in between.
#[derive(Debug, Clone, Copy)]
pub struct Ground {
    pub lane: SocketAddr,
    pub core: Option<usize>,
}

/// A way that is open. Dropping it ends the process.
pub struct Peer {
    pub way: Way,
    pub version: String,
    pub addr: SocketAddr,
    process: Option<Process>,
}

impl Peer {
    /// The process in between, where there is one.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.child.id())
    }
}

/// Why a way is not open, and what to do about it.
pub struct Missing(pub String);

impl From<io::Error> for Missing {
    fn from(error: io::Error) -> Missing {
        Missing(error.to_string())
    }
}

/// A peer's process, with what it reads and writes. It is killed when this goes, and where the benchmark is killed
/// itself.
struct Process {
    child: Child,
    dir: TempDir,
}

impl Process {
    fn start(program: &Path, arguments: &[&str], dir: TempDir, core: Option<usize>) -> io::Result<Process> {
        // Through ourselves, since a program of somebody else's can't ask to die with us.
        let mut command = Command::new(env::current_exe()?);
        let core = core.map_or_else(|| "any".to_owned(), |core| core.to_string());
        command.arg("tied").arg(core).arg(program).args(arguments);
        let stderr = fs::File::create(dir.path().join("stderr"))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).current_dir(dir.path());
        let child = command.spawn()?;
        Ok(Process { child, dir })
    }

    /// Waits until messages get through at `addr`.
    fn until_ready(mut self, way: Way, version: String, addr: SocketAddr) -> Result<Peer, Missing> {
        let begun = Instant::now();
        while let Err(error) = client::verify(addr) {
            let ended = self.child.try_wait()?.is_some();
            if ended || begun.elapsed() > START {
                let said = fs::read_to_string(self.dir.path().join("stderr")).unwrap_or_default();
                let last = said.trim().lines().last().unwrap_or_default();
                return Err(Missing(format!("it does not work: {error}; {last}")));
            }
            thread::sleep(POLL);
        }
        Ok(Peer { way, version, addr, process: Some(self) })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Opens a way to the lane.
pub fn start(way: Way, ground: Ground) -> Result<Peer, Missing> {
    match way {
        Way::Direct => {
            client::verify(ground.lane)?;
            Ok(Peer { way, version: String::new(), addr: ground.lane, process: None })
        }
        Way::Haproxy => haproxy(ground),
        Way::Transparent => ours(way, "transparent", ground),
        Way::Armed => ours(way, "armed", ground),
        Way::Noxious => noxious(ground),
        Way::Toxiproxy => toxiproxy(ground),
        Way::Mitmproxy => mitmproxy(ground),
    }
}

fn ours(way: Way, arms: &str, Ground { lane, core }: Ground) -> Result<Peer, Missing> {
    let runtime = env::var("CUTOVER_BENCH_RUNTIME").unwrap_or_else(|_| "multi".to_owned());
    let arguments = ["proxy-child", &lane.to_string(), arms, &runtime];
    let mut process = Process::start(&env::current_exe()?, &arguments, scratch()?, core)?;
    let mut line = String::new();
    if let Some(stdout) = process.child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    let addr = line.trim().strip_prefix(ours::LISTENING).and_then(|addr| addr.parse().ok());
    let addr = addr.ok_or_else(|| Missing("it did not start".to_owned()))?;
    process.until_ready(way, env!("CARGO_PKG_VERSION").to_owned(), addr)
}

fn haproxy(Ground { lane, core }: Ground) -> Result<Peer, Missing> {
    let program = program("HAPROXY", &["haproxy", "/usr/sbin/haproxy"])
        .ok_or_else(|| Missing("apt-get install haproxy, or name the binary in HAPROXY".to_owned()))?;
    let (dir, listen) = (scratch()?, free_port()?);
    let config = format!(
        "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 10m\n  timeout server 10m\n\
         listen bench\n  bind {listen}\n  server lane {lane}\n"
    );
    let path = dir.path().join("haproxy.cfg");
    fs::write(&path, config)?;
    let process = Process::start(&program, &["-db", "-f", &path.to_string_lossy()], dir, core)?;
    let version = first_line(&program, "-v");
    let version = version.split_whitespace().nth(2).unwrap_or_default().to_owned();
    process.until_ready(Way::Haproxy, version, listen)
}

fn mitmproxy(Ground { lane, core }: Ground) -> Result<Peer, Missing> {
    let program = program("MITMDUMP", &["mitmdump"]).ok_or_else(|| {
        Missing("pip install mitmproxy into a virtual environment, and name its mitmdump in MITMDUMP".to_owned())
    })?;
    let (dir, listen) = (scratch()?, free_port()?);
    let addon = dir.path().join("noop.py");
    fs::write(&addon, "def websocket_message(flow):\n    pass\n")?;
    let confdir = format!("confdir={}", dir.path().display());
    let (addon, port) = (addon.to_string_lossy().into_owned(), listen.port().to_string());
    let mode = format!("reverse:http://{lane}");
    #[rustfmt::skip]
    let arguments = [
        "--quiet", "--mode", &mode, "--listen-host", "127.0.0.1", "--listen-port", &port, "--set", &confdir,
        "-s", &addon,
    ];
    let process = Process::start(&program, &arguments, dir, core)?;
    let version = first_line(&program, "--version");
    let version = version.trim_start_matches("Mitmproxy:").trim().to_owned();
    process.until_ready(Way::Mitmproxy, version, listen)
}

/// The crate has a package of its own: in the workspace it would turn on features that have SpacetimeDB built twice.
fn noxious(Ground { lane, core }: Ground) -> Result<Peer, Missing> {
    let how = |why: String| {
        Missing(format!(
            "cargo build --release --manifest-path harness/live/benches/peers/Cargo.toml, and name the binary in \
             NOXIOUS_PEER ({why})"
        ))
    };
    let program = match env::var_os("NOXIOUS_PEER") {
        Some(program) => PathBuf::from(program),
        None => build_noxious().map_err(how)?,
    };
    let listen = free_port()?;
    let process = Process::start(&program, &[&listen.to_string(), &lane.to_string()], scratch()?, core)?;
    let version = first_line(&program, "--version");
    process.until_ready(Way::Noxious, version, listen)
}

fn build_noxious() -> Result<PathBuf, String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/Cargo.toml");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--locked", "--quiet", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(&target)
        .status()
        .map_err(|error| error.to_string())?;
    if built.success() { Ok(target.join("release/noxious-peer")) } else { Err("it could not be built".to_owned()) }
}

fn toxiproxy(Ground { lane, core }: Ground) -> Result<Peer, Missing> {
    let program = program("TOXIPROXY_SERVER", &["toxiproxy-server"]).ok_or_else(|| {
        Missing("get toxiproxy-server from its releases, and name the binary in TOXIPROXY_SERVER".to_owned())
    })?;
    let api = free_port()?;
    let port = api.port().to_string();
    let mut process = Process::start(&program, &["-host", "127.0.0.1", "-port", &port], scratch()?, core)?;
    let version = until_answered(&mut process, api)?;
    let listen = free_port()?;
    let body = format!(r#"{{"name":"bench","listen":"{listen}","upstream":"{lane}","enabled":true}}"#);
    ask(api, "POST", "/proxies", &body)?;
    let version = version.rsplit("\r\n").next().unwrap_or_default();
    let version = version.trim().trim_matches(|c: char| !c.is_ascii_digit()).to_owned();
    process.until_ready(Way::Toxiproxy, version, listen)
}

fn until_answered(process: &mut Process, api: SocketAddr) -> Result<String, Missing> {
    let begun = Instant::now();
    loop {
        match ask(api, "GET", "/version", "") {
            Ok(answer) => return Ok(answer),
            Err(error) if process.child.try_wait()?.is_some() || begun.elapsed() > START => return Err(error.into()),
            Err(_) => thread::sleep(POLL),
        }
    }
}

/// One HTTP request.
fn ask(addr: SocketAddr, method: &str, path: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(addr)?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 2") { Ok(answer) } else { Err(io::Error::other(answer)) }
}

/// A program that a variable names, or else the first of these that is there.
fn program(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Some(program) = env::var_os(variable) {
        return Some(PathBuf::from(program));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = env::split_paths(&path).collect();
    let found = |name: &&str| dirs.iter().map(|dir| dir.join(name)).find(|program| program.is_file());
    names.iter().find_map(found)
}

fn first_line(program: &Path, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().next().unwrap_or_default().to_owned()
}

/// A port that is free now. Whoever takes it in between has the peer fail to start, which is said.
fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// A directory for what a peer reads and writes. Where the benchmark is killed it stays, so it lies where Cargo cleans.
fn scratch() -> io::Result<TempDir> {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))
}
