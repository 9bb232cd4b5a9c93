//! `service`: whether SMD is alive, and the words its fields take.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use super::request::PathOf;
use crate::model::{Arch, Class, Flag, NetType, Role, State, SubRole, XnameType};
use crate::server::common::{method_not_allowed, not_found};

pub(super) async fn ready() -> Response {
    answer::json(&json!({"code": 0, "message": "HSM is healthy"}))
}

pub(super) async fn liveness() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Every field with its words.
pub(super) async fn values() -> Response {
    let all: Map<String, Value> = FIELDS.iter().map(|field| ((*field).to_owned(), words(field))).collect();
    answer::json(&all)
}

/// One field with its words. A field that there is not has no methods either: it is 404 whatever is asked of it.
pub(super) async fn value(method: Method, PathOf(name): PathOf<String>) -> Response {
    match field(&name) {
        None => not_found().await,
        Some(field) if method == Method::GET => answer::json(&json!({(field): words(field)})),
        Some(_) => method_not_allowed("GET"),
    }
}

/// The field of a path, where it is named in lower case.
fn field(name: &str) -> Option<&'static str> {
    FIELDS.into_iter().find(|field| field.to_ascii_lowercase() == name)
}

const FIELDS: [&str; 8] = ["Arch", "Class", "Flag", "NetType", "Role", "SubRole", "State", "Type"];

/// Types that SMD lists although no xname of ours has them.
const OTHER_TYPES: [&str; 5] = ["SMSBox", "All", "AllComp", "AllSvc", "INVALID"];

fn words(field: &str) -> Value {
    match field {
        "Arch" => texts(Arch::ALL, Arch::as_str),
        "Class" => texts(Class::ALL, Class::as_str),
        "Flag" => texts(Flag::ALL, Flag::as_str),
        "NetType" => texts(NetType::ALL, NetType::as_str),
        "Role" => texts(Role::ALL, Role::as_str),
        "SubRole" => texts(SubRole::ALL, SubRole::as_str),
        "State" => texts(State::ALL, State::as_str),
        _ => XnameType::ALL.iter().map(|kind| kind.as_str()).chain(OTHER_TYPES).collect(),
    }
}

fn texts<T: Copy>(all: &[T], text: fn(T) -> &'static str) -> Value {
    all.iter().map(|value| text(*value)).collect()
}
