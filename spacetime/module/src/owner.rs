//! Who owns the database: the identity that published it. The server keeps it in its table `st_module`.

use std::cell::Cell;

use spacetimedb::{Identity, ReducerContext};
use spacetimedb_bindings_sys::{datastore_table_scan_bsatn, table_id_from_name};

use crate::refusal::Refusal;

thread_local! {
    static OWNER: Cell<Option<Identity>> = const { Cell::new(None) };
}

pub fn is_owner(ctx: &ReducerContext) -> bool {
    let owner = OWNER.get().or_else(read_owner);
    OWNER.set(owner);
    owner == Some(ctx.sender)
}

pub fn check_owner(ctx: &ReducerContext) -> Result<(), Refusal> {
    if is_owner(ctx) { Ok(()) } else { Err(Refusal::NotTheOwner) }
}

/// Reads the second column of the table's one row. The first one is the identity of the database, as long as this one.
fn read_owner() -> Option<Identity> {
    let mut rows = datastore_table_scan_bsatn(table_id_from_name("st_module").ok()?).ok()?;
    let mut row = Vec::new();
    while !rows.is_exhausted() {
        rows.read(&mut row);
    }
    let owner: [u8; 32] = row.get(32..64)?.try_into().ok()?;
    Some(Identity::from_byte_array(owner))
}
