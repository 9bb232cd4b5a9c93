//! Secrets at rest: AES-256-GCM with a key that lies beside the database, not in it.
//!
//! The key file `STATE/secrets.key` holds 32 bytes in base64. It is made when the first store is made, and never again
//! by itself: a new key in place of a lost one would hide that what the old one encrypted is lost. An encrypted text is
//! `sealed:1:KEY:DATA`, where KEY tells which key it takes and DATA is nonce, ciphertext and tag in base64; the row it
//! belongs to is authenticated with it, so that one row's text is worthless in another.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{KeyProblem, StoreError};
use crate::model::ObjectKey;

/// How an encrypted text begins.
const MARK: &str = "sealed:1:";

/// Length of the key in bytes.
const KEY_LENGTH: usize = 32;

/// More than a key file can hold; nothing is read beyond it.
const FILE_LIMIT: u64 = 1024;

/// Why an encrypted text cannot be read. Says nothing of its content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(super) enum UnsealError {
    /// There is no usable key.
    #[error("the key file cannot be used")]
    NoKey,
    /// The text is not of the form that we write.
    #[error("it is not encrypted as it should be")]
    Form,
    /// Another key encrypted it.
    #[error("it was encrypted with another key, {0}, than that in the key file")]
    OtherKey(String),
    /// The text, or the row it stands in, is not what was written.
    #[error("it was changed after it was encrypted")]
    Tampered,
}

/// A usable key.
struct Key {
    cipher: RandomizedNonceKey,
    /// Tells this key from others without telling anything of it.
    id: String,
    /// For fingerprints that have to tell secrets apart without telling them.
    fingerprints: [u8; KEY_LENGTH],
}

impl Key {
    fn new(bytes: &[u8; KEY_LENGTH]) -> Result<Self, KeyProblem> {
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, bytes)
            .map_err(|_| KeyProblem::Unusable { cause: "the cipher does not take it".to_owned() })?;
        let digest = blake3::derive_key("ochami-sync: identifier of a key for secrets at rest", bytes);
        let fingerprints = blake3::derive_key("ochami-sync: fingerprints of secrets in plans", bytes);
        Ok(Self { cipher, fingerprints, id: digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect() })
    }
}

/// Encrypts and decrypts, or says why it cannot.
pub(super) struct Secrets {
    path: PathBuf,
    key: Result<Key, KeyProblem>,
}

impl Secrets {
    /// Uses the key file as it is; `lost` names what cannot be read if it is missing. With any fault the store goes on
    /// without its secrets.
    pub(super) fn load(path: &Path, lost: String) -> Self {
        let key = match read(path) {
            Err(KeyProblem::Missing { path, .. }) => Err(KeyProblem::Missing { path, lost }),
            other => other,
        };
        Self::with(path, key)
    }

    /// Uses the key file, or makes one where there is none.
    pub(super) fn load_or_create(path: &Path) -> Self {
        let key = match read(path) {
            Err(KeyProblem::Missing { .. }) => create(path).and_then(|()| read(path)),
            other => other,
        };
        Self::with(path, key)
    }

    /// A key that is kept nowhere, for a store that is not kept either.
    pub(super) fn ephemeral() -> Self {
        Self::with(Path::new(""), random().and_then(|bytes| Key::new(&bytes)))
    }

    fn with(path: &Path, key: Result<Key, KeyProblem>) -> Self {
        Self { path: path.to_owned(), key }
    }

    /// Nothing when secrets can be read and written.
    ///
    /// # Errors
    ///
    /// [`StoreError::SecretsKey`] when they cannot.
    pub(super) fn usable(&self) -> Result<(), StoreError> {
        self.key.as_ref().map(|_| ()).map_err(|problem| self.fault(problem.clone()))
    }

    /// Says why a text cannot be read, naming the key file where that is at fault.
    pub(super) fn explain(&self, error: &UnsealError) -> String {
        match error {
            UnsealError::NoKey | UnsealError::OtherKey(_) => format!("{error} (`{}`)", self.path.display()),
            UnsealError::Form | UnsealError::Tampered => error.to_string(),
        }
    }

