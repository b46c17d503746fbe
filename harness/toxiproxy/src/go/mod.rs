//! What Toxiproxy's clients can see of the language that it is written in: how Go reads and writes JSON, how it names
//! what is wrong with it, and how it reads and names addresses.

pub mod address;
pub mod decode;
pub mod scan;
pub mod write;
