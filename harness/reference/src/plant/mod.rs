//! What planted defects change, outside a channel. Without a defect, each function gives what the contract says.

mod payload;
mod publish;
mod retention;

pub(crate) use payload::altered;
pub(crate) use publish::{
    compared_hash, fits, is_refused_for_size, is_remembered, is_same, key_of, repeat_answer, tolerated, written_topic,
};
pub(crate) use retention::{kept, merged, pruned_head, reopened};
