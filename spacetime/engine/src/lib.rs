//! Runs a real SpacetimeDB inside our own binary.
pub use spacetimedb_standalone as standalone;
