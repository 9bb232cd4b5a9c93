//! The keys of reservations: random, told once, and known again by their digests.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::StatusCode;

use crate::model::Xname;
use crate::server::common::Problem;

/// A key of SMD's form, `x1000c0s0b0n0:rk:` or `:dk:` and a random UUID.
///
/// # Errors
///
/// 503 when the system gives no random bytes; nothing that can be guessed is used in their place.
pub(super) fn new_key(id: &Xname, kind: &str) -> Result<String, Problem> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| {
        tracing::error!("the system gives no random bytes; no reservation can be made");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no key can be made at the moment; try again")
    })?;
    Ok(format!("{id}:{kind}:{}", uuid::Builder::from_random_bytes(bytes).as_uuid()))
}

/// What is kept of a key: its SHA-256 in hexadecimal.
pub(super) fn digest_of(key: &str) -> String {
    let mut text = String::with_capacity(64);
    for byte in digest(&SHA256, key.as_bytes()).as_ref() {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_component_and_is_never_the_same() {
        let id: Xname = "x1c0s0b0n0".parse().unwrap();
        let (one, other) = (new_key(&id, "rk").unwrap(), new_key(&id, "rk").unwrap());
        assert_ne!(one, other);
        let uuid = one.strip_prefix("x1c0s0b0n0:rk:").unwrap();
        assert_eq!(uuid::Uuid::parse_str(uuid).unwrap().get_version_num(), 4);
    }

    #[test]
    fn a_digest_is_the_sha_256_of_the_key() {
        assert_eq!(digest_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
