//! Bad surroundings: streams without a reader, files without end, no room, no files to open, and what killed runs left.
#![allow(clippy::unwrap_used)]

mod support;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::*;

/// The exit code of a run whose stdout and stderr have lost their readers before it writes.
fn unread(args: &[&str]) -> Option<i32> {
    let mut command = cutover(args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take(), child.stdin.take()));
    child.wait().unwrap().code()
}

#[test]
fn streams_that_are_closed_change_no_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let big = text(&write(dir.path(), "big.json", "12345678901234567890"));
    let out = text(&dir.path().join("out"));
    let cases: [(&[&str], i32); 13] = [
        (&["hash", &big], 0),
        (&["hash", "nonexist"], 64),
        (&["recheck", "nonexist"], 64),
        (&["plan", "nosuch", "--seed", "1"], 64),
        (&["plan", "equal-streams", "--seed", "1"], 0),
        (&["diff", "x", "y"], 64),
        (&["list"], 0),
        (&["list", "--scenarios", "nosuch"], 64),
        (&["gate", "--scenario", "nosuch"], 64),
        (&["gate", "--bogus"], 64),
        (&["--help"], 0),
        (&["serve", "legacy", "--data-dir", &big], 3),
        (&["gate", "--legacy", "http://127.0.0.1:1", "--scenario", "equal-streams", "--out", &out], 3),
    ];
    for (args, code) in cases {
        assert_eq!(unread(args), Some(code), "{args:?}");
    }
}

/// A scenario with as many keys as these that no scenario has, each in words of its own.
fn with_unknown_keys(count: usize) -> String {
    (0..count).map(|nth| format!("k{nth}=1\n")).collect()
}

#[test]
fn mistakes_without_end_are_counted_and_take_no_time() {
    let dir = tempfile::tempdir().unwrap();
    let lines = with_unknown_keys(60_000);
    let scenario = text(&write(dir.path(), "many.toml", &lines));
    let profile = text(&write(dir.path(), "lane.toml", &format!("kind = \"phoenix\"\n{lines}")));
    for args in [&["plan", scenario.as_str(), "--seed", "1"][..], &["gate", "--legacy", &profile, "--out", "no"]] {
        let before = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
        let ran = ended(cutover(args).current_dir(dir.path()));
        let after = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
        assert_eq!(ran.code, 64);
        let lines = ran.err.lines().count();
        assert!(lines < 100 && ran.err.len() < 20_000, "{lines} lines, {} bytes", ran.err.len());
        let took =
            |usage: nix::sys::resource::Usage| usage.user_time().tv_sec() * 1000 + usage.user_time().tv_usec() / 1000;
        let took = took(after) - took(before);
        assert!(took < 2_000, "{args:?} took {took} ms of CPU");
    }
    let ran = run(&["plan", &scenario, "--seed", "1"]);
    assert!(ran.err.contains("many.toml:1:1: a scenario has no key `k0`"), "{}", ran.err);
    assert!(ran.err.contains(":21:1: and 59,980 more like it: a scenario has no key `…`"), "{}", ran.err);
}

#[test]
fn what_is_no_plain_file_is_refused_and_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| text(&dir.path().join(name));
    nix::unistd::mkfifo(Path::new(&at("pipe.toml")), nix::sys::stat::Mode::S_IRWXU).unwrap();
    symlink("/dev/zero", at("endless.toml")).unwrap();
    for name in ["pipe.toml", "endless.toml"] {
        let (file, folder) = (at(name), dir.path().join(format!("of-{name}")));
        std::fs::create_dir(&folder).unwrap();
        symlink(&file, folder.join(name)).unwrap();
        let (folder, data) = (text(&folder), at("data"));
        let cases: [&[&str]; 8] = [
            &["plan", &file, "--seed", "1"],
            &["list", "--scenarios", &folder],
            &["gate", "--also", &file],
            &["gate", "--legacy", &file, "--out", &data],
            &["gate", "--candidate", &file, "--out", &data],
            &["gate", "--module", &file],
            &["serve", "legacy", "--data-dir", &data, "--config", &file],
            &["serve", "proxy", "--listen", "127.0.0.1:0", "--config", &file],
        ];
        for args in cases {
            let ran = run(args);
            assert_eq!(ran.code, 64, "{args:?}: {}", ran.err);
            assert!(ran.err.contains(name) && ran.err.contains("no plain file"), "{args:?}: {}", ran.err);
        }
    }
    // A pipe is no mistake where a document is read once, from its beginning to its end.
    let piped = ended(Command::new("bash").args(["-c", "\"$0\" hash <(echo '{}')", env!("CARGO_BIN_EXE_cutover")]));
    assert_eq!(piped.code, 0, "{}", piped.err);
}