    /// A key for fingerprints of secrets in plans, none while there is no usable key.
    pub(super) fn fingerprint_key(&self) -> Option<[u8; KEY_LENGTH]> {
        self.key.as_ref().ok().map(|key| key.fingerprints)
    }

    fn fault(&self, problem: KeyProblem) -> StoreError {
        StoreError::SecretsKey { path: self.path.clone(), problem }
    }

    /// Encrypts the text of one row of a table.
    ///
    /// # Errors
    ///
    /// [`StoreError::SecretsKey`].
    pub(super) fn seal(&self, table: &str, key: &ObjectKey, text: &str) -> Result<String, StoreError> {
        let Key { cipher, id, .. } = self.key.as_ref().map_err(|problem| self.fault(problem.clone()))?;
        let mut sealed = text.as_bytes().to_vec();
        let nonce = cipher
            .seal_in_place_append_tag(Aad::from(place(table, key)), &mut sealed)
            .map_err(|_| self.fault(KeyProblem::Unusable { cause: "the cipher failed".to_owned() }))?;
        let data = [nonce.as_ref().as_slice(), &sealed].concat();
        Ok(format!("{MARK}{id}:{}", BASE64.encode(data)))
    }

    /// Decrypts what [`Secrets::seal`] made for the same row.
    ///
    /// # Errors
    ///
    /// [`UnsealError`].
    pub(super) fn unseal(&self, table: &str, key: &ObjectKey, text: &str) -> Result<String, UnsealError> {
        let (id, data) = text.strip_prefix(MARK).and_then(|rest| rest.split_once(':')).ok_or(UnsealError::Form)?;
        let own = self.key.as_ref().map_err(|_| UnsealError::NoKey)?;
        if id != own.id {
            return Err(UnsealError::OtherKey(id.chars().filter(char::is_ascii_alphanumeric).take(16).collect()));
        }
        let mut data = BASE64.decode(data).map_err(|_| UnsealError::Form)?;
        let (nonce, sealed) = data.split_at_mut_checked(NONCE_LEN).ok_or(UnsealError::Form)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| UnsealError::Form)?;
        let plain = own.cipher.open_in_place(nonce, Aad::from(place(table, key)), sealed);
        let plain = plain.map_err(|_| UnsealError::Tampered)?;
        String::from_utf8(plain.to_vec()).map_err(|_| UnsealError::Tampered)
    }
}

/// The row, as additional authenticated data. No part of it can hold a NUL character.
fn place(table: &str, key: &ObjectKey) -> String {
    [table, key.kind.as_str(), &key.id].join("\0")
}

fn random() -> Result<[u8; KEY_LENGTH], KeyProblem> {
    let mut bytes = [0; KEY_LENGTH];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| KeyProblem::Unusable { cause: "the system gives no random numbers".to_owned() })?;
    Ok(bytes)
}

fn read(path: &Path) -> Result<Key, KeyProblem> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => KeyProblem::Missing { path: path.to_owned(), lost: String::new() },
        _ => KeyProblem::Unusable { cause: error.to_string() },
    };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyProblem::OpenToOthers { mode });
    }
    let mut text = Vec::new();
    file.take(FILE_LIMIT).read_to_end(&mut text).map_err(failed)?;
    let bytes = BASE64.decode(text.trim_ascii()).map_err(|_| KeyProblem::Content)?;
    Key::new(&bytes.try_into().map_err(|_| KeyProblem::Content)?)
}

