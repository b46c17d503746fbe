//! The rows of a database before and after a publish.

use std::collections::BTreeMap;

use cutover_core::stage::deploy::Found;
use cutover_core::stage::deploy::data::{MOST_ROWS, Ruled, TableRows, compare};
use cutover_live::lane::spacetime::operate;

use super::Deploy;

impl Deploy<'_> {
    /// The rows of each table of a database that keeps its data.
    pub(super) async fn rows(&mut self, found: &Found) -> BTreeMap<String, TableRows> {
        let mut rows = BTreeMap::new();
        if self.args.reset.is_some() || found.database.is_none() {
            return rows;
        }
        for table in found.surface.iter().flat_map(|surface| surface.tables.keys()) {
            let (count, read) = operate::rows(&mut self.http, &self.wanted.database, table, MOST_ROWS).await;
            rows.insert(table.clone(), TableRows { count, rows: read });
        }
        rows
    }

    pub(super) async fn compare(&mut self, before: &Found, after: &Found, was: &BTreeMap<String, TableRows>) {
        let (Some(old), Some(new)) = (&before.surface, &after.surface) else { return };
        let is = self.rows(after).await;
        let profile = self.line.profile.clone();
        let ruled = Ruled {
            events: (profile.events.table, [profile.events.stream_id, profile.events.seq]),
            heads: (profile.heads.table, [profile.heads.stream_id, profile.heads.head_seq]),
        };
        for (name, was) in was {
            let Some(table) = old.tables.get(name) else { continue };
            let is = is.get(name).cloned().unwrap_or_default();
            let data = compare(name, (table, new.tables.get(name)), (was, &is), &ruled);
            self.facts.data.insert(name.clone(), data);
        }
    }
}