#[test]
fn arguments_that_were_wrong_leave_nothing_in_the_way_of_the_corrected_run() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = text(&write(dir.path(), "lane.toml", "kind = \"phoenix\"\nsocket_url = \"h\"\n"));
    let elsewhere = "kind = \"phoenix\"\nsocket_url = \"ws://127.0.0.1:1\"\n";
    for args in [&["--legacy", wrong.as_str()][..], &["--candidate", "http://127.0.0.1:1/?a=b"]] {
        for more in [&[][..], &["--repeat", "2"]] {
            let ran = gate(dir.path(), "out", &[args, more, &["--scenario", "equal-streams"]].concat());
            assert_eq!(ran.code, 64, "{}", ran.err);
            assert!(!ran.out.contains("evidence"), "{}", ran.out);
        }
    }
    let right = text(&write(dir.path(), "lane.toml", elsewhere));
    let ran = gate(dir.path(), "out", &["--legacy", &right, "--scenario", "equal-streams"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(says_failed(dir.path(), "out"));
}

#[test]
fn each_mistake_of_a_profile_has_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let cases = [
        ("kind = \"x\"\n", &[":1:8: "][..]),
        ("socket_url = \"ws://h\"\n", &[":1:1: "]),
        ("kind = \"phoenix\"\nsocket_url = ws://h\nchannel = x\n", &[":2:14: "]),
        (
            "kind = \"phoenix\"\nsocket_url = \"h\"\n[publish]\nmethod = \" \"\npath = \"p\"\n[policy]\npath = \"/x\"\n",
            &[":2:14: ", ":4:10: ", ":5:8: ", ":7:8: "],
        ),
        (
            "kind = \"spacetime\"\nurl = \"http://h/?a=b\"\nsubprotocols = [\"v9\"]\nwebsocket_path = \"\"\n",
            &[":2:7: ", ":3:16: ", ":4:18: "],
        ),
    ];
    for (profile, places) in cases {
        let path = text(&write(dir.path(), "lane.toml", profile));
        let option = if profile.contains("spacetime") { "--candidate" } else { "--legacy" };
        let ran = gate(dir.path(), "out", &[option, &path, "--scenario", "equal-streams"]);
        assert_eq!(ran.code, 64, "{profile}: {}", ran.err);
        for place in places {
            assert!(ran.err.contains(&format!("lane.toml{place}")), "{profile}: {}", ran.err);
        }
    }
}

#[test]
fn what_a_killed_run_left_is_taken_away_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let temp = dir.path().join("temp");
    std::fs::create_dir(&temp).unwrap();
    let left = || {
        let names = std::fs::read_dir(&temp).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let aa = if cfg!(feature = "engine") { &[][..] } else { &["--aa", "legacy"] };
    let out = text(&dir.path().join("killed"));
    let args = [&["gate", "--out", &out, "--scenario", "equal-streams"], aa].concat();
    let mut killed = cutover(&args).env("TMPDIR", &temp).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Both servers are starting, or serve, once their logs are there.
    while walk(&temp).iter().filter(|path| path.ends_with("server.log")).count() < 2 {
        assert!(killed.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::yield_now();
    }
    kill(Pid::from_raw(killed.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
    killed.wait().unwrap();
    let of_killed = left();
    assert_eq!(of_killed.len(), 1, "{of_killed:?}");
    let out = text(&dir.path().join("next"));
    let next = ["gate", "--out", &out, "--legacy", "http://127.0.0.1:1", "--scenario", "equal-streams"];
    assert_eq!(ended(cutover(&next).env("TMPDIR", &temp)).code, 3);
    assert_eq!(left(), Vec::<String>::new());
}

/// Every file under a directory.
fn walk(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(walk(&path)),
            path => found.push(text(&path)),
        }
    }
    found
}

/// The gate in a shell that sets something up before; `$0` is the program, `$1` the test's directory.
fn gate_in_shell(shell: &[&str], before: &str, lanes: &str, dir: &Path) -> Ran {
    let line = format!("{before} && exec \"$0\" gate --scenario equal-streams {lanes} --out \"$1/out\"");
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).args(["-c", &line, env!("CARGO_BIN_EXE_cutover")]).arg(dir);
    ended(command.env("TMPDIR", dir))
}

