//! The fault proxy as a service of its own: Toxiproxy's HTTP API over the proxies of `cutover-live`.

mod foreign;

pub use foreign::{ForeignError, ForeignToxiproxy};
