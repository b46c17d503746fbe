//! Holds a database's module against what this lane reads and calls: the tables' columns by name, type and order, which is
//! all that a row has on the wire, and the reducers' arguments by type and order.

use serde_json::Value;
use spacetimedb_sats::AlgebraicType;

use super::request::{APPEND_REDUCER, CHECKPOINT_REDUCER, POLICY_REDUCER, RESUME_REDUCER};
use super::rows::{EVENT_TABLE, EventSchema, STREAM_TABLE, stream_columns};

/// The reducers with the types of their arguments.
const REDUCERS: [(&str, &str); 4] = [
    (APPEND_REDUCER, "String, String, String, String, Option<U64>"),
    (POLICY_REDUCER, "String, Option<String>, Option<String>, Option<U64>, Option<U64>"),
    (RESUME_REDUCER, "Vec<(String, U64)>"),
    (CHECKPOINT_REDUCER, "String, String, U64, U64"),
];

/// Types within types that are looked into.
const DEPTH: usize = 8;

/// Compares a schema in the form of version 9.
///
/// # Errors
/// Every difference: what is looked for, and what the module has.
pub(super) fn compare(schema: &Value, events: &EventSchema) -> Result<(), String> {
    let types = &schema["typespace"]["types"];
    let mut wrong = Vec::new();
    let event_columns: Vec<(&str, AlgebraicType)> = events.columns().collect();
    for (table, columns) in [(EVENT_TABLE, event_columns), (STREAM_TABLE, stream_columns().to_vec())] {
        let wanted = columns.iter().map(|(name, kind)| format!("{name} {kind:?}"));
        let wanted = wanted.collect::<Vec<_>>().join(", ");
        let has = named(&schema["tables"], table).map(|table| {
            let product = table["product_type_ref"].as_u64().and_then(|at| usize::try_from(at).ok());
            let row = product.map_or(&Value::Null, |at| &types[at]);
            elements(row).map(|element| column(element, types)).collect::<Vec<_>>().join(", ")
        });
        tell(&mut wrong, &format!("the table `{table}` with the columns"), &wanted, has, schema, "tables");
    }
    for (reducer, wanted) in REDUCERS {
        let has = named(&schema["reducers"], reducer).map(|reducer| {
            let arguments = reducer["params"]["elements"].as_array().into_iter().flatten();
            let arguments = arguments.map(|element| in_words(&element["algebraic_type"], types, DEPTH));
            arguments.collect::<Vec<_>>().join(", ")
        });
        tell(&mut wrong, &format!("the reducer `{reducer}` with the arguments"), wanted, has, schema, "reducers");
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

fn tell(wrong: &mut Vec<String>, what: &str, wanted: &str, has: Option<String>, schema: &Value, all: &str) {
    match has {
        Some(has) if has == wanted => {}
        Some(has) => wrong.push(format!("{what} ({wanted}) is looked for, and it has ({has})")),
        None => {
            let list = schema[all].as_array().into_iter().flatten();
            let names: Vec<&str> = list.filter_map(|one| one["name"].as_str()).take(24).collect();
            wrong.push(format!("{what} ({wanted}) is looked for, and the module's {all} are {}", names.join(", ")));
        }
    }
}

fn named<'a>(list: &'a Value, name: &str) -> Option<&'a Value> {
    list.as_array()?.iter().find(|one| one["name"].as_str() == Some(name))
}

fn elements(product: &Value) -> impl Iterator<Item = &Value> {
    product["Product"]["elements"].as_array().into_iter().flatten()
}

fn column(element: &Value, types: &Value) -> String {
    let name = element["name"]["some"].as_str().unwrap_or("(no name)");
    format!("{name} {}", in_words(&element["algebraic_type"], types, DEPTH))
}

/// A type in words. A product of one special element, such as a timestamp's, is that element, as it is on the wire.
fn in_words(kind: &Value, types: &Value, depth: usize) -> String {
    let Some((tag, inner)) = kind.as_object().and_then(|kind| kind.iter().next()) else {
        return "(no type)".to_owned();
    };
    if depth == 0 {
        return "…".to_owned();
    }
    let within = |kind: &Value| in_words(kind, types, depth - 1);
    match tag.as_str() {
        "Ref" => {
            let at = inner.as_u64().and_then(|at| usize::try_from(at).ok());
            at.map_or_else(|| "(no type)".to_owned(), |at| within(&types[at]))
        }
        "Array" => format!("Vec<{}>", within(inner)),
        "Product" => {
            let all: Vec<&Value> = elements(kind).collect();
            match all[..] {
                [only] if only["name"]["some"].as_str().is_some_and(|name| name.starts_with("__")) => {
                    within(&only["algebraic_type"])
                }
                _ => {
                    let all: Vec<String> = all.iter().map(|one| within(&one["algebraic_type"])).collect();
                    format!("({})", all.join(", "))
                }
            }
        }
        "Sum" => {
            let variants = inner["variants"].as_array().map(Vec::as_slice).unwrap_or_default();
            let is = |at: usize, name: &str| variants[at]["name"]["some"].as_str() == Some(name);
            if variants.len() == 2 && is(0, "some") && is(1, "none") {
                return format!("Option<{}>", within(&variants[0]["algebraic_type"]));
            }
            let names: Vec<&str> = variants.iter().filter_map(|one| one["name"]["some"].as_str()).collect();
            format!("one of {}", names.join(", "))
        }
        plain => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests;
