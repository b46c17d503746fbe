//! Lists the stock scenarios, so that a new file is built in without being named anywhere.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name| env::var(name).map_err(io::Error::other);
    let root = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    let mut list = String::new();
    for folder in ["scenarios", "scenarios/known-bad"] {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
        let files = fs::read_dir(root.join(folder))?.map(|file| file.map(|file| file.path()));
        let mut files = files.collect::<io::Result<Vec<_>>>()?;
        files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
        files.sort_by(|one, other| one.file_stem().cmp(&other.file_stem()));
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            list += &format!("(\"{folder}/{name}\", include_str!({:?})),\n", file.display().to_string());
        }
    }
    fs::write(Path::new(&variable("OUT_DIR")?).join("stock.rs"), format!("&[\n{list}]\n"))
}
