//! References to secrets: `{"$secret": {"file": NAME, "encode": "base64"}}` or `{"$secret": {"env": "OCHAMI_SECRET_…"}}`.
//!
//! A secret is read from a plain file of the secrets directory or from the environment, and from nowhere else. No error
//! shows any of its bytes.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// The key of a reference.
pub const KEY: &str = "$secret";
/// How the names of environment variables that may be read start.
pub const ENVIRONMENT_PREFIX: &str = "OCHAMI_SECRET_";
/// The largest secret, in bytes; a munge key has 128, a host certificate a few thousand.
const MAX_BYTES: u64 = 1 << 20;

/// Where a secret comes from and how it is written into the document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Its source.
    pub source: Source,
    /// Written as base64; otherwise it has to be UTF-8.
    pub base64: bool,
}

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A file of this name in the secrets directory.
    File(String),
    /// The environment variable of this name.
    Environment(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(name) => write!(f, "file `{name}` of the secrets directory"),
            Self::Environment(name) => write!(f, "environment variable `{name}`"),
        }
    }
}

/// Why a mapping is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It is not a mapping of texts.
    #[error("a mapping with `file` or `env` is meant")]
    Shape,
    /// Neither `file` nor `env`, or both.
    #[error("either `file` or `env` is meant")]
    Source,
    /// A key that means nothing.
    #[error("`{0}` means nothing here")]
    Key(String),
    /// The name has a separator, starts with a dot, or is empty.
    #[error("the name of a file in the secrets directory is meant, without a path")]
    FileName,
    /// The environment variable has another prefix.
    #[error("only variables that start with `OCHAMI_SECRET_` may be read")]
    Environment,
    /// Some other encoding.
    #[error("the only encoding is `base64`")]
    Encoding,
}

impl Reference {
    /// Reads what stands behind `$secret`.
    ///
    /// # Errors
    /// When it is anything but a source that may be read and an encoding.
    pub fn parse(value: &Value) -> Result<Self, ReferenceError> {
        let fields = value.as_object().ok_or(ReferenceError::Shape)?;
        if let Some(key) = fields.keys().find(|key| !matches!(key.as_str(), "file" | "env" | "encode")) {
            return Err(ReferenceError::Key(key.clone()));
        }
        let text = |key: &str| fields.get(key).map(|value| value.as_str().ok_or(ReferenceError::Shape)).transpose();
        let source = match (text("file")?, text("env")?) {
            (Some(name), None) if is_plain_name(name) => Source::File(name.to_owned()),
            (Some(_), None) => return Err(ReferenceError::FileName),
            (None, Some(name)) if is_readable_variable(name) => Source::Environment(name.to_owned()),
            (None, Some(_)) => return Err(ReferenceError::Environment),
            (None, None) | (Some(_), Some(_)) => return Err(ReferenceError::Source),
        };
        match text("encode")? {
            None => Ok(Self { source, base64: false }),
            Some("base64") => Ok(Self { source, base64: true }),
            Some(_) => Err(ReferenceError::Encoding),
        }
    }
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && !name.starts_with('.')
        && !name.contains(|c: char| matches!(c, '/' | '\\') || c.is_control())
}

