//! Minting tokens with the key of this installation, and publishing its public half.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::claims::{self, Minted};
use super::{AUDIENCE, TokenError, key};
use crate::clock;
use crate::model::Secret;

/// How long a token lives when nothing else is asked for.
pub const DEFAULT_TTL: Duration = Duration::from_secs(3600);

/// How long a token may live. There is no revocation, so a token that got out is good for as long as this.
pub const MAX_TTL: Duration = Duration::from_secs(24 * 3600);

/// What a token is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MintRequest {
    /// Whom it speaks for; provenance shows it.
    pub subject: String,
    /// Whom it is meant for; tokens for this program name [`AUDIENCE`].
    pub audience: Vec<String>,
    /// How long it lives, at most [`MAX_TTL`].
    pub ttl: Duration,
    /// What it allows, as names without spaces; written as one `scope` claim (RFC 9068).
    pub scopes: Vec<String>,
}

impl Default for MintRequest {
    fn default() -> Self {
        Self { subject: "admin".into(), audience: vec![AUDIENCE.into()], ttl: DEFAULT_TTL, scopes: Vec::new() }
    }
}

/// Mints tokens. Cheap to clone.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    name: String,
    key: EncodingKey,
    public: Jwk,
    kid: String,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("name", &self.0.name).field("kid", &self.0.kid).finish_non_exhaustive()
    }
}

impl Issuer {
    /// The issuer of that name (the `iss` of its tokens), whose key lies in the state directory; the key and the
    /// directory are made when they are not there.
    ///
    /// # Errors
    ///
    /// Those of the key file: it cannot be read or made, others can read it, it is no key.
    pub fn load_or_create(state_dir: &Path, issuer_name: &str) -> Result<Self, TokenError> {
        Self::with(&key::load_or_create(state_dir)?, issuer_name)
    }

    /// An issuer whose key is kept nowhere: its tokens are good as long as this process.
    ///
    /// # Errors
    ///
    /// [`TokenError::Crypto`] when no key can be made.
    pub fn ephemeral(issuer_name: &str) -> Result<Self, TokenError> {
        Self::with(&key::generate()?, issuer_name)
    }

    fn with(pkcs8: &Secret<Vec<u8>>, issuer_name: &str) -> Result<Self, TokenError> {
        let key = EncodingKey::from_ec_der(pkcs8.expose());
        let (public, kid) = public_half(&key).map_err(|_| TokenError::Crypto("show its public half"))?;
        Ok(Self(Arc::new(Inner { name: issuer_name.into(), key, public, kid })))
    }

    /// A signed token. The log says for whom, never the token.
    ///
    /// # Errors
    ///
    /// A lifetime of zero or above [`MAX_TTL`], a subject that is no name.
    pub fn mint(&self, request: &MintRequest) -> Result<String, TokenError> {
        if request.ttl < Duration::from_secs(1) || request.ttl > MAX_TTL {
            return Err(TokenError::Ttl(request.ttl));
        }
        if !claims::is_subject(&request.subject) {
            return Err(TokenError::Subject);
        }
        let issued = clock::now().0 / 1_000_000;
        let lifetime = i64::try_from(request.ttl.as_secs()).map_err(|_| TokenError::Ttl(request.ttl))?;
        let claims = Minted {
            iss: &self.0.name,
            aud: &request.audience,
            sub: &request.subject,
            iat: issued,
            nbf: issued,
            exp: issued + lifetime,
            jti: uuid::Uuid::new_v4().to_string(),
            scope: &request.scopes.join(" "),
        };
        let header = Header { kid: Some(self.0.kid.clone()), ..Header::new(Algorithm::ES256) };
        let token =
            jsonwebtoken::encode(&header, &claims, &self.0.key).map_err(|_| TokenError::Crypto("sign a token"))?;
        tracing::info!(
            token.subject = request.subject,
            token.id = claims.jti,
            token.ttl_secs = lifetime,
            "minted a token"
        );
        Ok(token)
    }

    /// The public keys that verify our tokens, as a JWK set (RFC 7517 section 5).
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.0.public] })
    }

    /// The `iss` of our tokens.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }
}

/// The public key as a JWK, and its RFC 7638 thumbprint, which is its `kid`.
fn public_half(key: &EncodingKey) -> Result<(Jwk, String), jsonwebtoken::errors::Error> {
    let mut public = Jwk::from_encoding_key(key, Algorithm::ES256)?;
    let kid = public.thumbprint(ThumbprintHash::SHA256)?;
    public.common.key_id = Some(kid.clone());
    public.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok((public, kid))
}
