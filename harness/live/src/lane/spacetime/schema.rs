//! The tables and reducers of a database's module, as its server reports them.
//!
//! A row has no column names on the wire, only an order. The reported schema gives each column its name, place and
//! type, so that no code here depends on their order. A module may have more tables, more columns, or another order of
//! columns.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cutover_core::stage::{Surface, TableSurface};
use serde::Deserialize;
use serde_json::Value;
use spacetimedb_sats::algebraic_type::fmt::fmt_algebraic_type;
use spacetimedb_sats::serde::SerdeWrapper;
use spacetimedb_sats::{AlgebraicType, AlgebraicTypeRef, ProductType, ProductTypeElement, Typespace};

use super::request::{APPEND_REDUCER, CHECKPOINT_REDUCER, POLICY_REDUCER, RESUME_REDUCER};
use super::rows::{EVENT_TABLE, STREAM_TABLE};

/// The columns that the lane reads, by name.
const COLUMNS: [(&str, &[(&str, AlgebraicType)]); 2] = [
    (
        EVENT_TABLE,
        &[
            ("stream_id", AlgebraicType::String),
            ("seq", AlgebraicType::U64),
            ("idempotency_key", AlgebraicType::String),
            ("payload_hash", AlgebraicType::String),
            ("payload", AlgebraicType::String),
        ],
    ),
    (STREAM_TABLE, &[("stream_id", AlgebraicType::String), ("head_seq", AlgebraicType::U64)]),
];

/// The reducers that the lane calls, with the types of their arguments, which have an order and no names on the wire.
const REDUCERS: [(&str, &str); 4] = [
    (APPEND_REDUCER, "String, String, String, String, Option<U64>"),
    (POLICY_REDUCER, "String, Option<String>, Option<String>, Option<U64>, Option<U64>"),
    (RESUME_REDUCER, "Vec<(String, U64)>"),
    (CHECKPOINT_REDUCER, "String, String, U64, U64"),
];

const LISTED: usize = 24;

static MODULE: LazyLock<Arc<Schema>> =
    LazyLock::new(|| Arc::new(Schema::parse(include_bytes!("schema/module.json")).unwrap_or_default()));

#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the name says it")]
pub struct Schema {
    tables: BTreeMap<String, Arc<ProductType>>,
    reducers: BTreeMap<String, ProductType>,
}

#[derive(Deserialize)]
struct Reported {
    typespace: SerdeWrapper<Typespace>,
    tables: Vec<ReportedTable>,
    reducers: Vec<ReportedReducer>,
    #[serde(default)]
    row_level_security: Vec<ReportedRule>,
}

#[derive(Deserialize)]
struct ReportedTable {
    name: String,
    product_type_ref: u32,
    #[serde(default)]
    table_access: Value,
}

#[derive(Deserialize)]
struct ReportedReducer {
    name: String,
    params: SerdeWrapper<ProductType>,
    #[serde(default)]
    lifecycle: Value,
}

#[derive(Deserialize)]
struct ReportedRule {
    sql: String,
}

impl Schema {
    /// The schema of this project's module: for a server that reports none, and for a proxy that knows no database.
    pub fn module() -> Arc<Schema> {
        Arc::clone(&MODULE)
    }

    /// Reads what a server answers to `GET /v1/database/NAME/schema?version=9`.
    pub fn parse(json: &[u8]) -> Result<Schema, String> {
        let reported: Reported = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let types = reported.typespace.0;
        let row = |table: &ReportedTable| match inlined(types.get(AlgebraicTypeRef(table.product_type_ref))?, &types)? {
            AlgebraicType::Product(row) => Some(Arc::new(row)),
            _ => None,
        };
        let arguments = |reducer: ReportedReducer| {
            let inlined = inlined(&AlgebraicType::Product(reducer.params.0), &types)?;
            Some((reducer.name, inlined.into_product().ok()?))
        };
        let tables = reported.tables.iter().filter_map(|table| Some((table.name.clone(), row(table)?)));
        Ok(Schema { tables: tables.collect(), reducers: reported.reducers.into_iter().filter_map(arguments).collect() })
    }

    /// What clients see of this project's module.
    pub fn module_surface() -> Surface {
        Schema::surface(include_bytes!("schema/module.json")).unwrap_or_default()
    }

