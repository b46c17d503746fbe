//! Tests of the driver against a lane that is none.

mod retries;
