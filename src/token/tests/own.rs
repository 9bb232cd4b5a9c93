//! Tokens of our own key.

use aws_lc_rs::digest::{SHA256, digest};

use super::*;
use crate::token::{AUDIENCE, Denied, MAX_TTL, MintRequest, TokenError};

fn verifier(issuer: &Issuer) -> Verifier {
    Verifier::new(issuer, VerifierSettings::default()).unwrap()
}

#[tokio::test]
async fn a_minted_token_is_accepted_and_says_what_was_asked() {
    let state = tempfile::tempdir().unwrap();
    let issuer = issuer(state.path());
    let request = MintRequest { subject: "alice".into(), scopes: vec!["a".into(), "b".into()], ..Default::default() };
    let token = issuer.mint(&request).unwrap();
    let verified = verifier(&issuer).check(&token).await.unwrap();
    assert_eq!((&*verified.subject, &*verified.issuer), ("alice", "https://demo.example"));

    let claims = payload(&token);
    assert_eq!(claims["aud"], json!([AUDIENCE]));
    assert_eq!(claims["scope"], "a b");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    assert_eq!(claims["nbf"], claims["iat"]);
    assert_ne!(claims["jti"], payload(&issuer.mint(&request).unwrap())["jti"]);
    assert_eq!(header(&token)["alg"], "ES256");
}

#[test]
fn the_key_name_is_the_thumbprint_of_rfc_7638_and_the_set_holds_no_private_part() {
    let state = tempfile::tempdir().unwrap();
    let issuer = issuer(state.path());
    let jwks = issuer.jwks();
    let [key] = jwks["keys"].as_array().unwrap().as_slice() else { panic!("one key: {jwks}") };
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, key["x"], key["y"]);
    let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()));
    assert_eq!(key["kid"], thumbprint);
    assert_eq!(header(&issuer.mint(&MintRequest::default()).unwrap())["kid"], thumbprint);
    assert_eq!((&key["use"], &key["alg"]), (&json!("sig"), &json!("ES256")));
    let mut members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
}

#[tokio::test]
async fn a_key_outlives_the_process_and_another_key_is_not_ours() {
    let (state, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let token = issuer(state.path()).mint(&MintRequest::default()).unwrap();
    assert!(verifier(&issuer(state.path())).check(&token).await.is_ok());
    assert_eq!(verifier(&issuer(other.path())).check(&token).await, Err(Denied::Unauthorized));
}

#[test]
fn a_lifetime_out_of_bounds_or_a_subject_that_is_no_name_mints_nothing() {
    let state = tempfile::tempdir().unwrap();
    let issuer = issuer(state.path());
    for ttl in [Duration::ZERO, Duration::from_millis(999), MAX_TTL + Duration::from_secs(1)] {
        let refused = issuer.mint(&MintRequest { ttl, ..Default::default() });
        assert!(matches!(refused, Err(TokenError::Ttl(_))), "{ttl:?}");
    }
    assert!(issuer.mint(&MintRequest { ttl: MAX_TTL, ..Default::default() }).is_ok());
    for subject in ["", "two\nlines", &"x".repeat(257)] {
        let refused = issuer.mint(&MintRequest { subject: subject.into(), ..Default::default() });
        assert!(matches!(refused, Err(TokenError::Subject)), "{subject:?}");
    }
}

#[tokio::test]
async fn our_key_vouches_only_for_our_issuer_and_our_audience() {
    let state = tempfile::tempdir().unwrap();
    let issuer = issuer(state.path());
    let kid = issuer.jwks()["keys"][0]["kid"].as_str().unwrap().to_owned();
    let signed = |changes: Value| {
        let key = EncodingKey::from_ec_der(&key_bytes(state.path()));
        let header = Header { kid: Some(kid.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, &claims(changes), &key).unwrap()
    };
    let ours = json!({ "iss": "https://demo.example", "aud": AUDIENCE });
    let with = |name: &str, value: Value| {
        let mut changed = ours.clone();
        changed[name] = value;
        signed(changed)
    };
    let verifier = verifier(&issuer);
    assert!(verifier.check(&signed(ours.clone())).await.is_ok());
    for (name, value, expected) in [
        ("iss", json!("https://other.example"), Denied::Unauthorized),
        ("aud", json!(["smd"]), Denied::Unauthorized),
        ("aud", json!([]), Denied::Unauthorized),
        ("exp", json!(null), Denied::MissingClaim),
        ("exp", json!("soon"), Denied::Invalid),
        ("sub", json!(7), Denied::Invalid),
        ("sub", json!("a\u{1b}[31m"), Denied::Invalid),
    ] {
        assert_eq!(verifier.check(&with(name, value.clone())).await, Err(expected), "{name} {value}");
    }
    let elsewhere = VerifierSettings { audiences: vec!["smd".into()], ..VerifierSettings::default() };
    let verifier = Verifier::new(&issuer, elsewhere).unwrap();
    assert!(verifier.check(&with("aud", json!(["smd"]))).await.is_ok());
}

#[tokio::test]
async fn the_public_key_cannot_be_used_as_a_shared_secret() {
    let state = tempfile::tempdir().unwrap();
    let issuer = issuer(state.path());
    let public = issuer.jwks()["keys"][0].clone();
    let secret = EncodingKey::from_secret(public.to_string().as_bytes());
    let header = Header { kid: Some(public["kid"].as_str().unwrap().into()), ..Header::new(Algorithm::HS256) };
    let forged = jsonwebtoken::encode(&header, &claims(json!({ "iss": "https://demo.example" })), &secret).unwrap();
    assert_eq!(verifier(&issuer).check(&forged).await, Err(Denied::Unauthorized));
}

#[test]
fn nothing_that_prints_shows_the_key() {
    let state = tempfile::tempdir().unwrap();
    let issuer = issuer(state.path());
    let printed = format!("{issuer:?} {:?}", verifier(&issuer));
    let key = STANDARD.encode(key_bytes(state.path()));
    assert!(!printed.contains(&key[60..]) && printed.contains("https://demo.example"), "{printed}");
}
