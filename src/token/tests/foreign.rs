//! Tokens of other issuers, by JWKS.

use super::*;
use crate::token::{Denied, MintRequest, TokenError};

/// Every kind of token that was sent to SMD and BSS, with the answer of SMD, or ours where SMD is unsafe.
#[tokio::test]
async fn each_recorded_kind_of_token_is_judged_as_smd_judges_it_or_more_strictly() {
    let state = tempfile::tempdir().unwrap();
    let (url, published, _server) = jwks_server().await;
    let (hydra, stranger) = (Other::rsa("k1"), Other::rsa("k1"));
    published.keys(&[&hydra.jwk]);
    let (verifier, _task) = running(&issuer(state.path()), with_url(&url), QUICK);

    let token = |changes| hydra.token(changes);
    let renamed = |kid: Option<&str>| {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, &claims(json!({})), &hydra.key).unwrap()
    };
    let critical = {
        let header = Header { kid: Some("k1".into()), crit: Some(vec!["b64".into()]), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, &claims(json!({})), &hydra.key).unwrap()
    };
    let good = token(json!({}));
    let mut other_claims = good.split('.').map(str::to_owned).collect::<Vec<_>>();
    other_claims[1] = token(json!({ "sub": "root" })).split('.').nth(1).unwrap().into();
    let now = clock::now().0 / 1_000_000;
    let none = json!({ "alg": "none", "typ": "JWT", "kid": "k1" });

    for (name, token, expected) in [
        ("valid", good.clone(), Ok(())),
        ("aud-other", token(json!({ "aud": ["somebody-else"] })), Ok(())),
        ("aud-empty", token(json!({ "aud": [] })), Ok(())),
        ("no-scope", token(json!({ "scp": null })), Ok(())),
        ("no-nbf", token(json!({ "nbf": null })), Ok(())),
        ("skewed-clocks", token(json!({ "exp": now - 10, "nbf": now + 20 })), Ok(())),
        ("fractions", token(json!({ "exp": (now + 60) as f64 + 0.5 })), Ok(())),
        ("expired", token(json!({ "exp": now - 100 })), Err(Denied::Expired)),
        ("notyet", token(json!({ "nbf": 9_999_999_999_i64 })), Err(Denied::NotYet)),
        ("badsig", stranger.token(json!({})), Err(Denied::Unauthorized)),
        ("other-claims", other_claims.join("."), Err(Denied::Unauthorized)),
        ("alg-none", assemble(&none, &claims(json!({})), ""), Err(Denied::Unauthorized)),
        ("no-kid", renamed(None), Err(Denied::Unauthorized)),
        ("wrong-kid", renamed(Some("zz")), Err(Denied::Unauthorized)),
        ("crit", critical, Err(Denied::Unauthorized)),
        ("garbage", "abc".into(), Err(Denied::Unauthorized)),
        ("empty", String::new(), Err(Denied::Unauthorized)),
        ("dots", "...".into(), Err(Denied::Unauthorized)),
        ("huge", "a".repeat(1 << 20), Err(Denied::Unauthorized)),
        ("no-aud", token(json!({ "aud": null })), Err(Denied::MissingClaim)),
        ("no-iss", token(json!({ "iss": null })), Err(Denied::MissingClaim)),
        ("no-sub", token(json!({ "sub": null })), Err(Denied::MissingClaim)),
        ("no-claims", token(json!({ "aud": null, "iss": null, "sub": null })), Err(Denied::MissingClaim)),
        ("no-exp", token(json!({ "exp": null })), Err(Denied::MissingClaim)),
        ("empty-sub", token(json!({ "sub": "" })), Err(Denied::Invalid)),
        ("claims-of-wrong-type", token(json!({ "iss": 7 })), Err(Denied::Invalid)),
    ] {
        let judged = verifier.check(&token).await;
        assert_eq!(judged.as_ref().map(|_| ()).map_err(|denied| *denied), expected, "{name}");
        if let (Err(denied), true) = (judged, token.len() > 2) {
            assert!(!format!("{denied} {denied:?}").contains(&token), "{name} shows the token");
        }
    }
}

#[tokio::test]
async fn every_algorithm_of_the_allow_list_verifies_with_its_own_type_of_key_only() {
    let state = tempfile::tempdir().unwrap();
    let (url, published, _server) = jwks_server().await;
    let (rsa, ed) = (Other::rsa("rsa"), Other::ed("ed"));
    let (p256, p384) = (Other::ec("p256", Algorithm::ES256), Other::ec("p384", Algorithm::ES384));
    published.keys(&[&rsa.jwk, &ed.jwk, &p256.jwk, &p384.jwk]);
    let (verifier, _task) = running(&issuer(state.path()), with_url(&url), QUICK);
    for (other, algorithm) in [
        (&rsa, Algorithm::RS256),
        (&rsa, Algorithm::RS384),
        (&rsa, Algorithm::RS512),
        (&rsa, Algorithm::PS256),
        (&rsa, Algorithm::PS384),
        (&rsa, Algorithm::PS512),
        (&ed, Algorithm::EdDSA),
        (&p256, Algorithm::ES256),
        (&p384, Algorithm::ES384),
    ] {
        let sign = |kid: &str| {
            let header = Header { kid: Some(kid.into()), ..Header::new(algorithm) };
            jsonwebtoken::encode(&header, &claims(json!({})), &other.key).unwrap()
        };
        assert!(verifier.check(&sign(&other.kid)).await.is_ok(), "{algorithm:?}");
        let wrong = if other.kid == "rsa" { "p256" } else { "rsa" };
        assert_eq!(verifier.check(&sign(wrong)).await, Err(Denied::Unauthorized), "{algorithm:?} with {wrong}");
    }
}

