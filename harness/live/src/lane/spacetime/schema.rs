//! The tables and reducers of a database's module, as its server reports them.
//!
//! A row has no column names on the wire, only an order. The reported schema gives each column its name, place and
//! type, so that no code here depends on their order. A module may have more tables, more columns, or another order of
//! columns.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use cutover_core::stage::{Surface, TableSurface};
use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::Value;
use spacetimedb_lib::bsatn;
use spacetimedb_sats::algebraic_type::fmt::fmt_algebraic_type;
use spacetimedb_sats::serde::SerdeWrapper;
use spacetimedb_sats::{AlgebraicType, AlgebraicTypeRef, ProductType, ProductTypeElement, Typespace, WithTypespace};

use super::shape::{EVENT_TABLE, ModuleShape, STREAM_TABLE};
use super::template::{Arguments, now};

/// The columns that the lane reads, by their roles. It reads the others where the profile names them.
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

/// What the reducer takes that judges the cursors of a resume.
pub(super) const CURSORS: &str = "Vec<(String, U64)>";

const LISTED: usize = 24;

static MODULE: LazyLock<Arc<Schema>> =
    LazyLock::new(|| Arc::new(Schema::parse(include_bytes!("schema/module.json")).unwrap_or_default()));

#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the name says it")]
pub struct Schema {
    tables: BTreeMap<String, Arc<ProductType>>,
    /// The places of the columns of each table's primary key.
    primary_keys: BTreeMap<String, Vec<u16>>,
    reducers: BTreeMap<String, ProductType>,
    shape: Arc<ModuleShape>,
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
    primary_key: Vec<u16>,
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
        let tables = reported.tables.iter().filter_map(|table| Some((table.name.clone(), row(table)?))).collect();
        let primary_keys = reported.tables.iter().map(|table| (table.name.clone(), table.primary_key.clone()));
        let reducers = reported.reducers.into_iter().filter_map(arguments).collect();
        Ok(Schema { tables, primary_keys: primary_keys.collect(), reducers, shape: Arc::default() })
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

    /// Whether a table's rows are told apart by this column alone.
    pub fn is_primary_key(&self, table: &str, column: &str) -> bool {
        let place = self
            .tables
            .get(table)
            .and_then(|row| row.elements.iter().position(|element| element.name.as_deref() == Some(column)));
        let Some(place) = place.and_then(|place| u16::try_from(place).ok()) else { return false };
        self.primary_keys.get(table).is_some_and(|key| *key == [place])
    }

    #[must_use]
    pub fn with_shape(self, shape: Arc<ModuleShape>) -> Schema {
        Schema { shape, ..self }
    }

    pub(super) fn shape(&self) -> &Arc<ModuleShape> {
        &self.shape
    }

    /// The columns of the table of this role.
    pub(super) fn columns(&self, role: &str) -> Option<&Arc<ProductType>> {
        self.tables.get(self.shape.table(role))
    }

    pub(super) fn place_of(&self, role: &str, column: &str) -> Option<usize> {
        self.columns(role)?.index_of_field_name(self.shape.column(role, column))
    }

    /// Whether the module has this reducer of this project's module, with the same arguments.
    pub(super) fn has_our_reducer(&self, name: &str) -> bool {
        let ours = Schema::module();
        let arguments = ours.reducers.get(name);
        self.reducers.get(name).is_some_and(|has| arguments.is_none_or(|ours| types(has) == types(ours)))
    }

    pub(super) fn tables(&self) -> &BTreeMap<String, Arc<ProductType>> {
        &self.tables
    }

    pub(super) fn reducers(&self) -> &BTreeMap<String, ProductType> {
        &self.reducers
    }

    /// The types of a reducer's arguments; those of this project's module for one that the server does not report.
    pub(super) fn arguments(&self, reducer: &str) -> Option<&ProductType> {
        self.reducers.get(reducer).or_else(|| MODULE.reducers.get(reducer))
    }

