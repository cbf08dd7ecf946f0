//! The OpenAPI document as tests read it.

use serde_json::Value;

use crate::operations::Operation;

/// A field of a body, or a parameter of a query.
#[derive(Clone, Debug)]
pub struct Field {
    /// As errors name it: `date.from`, `lines[0].text`.
    pub name: String,
    pub schema: Value,
    /// Whether nothing goes without it.
    pub required: bool,
}

impl Field {
    /// The JSON type: `string`, `integer`, `number`, `boolean`, `array` or `object`.
    pub fn kind(&self) -> &str {
        let kind = &self.schema["type"];
        let named = kind.as_str().or_else(|| {
            kind.as_array()?
                .iter()
                .filter_map(Value::as_str)
                .find(|t| *t != "null")
        });
        named.unwrap_or_else(|| panic!("{} has no type: {}", self.name, self.schema))
    }

    /// The names of a closed set; empty where the set is open.
    pub fn names(&self) -> Vec<&str> {
        let names = self.schema["enum"].as_array().into_iter().flatten();
        names.filter_map(Value::as_str).collect()
    }
}

/// The document, made anew.
pub fn document() -> Value {
    trunkline_server::openapi::document()
}

/// The description of an operation.
pub fn described(document: &Value, operation: &Operation) -> Value {
    let found = &document["paths"][&operation.path][operation.method.as_str().to_lowercase()];
    assert!(found.is_object(), "{} is not described", operation.name());
    found.clone()
}

/// What a schema stands for, references followed and the "or null" of an object left out.
pub fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference
            .strip_prefix('#')
            .unwrap_or_else(|| panic!("{reference} leads out of the document"));
        let target = document.pointer(pointer);
        return resolve(
            document,
            target.unwrap_or_else(|| panic!("{reference} leads nowhere")),
        );
    }
    match schema["oneOf"].as_array().map(Vec::as_slice) {
        Some([one, null]) if null["type"] == "null" => resolve(document, one),
        _ => schema,
    }
}

/// The schema of an operation's body.
pub fn body_schema(document: &Value, operation: &Operation) -> Value {
    let schema = &described(document, operation)["requestBody"]["content"]["application/json"]["schema"];
    resolve(document, schema).clone()
}

/// All fields of an operation's body, those of nested objects after the object itself; of a list, those of its first
/// entry.
pub fn body_fields(document: &Value, operation: &Operation) -> Vec<Field> {
    let mut fields = Vec::new();
    collect(document, &body_schema(document, operation), "", &mut fields);
    fields
}

fn collect(document: &Value, schema: &Value, prefix: &str, fields: &mut Vec<Field>) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (own, schema) in schema["properties"].as_object().into_iter().flatten() {
        let schema = resolve(document, schema);
        let name = format!("{prefix}{own}");
        fields.push(Field {
            name: name.clone(),
            schema: schema.clone(),
            required: required.contains(&Value::String(own.clone())),
        });
        collect(document, schema, &format!("{name}."), fields);
        collect(
            document,
            resolve(document, &schema["items"]),
            &format!("{name}[0]."),
            fields,
        );
    }
}

/// The parameters of an operation that stand in `place`: `query` or `path`.
pub fn parameters(document: &Value, operation: &Operation, place: &str) -> Vec<Field> {
    let described = described(document, operation);
    let all = described["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|parameter| parameter["in"] == place);
    all.map(|parameter| {
        let mut schema = resolve(document, &parameter["schema"]).clone();
        if let Some(example) = parameter.get("example") {
            schema["example"] = example.clone();
        }
        Field {
            name: parameter["name"].as_str().unwrap().to_owned(),
            schema,
            required: parameter["required"] == true,
        }
    })
    .collect()
}

/// `value` put into `body` where `name` says, such as `lines[0].text`; what lies on the way is made.
pub fn put(body: &mut Value, name: &str, value: Value) {
    let pointer = format!("/{}", name.replace('[', "/").replace(']', "").replace('.', "/"));
    let (parent, own) = pointer.rsplit_once('/').unwrap();
    let parent = body
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("the body has nowhere to put {name}"));
    parent[own] = value;
}
