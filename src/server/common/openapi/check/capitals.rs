//! Names of members in other capitals than the table has them, as clients of the original services may send them.

use axum::Router;
use serde_json::Value;

use super::{Api, Operation, Schema, ask, members, operations, wrong_for};

/// Every example is answered alike with all names in other capitals, and each of these names is read: one that holds what
/// it cannot is refused.
pub(crate) async fn reads_names_in_any_capitals(api: &Api, prepared: impl AsyncFn(&str, &Operation) -> Router) {
    let (mut faults, mut tried) = (Vec::new(), 0);
    for (path, operation) in operations(api) {
        let Some(body) = operation.body else { continue };
        let example: Value = serde_json::from_str(body.example).unwrap();
        let whole = respelled(api, &body.schema, &example);
        let (usual, router) = (prepared(path, operation).await, prepared(path, operation).await);
        let usual = ask(&usual, operation.method, &api.sample(path), body.example).await;
        let answered = ask(&router, operation.method, &api.sample(path), whole.to_string()).await;
        if answered.status != usual.status {
            faults.push(format!("{} {path}: {} instead of {}", operation.method, answered.status, usual.status));
        }
        for field in members(api, &body.schema).into_iter().flatten() {
            if field.is_read_only || matches!(field.schema, Schema::Anything) {
                continue;
            }
            let router = prepared(path, operation).await;
            let mut changed = whole.clone();
            changed[other_capitals(field.name)] = wrong_for(api, field);
            let answered = ask(&router, operation.method, &api.sample(path), changed.to_string()).await;
            tried += 1;
            if !(400..500).contains(&answered.status) {
                faults.push(format!("{} {path}: {}: {}", operation.method, field.name, answered.status));
            }
        }
    }
    assert!(tried > 0, "no body has a member");
    assert!(faults.is_empty(), "{faults:#?}");
}

fn other_capitals(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() }).collect()
}

/// The value with the names that its schema has in other capitals; what is data stays.
fn respelled(api: &Api, schema: &Schema, value: &Value) -> Value {
    match (schema, value) {
        (Schema::List(items), Value::Array(values)) => {
            values.iter().map(|value| respelled(api, items, value)).collect()
        }
        (Schema::Either(schemas), _) => schemas.first().map_or_else(|| value.clone(), |one| respelled(api, one, value)),
        (_, Value::Object(given)) => match members(api, schema) {
            Some(fields) => given.iter().map(|(name, value)| match fields.iter().find(|field| field.name == name) {
                Some(field) => (other_capitals(name), respelled(api, &field.schema, value)),
                None => (name.clone(), value.clone()),
            }),
            None => return value.clone(),
        }
        .collect(),
        _ => value.clone(),
    }
}