/// Writes a new key so that a crash leaves either no key file or a whole one: nothing is encrypted before the name is
/// on the disk.
fn create(path: &Path) -> Result<(), KeyProblem> {
    let failed = |error: std::io::Error| KeyProblem::Unusable { cause: error.to_string() };
    let text = format!("{}\n", BASE64.encode(random()?));
    let draft = path.with_extension("key.new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft).map_err(failed)?;
    // A draft that a crash left behind keeps the permissions it was made with, which are these.
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&draft, path).map_err(failed)?;
    let directory = path.parent().unwrap_or(Path::new("."));
    File::open(directory).and_then(|d| d.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    fn key(id: &str) -> ObjectKey {
        ObjectKey::new(Kind::CloudInitSecure, id)
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_was_sealed_can_be_read_with_the_same_file_and_in_the_same_place_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.key");
        let sealed = Secrets::load_or_create(&path).seal("object", &key("compute"), "hunter2").unwrap();
        let again = Secrets::load(&path, String::new());
        assert_eq!(again.unseal("object", &key("compute"), &sealed).unwrap(), "hunter2");
        assert_eq!(again.unseal("object", &key("login"), &sealed), Err(UnsealError::Tampered));
        assert_eq!(again.unseal("ledger", &key("compute"), &sealed), Err(UnsealError::Tampered));
    }

    #[test]
    fn equal_texts_are_sealed_differently() {
        let secrets = Secrets::ephemeral();
        let seal = || secrets.seal("object", &key("compute"), "hunter2").unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn every_wrong_text_is_told_apart() {
        let (ours, other) = (Secrets::ephemeral(), Secrets::ephemeral());
        let sealed = other.seal("object", &key("compute"), "hunter2").unwrap();
        assert!(matches!(ours.unseal("object", &key("compute"), &sealed), Err(UnsealError::OtherKey(_))));
        for text in ["", "hunter2", "sealed:1:", "sealed:1:ab", "sealed:2:ab:cd"] {
            assert_eq!(ours.unseal("object", &key("compute"), text), Err(UnsealError::Form), "{text}");
        }
        let id = ours.key.as_ref().map(|key| key.id.clone()).unwrap_or_default();
        for (data, error) in
            [("!", UnsealError::Form), ("AAAA", UnsealError::Form), (&"AAAA".repeat(9), UnsealError::Tampered)]
        {
            assert_eq!(ours.unseal("object", &key("compute"), &format!("{MARK}{id}:{data}")), Err(error), "{data}");
        }
    }

    #[test]
    fn the_key_file_is_for_its_owner_alone_and_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.key");
        Secrets::load_or_create(&path).usable().unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read(&path).unwrap();
        Secrets::load_or_create(&path).usable().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), text);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "the draft is gone");
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.key");
        Secrets::load_or_create(&path).usable().unwrap();
        set_mode(&path, 0o640);
        let error = Secrets::load_or_create(&path).usable().unwrap_err();
        let problem = KeyProblem::OpenToOthers { mode: 0o640 };
        assert_eq!(error, StoreError::SecretsKey { path: path.clone(), problem });
        assert!(error.to_string().contains("secrets.key` can be read by others (mode 0640)"), "{error}");
    }

    #[test]
    fn a_key_file_with_something_else_in_it_is_refused_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.key");
        for text in [&b""[..], b"c2hvcnQ=", b"not base64!", &[0xff; 44]] {
            std::fs::write(&path, text).unwrap();
            set_mode(&path, 0o600);
            let error = Secrets::load_or_create(&path).usable().unwrap_err();
            assert_eq!(error, StoreError::SecretsKey { path: path.clone(), problem: KeyProblem::Content });
            assert_eq!(std::fs::read(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_key_file_that_cannot_be_read_or_made_is_reported_with_the_cause() {
        let dir = tempfile::tempdir().unwrap();
        let unusable = |path: &Path| {
            let error = Secrets::load_or_create(path).usable().unwrap_err();
            matches!(error, StoreError::SecretsKey { problem: KeyProblem::Unusable { .. }, .. })
        };
        let directory = dir.path().join("directory");
        std::fs::create_dir(&directory).unwrap();
        set_mode(&directory, 0o700);
        assert!(unusable(&directory), "a directory");
        assert!(unusable(&dir.path().join("missing/secrets.key")), "a directory that is not there");
    }

    #[test]
    fn a_missing_key_names_what_it_had_encrypted() {
        let secrets = Secrets::load(Path::new("/nowhere/secrets.key"), "cloud-init-secure/compute".to_owned());
        let text = secrets.usable().unwrap_err().to_string();
        assert!(text.starts_with("`/nowhere/secrets.key` is missing"), "{text}");
        assert!(text.contains("cloud-init-secure/compute"), "{text}");
        assert!(secrets.seal("object", &key("compute"), "hunter2").is_err());
        assert_eq!(secrets.unseal("object", &key("compute"), "sealed:1:ab:cd"), Err(UnsealError::NoKey));
    }
}
