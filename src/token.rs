//! Tokens: our signing key, its JWKS, minting and checking.
//!
//! An [`Issuer`] holds one ES256 key of our own in the state directory and mints tokens with it. A [`Verifier`] checks
//! tokens of that key and of the JWKS of other issuers, so that a cluster whose tokens come from elsewhere (Hydra,
//! TokenSmith) keeps working. It is stricter than SMD: `exp` is required, and our own tokens must be meant for us.
//!
//! A token is a credential: no error, log line or `Debug` text of this room repeats one, or any part of one.
//!
//! Follows RFC 7515 (JWS), 7517 (JWK), 7519 (JWT), 7638 (thumbprints).

mod claims;
mod issuer;
mod jwks;
mod key;
mod remote;
mod verifier;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

pub use issuer::{DEFAULT_TTL, Issuer, MAX_TTL, MintRequest};
pub use verifier::{Denied, Verified, Verifier, VerifierSettings};

/// The audience of tokens that are meant for this program.
pub const AUDIENCE: &str = "ochami-sync";

/// Why there is no key to sign with, no token, or nothing to verify with.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A file or directory could not be read or written.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried: `read`, `create`, …
        action: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Others than the owner can reach what only the owner may.
    #[error("`{}` has mode {mode:04o}, which lets others {harm}; run `chmod {wanted:04o} {}`", path.display(), path.display())]
    Permissions {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The bits that it should have.
        wanted: u32,
        /// What the others could do.
        harm: &'static str,
    },
    /// The key file holds something else than a key of ours.
    #[error("`{}` is not an ES256 private key in PKCS#8 form; move it away to have a new one made", .0.display())]
    NotAKey(PathBuf),
    /// The lifetime that was asked for is zero or too long.
    #[error("a token may live from 1 second to {} hours, not {} seconds", MAX_TTL.as_secs() / 3600, .0.as_secs())]
    Ttl(Duration),
    /// A token needs somebody it speaks for.
    #[error("the subject of a token is 1 to {} characters without control characters", claims::SUBJECT_LIMIT)]
    Subject,
    /// The crypto library failed; it gives no reason.
    #[error("the key cannot {0}")]
    Crypto(&'static str),
    /// A JWKS address that cannot be asked.
    #[error("`{url}` is not a JWKS address: {reason}")]
    JwksUrl {
        /// The address as it was given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The HTTP client for JWKS could not be made.
    #[error("no HTTP client for JWKS")]
    Client(#[source] reqwest::Error),
}