    /// The arguments of a call as JSON, fitted to their types: where the module takes an option, a value becomes
    /// `some`; where it does not, a value that there is not becomes 0 or an empty text.
    pub(super) fn call(&self, reducer: &str, arguments: &Arguments, value: impl Fn(&str) -> Option<Value>) -> Value {
        let filled = arguments.filled(value);
        match self.arguments(reducer) {
            Some(types) => fitted(filled, &AlgebraicType::Product(types.clone())),
            None => filled,
        }
    }

    /// Whether the call that publishes takes a number, and no option, for this placeholder.
    pub(super) fn has_zero_for_none(&self, placeholder: &str) -> bool {
        let append = &self.shape.append;
        let taken = append.arguments.place_of(placeholder).zip(self.arguments(&append.reducer));
        let kind = taken.and_then(|(place, types)| types.elements.get(place));
        kind.is_some_and(|kind| kind.algebraic_type.as_option().is_none())
    }

    /// The arguments of a checkpoint: of a client for a stream, its seq and what the client has on disk.
    pub(super) fn checkpoint_call(&self, (client, stream): (&str, &str), (seq, on_disk): (u64, u64)) -> Value {
        let checkpoints = &self.shape.checkpoints;
        self.call(&checkpoints.reducer, &checkpoints.arguments, |name| match name {
            "client" => Some(Value::from(client)),
            "stream" => Some(Value::from(stream)),
            "seq" => Some(Value::from(seq)),
            "durable_offset" => Some(Value::from(on_disk)),
            name => now(name),
        })
    }

    /// The arguments of a call, in BSATN.
    pub(super) fn encoded(&self, reducer: &str, arguments: &Value) -> Result<Bytes, String> {
        let types = self.arguments(reducer).ok_or_else(|| format!("the module has no reducer `{reducer}`"))?;
        let given = arguments.as_array().map_or(0, Vec::len);
        if given != types.elements.len() {
            return Err(format!("{given} arguments are given, and {} are taken", types.elements.len()));
        }
        let kind = AlgebraicType::Product(types.clone());
        let kind = SerdeWrapper::new(WithTypespace::empty(&kind));
        let value = kind.deserialize(&mut serde_json::Deserializer::from_str(&arguments.to_string()));
        let value = value.map_err(|error| error.to_string())?;
        bsatn::to_vec(&value).map(Bytes::from).map_err(|error| error.to_string())
    }

    /// The tables and reducers of this project's module that the module does not have, or has with other columns or
    /// arguments. A table of connections may have another name.
    pub fn missing(&self) -> Vec<String> {
        let ours = Schema::module();
        let tables = ours.tables.iter().filter(|(name, row)| match name.as_str() {
            CONNECTIONS => !self.tells_connections(),
            name => {
                let has = self.tables.get(name);
                !has.is_some_and(|has| row.elements.iter().all(|column| has.elements.contains(column)))
            }
        });
        let reducers = ours.reducers.keys().filter(|name| !self.has_our_reducer(name));
        tables.map(|(name, _)| name.clone()).chain(reducers.cloned()).collect()
    }

    fn tells_connections(&self) -> bool {
        let presence = &self.shape.presence;
        let has = self.tables.get(&presence.table);
        has.is_some_and(|row| row.index_of_field_name(presence.connection_id.as_str()).is_some())
    }

