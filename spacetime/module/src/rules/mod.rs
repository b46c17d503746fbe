//! What the module decides, free of any database.

pub mod append;
pub mod canonical;
pub mod checkpoint;
pub mod number;
pub mod refusal;
pub mod resume;
pub mod retention;
pub mod stream;
