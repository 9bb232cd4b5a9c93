//! Entries of `/cloud-init` and `/cloud-init-secure` as JSON.
//!
//! `jinja` beside `name` is ours: the original has no such member and ignores it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::model::{CloudInitEntry, EntryName};
use crate::wire::json::{self, AnyCase};

/// Why a body is not an entry. None of these repeats what the body holds: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not JSON, or no JSON object.
    #[error("the body is not a JSON object: line {line}, column {column}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A member of the wrong type.
    #[error("`{0}` has the wrong type")]
    Member(&'static str),
    /// A name that no entry can have.
    #[error("an entry's name has 1 to 255 printable characters and no `/`")]
    Name,
    /// A document that is neither a mapping nor `null`.
    #[error("`{0}` is not a mapping")]
    Document(&'static str),
}

/// A POST or PUT of an entry.
#[derive(Clone, PartialEq, Eq)]
pub struct EntryRequest {
    /// The name, where the body gives one.
    pub name: Option<EntryName>,
    /// `null` when it is not given, as the other two.
    pub userdata: Value,
    /// Instance data.
    pub metadata: Value,
    /// The vendor's cloud-config.
    pub vendordata: Value,
    /// Whether the documents are Jinja templates, where the body says so.
    pub jinja: Option<bool>,
}

impl std::fmt::Debug for EntryRequest {
    /// Names the entry only: the documents may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EntryRequest").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The members of an entry that are read; what each of them is, is looked at one by one.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Members {
    name: Value,
    jinja: Value,
    #[serde(rename = "cloud-init")]
    documents: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Documents {
    userdata: Value,
    metadata: Value,
    vendordata: Value,
}

/// Reads the body of a POST or PUT, the names of its members in any capitals; `null` is one without members, as for the
/// original.
///
/// # Errors
///
/// [`EntryError`], without anything of the body in it.
pub fn parse_entry(body: &[u8]) -> Result<EntryRequest, EntryError> {
    let members = json::from_slice::<Option<Members>>(body)?.unwrap_or_default();
    let name = match members.name {
        Value::Null => None,
        Value::String(name) if name.is_empty() => None,
        Value::String(name) => Some(name.parse().map_err(|_| EntryError::Name)?),
        _ => return Err(EntryError::Member("name")),
    };
    let jinja = match members.jinja {
        Value::Null => None,
        Value::Bool(jinja) => Some(jinja),
        _ => return Err(EntryError::Member("jinja")),
    };
    let documents = match members.documents {
        Value::Null => Documents::default(),
        documents => Documents::deserialize(AnyCase(documents)).map_err(|_| EntryError::Member("cloud-init"))?,
    };
    let document = |name: &'static str, document: Value| match document {
        Value::Null | Value::Object(_) => Ok(document),
        _ => Err(EntryError::Document(name)),
    };
    Ok(EntryRequest {
        name,
        userdata: document("userdata", documents.userdata)?,
        metadata: document("metadata", documents.metadata)?,
        vendordata: document("vendordata", documents.vendordata)?,
        jinja,
    })
}

impl From<serde_json::Error> for EntryError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column() }
    }
}

/// What a server's store holds, as far as it can be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EntryListing {
    /// The entries, by name. An empty mapping says nothing and is read as `null`.
    pub entries: Vec<CloudInitEntry>,
    /// What could not be read: one sentence an entry, without its content. The rest of the answer is good.
    pub rejected: Vec<String>,
}

/// Reads the body of `GET /cloud-init`, a map from names to entries. An entry that is not understood does not spoil the
/// others.
///
/// # Errors
///
/// [`EntryError::Json`] when the body is not a map.
pub fn parse_listing(body: &[u8]) -> Result<EntryListing, EntryError> {
    let items: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(body)?;
    let mut listing = EntryListing::default();
    for (name, item) in items {
        // The original blanks the name inside an entry; the key is what counts.
        match (name.parse::<EntryName>(), parse_entry(item.get().as_bytes())) {
            (Ok(name), Ok(request)) => listing.entries.push(request.listed_as(name)),
            (Err(error), _) => listing.rejected.push(format!("cloud-init entry `{name}`: {error}")),
            (_, Err(error)) => listing.rejected.push(format!("cloud-init entry `{name}`: {error}")),
        }
    }
    Ok(listing)
}

impl EntryRequest {
    fn listed_as(self, name: EntryName) -> CloudInitEntry {
        let told =
            |document: Value| if document.as_object().is_some_and(Map::is_empty) { Value::Null } else { document };
        CloudInitEntry {
            name,
            userdata: told(self.userdata),
            metadata: told(self.metadata),
            vendordata: told(self.vendordata),
            jinja: self.jinja.unwrap_or(false),
        }
    }
}

#[derive(Serialize)]
struct EntryBody<'a, D: Serialize> {
    name: &'a str,
    #[serde(rename = "cloud-init")]
    data: DataBody<D>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    jinja: bool,
}

#[derive(Serialize)]
struct DataBody<D: Serialize> {
    userdata: D,
    metadata: D,
    vendordata: D,
}

fn text(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("an entry is a tree with text keys only")
}

