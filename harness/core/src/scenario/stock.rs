//! The stock scenarios, built in, so that the gate works wherever the binary is.

/// Path and text of every stock scenario, honest ones first, each part sorted by name.
pub fn stock() -> &'static [(&'static str, &'static str)] {
    STOCK
}

/// The schema of scenario files for editors, `scenario.schema.json` beside the stock.
pub const SCHEMA: &str = include_str!("../../../../scenarios/scenario.schema.json");

const STOCK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/stock.rs"));
