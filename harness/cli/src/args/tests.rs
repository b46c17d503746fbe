#![allow(clippy::unwrap_used)]
use super::*;
use clap::CommandFactory;

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn jobs_are_bounded() {
    for (text, ok) in [("1", true), ("64", true), ("0", false), ("65", false), ("two", false)] {
        assert_eq!(jobs(text).is_ok(), ok, "{text}");
    }
}
