//! Cuts an object down to the selected fields.

use serde_json::{Map, Value};

use super::document::Field;

/// The selected fields of a value that has all fields of its type.
///
/// # Errors
/// A sentence: a field the type does not have, or a selection below a leaf.
pub(crate) fn project(value: &Value, fields: &[Field]) -> Result<Value, String> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Array(items) => {
            items.iter().map(|item| project(item, fields)).collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        Value::Object(_) if fields.is_empty() => Err("An object needs a selection of its fields.".to_owned()),
        Value::Object(object) => {
            let mut selected = Map::new();
            for field in fields {
                let value = match object.get(&field.name) {
                    Some(value) => project(value, &field.fields)?,
                    None if field.name == "__typename" => Value::from("Object"),
                    None => return Err(format!("Cannot query field \"{}\".", field.name)),
                };
                selected.insert(field.key.clone(), value);
            }
            Ok(Value::Object(selected))
        }
        leaf if fields.is_empty() => Ok(leaf.clone()),
        _ => Err("A leaf has no fields to select.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse;
    use super::*;

    fn cut(query: &str, value: &Value) -> Result<Value, String> {
        project(value, &parse(&serde_json::from_value(json!({ "query": query })).unwrap()).unwrap())
    }

    #[test]
    fn cuts_lists_objects_and_nulls() {
        let value = json!({"a": [{"b": 1, "c": 2}, {"b": 3, "c": 4}], "d": null});
        assert_eq!(
            cut("{ a { x: b } d { e } }", &value).unwrap(),
            json!({"a": [{"x": 1}, {"x": 3}], "d": null})
        );
    }

    #[test]
    fn unknown_fields_are_errors() {
        let value = json!({"a": {"b": 1}});
        assert!(cut("{ z }", &value).unwrap_err().contains("\"z\""));
        assert!(cut("{ a }", &value).is_err());
        assert!(cut("{ a { b { c } } }", &value).is_err());
    }
}
