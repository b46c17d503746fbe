//! The arguments of a program that ends with the one that started it.

use std::ffi::OsString;

use clap::Args;

#[derive(Debug, Args)]
pub struct TiedArgs {
    /// Take the whole group of processes along
    #[arg(long)]
    pub group: bool,
    /// The process that started it
    pub parent: i32,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    pub line: Vec<OsString>,
}