/// The body of a POST that creates the entry.
#[must_use]
pub fn create_body(entry: &CloudInitEntry) -> String {
    let data = DataBody { userdata: &entry.userdata, metadata: &entry.metadata, vendordata: &entry.vendordata };
    text(&EntryBody { name: entry.name.as_str(), data, jinja: entry.jinja })
}

/// The body of a PUT that replaces the whole entry. The original keeps a document that is not given, so what the entry
/// does not have is sent as an empty mapping.
#[must_use]
pub fn replace_body(entry: &CloudInitEntry) -> String {
    let empty = Value::Object(Map::new());
    let given = |document| if matches!(document, &Value::Null) { &empty } else { document };
    let data = DataBody {
        userdata: given(&entry.userdata),
        metadata: given(&entry.metadata),
        vendordata: given(&entry.vendordata),
    };
    text(&EntryBody { name: entry.name.as_str(), data, jinja: entry.jinja })
}

/// The answer to `GET /cloud-init/{name}`: the documents in the order user, meta, vendor. The name is blank, as the
/// original sends it.
pub fn entry_json(documents: [impl Serialize; 3], jinja: bool) -> String {
    let [userdata, metadata, vendordata] = documents;
    text(&EntryBody { name: "", data: DataBody { userdata, metadata, vendordata }, jinja })
}

/// The answer to `GET /cloud-init`: a map from names to entries.
pub fn listing_json<'a>(entries: impl IntoIterator<Item = &'a CloudInitEntry>) -> String {
    let body = |entry: &'a CloudInitEntry| EntryBody {
        name: "",
        data: DataBody { userdata: &entry.userdata, metadata: &entry.metadata, vendordata: &entry.vendordata },
        jinja: entry.jinja,
    };
    let entries: BTreeMap<_, _> = entries.into_iter().map(|entry| (entry.name.as_str(), body(entry))).collect();
    text(&entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(userdata: Value, jinja: bool) -> CloudInitEntry {
        let name = "compute".parse().unwrap();
        CloudInitEntry { name, userdata, metadata: json!({"instance-id": "a"}), vendordata: Value::Null, jinja }
    }

    #[test]
    fn what_we_list_is_read_back() {
        let entries = [entry(json!({"runcmd": ["a"]}), true)];
        let listing = parse_listing(listing_json(&entries).as_bytes()).unwrap();
        assert_eq!(listing, EntryListing { entries: entries.to_vec(), rejected: Vec::new() });
    }

    #[test]
    fn an_entry_that_is_not_understood_does_not_spoil_the_others() {
        let text = br#"{"": {"name": ""}, "a": {"cloud-init": {"userdata": {}}}, "b": {"cloud-init": "hunter2"}}"#;
        let listing = parse_listing(text).unwrap();
        assert_eq!(listing.entries.len(), 1);
        assert!(listing.entries[0].userdata.is_null(), "an empty mapping says nothing");
        assert_eq!(listing.rejected.len(), 2);
        assert!(!listing.rejected.concat().contains("hunter2"), "{:?}", listing.rejected);
        assert!(parse_listing(b"[]").is_err());
    }

    #[test]
    fn what_is_wrong_is_told_without_the_content() {
        for (body, expected) in [
            (r#"{"name":"a/b"}"#, "no `/`"),
            (r#"{"name":"a","cloud-init":{"userdata":["hunter2"]}}"#, "`userdata` is not a mapping"),
            (r#"{"name":"a","cloud-init":{"metadata":"hunter2"}}"#, "`metadata` is not a mapping"),
            (r#"{"name":"a","cloud-init":"hunter2"}"#, "`cloud-init` has the wrong type"),
            (r#"{"jinja":"hunter2"}"#, "`jinja` has the wrong type"),
            (r#"{"name":["hunter2"]}"#, "`name` has the wrong type"),
            ("{", "line 1"),
            ("", "not a JSON object"),
            ("[]", "not a JSON object"),
            (r#""hunter2""#, "not a JSON object"),
        ] {
            let error = parse_entry(body.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{body}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_name_may_be_left_out_and_documents_may_be_null() {
        let request = parse_entry(br#"{"name":"","cloud-init":{"vendordata":null,"x":1}}"#).unwrap();
        assert_eq!(request.name, None);
        assert!(request.userdata.is_null() && request.vendordata.is_null());
        assert_eq!(parse_entry(br#"{"cloud-init":null}"#).unwrap().jinja, None);
        assert_eq!(parse_entry(b"null").unwrap(), parse_entry(b"{}").unwrap());
    }

    #[test]
    fn a_create_sends_null_and_a_replacement_sends_an_empty_mapping() {
        let entry = entry(json!({"a": 1}), false);
        let documents = |body: &str| serde_json::from_str::<Value>(body).unwrap()["cloud-init"].clone();
        assert_eq!(documents(&create_body(&entry))["vendordata"], Value::Null);
        assert_eq!(documents(&replace_body(&entry))["vendordata"], json!({}));
        assert_eq!(parse_entry(create_body(&entry).as_bytes()).unwrap().name, Some(entry.name));
    }
}