    /// Reads the same answer for what clients see of the module.
    pub fn surface(json: &[u8]) -> Result<Surface, String> {
        let schema = Schema::parse(json)?;
        let reported: Reported = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let mut surface = Surface::default();
        for table in reported.tables {
            let row = schema.tables.get(&table.name);
            let columns = row.map(|row| row.elements.iter().map(column_of).collect()).unwrap_or_default();
            let public = table.table_access.get("Public").is_some();
            surface.tables.insert(table.name, TableSurface { columns, public });
        }
        let called = reported.reducers.into_iter().filter(|reducer| reducer.lifecycle.get("some").is_none());
        for ReportedReducer { name, .. } in called {
            let arguments = schema.reducers.get(&name).map(types).unwrap_or_default();
            surface.reducers.insert(name, arguments);
        }
        surface.row_level_security = reported.row_level_security.into_iter().map(|rule| rule.sql).collect();
        Ok(surface)
    }

    pub(super) fn columns(&self, table: &str) -> Option<&Arc<ProductType>> {
        self.tables.get(table)
    }

    pub(super) fn has_reducer(&self, name: &str) -> bool {
        self.reducers.contains_key(name)
    }

    /// The tables and reducers of this project's module that the module does not have, or has with other columns or
    /// arguments.
    pub fn missing(&self) -> Vec<String> {
        let ours = Schema::module();
        let tables = ours.tables.iter().filter(|(name, row)| {
            let has = self.tables.get(*name);
            !has.is_some_and(|has| row.elements.iter().all(|column| has.elements.contains(column)))
        });
        let reducers = ours
            .reducers
            .iter()
            .filter(|(name, arguments)| self.reducers.get(*name).is_none_or(|has| types(has) != types(arguments)));
        tables.map(|(name, _)| name.clone()).chain(reducers.map(|(name, _)| name.clone())).collect()
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let mut wrong = Vec::new();
        for (table, wanted) in COLUMNS {
            let what = format!("the table `{table}` with the columns ({})", listed(wanted.iter().map(column)));
            let has_all = |row: &ProductType| {
                wanted.iter().all(|(name, kind)| {
                    row.elements.iter().any(|has| has.has_name(name) && has.algebraic_type == *kind)
                })
            };
            match self.tables.get(table) {
                Some(row) if has_all(row) => {}
                Some(row) => wrong.push(differs(&what, &columns(row))),
                None => wrong.push(missing(&what, "tables", self.tables.keys())),
            }
        }
        for (reducer, wanted) in REDUCERS {
            let what = format!("the reducer `{reducer}` with the arguments ({wanted})");
            match self.reducers.get(reducer).map(types) {
                Some(has) if has == wanted => {}
                Some(has) => wrong.push(differs(&what, &has)),
                None => wrong.push(missing(&what, "reducers", self.reducers.keys())),
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }
}

/// A type without references to others; `None` where it refers to itself or to nothing. A product of one special
/// element, such as a timestamp's, is that element, as it is on the wire.
fn inlined(kind: &AlgebraicType, types: &Typespace) -> Option<AlgebraicType> {
    let mut inlined = kind.clone();
    types.clone().inline_typerefs_in_type(&mut inlined).ok()?;
    if let AlgebraicType::Product(row) = &mut inlined {
        for column in &mut row.elements {
            if let AlgebraicType::Product(special) = &mut column.algebraic_type
                && special.is_special()
            {
                column.algebraic_type = special.elements[0].algebraic_type.clone();
            }
        }
    }
    Some(inlined)
}

fn differs(what: &str, has: &str) -> String {
    format!("{what} is looked for, and it has ({has})")
}

fn missing<'a>(what: &str, all: &str, names: impl Iterator<Item = &'a String>) -> String {
    format!("{what} is looked for, and the module's {all} are {}", listed(names.take(LISTED)))
}

fn column((name, kind): &(&str, AlgebraicType)) -> String {
    format!("{name} {}", in_words(kind))
}

pub(super) fn columns(row: &ProductType) -> String {
    listed(row.elements.iter().map(column_of))
}

fn column_of(column: &ProductTypeElement) -> String {
    format!("{} {}", column.name.as_deref().unwrap_or("(no name)"), in_words(&column.algebraic_type))
}

fn types(arguments: &ProductType) -> String {
    listed(arguments.elements.iter().map(|argument| in_words(&argument.algebraic_type)))
}

/// A type in words. The names of a product's elements are left out: they do not count on the wire.
pub(super) fn in_words(kind: &AlgebraicType) -> String {
    match kind {
        AlgebraicType::Array(array) => format!("Vec<{}>", in_words(&array.elem_ty)),
        AlgebraicType::Product(product) => format!("({})", types(product)),
        kind => match kind.as_option() {
            Some(some) => format!("Option<{}>", in_words(some)),
            None => fmt_algebraic_type(kind).to_string(),
        },
    }
}

fn listed(items: impl Iterator<Item: std::fmt::Display>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