#[tokio::test]
async fn a_published_key_cannot_be_used_as_a_shared_secret() {
    let state = tempfile::tempdir().unwrap();
    let (url, published, _server) = jwks_server().await;
    let (rsa, ec) = (Other::rsa("rsa"), Other::ec("ec", Algorithm::ES256));
    // A set that says so of its key does not change what the key is.
    let mut named = rsa.jwk.clone();
    (named["kid"], named["alg"]) = ("named".into(), "HS256".into());
    published.keys(&[&rsa.jwk, &ec.jwk, &named]);
    let (verifier, _task) = running(&issuer(state.path()), with_url(&url), QUICK);
    assert!(verifier.check(&rsa.token(json!({}))).await.is_ok());
    let part = |jwk: &Value, name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    for (kid, secret) in [
        ("rsa", part(&rsa.jwk, "n")),
        ("rsa", rsa.jwk["n"].as_str().unwrap().into()),
        ("rsa", rsa.jwk.to_string().into_bytes()),
        ("ec", [vec![4], part(&ec.jwk, "x"), part(&ec.jwk, "y")].concat()),
        ("ec", ec.jwk.to_string().into_bytes()),
        ("named", part(&rsa.jwk, "n")),
        ("rsa", Vec::new()),
    ] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let header = Header { kid: Some(kid.into()), ..Header::new(algorithm) };
            let key = EncodingKey::from_secret(&secret);
            let forged = jsonwebtoken::encode(&header, &claims(json!({})), &key).unwrap();
            assert_eq!(verifier.check(&forged).await, Err(Denied::Unauthorized), "{algorithm:?} with {kid}");
        }
    }
}

#[tokio::test]
async fn keys_of_a_server_that_is_down_at_the_start_are_good_once_it_answers() {
    let state = tempfile::tempdir().unwrap();
    let hydra = Other::ed("k1");
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let ours = issuer(state.path());
    let (verifier, _task) = running(&ours, with_url(&format!("http://{address}/keys")), QUICK);
    let own = ours.mint(&MintRequest::default()).unwrap();
    assert_eq!(verifier.check(&hydra.token(json!({}))).await, Err(Denied::Unauthorized));
    assert!(verifier.check(&own).await.is_ok(), "our own tokens need nobody");
    let set = json!({ "keys": [hydra.jwk] }).to_string();
    let router = Router::new().route("/keys", get(async || set));
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let _server = AbortOnDropHandle::new(tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }));
    assert!(verifier.check(&hydra.token(json!({}))).await.is_ok());
}

#[tokio::test]
async fn configured_issuers_and_audiences_bind_foreign_tokens() {
    let state = tempfile::tempdir().unwrap();
    let (url, published, _server) = jwks_server().await;
    let hydra = Other::ed("k1");
    published.keys(&[&hydra.jwk]);
    let settings = VerifierSettings {
        trusted_issuers: vec!["http://issuer.invalid".into()],
        audiences: vec!["smd".into()],
        ..with_url(&url)
    };
    let (verifier, _task) = running(&issuer(state.path()), settings, QUICK);
    assert!(verifier.check(&hydra.token(json!({}))).await.is_ok());
    assert!(verifier.check(&hydra.token(json!({ "aud": ["bss", "smd"] }))).await.is_ok());
    for changes in [json!({ "iss": "http://other.invalid" }), json!({ "aud": "bss" }), json!({ "aud": [] })] {
        assert_eq!(verifier.check(&hydra.token(changes.clone())).await, Err(Denied::Unauthorized), "{changes}");
    }
}

#[tokio::test]
async fn a_new_key_is_found_when_a_token_names_it_and_a_withdrawn_one_is_gone() {
    let state = tempfile::tempdir().unwrap();
    let (url, published, _server) = jwks_server().await;
    let (old, new) = (Other::ed("old"), Other::ed("new"));
    published.keys(&[&old.jwk]);
    let (verifier, _task) = running(&issuer(state.path()), with_url(&url), QUICK);
    assert!(verifier.check(&old.token(json!({}))).await.is_ok());
    published.keys(&[&new.jwk]);
    assert!(verifier.check(&new.token(json!({}))).await.is_ok());
    assert_eq!(verifier.check(&old.token(json!({}))).await, Err(Denied::Unauthorized));
}

