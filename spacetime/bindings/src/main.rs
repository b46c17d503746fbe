//! Writes the bindings that the official Rust SDK needs for the module, by SpacetimeDB's own generator.
//!
//! It is what `spacetime generate --lang rust` does, without that tool: it reads the module's definition, as a server
//! gives it at `/v1/database/NAME/schema?version=9`, on standard input, and writes the files into the directory that is
//! its one argument. `generate.sh` beside the manifest does all of it for this repository's module.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use spacetimedb_codegen::{Rust, generate};
use spacetimedb_lib::db::raw_def::v9::RawModuleDefV9;
use spacetimedb_lib::sats::serde::SerdeWrapper;
use spacetimedb_schema::def::ModuleDef;

/// Why there are no bindings.
#[derive(Debug, thiserror::Error)]
enum BindingsError {
    /// The command line is not understood.
    #[error("give one directory to write to, and the module's definition on standard input")]
    Usage,
    /// Standard input holds no module definition.
    #[error("standard input holds no module definition: {0}; is it a server's answer for schema version 9?")]
    Definition(#[from] serde_json::Error),
    /// The definition contradicts itself.
    #[error("the module definition is not valid: {0}")]
    Invalid(String),
    /// A file can't be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cutover-bindings: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), BindingsError> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(directory), None) = (arguments.next(), arguments.next()) else {
        return Err(BindingsError::Usage);
    };
    let SerdeWrapper(definition): SerdeWrapper<RawModuleDefV9> = serde_json::from_reader(io::stdin().lock())?;
    let module = ModuleDef::try_from(definition).map_err(|errors| BindingsError::Invalid(errors.to_string()))?;
    for (name, text) in generate(&module, &Rust) {
        let path = Path::new(&directory).join(name);
        // Which commit the generator's build saw depends on where it was built.
        let text = text.replace(&format!(" (commit {})", spacetimedb_lib::version::GIT_HASH), "");
        std::fs::write(&path, text).map_err(|source| BindingsError::Write { path, source })?;
    }
    Ok(())
}
