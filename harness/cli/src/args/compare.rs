//! The arguments of `cutover hash` and `cutover diff`.

use std::path::PathBuf;

use clap::Args;

pub const HASH_EXAMPLES: &str = "\
Examples:
  cutover hash payload.json
  echo '{\"b\":1,\"a\":2}' | cutover hash --canonical
  cutover hash events.jsonl
      Print one line for each document.";

#[derive(Debug, Args)]
pub struct HashArgs {
    /// A JSON document, or JSON Lines [default: stdin]
    pub file: Option<PathBuf>,
    /// Also print the canonical text
    #[arg(long)]
    pub canonical: bool,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The vector file of the baseline
    pub a: PathBuf,
    /// The vector file to compare with it
    pub b: PathBuf,
}
