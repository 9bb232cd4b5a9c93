//! Tokens of every kind that the recorded sessions sent to the real services, and a few more, against a JWKS server on
//! a real socket.

mod foreign;
mod own;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::remote::Pace;
use super::{Issuer, Verifier, VerifierSettings};
use crate::clock;

/// Another issuer: its private key, and the JWK that it publishes.
pub(super) struct Other {
    key: EncodingKey,
    algorithm: Algorithm,
    kid: String,
    jwk: Value,
}

impl Other {
    fn rsa(kid: &str) -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let key = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap();
        Self::new(key, Algorithm::RS256, kid)
    }

    fn ec(kid: &str, algorithm: Algorithm) -> Self {
        let kind =
            if algorithm == Algorithm::ES384 { &rcgen::PKCS_ECDSA_P384_SHA384 } else { &rcgen::PKCS_ECDSA_P256_SHA256 };
        let pair = rcgen::KeyPair::generate_for(kind).unwrap();
        Self::new(EncodingKey::from_ec_der(pair.serialized_der()), algorithm, kid)
    }

    fn ed(kid: &str) -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let public = URL_SAFE_NO_PAD.encode(pair.public_key_raw());
        Self {
            key: EncodingKey::from_ed_der(pair.serialized_der()),
            algorithm: Algorithm::EdDSA,
            kid: kid.into(),
            jwk: json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": public }),
        }
    }

    fn new(key: EncodingKey, algorithm: Algorithm, kid: &str) -> Self {
        let mut jwk = Jwk::from_encoding_key(&key, algorithm).unwrap();
        jwk.common.key_id = Some(kid.into());
        jwk.common.key_algorithm = None;
        Self { key, algorithm, kid: kid.into(), jwk: serde_json::to_value(jwk).unwrap() }
    }

    /// A token with the usual claims, changed: a null takes the claim away.
    fn token(&self, changes: Value) -> String {
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(self.algorithm) };
        jsonwebtoken::encode(&header, &claims(changes), &self.key).unwrap()
    }
}

/// The claims that Hydra writes, changed: a null takes the claim away.
fn claims(changes: Value) -> Value {
    let now = clock::now().0 / 1_000_000;
    let mut claims = json!({
        "iss": "http://issuer.invalid", "sub": "tester", "aud": ["smd"], "iat": now, "nbf": now, "exp": now + 3600,
        "scp": ["openid", "smd.read"],
    });
    let all = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        all.insert(name.clone(), value.clone());
        all.retain(|_, value| !value.is_null());
    }
    claims
}

/// A token of any header and claims, with that signature.
fn assemble(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

/// What the JWKS server answers, and how often it was asked.
#[derive(Clone)]
pub(super) struct Published(Arc<Mutex<(StatusCode, String, usize)>>);

impl Published {
    fn keys(&self, jwks: &[&Value]) {
        self.answer(StatusCode::OK, json!({ "keys": jwks }).to_string());
    }

    fn answer(&self, status: StatusCode, body: impl Into<String>) {
        let mut shared = self.0.lock().unwrap();
        (shared.0, shared.1) = (status, body.into());
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().2
    }
}

/// A JWKS server on a real socket, which stops with the handle.
async fn jwks_server() -> (String, Published, AbortOnDropHandle<()>) {
    let published = Published(Arc::new(Mutex::new((StatusCode::OK, json!({ "keys": [] }).to_string(), 0))));
    let shared = published.clone();
    let answer = get(move || {
        let mut shared = shared.0.lock().unwrap();
        shared.2 += 1;
        std::future::ready((shared.0, shared.1.clone()))
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let router = Router::new().route("/keys", answer);
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, published, AbortOnDropHandle::new(server))
}

fn issuer(state: &Path) -> Issuer {
    Issuer::load_or_create(state, "https://demo.example").unwrap()
}

/// A quick pace, in which an unknown key is looked for every time.
const QUICK: Pace = Pace {
    refresh: Duration::from_secs(3600),
    retry: Duration::from_millis(20),
    ask: Duration::ZERO,
    fetch: Duration::from_secs(5),
};

/// A verifier whose fetching task runs until the handle is dropped.
fn running(issuer: &Issuer, settings: VerifierSettings, pace: Pace) -> (Verifier, AbortOnDropHandle<()>) {
    let verifier = Verifier::with_pace(issuer, settings, pace).unwrap();
    let fetching = verifier.clone();
    let task = tokio::spawn(async move { fetching.run(CancellationToken::new(), |_, _| {}).await });
    (verifier, AbortOnDropHandle::new(task))
}

fn with_url(url: &str) -> VerifierSettings {
    VerifierSettings { jwks_urls: vec![url.into()], ..VerifierSettings::default() }
}

/// The payload part of a token, decoded.
fn payload(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// The header part of a token, decoded.
fn header(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

/// The key file of a state directory as the bytes of its PKCS#8 form.
fn key_bytes(state: &Path) -> Vec<u8> {
    let text = std::fs::read_to_string(state.join("token.key")).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}
