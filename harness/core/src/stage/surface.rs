//! What clients see of a module: its tables, reducers and row-level security. Two of them are compared before a
//! publish: a server's own plan calls some changes compatible that a client does not survive.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::hash::sha256;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surface {
    pub tables: BTreeMap<String, TableSurface>,
    /// The reducers that clients call, with the types of their arguments.
    pub reducers: BTreeMap<String, String>,
    pub row_level_security: BTreeSet<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSurface {
    /// Name and type of each column, in their order on the wire.
    pub columns: Vec<String>,
    pub public: bool,
}

/// A difference between two modules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub what: String,
    /// Whether clients of the old module may break.
    pub breaks: bool,
}

impl Change {
    pub fn text(&self) -> &str {
        &self.what
    }
}

impl Surface {
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::evidence::pretty(self)
    }

    pub fn digest(&self) -> String {
        sha256(&self.to_bytes())
    }

    /// What changes for clients where `new` takes this module's place. Tables that no client can read do not count.
    pub fn changes(&self, new: &Surface) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut change = |breaks: bool, what: String| changes.push(Change { what, breaks });
        for (name, old) in &self.tables {
            match new.tables.get(name) {
                None => change(old.public, format!("the table `{name}` is gone")),
                Some(new) => table_changes(name, old, new, &mut change),
            }
        }
        for name in new.tables.keys().filter(|name| !self.tables.contains_key(*name)) {
            change(false, format!("the table `{name}` is new"));
        }
        for (name, old) in &self.reducers {
            match new.reducers.get(name) {
                None => change(true, format!("the reducer `{name}` is gone")),
                Some(new) if new != old => {
                    change(true, format!("the reducer `{name}` takes ({new}) and no longer ({old})"));
                }
                Some(_) => {}
            }
        }
        for name in new.reducers.keys().filter(|name| !self.reducers.contains_key(*name)) {
            change(false, format!("the reducer `{name}` is new"));
        }
        if self.row_level_security != new.row_level_security {
            change(true, "the rules of row-level security differ".to_owned());
        }
        changes
    }
}

fn table_changes(name: &str, old: &TableSurface, new: &TableSurface, change: &mut impl FnMut(bool, String)) {
    let seen = old.public;
    match (old.public, new.public) {
        (true, false) => change(true, format!("the table `{name}` becomes private")),
        (false, true) => change(false, format!("the table `{name}` becomes public")),
        _ => {}
    }
    let added = new.columns.strip_prefix(&old.columns[..]);
    match added {
        Some([]) => {}
        // A row has no names on the wire: a client that does not know the column can't read the row.
        Some(added) => change(seen, format!("the table `{name}` gets the columns {}", added.join(", "))),
        None => change(
            seen,
            format!("the table `{name}` has ({}) and no longer ({})", new.columns.join(", "), old.columns.join(", ")),
        ),
    }
}

#[cfg(test)]
mod tests;
