//! As much of JSON Schema as the document uses. What it does not know fails, so that nothing goes
//! unchecked.

use serde_json::Value;

/// What of `value` is not as `schema` says, a line each; `at` is where in the value it is.
pub(super) fn problems(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(to) = schema["$ref"].as_str() {
        return problems(document, resolve(document, to), value, at);
    }
    let mut found = Vec::new();
    for (keyword, argument) in schema.as_object().expect("a schema is an object") {
        let holds = match keyword.as_str() {
            "type" => is_of_type(value, argument.as_str().expect("one type")),
            "enum" => argument.as_array().expect("a list").contains(value),
            "minimum" => value.as_i64() >= argument.as_i64(),
            "maximum" => value.as_i64() <= argument.as_i64(),
            "minLength" => length(value) >= argument.as_u64(),
            "maxLength" => length(value) <= argument.as_u64(),
            "required" => argument
                .as_array()
                .expect("a list")
                .iter()
                .all(|name| value.get(name.as_str().expect("a name")).is_some()),
            "additionalProperties" => {
                assert_eq!(*argument, Value::Bool(false), "the only use of it here");
                let known = &schema["properties"];
                let names = value.as_object().into_iter().flatten();
                names.into_iter().all(|(name, _)| known.get(name).is_some())
            }
            "properties" => {
                for (name, schema) in argument.as_object().expect("an object") {
                    if let Some(value) = value.get(name) {
                        found.extend(problems(document, schema, value, &format!("{at}/{name}")));
                    }
                }
                true
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(problems(
                        document,
                        argument,
                        value,
                        &format!("{at}/{index}"),
                    ));
                }
                true
            }
            "description" => true,
            other => panic!("{other} is a keyword that this test does not know"),
        };
        if !holds {
            found.push(format!("{at}: {value} is not {keyword} {argument}"));
        }
    }
    found
}

/// What a `$ref` within the document stands for.
pub(super) fn resolve<'a>(document: &'a Value, to: &str) -> &'a Value {
    let pointer = to.strip_prefix('#').expect("within the document");
    document
        .pointer(pointer)
        .unwrap_or_else(|| panic!("{to} is not in the document"))
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("{other} is a type that this test does not know"),
    }
}

fn length(value: &Value) -> Option<u64> {
    let length = value.as_str()?.chars().count();
    u64::try_from(length).ok()
}
