//! The issuer whose tokens the recordings name: an RSA key, its JWKS on a socket, and a token of every name.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// Tokens by their symbolic names, and where their key is published.
pub(crate) struct Tokens {
    pub(crate) jwks_url: String,
    by_name: BTreeMap<&'static str, String>,
}

impl Tokens {
    /// Makes the keys, serves the JWKS for as long as the process lives, and mints the tokens.
    pub(crate) fn issue() -> Self {
        let (key, stranger) = (rsa(), rsa());
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap();
        jwk.common.key_id = Some("k1".to_owned());
        Self { jwks_url: publish(&json!({ "keys": [jwk] }).to_string()), by_name: all(&key, &stranger) }
    }

    /// The token of a name; the empty text for `none`.
    pub(crate) fn named(&self, name: &str) -> &str {
        self.by_name.get(name).unwrap_or_else(|| panic!("no token is called {name}"))
    }
}

fn all(key: &EncodingKey, stranger: &EncodingKey) -> BTreeMap<&'static str, String> {
    let usual = |changes: Value| mint(key, Some("k1"), &changes);
    let now = now();
    let unsigned = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let alg_none = json!({"alg": "none", "typ": "JWT", "kid": "k1"});
    BTreeMap::from([
        ("none", String::new()),
        ("garbage", "abc".to_owned()),
        ("valid", usual(json!({}))),
        ("expired", usual(json!({"exp": now - 100}))),
        ("notyet", usual(json!({"nbf": 9_999_999_999_u64}))),
        ("badsig", mint(stranger, Some("k1"), &json!({}))),
        ("alg-none", format!("{}.{}.", unsigned(alg_none), unsigned(claims(&json!({}))))),
        ("no-kid", mint(key, None, &json!({}))),
        ("wrong-kid", mint(key, Some("zz"), &json!({}))),
        ("empty-sub", usual(json!({"sub": ""}))),
        ("aud-other", usual(json!({"aud": ["somebody-else"]}))),
        ("no-claims", usual(json!({"aud": null, "iss": null, "sub": null}))),
        ("no-aud", usual(json!({"aud": null}))),
        ("no-iss", usual(json!({"iss": null}))),
        ("no-sub", usual(json!({"sub": null}))),
        ("no-exp", usual(json!({"exp": null}))),
        ("no-scope", usual(json!({"scope": null}))),
    ])
}

fn rsa() -> EncodingKey {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap()
}

fn mint(key: &EncodingKey, kid: Option<&str>, changes: &Value) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::RS256) };
    jsonwebtoken::encode(&header, &claims(changes), key).unwrap()
}

/// The usual claims, changed; a null takes a claim away.
fn claims(changes: &Value) -> Value {
    let now = now();
    let mut claims = json!({
        "iss": "http://issuer.invalid", "sub": "tester", "aud": ["smd"], "iat": now, "nbf": now, "exp": now + 3600,
        "scope": "read write",
    });
    let all = claims.as_object_mut().unwrap();
    all.extend(changes.as_object().unwrap().clone());
    all.retain(|_, value| !value.is_null());
    claims
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Serves one document on a free port.
fn publish(document: &str) -> String {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", socket.local_addr().unwrap());
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let answer = format!("{head}Content-Length: {}\r\n\r\n{document}", document.len());
    std::thread::spawn(move || {
        for mut stream in socket.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}
