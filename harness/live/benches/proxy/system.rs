//! What the system knows of processes: processor time, memory, file descriptors.

use std::fs;

/// The processor time that a process has used, all its threads together, in nanoseconds. Linux only; 0 elsewhere.
pub fn cpu_nanos(pid: u32) -> u64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return 0;
    };
    let nanos = threads.flatten().filter_map(|thread| {
        let line = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    });
    nanos.sum()
}

/// The memory that a process holds, in bytes. Linux only; 0 elsewhere.
pub fn rss_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// Raises the number of file descriptors to what may be had, for this process and those that it starts, and says what
/// that is.
#[allow(unsafe_code)]
pub fn raise_file_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls read or write the one struct that they are given.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) != 0 {
            return 0;
        }
        let before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        if libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) == 0 { limit.rlim_max } else { before }
    }
}

/// Who runs on which core; anywhere, where none is named.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seats {
    /// The client and the lane.
    pub ends: Option<usize>,
    /// Whatever stands in between.
    pub proxies: Option<usize>,
}

impl Seats {
    /// `one`: all share a core. `two`: what stands in between has one of its own. `any`: the system decides, and puts
    /// two that talk to each other on one core in one turn and on two in the next, which makes more of a difference
    /// than any proxy does.
    pub fn parse(word: &str) -> Result<Seats, String> {
        let cores = cores();
        let (first, last) = (cores.first().copied(), cores.last().copied());
        match word {
            "one" => Ok(Seats { ends: first, proxies: first }),
            "two" => Ok(Seats { ends: first, proxies: last }),
            "any" => Ok(Seats::default()),
            other => Err(format!("--cores takes one, two or any, not {other}")),
        }
    }
}

/// The cores that this process may run on. Linux only; none elsewhere.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn cores() -> Vec<usize> {
    // SAFETY: a set of cores is a plain array of bits, for which all zeroes are the empty set.
    let mut allowed: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let bytes = size_of::<libc::cpu_set_t>();
    // SAFETY: the set lives as long as the call, which writes no more than its size.
    if unsafe { libc::sched_getaffinity(0, bytes, &raw mut allowed) } != 0 {
        return Vec::new();
    }
    // SAFETY: the number stays below the number of bits in the set.
    (0..8 * bytes).filter(|core| unsafe { libc::CPU_ISSET(*core, &allowed) }).collect()
}

/// Binds this thread, and what it starts, to a core. Where it is refused it runs anywhere.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub fn sit(core: Option<usize>) {
    let bytes = size_of::<libc::cpu_set_t>();
    let Some(core) = core.filter(|core| *core < 8 * bytes) else {
        return;
    };
    // SAFETY: the number is below the number of bits in the set, all zeroes are the empty set, and the call reads it.
    unsafe {
        let mut chosen: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut chosen);
        libc::sched_setaffinity(0, bytes, &raw const chosen);
    }
}

#[cfg(not(target_os = "linux"))]
fn cores() -> Vec<usize> {
    Vec::new()
}

#[cfg(not(target_os = "linux"))]
pub fn sit(_: Option<usize>) {}

/// Asks the system to kill this process when the one that started it is gone, however that ended.
pub fn die_with_parent() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
}