#[test]
fn too_few_files_are_named() {
    for limit in [32, 64, 128, 160] {
        let dir = tempfile::tempdir().unwrap();
        let ran = gate_in_shell(&["bash"], &format!("ulimit -n {limit}"), "--aa legacy", dir.path());
        if ran.code == 0 {
            continue;
        }
        assert_eq!(ran.code, 3, "{limit}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains("EMFILE") && ran.err.contains("ulimit -n"), "{limit}: {}", ran.err);
    }
}

#[test]
fn a_full_disk_is_named_wherever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let tmpfs = |size: &str, place: &str| format!("mkdir -p {place} && mount -t tmpfs -o size={size} none {place}");
    let shell = ["unshare", "-rm", "bash"];
    let mut there = Command::new("unshare");
    there.args(["-rm", "bash", "-c", &tmpfs("4k", "\"$0\"")]).arg(dir.path().join("try"));
    if !there.output().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no file system of its own can be mounted here");
        return;
    }
    let full = "dd if=/dev/zero of=\"$1/temp/fill\" bs=4k status=none 2>/dev/null; export TMPDIR=\"$1/temp\"";
    let here = |size: &str| format!("{} && export TMPDIR=\"$1/temp\"", tmpfs(size, "\"$1/temp\""));
    // No room for temporary files; room for the directories and not for the databases; no room for the evidence.
    let mut cases = vec![
        (format!("{} && {{ {full}; true; }}", tmpfs("64k", "\"$1/temp\"")), "--aa legacy"),
        (tmpfs("16k", "\"$1/out\""), "--aa legacy"),
    ];
    if cfg!(feature = "engine") {
        cases.push((here("1m"), ""));
    }
    for (before, lanes) in cases {
        let ran = gate_in_shell(&shell, &before, lanes, dir.path());
        assert_eq!(ran.code, 3, "{before}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains("ENOSPC"), "{before}: {}", ran.err);
        let _ = std::fs::remove_dir_all(dir.path().join("out"));
    }
}

#[test]
fn control_characters_of_a_server_reach_no_terminal_and_no_page() {
    let dir = tempfile::tempdir().unwrap();
    let body = "{\"error\":\"\u{1b}[2J\u{1b}]0;pwned\u{7} \u{0} evil \u{202e} rtl\",\"code\":\"\\u001b[31mred\"}";
    let server = answering(move |_| (403, "application/json", body));
    for lane in ["--legacy", "--candidate"] {
        let ran = gate(dir.path(), lane, &[lane, &server, "--scenario", "equal-streams"]);
        assert!([3, 64].contains(&ran.code), "{}", ran.err);
        let mut texts = vec![ran.out, ran.err];
        let files = walk(&dir.path().join(lane));
        // The document keeps the lane's words exactly, as JSON has them.
        let pages = files.iter().filter(|path| !path.ends_with(".json"));
        texts.extend(pages.map(|path| std::fs::read_to_string(path).unwrap()));
        for text in texts {
            let steers = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || c == '\u{202e}';
            assert!(!text.contains(steers), "{text:?}");
        }
    }
}

#[test]
fn control_characters_of_a_scenario_reach_no_terminal_and_break_no_table() {
    let dir = tempfile::tempdir().unwrap();
    let scenario = |name: &str, title: &str| {
        let stock = cutover_core::scenario::stock();
        let (_, text) = stock.iter().find(|(path, _)| path.ends_with("/equal-streams.toml")).unwrap();
        let old = text.lines().find(|line| line.starts_with("title")).unwrap();
        text.replace(old, &format!("title = \"{title}\"")).replace("\"equal-streams\"", &format!("\"{name}\""))
    };
    write(dir.path(), "s/one.toml", &scenario("one", "a \\u001b[31mred \\u0007\\u0000\\u202e b"));
    write(dir.path(), "s/two.toml", &scenario("two", "line one\\nline two"));
    let listed = run(&["list", "--scenarios", &text(&dir.path().join("s"))]);
    assert_eq!(listed.code, 0, "{}", listed.err);
    assert!(listed.out.contains("a \\u{1b}[31mred \\u{7}\\u{0}\\u{202e} b"), "{}", listed.out);
    assert!(listed.out.contains("line one\\u{a}line two"), "{}", listed.out);
    let bad = text(&write(dir.path(), "bad.toml", "name = \"\\u001b[2J\\u0000\"\n"));
    let planned = run(&["plan", &bad, "--seed", "1"]);
    assert_eq!(planned.code, 64);
    let bogus = run(&["gate", "--\u{1b}[2J\u{202e}"]);
    for text in [listed.out, planned.err, bogus.err] {
        assert!(!text.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    }
}
