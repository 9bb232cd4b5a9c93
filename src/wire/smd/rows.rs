//! Lists: written straight from the nouns into one buffer, read row by row.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::FieldError;

/// One row of a list that a real SMD answered.
pub type Row<T> = Result<T, RowError>;

/// A row that is not what its list is of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{id}`: {cause}")]
pub struct RowError {
    /// The row's identifier as it came, or its number (from 0) where it has none.
    pub id: String,
    /// What is wrong with it.
    pub cause: RowCause,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowCause {
    /// A field's content.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The row is not a JSON object of the list's shape.
    #[error("{0}")]
    Shape(String),
}

/// An answer that is no list at all.
#[derive(Debug, thiserror::Error)]
#[error("the answer is not a JSON list of {list}")]
pub struct ListError {
    /// What it should have been a list of.
    pub list: &'static str,
    /// What serde says.
    #[source]
    pub cause: serde_json::Error,
}

/// Writes `[row,…]`, or `{"key":[row,…]}` where SMD wraps the list.
///
/// # Panics
///
/// Never: the views have text keys only and a buffer takes every byte.
pub fn write_list<T: Serialize>(key: Option<&str>, rows: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(256);
    if let Some(key) = key {
        buffer.extend_from_slice(format!("{{\"{key}\":").as_bytes());
    }
    buffer.push(b'[');
    for (number, row) in rows.into_iter().enumerate() {
        if number > 0 {
            buffer.push(b',');
        }
        serde_json::to_writer(&mut buffer, &row).expect("a view has text keys only and a buffer takes every byte");
    }
    buffer.push(b']');
    if key.is_some() {
        buffer.push(b'}');
    }
    buffer.push(b'\n');
    buffer
}

/// What names a row, whatever list it is of.
#[derive(Deserialize)]
struct Name {
    #[serde(rename = "ID")]
    id: Option<String>,
    #[serde(rename = "label")]
    label: Option<String>,
}

/// Reads each row for itself. A list that is `null` is empty, as Go writes it.
pub(super) fn read<B: DeserializeOwned, T>(
    rows: Option<Vec<&RawValue>>,
    into: impl Fn(B) -> Result<T, FieldError>,
) -> Vec<Row<T>> {
    let named = |number: usize, row: &RawValue, cause: RowCause| {
        let name = serde_json::from_str::<Name>(row.get()).ok().and_then(|name| name.id.or(name.label));
        RowError { id: name.unwrap_or_else(|| number.to_string()), cause }
    };
    rows.unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(number, row)| {
            let body: B = serde_json::from_str(row.get())
                .map_err(|error| named(number, row, RowCause::Shape(error.to_string())))?;
            into(body).map_err(|error| named(number, row, error.into()))
        })
        .collect()
}
