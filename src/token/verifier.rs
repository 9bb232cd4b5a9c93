//! Checking tokens: ours, and those of the issuers whose JWKS we were told of.

use std::fmt;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::claims::{self, Claims};
use super::jwks::{KeySet, Lookup};
use super::remote::{self, Pace, RemoteKeys};
use super::{AUDIENCE, Issuer, TokenError};
use crate::clock;

/// How far the clocks of issuer and verifier may be apart, in seconds.
const LEEWAY_SECS: f64 = 30.0;

/// The longest token that is looked at. Those of Hydra with all their claims are below 2 kB.
const TOKEN_LIMIT: usize = 16 * 1024;

/// Whose tokens are accepted beside our own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifierSettings {
    /// Addresses of JWK sets, `http` or `https`.
    pub jwks_urls: Vec<String>,
    /// The `iss` that tokens of those keys may have; any when empty, as the original services never compare it.
    pub trusted_issuers: Vec<String>,
    /// The `aud` of which tokens of those keys need one; any, even an empty list, when this is empty.
    pub audiences: Vec<String>,
}

/// Why a token is not accepted. The texts are those that SMD sends with its 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The request has no token.
    #[error("no token found")]
    NoToken,
    /// `exp` is past.
    #[error("token is expired")]
    Expired,
    /// `nbf` is still to come.
    #[error("token nbf validation failed")]
    NotYet,
    /// Not a token, not signed by a key we know, or not meant for us.
    #[error("token is unauthorized")]
    Unauthorized,
    /// There is no `exp`, `iss`, `aud` or `sub`.
    #[error("missing required claim")]
    MissingClaim,
    /// A claim is of a wrong shape, or `sub` is no name.
    #[error("invalid token")]
    Invalid,
}

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Whom it speaks for.
    pub subject: Arc<str>,
    /// Who signed it.
    pub issuer: Arc<str>,
}

/// Checks tokens. Cheap to clone.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    issuer: String,
    own: KeySet,
    remotes: Vec<RemoteKeys>,
    settings: VerifierSettings,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("issuer", &self.0.issuer)
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier of that issuer's tokens and of those the settings name. It knows the keys of others once
    /// [`Verifier::run`] has fetched them.
    ///
    /// # Errors
    ///
    /// A JWKS address that cannot be asked.
    pub fn new(issuer: &Issuer, settings: VerifierSettings) -> Result<Self, TokenError> {
        Self::with_pace(issuer, settings, Pace::SERVICE)
    }

    pub(super) fn with_pace(issuer: &Issuer, settings: VerifierSettings, pace: Pace) -> Result<Self, TokenError> {
        let own = KeySet::parse(issuer.jwks().to_string().as_bytes())
            .map_err(|_| TokenError::Crypto("be used for verification"))?;
        let mut remotes = Vec::new();
        if !settings.jwks_urls.is_empty() {
            let client = remote::client()?;
            for url in &settings.jwks_urls {
                remotes.push(RemoteKeys::new(url, client.clone(), pace)?);
            }
        }
        Ok(Self(Arc::new(Inner { issuer: issuer.name().into(), own, remotes, settings })))
    }

    /// Keeps the keys of other issuers fresh until shutdown; does nothing but wait when there are none. `report` hears
    /// of every fetch: the address and, when it failed, why.
    ///
    /// Nothing has to wait for this: tokens of keys already known are checked all the same.
    pub async fn run(&self, shutdown: CancellationToken, report: impl Fn(&str, Option<&str>) + Sync) {
        join_all(self.0.remotes.iter().map(|remote| remote.run(&shutdown, &report))).await;
        shutdown.cancelled().await;
    }

    /// Checks a token in the order of SMD: signature, times, presence of claims, their values.
    ///
    /// Waits only where a token names a key that is not known: then for a fresh look at the JWK sets, which is bounded
    /// in time and rate.
    ///
    /// # Errors
    ///
    /// Why the token is not accepted.
    pub async fn check(&self, token: &str) -> Result<Verified, Denied> {
        if token.len() > TOKEN_LIMIT {
            return Err(Denied::Unauthorized);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Denied::Unauthorized)?;
        let kid = header.kid.ok_or(Denied::Unauthorized)?;
        // RFC 7515 section 4.1.11: extensions that must be understood, and we understand none.
        if header.crit.is_some() {
            return Err(Denied::Unauthorized);
        }
        if self.0.own.contains(&kid) {
            return self.own_claims(signed(self.0.own.open(&kid, token))?);
        }
        let mut lookup = self.open_foreign(&kid, token);
        if matches!(lookup, Lookup::UnknownKey) && !self.0.remotes.is_empty() {
            join_all(self.0.remotes.iter().map(RemoteKeys::freshen)).await;
            lookup = self.open_foreign(&kid, token);
        }
        self.foreign_claims(signed(lookup)?)
    }

    fn open_foreign(&self, kid: &str, token: &str) -> Lookup {
        let mut found = Lookup::UnknownKey;
        for remote in &self.0.remotes {
            match remote.keys().open(kid, token) {
                Lookup::UnknownKey => {}
                // Nothing keeps two issuers from giving their keys the same name.
                Lookup::Forged => found = Lookup::Forged,
                other => return other,
            }
        }
        found
    }

    fn own_claims(&self, claims: Claims) -> Result<Verified, Denied> {
        let audiences = &self.0.settings.audiences;
        self.checked(
            claims,
            |issuer| issuer == self.0.issuer,
            |audience| audience.any(|name| name == AUDIENCE || audiences.iter().any(|other| other == name)),
        )
    }

    fn foreign_claims(&self, claims: Claims) -> Result<Verified, Denied> {
        let VerifierSettings { trusted_issuers, audiences, .. } = &self.0.settings;
        self.checked(
            claims,
            |issuer| trusted_issuers.is_empty() || trusted_issuers.iter().any(|trusted| trusted == issuer),
            |audience| audiences.is_empty() || audience.any(|name| audiences.iter().any(|other| other == name)),
        )
    }

    fn checked(
        &self,
        claims: Claims,
        issuer_trusted: impl FnOnce(&str) -> bool,
        audience_wanted: impl FnOnce(&claims::Audience) -> bool,
    ) -> Result<Verified, Denied> {
        #[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 fit into 53 bits until the year 2255")]
        let now = clock::now().0 as f64 / 1e6;
        let expires = claims.exp.ok_or(Denied::MissingClaim)?;
        if now >= expires + LEEWAY_SECS {
            return Err(Denied::Expired);
        }
        if claims.nbf.is_some_and(|begins| now < begins - LEEWAY_SECS) {
            return Err(Denied::NotYet);
        }
        let (Some(issuer), Some(audience), Some(subject)) = (claims.iss, claims.aud, claims.sub) else {
            return Err(Denied::MissingClaim);
        };
        if !claims::is_subject(&subject) {
            return Err(Denied::Invalid);
        }
        if !issuer_trusted(&issuer) || !audience_wanted(&audience) {
            tracing::debug!(token.subject = subject, "a token is of another issuer or for another audience");
            return Err(Denied::Unauthorized);
        }
        Ok(Verified { subject: subject.into(), issuer: issuer.into() })
    }
}

fn signed(lookup: Lookup) -> Result<Claims, Denied> {
    match lookup {
        Lookup::Signed(claims) => Ok(claims),
        Lookup::Malformed => Err(Denied::Invalid),
        Lookup::Forged | Lookup::UnknownKey => Err(Denied::Unauthorized),
    }
}
