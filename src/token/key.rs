//! The signing key's file: `STATE/token.key`, PKCS#8 in PEM, readable by its owner only.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;

use super::TokenError;
use crate::model::Secret;

/// The name of the key file in the state directory.
pub(super) const KEY_FILE: &str = "token.key";

/// A PKCS#8 key in PEM is about 240 bytes; a file beyond this is something else.
const KEY_FILE_LIMIT: u64 = 8 * 1024;

/// Bits that let the group or others do anything.
const OTHERS: u32 = 0o077;

/// Bits that let the group or others replace files of a directory.
const OTHERS_WRITE: u32 = 0o022;

/// The PKCS#8 bytes of the key in that state directory, which is made, with the directory, when there is none.
///
/// # Errors
///
/// Files that cannot be read or written, a key that others can read, a directory that others can write, a file that
/// is no key.
pub(super) fn load_or_create(state: &Path) -> Result<Secret<Vec<u8>>, TokenError> {
    prepare_directory(state)?;
    let path = state.join(KEY_FILE);
    match load(&path) {
        Err(TokenError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
            create(state, &path)?;
            // Another process may have been faster: what lies in the file now is the key, whoever made it.
            load(&path)
        }
        result => result,
    }
}

fn prepare_directory(state: &Path) -> Result<(), TokenError> {
    DirBuilder::new().recursive(true).mode(0o700).create(state).map_err(io("create", state))?;
    let mode = state.metadata().map_err(io("read", state))?.mode() & 0o7777;
    if mode & OTHERS_WRITE != 0 {
        let harm = "replace the signing key";
        return Err(TokenError::Permissions { path: state.into(), mode, wanted: 0o700, harm });
    }
    if mode & OTHERS != 0 {
        tracing::warn!(state.path = %state.display(), state.mode = format!("{mode:04o}"), "others can list the state directory; 0700 is better");
    }
    Ok(())
}

fn load(path: &Path) -> Result<Secret<Vec<u8>>, TokenError> {
    let file = File::open(path).map_err(io("read", path))?;
    let metadata = file.metadata().map_err(io("read", path))?;
    if !metadata.is_file() {
        return Err(TokenError::NotAKey(path.into()));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(TokenError::Permissions { path: path.into(), mode, wanted: 0o600, harm: "sign tokens" });
    }
    let mut text = Vec::new();
    file.take(KEY_FILE_LIMIT).read_to_end(&mut text).map_err(io("read", path))?;
    let der = PrivatePkcs8KeyDer::from_pem_slice(&text).map_err(|_| TokenError::NotAKey(path.into()))?;
    let der = der.secret_pkcs8_der();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(|_| TokenError::NotAKey(path.into()))?;
    Ok(Secret::new(der.to_vec()))
}

/// Makes a key under another name and links it into place, so that no reader ever sees half a key and of two processes
/// that start together one wins.
fn create(state: &Path, path: &Path) -> Result<(), TokenError> {
    let der = generate()?;
    let draft = state.join(format!("{KEY_FILE}.{}", uuid::Uuid::new_v4().simple()));
    let linked = write_draft(&draft, &pem(der.expose())).and_then(|()| match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(io("create", path)(error)),
        _ => Ok(()),
    });
    // The draft holds the key too, so it goes whether the link was made or not.
    let removed = std::fs::remove_file(&draft).map_err(io("remove", &draft));
    linked?;
    removed?;
    File::open(state).and_then(|directory| directory.sync_all()).map_err(io("write", state))
}

/// The PKCS#8 bytes of a new key.
pub(super) fn generate() -> Result<Secret<Vec<u8>>, TokenError> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| TokenError::Crypto("be made"))?;
    let der = pair.to_pkcs8v1().map_err(|_| TokenError::Crypto("be written"))?;
    Ok(Secret::new(der.as_ref().to_vec()))
}

fn write_draft(draft: &Path, text: &str) -> Result<(), TokenError> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft).map_err(io("create", draft))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io("write", draft))
}

/// RFC 7468: base64 in lines of 64 between two labels.
fn pem(der: &[u8]) -> String {
    let mut text = String::from("-----BEGIN PRIVATE KEY-----\n");
    for (index, character) in STANDARD.encode(der).chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str("\n-----END PRIVATE KEY-----\n");
    text
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> TokenError {
    move |source| TokenError::Io { action, path: path.into(), source }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o7777
    }

    #[test]
    fn a_new_key_is_private_and_stays_the_same() {
        let parent = tempfile::tempdir().unwrap();
        let state = parent.path().join("a/state");
        let first = load_or_create(&state).unwrap();
        assert_eq!(mode(&state), 0o700);
        assert_eq!(mode(&state.join(KEY_FILE)), 0o600);
        assert_eq!(load_or_create(&state).unwrap(), first);
        let names: Vec<_> = state.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [KEY_FILE], "no draft of the key is left behind");
    }

    #[test]
    fn processes_that_start_together_agree_on_one_key() {
        let state = tempfile::tempdir().unwrap();
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| load_or_create(state.path()).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_remedy() {
        let state = tempfile::tempdir().unwrap();
        load_or_create(state.path()).unwrap();
        let path = state.path().join(KEY_FILE);
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let message = load_or_create(state.path()).unwrap_err().to_string();
        assert!(message.contains("0640") && message.contains("chmod 0600"), "{message}");
    }

    #[test]
    fn a_state_directory_that_others_can_write_is_refused() {
        let state = tempfile::tempdir().unwrap();
        std::fs::set_permissions(state.path(), Permissions::from_mode(0o770)).unwrap();
        assert!(matches!(load_or_create(state.path()), Err(TokenError::Permissions { mode: 0o770, .. })));
        assert!(!state.path().join(KEY_FILE).exists());
    }

    #[test]
    fn a_file_that_is_no_key_is_named_and_left_alone() {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join(KEY_FILE);
        let broken = pem(b"not a key at all");
        for content in ["", "hello", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", &broken] {
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            let error = load_or_create(state.path()).unwrap_err();
            assert!(matches!(&error, TokenError::NotAKey(named) if *named == path), "{error:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[test]
    fn a_state_directory_that_is_a_file_is_an_error_that_names_it() {
        let parent = tempfile::tempdir().unwrap();
        let state = parent.path().join("state");
        std::fs::write(&state, "").unwrap();
        let message = load_or_create(&state).unwrap_err().to_string();
        assert!(message.contains("state`"), "{message}");
    }
}
