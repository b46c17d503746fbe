//! Idempotency keys of the reducers that change a row again and again: the rule and the table.

use crate::canonical::{payload_hash, write_string};
use crate::refusal::Refusal;

/// Hashes what a call says, so that its key keeps as much as tells it from another call.
pub fn content_hash(fields: &[&str]) -> Result<String, Refusal> {
    let mut json = String::from("[");
    for (nth, field) in fields.iter().enumerate() {
        json.push_str(if nth == 0 { "" } else { "," });
        write_string(&mut json, field);
    }
    json.push(']');
    payload_hash(&json).map_err(Refusal::InvalidPayload)
}

/// Whether a call is new. The same key with other content is a conflict.
pub fn decide_call(earlier: Option<&str>, content: &str) -> Result<bool, Refusal> {
    match earlier {
        None => Ok(true),
        Some(earlier) if earlier == content => Ok(false),
        Some(_) => Err(Refusal::KeyConflict),
    }
}

#[cfg(target_arch = "wasm32")]
pub mod db {
    use spacetimedb::{ReducerContext, Table, table};

    use super::{content_hash, decide_call};
    use crate::key::pair_key;
    use crate::refusal::{Refusal, check_name};

    /// One row per key ever used, so that a late repeat is still a repeat.
    #[table(name = reducer_key)]
    pub struct ReducerKey {
        /// The table, the row that the call is about, and the key, joined.
        #[primary_key]
        pub call_key: String,
        pub content_hash: String,
    }

    /// A call about one row of a table.
    pub struct Call<'a> {
        pub table: &'a str,
        pub row: &'a str,
        pub idempotency_key: &'a str,
    }

    impl Call<'_> {
        pub fn key(&self) -> String {
            pair_key(self.table, &pair_key(self.row, self.idempotency_key))
        }

        /// Whether the call is new. Its key is then used.
        pub fn is_new(&self, ctx: &ReducerContext, fields: &[&str]) -> Result<bool, Refusal> {
            check_name("idempotency_key", self.idempotency_key)?;
            let (call_key, content_hash) = (self.key(), content_hash(fields)?);
            let earlier = ctx.db.reducer_key().call_key().find(&call_key).map(|row| row.content_hash);
            let is_new = decide_call(earlier.as_deref(), &content_hash)?;
            if is_new {
                ctx.db.reducer_key().insert(ReducerKey { call_key, content_hash });
            }
            Ok(is_new)
        }
    }
}

#[cfg(test)]
mod tests;
