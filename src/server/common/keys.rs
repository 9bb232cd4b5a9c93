//! Our public keys, for whoever verifies our tokens.

use axum::routing::get;
use axum::{Json, Router};

use super::routing;
use crate::token::Issuer;

/// `GET /.well-known/jwks.json`, and `/keys`, where clients of OpenCHAMI look for it: the JWK set.
pub fn routes(issuer: &Issuer) -> Router {
    let jwks = issuer.jwks();
    let answer = routing::only("GET,HEAD", get(move || std::future::ready(Json(jwks.clone()))));
    Router::new().route("/.well-known/jwks.json", answer.clone()).route("/keys", answer)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use serde_json::Value;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn both_paths_give_the_issuers_keys() {
        let state = tempfile::tempdir().unwrap();
        let issuer = Issuer::load_or_create(state.path(), "https://demo.example").unwrap();
        for path in ["/.well-known/jwks.json", "/keys"] {
            let answer = routes(&issuer).oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(answer.headers()["content-type"], "application/json");
            let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), issuer.jwks());
        }
    }
}