fn is_readable_variable(name: &str) -> bool {
    let rest = name.strip_prefix(ENVIRONMENT_PREFIX).unwrap_or("");
    !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Why a secret cannot be had. Names the secret and never shows it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The reference itself is malformed.
    #[error("the reference to a secret is malformed: {0}")]
    Reference(#[from] ReferenceError),
    /// The secrets directory has no such file.
    #[error("there is no file `{name}` in the secrets directory {}; `--secrets-dir` names another", directory.display())]
    NoFile {
        /// Its name.
        name: String,
        /// Where it was looked for.
        directory: PathBuf,
    },
    /// There is no such variable.
    #[error("the environment variable `{0}` is not set")]
    NoVariable(String),
    /// It exists and cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(Source, io::Error),
    /// It is a directory, a device, or a link that leads out of the secrets directory.
    #[error("{0} is not a plain file in that directory")]
    NotAFile(Source),
    /// It is larger than any secret.
    #[error("{0} is larger than {limit} KiB", limit = MAX_BYTES >> 10)]
    TooLarge(Source),
    /// It has no bytes, as a file that was made and never filled.
    #[error("{0} is empty")]
    Empty(Source),
    /// It is not a text and not to be encoded.
    #[error("{0} is not UTF-8; `encode: base64` passes on any bytes")]
    NotText(Source),
}

/// The document with its references replaced by the secrets. `environment` looks up a variable.
///
/// # Errors
/// The first secret that cannot be had.
pub fn resolve(
    value: &Value,
    directory: &Path,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Value, SecretError> {
    resolve_value(value, directory, &environment)
}

fn resolve_value(
    value: &Value,
    directory: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Value, SecretError> {
    match value {
        Value::Array(items) => items.iter().map(|item| resolve_value(item, directory, environment)).collect(),
        Value::Object(fields) => match fields.get(KEY) {
            Some(reference) => read(Reference::parse(reference)?, directory, environment).map(Value::String),
            None => {
                let fields = fields.iter();
                let fields =
                    fields.map(|(key, value)| Ok((key.clone(), resolve_value(value, directory, environment)?)));
                fields.collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(value.clone()),
    }
}

/// The references in a document, in the order of its keys; malformed ones are left out.
#[must_use]
pub fn references(value: &Value) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        match value {
            Value::Array(items) => rest.extend(items.iter().rev()),
            Value::Object(fields) => match fields.get(KEY) {
                Some(reference) => found.extend(Reference::parse(reference)),
                None => rest.extend(fields.values().rev()),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

fn read(
    reference: Reference,
    directory: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<String, SecretError> {
    let Reference { source, base64 } = reference;
    let bytes = match &source {
        Source::File(name) => read_file(directory, name, &source)?,
        Source::Environment(name) => match environment(name) {
            Some(value) => value.into_bytes(),
            None => return Err(SecretError::NoVariable(name.clone())),
        },
    };
    // No key or password is empty, and the nodes would be told one that opens nothing, or everything.
    if bytes.is_empty() {
        return Err(SecretError::Empty(source));
    }
    if base64 {
        return Ok(STANDARD.encode(bytes));
    }
    String::from_utf8(bytes).map_err(|_| SecretError::NotText(source))
}

/// Reads a file of the directory. A link may lead to another file of the directory, as secret stores do it, not out of it.
fn read_file(searched: &Path, name: &str, source: &Source) -> Result<Vec<u8>, SecretError> {
    let fault = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            SecretError::NoFile { name: name.to_owned(), directory: searched.to_owned() }
        }
        _ => SecretError::Unreadable(source.clone(), error),
    };
    let directory = searched.canonicalize().map_err(fault)?;
    let path = directory.join(name).canonicalize().map_err(fault)?;
    // Looking before opening keeps a pipe in the directory from blocking the open.
    if !path.starts_with(&directory) || !path.metadata().map_err(fault)?.is_file() {
        return Err(SecretError::NotAFile(source.clone()));
    }
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(fault)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(SecretError::TooLarge(source.clone()));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn file(name: &str) -> Value {
        json!({"$secret": {"file": name}})
    }

    fn no_environment(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn secrets_are_put_where_the_references_stand() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("munge.key"), [0xff, 0x00, 0x10]).unwrap();
        fs::write(directory.path().join("token"), "abc").unwrap();
        let document = json!({"a": [{"$secret": {"file": "munge.key", "encode": "base64"}}], "b": {"c": file("token")},
            "d": {"$secret": {"env": "OCHAMI_SECRET_X"}}, "e": 1});
        let environment = |name: &str| (name == "OCHAMI_SECRET_X").then(|| "x".to_owned());
        let resolved = resolve(&document, directory.path(), environment).unwrap();
        assert_eq!(resolved, json!({"a": ["/wAQ"], "b": {"c": "abc"}, "d": "x", "e": 1}));
        let names: Vec<String> = references(&document).into_iter().map(|r| r.source.to_string()).collect();
        assert_eq!(names.len(), 3);
        assert!(names[0].contains("munge.key"), "{names:?}");
    }

    #[test]
    fn nothing_but_plain_files_of_the_directory_is_read() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("secrets");
        fs::create_dir_all(directory.join("folder")).unwrap();
        fs::write(parent.path().join("outside"), "no").unwrap();
        fs::write(directory.join("inside"), "yes").unwrap();
        std::os::unix::fs::symlink("../outside", directory.join("escape")).unwrap();
        std::os::unix::fs::symlink("inside", directory.join("link")).unwrap();
        for name in ["../outside", "/etc/passwd", "..", ".hidden", "", "folder/x", "a\\b", "nul\0"] {
            let error = resolve(&file(name), &directory, no_environment).unwrap_err();
            assert!(matches!(error, SecretError::Reference(ReferenceError::FileName)), "{name}: {error}");
        }
        for name in ["escape", "folder"] {
            let error = resolve(&file(name), &directory, no_environment).unwrap_err();
            assert!(matches!(error, SecretError::NotAFile(_)), "{name}: {error}");
        }
        assert_eq!(resolve(&file("link"), &directory, no_environment).unwrap(), json!("yes"));
    }

    #[test]
    fn an_absent_secret_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let error = resolve(&file("munge.key"), directory.path(), no_environment).unwrap_err();
        let path = directory.path().display();
        assert_eq!(
            error.to_string(),
            format!("there is no file `munge.key` in the secrets directory {path}; `--secrets-dir` names another")
        );
        let error = resolve(&file("munge.key"), &directory.path().join("absent"), no_environment).unwrap_err();
        assert!(error.to_string().contains(&format!("{path}/absent;")), "{error}");
        let reference = json!({"$secret": {"env": "OCHAMI_SECRET_A"}});
        let error = resolve(&reference, directory.path(), no_environment).unwrap_err();
        assert_eq!(error.to_string(), "the environment variable `OCHAMI_SECRET_A` is not set");
    }

    #[test]
    fn errors_show_no_byte_of_a_secret() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("binary"), b"SENTINEL\xff").unwrap();
        let error = resolve(&file("binary"), directory.path(), no_environment).unwrap_err();
        assert!(matches!(error, SecretError::NotText(_)));
        assert!(!format!("{error} {error:?}").contains("SENTINEL"));
    }

    #[test]
    fn an_empty_secret_is_none() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("munge.key"), "").unwrap();
        let encoded = json!({"$secret": {"file": "munge.key", "encode": "base64"}});
        for reference in [file("munge.key"), encoded] {
            let error = resolve(&reference, directory.path(), no_environment).unwrap_err();
            assert_eq!(error.to_string(), "file `munge.key` of the secrets directory is empty");
        }
        let variable = json!({"$secret": {"env": "OCHAMI_SECRET_A"}});
        let error = resolve(&variable, directory.path(), |_| Some(String::new())).unwrap_err();
        assert_eq!(error.to_string(), "environment variable `OCHAMI_SECRET_A` is empty");
    }

    #[test]
    fn a_large_file_is_no_secret() {
        let directory = tempfile::tempdir().unwrap();
        let large = vec![b'a'; usize::try_from(MAX_BYTES).unwrap() + 1];
        fs::write(directory.path().join("large"), large).unwrap();
        let error = resolve(&file("large"), directory.path(), no_environment).unwrap_err();
        assert!(matches!(error, SecretError::TooLarge(_)));
    }

    #[test]
    fn a_malformed_reference_is_refused() {
        for (reference, error) in [
            (json!("munge.key"), ReferenceError::Shape),
            (json!({"file": 1}), ReferenceError::Shape),
            (json!({}), ReferenceError::Source),
            (json!({"file": "a", "env": "OCHAMI_SECRET_A"}), ReferenceError::Source),
            (json!({"file": "a", "run": "id"}), ReferenceError::Key("run".into())),
            (json!({"env": "HOME"}), ReferenceError::Environment),
            (json!({"env": "OCHAMI_SECRET_"}), ReferenceError::Environment),
            (json!({"file": "a", "encode": "hex"}), ReferenceError::Encoding),
        ] {
            assert_eq!(Reference::parse(&reference), Err(error), "{reference}");
        }
    }
}
