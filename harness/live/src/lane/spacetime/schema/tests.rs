#![allow(clippy::unwrap_used)]
use serde_json::Value;
use spacetimedb_sats::ProductTypeElement;
use spacetimedb_sats::raw_identifier::RawIdentifier;

use super::*;

/// A table's name and its columns, in order.
pub(in crate::lane::spacetime) type MadeTable<'a> = (&'a str, &'a [(&'a str, AlgebraicType)]);

impl Schema {
    /// A made module with these tables, each with its columns in order.
    pub(in crate::lane::spacetime) fn of_tables(tables: &[MadeTable<'_>]) -> Schema {
        let column = |(name, kind): &(&str, AlgebraicType)| {
            ProductTypeElement::new(kind.clone(), Some(RawIdentifier::new(*name)))
        };
        let row = |columns: &[_]| Arc::new(ProductType::from_iter(columns.iter().map(column)));
        let tables = tables.iter().map(|(table, columns)| ((*table).to_owned(), row(columns))).collect();
        Schema { tables, ..Schema::default() }
    }
}

/// A 1.2.0 server's report of this project's module.
fn module() -> Value {
    serde_json::from_str(include_str!("../schema/module.json")).unwrap()
}

fn checked(schema: &Value) -> Result<(), String> {
    Schema::parse(schema.to_string().as_bytes()).unwrap().check()
}

fn named<'a>(list: &'a mut Value, name: &str) -> &'a mut Value {
    list.as_array_mut().unwrap().iter_mut().find(|one| one["name"] == name).unwrap()
}

fn columns_of<'a>(schema: &'a mut Value, table: &str) -> &'a mut Vec<Value> {
    let at = named(&mut schema["tables"], table)["product_type_ref"].as_u64().unwrap() as usize;
    schema["typespace"]["types"][at]["Product"]["elements"].as_array_mut().unwrap()
}

fn arguments_of<'a>(schema: &'a mut Value, reducer: &str) -> &'a mut Vec<Value> {
    named(&mut schema["reducers"], reducer)["params"]["elements"].as_array_mut().unwrap()
}

#[test]
fn the_module_of_this_project_has_what_the_lane_reads_and_calls() {
    assert_eq!(checked(&module()), Ok(()));
    assert_eq!(Schema::module().check(), Ok(()));
}

#[test]
fn a_column_of_another_name_or_type_is_reported() {
    let mut renamed = module();
    columns_of(&mut renamed, "sync_event")[4]["name"]["some"] = "payload_json".into();
    let mut retyped = module();
    columns_of(&mut retyped, "sync_stream")[4]["algebraic_type"] = serde_json::json!({"U32": []});
    for (schema, words) in
        [(renamed, ["`sync_event`", "payload_json String"]), (retyped, ["`sync_stream`", "head_seq U32"])]
    {
        let error = checked(&schema).unwrap_err();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
}

#[test]
fn columns_in_another_order_more_columns_and_more_tables_are_no_difference() {
    let mut other = module();
    columns_of(&mut other, "sync_event").reverse();
    let more = columns_of(&mut other, "sync_checkpoint")[0].clone();
    columns_of(&mut other, "sync_event").insert(2, more.clone());
    columns_of(&mut other, "sync_stream").push(more);
    let mut table = named(&mut other["tables"], "sync_stream").clone();
    table["name"] = "session_presence".into();
    other["tables"].as_array_mut().unwrap().push(table);
    assert_eq!(checked(&other), Ok(()));
}

#[test]
fn a_type_that_refers_to_itself_only_costs_the_table_that_has_it() {
    let mut other = module();
    let types = other["typespace"]["types"].as_array_mut().unwrap();
    let itself = types.len();
    types.push(serde_json::json!({"Product": {"elements": [
        {"name": {"some": "next"}, "algebraic_type": {"Ref": itself}},
    ]}}));
    let mut table = named(&mut other["tables"], "sync_checkpoint").clone();
    table["name"] = "endless".into();
    table["product_type_ref"] = itself.into();
    other["tables"].as_array_mut().unwrap().push(table);
    assert_eq!(checked(&other), Ok(()));
    assert!(Schema::parse(other.to_string().as_bytes()).unwrap().columns("endless").is_none());
}

#[test]
fn a_missing_table_or_reducer_is_reported_with_those_that_there_are() {
    let mut other = module();
    other["tables"].as_array_mut().unwrap().retain(|table| table["name"] != "sync_stream");
    other["reducers"].as_array_mut().unwrap().retain(|reducer| reducer["name"] != "resume_stream");
    let error = checked(&other).unwrap_err();
    assert!(error.contains("the module's tables are") && error.contains("sync_event"), "{error}");
    assert!(error.contains("`resume_stream`") && error.contains("append_sync_event"), "{error}");
}

#[test]
fn other_arguments_of_a_reducer_are_reported_and_other_names_of_them_are_not() {
    let mut schema = module();
    arguments_of(&mut schema, "append_sync_event")[0]["name"]["some"] = "stream".into();
    assert_eq!(checked(&schema), Ok(()));
    arguments_of(&mut schema, "append_sync_event").pop();
    let error = checked(&schema).unwrap_err();
    assert!(error.contains("and it has (String, String, String, String)"), "{error}");
}

#[test]
fn a_module_lacks_what_it_has_not_or_has_otherwise() {
    let missing = |schema: &Value| Schema::parse(schema.to_string().as_bytes()).unwrap().missing();
    assert_eq!(missing(&module()), [""; 0]);
    let mut other = module();
    named(&mut other["tables"], "active_connection")["name"] = "connections".into();
    named(&mut other["reducers"], "set_window")["name"] = "window".into();
    arguments_of(&mut other, "prune_stream").pop();
    columns_of(&mut other, "bridge_outbox").reverse();
    assert_eq!(missing(&other), ["active_connection", "prune_stream", "set_window"]);
}

#[test]
fn an_answer_that_is_no_schema_is_an_error_and_no_panic() {
    for text in ["null", "{}", "[]", "<html>", r#"{"tables":[{"name":"sync_event","product_type_ref":9}]}"#] {
        assert!(Schema::parse(text.as_bytes()).is_err(), "{text}");
    }
    let dangling = r#"{"typespace":{"types":[]},"tables":[{"name":"sync_event","product_type_ref":9}],"reducers":[]}"#;
    assert!(Schema::parse(dangling.as_bytes()).unwrap().check().is_err());
}
