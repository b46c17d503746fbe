use super::*;

#[test]
fn secrets_are_left_out_of_the_command_line() {
    let line = [
        "cutover",
        "--legacy-token",
        "s3cret",
        "--candidate-token=s3cret",
        "--legacy",
        "wss://user:s3cret@host/socket?token=s3cret&vsn=2.0.0",
    ];
    let shown = command_line(line.into_iter().map(str::to_owned)).join(" ");
    assert_eq!(
        shown,
        "cutover --legacy-token *** --candidate-token=*** --legacy wss://***@host/socket?token=***&vsn=2.0.0"
    );
    let line = ["--candidate", "host/?%74oken=s3cret", "--toxiproxy=u:s3cret@host:1", "--out", "a?b=c"];
    assert_eq!(
        command_line(line.into_iter().map(str::to_owned)).join(" "),
        "--candidate host/?%74oken=*** --toxiproxy=***@host:1 --out a?b=c"
    );
}

#[test]
fn the_program_is_quoted_in_the_command_that_runs_it_again() {
    use clap::Parser;
    let line = ["cutover", "gate", "--also", "my own.toml"];
    let crate::args::Command::Gate(args) = crate::args::Cli::parse_from(line).command else { panic!("no gate") };
    let again = reproduce("/opt/my `tools`/cutover", 7, &args);
    assert_eq!(again, "'/opt/my `tools`/cutover' gate --seed 7 --also 'my own.toml'");
}
