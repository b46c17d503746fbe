use super::*;

fn read(line: &str) -> String {
    let args = arguments(line.split(' ').map(OsString::from).collect());
    args.join(OsStr::new(" ")).to_string_lossy().into_owned()
}

#[test]
fn a_toxiproxy_server_is_the_proxy_with_gos_flags() {
    for (line, own) in [
        ("/bin/toxiproxy-server", "cutover serve proxy"),
        ("toxiproxy -host=0.0.0.0", "cutover serve proxy --host=0.0.0.0"),
        (
            "toxiproxy-server-linux-amd64 -port 1 --seed -5 -proxy-metrics",
            "cutover serve proxy --port 1 --seed -5 --proxy-metrics",
        ),
        ("cutover serve proxy -config a.json", "cutover serve proxy --config a.json"),
    ] {
        assert_eq!(read(line), own);
    }
}

#[test]
fn other_commands_and_names_keep_their_arguments() {
    for line in ["cutover gate -port 1", "toxiproxy-cli -port 1", "cutover serve legacy -port 1", "cutover"] {
        assert_eq!(read(line), line);
    }
}
