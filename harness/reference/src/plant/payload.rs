//! Planted defects of payloads: what a careless reader and writer of JSON does to a value.

use serde_json::{Map, Number, Value};

use super::publish::first_bytes;
use crate::defects::{Defect, Defects};

/// The text of a payload as a defect changes it; `None` where it leaves it as it is.
pub(crate) fn altered(text: &str, defects: &Defects) -> Option<String> {
    let defect = defects.of_payload()?;
    // Numbers keep their text. serde_json reads no level beyond 128.
    let before: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) => return (defect == Defect::Depth128).then(|| "null".to_owned()),
    };
    let after = alter(before.clone(), defect, 1);
    (after != before).then(|| after.to_string())
}

fn alter(value: Value, defect: Defect, depth: usize) -> Value {
    let value = match value {
        Value::Object(object) => Value::Object(members(object, defect, depth)),
        Value::Array(mut list) => {
            if defect == Defect::Elements256 {
                list.truncate(256);
            }
            Value::Array(list.into_iter().map(|element| alter(element, defect, depth + 1)).collect())
        }
        other => other,
    };
    match (value, defect) {
        (Value::Object(_) | Value::Array(_), Defect::Depth64) if depth > 64 => Value::Null,
        (Value::Object(_) | Value::Array(_), Defect::Depth128) if depth > 128 => Value::Null,
        (Value::String(text), _) => changed_text(text, defect),
        (Value::Number(number), Defect::BigIntegers) => rounded(&number),
        (Value::Number(number), Defect::MinusZero)
            if number.as_f64().is_some_and(|n| n == 0.0 && n.is_sign_negative()) =>
        {
            Value::from(1)
        }
        (other, _) => other,
    }
}

fn members(object: Map<String, Value>, defect: Defect, depth: usize) -> Map<String, Value> {
    let mut members = Map::new();
    for (at, (name, value)) in object.into_iter().enumerate() {
        let value = alter(value, defect, depth + 1);
        match defect {
            Defect::Members256 if at >= 256 => {}
            Defect::DropNulls if value.is_null() => {}
            Defect::Proto if name == "__proto__" => {}
            Defect::LowerMembers => drop(members.insert(name.to_lowercase(), value)),
            Defect::SnakeMembers => drop(members.insert(snake(&name), value)),
            Defect::DotMembers if name.contains('.') => {
                let (outer, inner) = name.split_once('.').unwrap_or_default();
                members.insert(outer.to_owned(), serde_json::json!({ inner: value }));
            }
            _ => drop(members.insert(name, value)),
        }
    }
    members
}

fn changed_text(text: String, defect: Defect) -> Value {
    let is_date = |text: &str| text.len() > 20 && text.as_bytes()[10] == b'T' && text.as_bytes()[4] == b'-';
    match defect {
        Defect::CutText65535 => first_bytes(&text, 65_535).into(),
        Defect::CutText255 => first_bytes(&text, 255).into(),
        Defect::TrimText => text.trim_end().into(),
        Defect::CrlfText => text.replace("\r\n", "\n").into(),
        Defect::NulText => text.replace('\0', "").into(),
        Defect::BomText => text.replace('\u{feff}', "").into(),
        Defect::IsoDates if is_date(&text) && text.as_bytes()[text.len() - 3] == b':' => {
            format!("{}Z", first_bytes(&text, text.len() - 6)).into()
        }
        Defect::NumberText => serde_json::from_str::<Number>(&text).map_or(Value::from(text), Value::Number),
        Defect::TrueText if text == "true" || text == "false" => Value::Bool(text == "true"),
        Defect::EmptyText if text.is_empty() => Value::Null,
        _ => text.into(),
    }
}

/// An integer beyond 2^53 as the double next to it.
fn rounded(number: &Number) -> Value {
    let text = number.to_string();
    let is_whole = text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    match number.as_f64() {
        Some(double) if is_whole && double.abs() >= 9_007_199_254_740_992.0 => {
            serde_json::from_str(&format!("{double:.0}")).unwrap_or(Value::Null)
        }
        _ => Value::Number(number.clone()),
    }
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests;