#[tokio::test]
async fn made_up_key_names_do_not_make_us_fetch_more_often_than_allowed() {
    let state = tempfile::tempdir().unwrap();
    let (url, published, _server) = jwks_server().await;
    let hydra = Other::ed("k1");
    published.keys(&[&hydra.jwk]);
    let pace = Pace { ask: Duration::from_secs(3600), ..QUICK };
    let (verifier, _task) = running(&issuer(state.path()), with_url(&url), pace);
    assert!(verifier.check(&hydra.token(json!({}))).await.is_ok());
    let before = published.asked();
    for number in 0..50 {
        let stranger = Other::ed(&format!("made-up-{number}"));
        assert_eq!(verifier.check(&stranger.token(json!({}))).await, Err(Denied::Unauthorized));
    }
    assert_eq!(published.asked(), before);
}

#[tokio::test]
async fn known_keys_stay_good_when_the_server_answers_nonsense_or_is_gone() {
    let state = tempfile::tempdir().unwrap();
    let (url, published, server) = jwks_server().await;
    let hydra = Other::ed("k1");
    published.keys(&[&hydra.jwk]);
    let (verifier, _task) = running(&issuer(state.path()), with_url(&url), QUICK);
    let good = hydra.token(json!({}));
    let unknown = Other::ed("unknown").token(json!({}));
    assert!(verifier.check(&good).await.is_ok());
    let large = format!(r#"{{"keys":["{}"]}}"#, "a".repeat(2 << 20));
    for (status, body) in [
        (StatusCode::INTERNAL_SERVER_ERROR, "oops"),
        (StatusCode::FOUND, ""),
        (StatusCode::OK, "<html>"),
        (StatusCode::OK, r#"{"keys":[]}"#),
        (StatusCode::OK, &large),
    ] {
        published.answer(status, body);
        let before = published.asked();
        assert_eq!(verifier.check(&unknown).await, Err(Denied::Unauthorized));
        assert!(published.asked() > before, "the unknown key made it ask");
        assert!(verifier.check(&good).await.is_ok(), "{status} {}", body.len());
    }
    drop(server);
    assert_eq!(verifier.check(&unknown).await, Err(Denied::Unauthorized));
    assert!(verifier.check(&good).await.is_ok());
}

#[tokio::test]
async fn a_server_that_never_answers_holds_up_neither_our_tokens_nor_the_start_and_strangers_only_for_a_while() {
    let state = tempfile::tempdir().unwrap();
    // It accepts connections, by the kernel, and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", silent.local_addr().unwrap());
    let ours = issuer(state.path());
    let pace = Pace { fetch: Duration::from_millis(100), ..QUICK };
    let (verifier, _task) = running(&ours, with_url(&url), pace);
    let token = ours.mint(&MintRequest::default()).unwrap();
    assert!(verifier.check(&token).await.is_ok());
    let stranger = Other::ed("k1").token(json!({}));
    let judged = tokio::time::timeout(Duration::from_secs(20), verifier.check(&stranger)).await;
    assert_eq!(judged.expect("it ends by itself"), Err(Denied::Unauthorized));
}

#[tokio::test]
async fn a_dead_address_does_not_keep_the_keys_of_a_living_one_away() {
    let state = tempfile::tempdir().unwrap();
    let dead = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (url, published, _server) = jwks_server().await;
    // Both issuers chose the same name for their keys, which nothing forbids.
    let hydra = Other::ed("k1");
    published.keys(&[&Other::ed("k1").jwk, &hydra.jwk]);
    let settings = VerifierSettings { jwks_urls: vec![format!("http://{dead}/"), url], ..Default::default() };
    let (verifier, _task) = running(&issuer(state.path()), settings, QUICK);
    assert!(verifier.check(&hydra.token(json!({}))).await.is_ok());
}

#[tokio::test]
async fn each_fetch_is_reported_and_shutdown_ends_the_task() {
    let state = tempfile::tempdir().unwrap();
    let (url, published, _server) = jwks_server().await;
    let verifier = Verifier::with_pace(&issuer(state.path()), with_url(&url), QUICK).unwrap();
    let shutdown = CancellationToken::new();
    let (sender, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let task = tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            verifier
                .run(shutdown, move |url, fault| drop(sender.send((url.to_owned(), fault.map(str::to_owned)))))
                .await
        }
    });
    let (reported, fault) = reports.recv().await.unwrap();
    assert_eq!((reported, fault.as_deref()), (url, Some("the answer holds no usable key")));
    published.keys(&[&Other::ed("k1").jwk]);
    while reports.recv().await.unwrap().1.is_some() {}
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(20), task).await.expect("it ends").unwrap();
}

#[test]
fn an_address_that_cannot_be_asked_is_refused_without_repeating_a_password() {
    let state = tempfile::tempdir().unwrap();
    let ours = issuer(state.path());
    for url in ["", "keys", "ftp://example/keys", "http://me:hunter2@example/keys"] {
        let error = Verifier::new(&ours, with_url(url)).unwrap_err();
        assert!(matches!(error, TokenError::JwksUrl { .. }), "{url}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
