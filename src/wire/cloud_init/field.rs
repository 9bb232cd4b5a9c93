//! What the bodies of today's administration share: the reading of JSON, and checks of single fields.

use serde::de::DeserializeOwned;

use crate::model::EntryName;
use crate::wire::json;

/// Why a body of today's administration is wrong as it stands. None of these repeats more of it than a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// Not JSON, or not of this shape.
    #[error("the body is not a JSON object of this shape: line {line}, column {column}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A group without a name.
    #[error("name is required")]
    NoName,
    /// A name that no group can have.
    #[error("a group's name has 1 to 255 printable characters and no `/`")]
    Name,
    /// A body about another thing than its path.
    #[error("the body is of `{0}`, the path is not")]
    Other(String),
    /// A file that is not what its encoding says.
    #[error("the file's content is not base64")]
    Base64,
    /// A number of digits that no host name has room for.
    #[error("`nid-length` is a number from 0 to 63")]
    NidLength,
    /// A URL that would not stay one line of a list of URLs.
    #[error("`{0}` is no URL: it holds a blank or a control character")]
    Url(&'static str),
}

/// Reads a JSON object, the names of its fields in any capitals; `null` is one without members, as for the original.
pub(super) fn read<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, AdminError> {
    let read: Result<Option<T>, _> = json::from_slice(body);
    read.map(Option::unwrap_or_default).map_err(|error| AdminError::Json { line: error.line(), column: error.column() })
}

pub(super) fn name(text: &str) -> Result<EntryName, AdminError> {
    match text {
        "" => Err(AdminError::NoName),
        text => text.parse().map_err(|_| AdminError::Name),
    }
}

/// A URL as it is put before a file's name, without slashes at its end. Nodes read these from a list with a URL a line.
pub(super) fn base_url(field: &'static str, text: &str) -> Result<String, AdminError> {
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(AdminError::Url(field));
    }
    Ok(text.trim_end_matches('/').to_owned())
}
