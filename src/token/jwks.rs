//! Verification keys, read from a JWK set.

use std::collections::HashSet;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

use super::claims::Claims;

/// The keys of one set that can verify tokens.
#[derive(Default)]
pub(super) struct KeySet(Vec<Key>);

/// One public key and what it may be used for.
struct Key {
    kid: String,
    key: DecodingKey,
    validation: Validation,
}

/// What came of looking for a key.
pub(super) enum Lookup {
    /// There is no key of that name.
    UnknownKey,
    /// There is, but it did not sign this token.
    Forged,
    /// It signed the token, whose claims are not of the right shape.
    Malformed,
    /// It signed these claims; nothing about them is checked yet.
    Signed(Claims),
}

impl KeySet {
    /// Reads a JWK set. Keys that cannot verify tokens with an algorithm of the allow-list, that are for encryption or
    /// that have no `kid` are left out: a set may hold keys for other purposes.
    ///
    /// # Errors
    ///
    /// A document that is no JWK set at all.
    pub(super) fn parse(document: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_slice(document)?;
        Ok(Self(document.keys.into_iter().filter_map(Key::from_value).collect()))
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a key of that name is among them.
    pub(super) fn contains(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid == kid)
    }

    /// The claims of a token, if the key of that name signed it.
    pub(super) fn open(&self, kid: &str, token: &str) -> Lookup {
        let mut found = Lookup::UnknownKey;
        for key in self.0.iter().filter(|key| key.kid == kid) {
            match key.open(token) {
                // A set may, by mistake, hold two keys of one name; the one that signed counts.
                Lookup::Forged => found = Lookup::Forged,
                other => return other,
            }
        }
        found
    }
}

impl Key {
    fn from_value(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let kid = jwk.common.key_id.clone().filter(|kid| !kid.is_empty())?;
        if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
            return None;
        }
        let named = jwk.common.key_algorithm.map(|named| named.to_string().parse::<Algorithm>());
        let algorithms: Vec<_> = algorithms(&jwk.algorithm)
            .iter()
            .copied()
            .filter(|algorithm| named.as_ref().is_none_or(|named| named.as_ref() == Ok(algorithm)))
            .collect();
        if algorithms.is_empty() {
            return None;
        }
        // Claims are checked in one place, `Verifier`, with the program's own clock and in the order SMD checks them.
        let validation = Validation {
            algorithms,
            required_spec_claims: HashSet::new(),
            validate_exp: false,
            validate_nbf: false,
            validate_aud: false,
            ..Validation::default()
        };
        Some(Self { kid, key: DecodingKey::from_jwk(&jwk).ok()?, validation })
    }

    fn open(&self, token: &str) -> Lookup {
        match jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation) {
            Ok(data) => Lookup::Signed(data.claims),
            Err(error) => match error.kind() {
                // The signature is verified before the claims are read, so these come from what was signed.
                jsonwebtoken::errors::ErrorKind::Json(_) | jsonwebtoken::errors::ErrorKind::Utf8(_) => {
                    Lookup::Malformed
                }
                _ => Lookup::Forged,
            },
        }
    }
}

/// The allow-list: what a key of that type may sign with. Symmetric algorithms and `none` are never in it, so a public
/// key can never be used as a shared secret.
fn algorithms(parameters: &AlgorithmParameters) -> &'static [Algorithm] {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    match parameters {
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => &[ES256],
            EllipticCurve::P384 => &[ES384],
            _ => &[],
        },
        AlgorithmParameters::OctetKeyPair(_) => &[EdDSA],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(keys: &str) -> KeySet {
        KeySet::parse(format!(r#"{{"keys":[{keys}]}}"#).as_bytes()).unwrap()
    }

    const N: &str = "sXchwYkRGFNfzb3RhPbBnfmYgQH8XfM1n1xF4NVVZcGgOFQcR1pmQEg8";

    #[test]
    fn keys_that_cannot_verify_tokens_are_left_out() {
        for useless in [
            r#"{"kty":"oct","kid":"a","k":"c2VjcmV0","alg":"HS256"}"#.to_string(),
            format!(r#"{{"kty":"RSA","n":"{N}","e":"AQAB"}}"#),
            format!(r#"{{"kty":"RSA","kid":"","n":"{N}","e":"AQAB"}}"#),
            format!(r#"{{"kty":"RSA","kid":"a","use":"enc","n":"{N}","e":"AQAB"}}"#),
            format!(r#"{{"kty":"RSA","kid":"a","alg":"ES256","n":"{N}","e":"AQAB"}}"#),
            r#"{"kty":"EC","crv":"P-521","kid":"a","x":"AA","y":"AA"}"#.to_string(),
            r#"{"kty":"new","kid":"a"}"#.to_string(),
            "7".to_string(),
        ] {
            assert_eq!(set(&useless).len(), 0, "{useless}");
        }
        assert_eq!(set(&format!(r#"7,{{"kty":"RSA","kid":"a","n":"{N}","e":"AQAB"}}"#)).len(), 1);
    }

    #[test]
    fn what_is_no_key_set_is_an_error() {
        for document in ["", "[]", "{}", r#"{"keys":{}}"#, "<html>"] {
            assert!(KeySet::parse(document.as_bytes()).is_err(), "{document}");
        }
    }
}
