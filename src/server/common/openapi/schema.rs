//! What JSON has to look like.

use serde_json::{Map, Value, json};

/// What a value has to be.
#[derive(Debug, Clone, Copy)]
pub enum Schema {
    /// Any text.
    Text,
    /// Text in a format that OpenAPI knows the name of, such as `date-time`.
    Format(&'static str),
    /// Text that matches the regular expression.
    Pattern(&'static str),
    /// One of those words; a function, so that the words are those that the code reads.
    Words(fn() -> Vec<&'static str>),
    /// A whole number.
    Whole,
    /// True or false.
    Truth,
    /// Nothing.
    Null,
    /// Anything.
    Anything,
    /// The schema of that name.
    Of(&'static str),
    /// A list.
    List(&'static Self),
    /// An object of any names with such values.
    Map(&'static Self),
    /// An object with those members.
    Object(&'static [Field]),
    /// Any of them.
    Either(&'static [Self]),
}

/// A member of an object.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub schema: Schema,
    /// What it means; may be empty.
    pub description: &'static str,
    /// It is always there.
    pub is_required: bool,
    /// Clients may send it, and nothing comes of it.
    pub is_read_only: bool,
}

/// A member that is always there.
#[must_use]
pub const fn required(name: &'static str, schema: Schema, description: &'static str) -> Field {
    Field { name, schema, description, is_required: true, is_read_only: false }
}

/// A member that may be left out.
#[must_use]
pub const fn optional(name: &'static str, schema: Schema, description: &'static str) -> Field {
    Field { name, schema, description, is_required: false, is_read_only: false }
}

/// A member that is answered, and ignored where it is sent.
#[must_use]
pub const fn read_only(name: &'static str, schema: Schema, description: &'static str) -> Field {
    Field { name, schema, description, is_required: false, is_read_only: true }
}

impl Schema {
    /// As OpenAPI writes it.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Text => json!({"type": "string"}),
            Self::Format(format) => json!({"type": "string", "format": format}),
            Self::Pattern(pattern) => json!({"type": "string", "pattern": pattern}),
            Self::Words(words) => json!({"type": "string", "enum": words()}),
            Self::Whole => json!({"type": "integer"}),
            Self::Truth => json!({"type": "boolean"}),
            Self::Null => json!({"type": "null"}),
            Self::Anything => json!({}),
            Self::Of(name) => json!({"$ref": format!("#/components/schemas/{name}")}),
            Self::List(items) => json!({"type": "array", "items": items.json()}),
            Self::Map(values) => json!({"type": "object", "additionalProperties": values.json()}),
            Self::Object(fields) => object(fields),
            Self::Either(schemas) => json!({"anyOf": schemas.iter().map(Self::json).collect::<Vec<_>>()}),
        }
    }
}

fn object(fields: &[Field]) -> Value {
    let member = |field: &Field| {
        let mut schema = field.schema.json();
        if !field.description.is_empty() {
            schema["description"] = field.description.into();
        }
        if field.is_read_only {
            schema["readOnly"] = true.into();
        }
        (field.name.to_owned(), schema)
    };
    let properties: Map<String, Value> = fields.iter().map(member).collect();
    let required: Vec<_> = fields.iter().filter(|field| field.is_required).map(|field| field.name).collect();
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}