    /// Whether the module has what the profile says of it: every table, column and reducer, with fitting types.
    pub(super) fn check(&self) -> Result<(), String> {
        let mut wrong = Vec::new();
        for (role, wanted) in COLUMNS {
            let table = self.shape.table(role);
            let wanted: Vec<(&str, &AlgebraicType)> =
                wanted.iter().map(|(name, kind)| (self.shape.column(role, name), kind)).collect();
            wrong.extend(self.lacks_columns(table, &wanted));
        }
        for (table, columns) in self.shape.other_columns() {
            wrong.extend(self.lacks_names(table, &columns));
        }
        for (reducer, arguments) in self.shape.calls() {
            let what = format!("the reducer `{reducer}` with the arguments ({})", arguments.in_words());
            let Some(has) = self.reducers.get(reducer) else {
                wrong.push(missing(&what, "reducers", self.reducers.keys()));
                continue;
            };
            let sample = self.call(reducer, arguments, sample);
            if let Err(why) = self.encoded(reducer, &sample) {
                wrong.push(format!("{} ({why})", differs(&what, &types(has))));
            }
        }
        let resume = &self.shape.resume.reducer;
        if !resume.is_empty() {
            let what = format!("the reducer `{resume}` with the arguments ({CURSORS})");
            match self.reducers.get(resume).map(types) {
                Some(has) if has == CURSORS => {}
                Some(has) => wrong.push(differs(&what, &has)),
                None => wrong.push(missing(&what, "reducers", self.reducers.keys())),
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    fn lacks_columns(&self, table: &str, wanted: &[(&str, &AlgebraicType)]) -> Option<String> {
        let wanted: Vec<_> = wanted.iter().filter(|(name, _)| !name.is_empty()).collect();
        if table.is_empty() || wanted.is_empty() {
            return None;
        }
        let words = wanted.iter().map(|(name, kind)| format!("{name} {}", in_words(kind)));
        let what = format!("the table `{table}` with the columns ({})", listed(words));
        let has_all = |row: &ProductType| {
            wanted
                .iter()
                .all(|(name, kind)| row.elements.iter().any(|has| has.has_name(name) && has.algebraic_type == **kind))
        };
        match self.tables.get(table) {
            Some(row) if has_all(row) => None,
            Some(row) => Some(differs(&what, &columns(row))),
            None => Some(missing(&what, "tables", self.tables.keys())),
        }
    }

    /// Columns of any type. This project's own names of what a run can do without are not asked for.
    fn lacks_names(&self, table: &str, wanted: &[&str]) -> Option<String> {
        if table.is_empty() || self.shape.is_ours() {
            return None;
        }
        let what = format!("the table `{table}` with the columns ({})", wanted.join(", "));
        match self.tables.get(table) {
            Some(row) if wanted.iter().all(|name| row.index_of_field_name(name).is_some()) => None,
            Some(row) => Some(differs(&what, &columns(row))),
            // It was told already.
            None if self.shape.role_of(table).is_some() => None,
            None => Some(missing(&what, "tables", self.tables.keys())),
        }
    }
}

/// The table of connections, which a run can do without.
const CONNECTIONS: &str = "active_connection";

/// A value of the right kind for each placeholder, to see whether arguments fit.
fn sample(name: &str) -> Option<Value> {
    match name {
        "none" | "expected_next_seq" => None,
        "stream" | "key" | "payload" | "hash" | "claimed_hash" | "client" => Some(Value::from("text")),
        _ => Some(Value::from(1)),
    }
}

fn fitted(value: Value, kind: &AlgebraicType) -> Value {
    if let Some(inner) = kind.as_option() {
        let is_sum =
            |members: &serde_json::Map<String, Value>| ["some", "none"].iter().any(|one| members.contains_key(*one));
        return match value {
            Value::Null => Value::Null,
            Value::Object(members) if is_sum(&members) => Value::Object(members),
            value => serde_json::json!({ "some": fitted(value, inner) }),
        };
    }
    match (value, kind) {
        (Value::Null, AlgebraicType::String) => Value::from(""),
        (Value::Null, AlgebraicType::Bool) => Value::from(false),
        (Value::Null, kind) if kind.is_integer() => Value::from(0),
        (Value::Array(values), AlgebraicType::Product(product)) if values.len() == product.elements.len() => {
            let fields = values.into_iter().zip(&product.elements);
            fields.map(|(value, element)| fitted(value, &element.algebraic_type)).collect()
        }
        (Value::Array(values), AlgebraicType::Array(array)) => {
            values.into_iter().map(|value| fitted(value, &array.elem_ty)).collect()
        }
        (value, _) => value,
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

pub(super) fn columns(row: &ProductType) -> String {
    listed(row.elements.iter().map(column_of))
}

fn column_of(column: &ProductTypeElement) -> String {
    format!("{} {}", column.name.as_deref().unwrap_or("(no name)"), in_words(&column.algebraic_type))
}

pub(super) fn types(arguments: &ProductType) -> String {
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
