#![allow(clippy::unwrap_used)]
use super::*;

/// What a 1.2.0 server says of this project's module.
fn module() -> Value {
    serde_json::from_str(include_str!("../schema/module.json")).unwrap()
}

fn compared(schema: &Value) -> Result<(), String> {
    compare(schema, &EventSchema::module())
}

fn columns<'a>(schema: &'a mut Value, table: &str) -> &'a mut Vec<Value> {
    let at = named(&schema["tables"], table).unwrap()["product_type_ref"].as_u64().unwrap() as usize;
    schema["typespace"]["types"][at]["Product"]["elements"].as_array_mut().unwrap()
}

#[test]
fn the_module_of_this_project_is_what_the_lane_reads() {
    assert_eq!(compared(&module()), Ok(()));
}

#[test]
fn a_column_of_another_name_type_or_place_is_told() {
    let mut renamed = module();
    columns(&mut renamed, "sync_event")[4]["name"]["some"] = "payload_json".into();
    let mut retyped = module();
    columns(&mut retyped, "sync_stream")[4]["algebraic_type"] = serde_json::json!({"U32": []});
    let mut moved = module();
    columns(&mut moved, "sync_event").swap(2, 3);
    let mut longer = module();
    let first = columns(&mut longer, "sync_event")[0].clone();
    columns(&mut longer, "sync_event").push(first);
    for (schema, words) in [
        (renamed, ["`sync_event`", "payload_json String"]),
        (retyped, ["`sync_stream`", "head_seq U32"]),
        (moved, ["`sync_event`", "seq U64, payload_hash String, idempotency_key String"]),
        (longer, ["`sync_event`", "confirmed_read Bool, stream_id String)"]),
    ] {
        let error = compared(&schema).unwrap_err();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
}

#[test]
fn a_table_or_reducer_that_is_not_there_is_told_with_those_that_are() {
    let mut other = module();
    other["tables"].as_array_mut().unwrap().retain(|table| table["name"] != "sync_stream");
    other["reducers"].as_array_mut().unwrap().retain(|reducer| reducer["name"] != "resume_stream");
    let error = compared(&other).unwrap_err();
    assert!(error.contains("the module's tables are") && error.contains("sync_event"), "{error}");
    assert!(error.contains("`resume_stream`") && error.contains("append_sync_event"), "{error}");
}

#[test]
fn a_reducer_with_other_arguments_is_told_and_other_names_of_arguments_are_not() {
    let mut schema = module();
    for reducer in schema["reducers"].as_array_mut().unwrap() {
        if reducer["name"] == "append_sync_event" {
            reducer["params"]["elements"][0]["name"]["some"] = "stream".into();
        }
    }
    assert_eq!(compared(&schema), Ok(()));
    for reducer in schema["reducers"].as_array_mut().unwrap() {
        if reducer["name"] == "append_sync_event" {
            reducer["params"]["elements"].as_array_mut().unwrap().pop();
        }
    }
    let error = compared(&schema).unwrap_err();
    assert!(error.contains("and it has (String, String, String, String)"), "{error}");
}

#[test]
fn what_is_no_schema_is_an_error_and_no_panic() {
    for text in ["null", "{}", "[]", r#"{"tables":[{"name":"sync_event","product_type_ref":9}]}"#] {
        assert!(compared(&serde_json::from_str(text).unwrap()).is_err(), "{text}");
    }
}
