//! The gate of the REST rooms: who may pass, and who it was.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

use super::routing::TEXT;
use crate::token::{Denied, Verifier};

/// What a route asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Open,
    /// A good token.
    Token,
}

/// What a room asks for each method and URI. The path is the one its router sees: whole where the room's routes are
/// whole paths, without the prefix where the room is nested under it.
pub type Rule = fn(&Method, &Uri) -> Access;

/// Who calls; every request that has passed a gate carries it as an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whom the token speaks for; `anonymous` where none was asked for.
    pub subject: Arc<str>,
}

impl Caller {
    /// Nobody in particular.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { subject: "anonymous".into() }
    }
}

/// Checks tokens where a room's rule asks for one. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gate(Option<Verifier>);

impl Gate {
    /// A gate that takes this verifier's tokens; without one it stands open (`--auth none`).
    #[must_use]
    pub fn new(verifier: Option<Verifier>) -> Self {
        Self(verifier)
    }

    /// Puts the gate before every route of a router. Unknown paths are not guarded: they are 404 with and without a
    /// token, as with SMD.
    pub fn protect<S: Clone + Send + Sync + 'static>(&self, router: Router<S>, rule: Rule) -> Router<S> {
        router.route_layer(middleware::from_fn_with_state((self.clone(), rule), pass))
    }

    async fn admit(&self, access: Access, headers: &HeaderMap) -> Result<Caller, Denied> {
        match (&self.0, access) {
            (Some(verifier), Access::Token) => {
                let token = token(headers).ok_or(Denied::NoToken)?;
                Ok(Caller { subject: verifier.check(token).await?.subject })
            }
            _ => Ok(Caller::anonymous()),
        }
    }
}

async fn pass(State((gate, rule)): State<(Gate, Rule)>, mut request: Request, next: Next) -> Response {
    let access = rule(request.method(), request.uri());
    match gate.admit(access, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(denied) => {
            tracing::debug!(http.path = request.uri().path(), reason = %denied, "denied");
            refuse(denied)
        }
    }
}

/// 401 in plain text, as SMD sends it, with the challenge that RFC 6750 asks for.
fn refuse(denied: Denied) -> Response {
    let headers = [(header::CONTENT_TYPE, TEXT), (header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, headers, format!("{denied}\n")).into_response()
}

/// The token of a request: `Authorization: Bearer`, else the cookie `jwt`. Never the query, which ends up in logs.
fn token(headers: &HeaderMap) -> Option<&str> {
    bearer(headers).or_else(|| cookie(headers))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get_all(header::AUTHORIZATION).iter().find_map(|value| {
        let (scheme, token) = value.to_str().ok()?.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    })
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|cookie| cookie.trim().strip_prefix("jwt="))
}

#[cfg(test)]
mod tests {
    use axum::Extension;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;
    use crate::server::common::routing::{not_found, only};
    use crate::token::{Issuer, MintRequest, VerifierSettings};

    fn rule(method: &Method, uri: &Uri) -> Access {
        if method == Method::GET && uri.path() == "/list" { Access::Open } else { Access::Token }
    }

    fn router(gate: &Gate) -> Router {
        let whoami = async |Extension(caller): Extension<Caller>| caller.subject.to_string();
        let routes = Router::new()
            .route("/list", only("GET,POST", get(whoami).post(whoami)))
            .route("/list/{id}", only("", get(whoami)));
        gate.protect(routes, rule).fallback(not_found)
    }

    async fn ask(gate: &Gate, method: Method, path: &str, header: Option<(&str, String)>) -> (u16, Response, String) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let response = router(gate).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        (parts.status.as_u16(), Response::from_parts(parts, Body::empty()), body)
    }

    fn gate() -> (Gate, String, tempfile::TempDir) {
        let state = tempfile::tempdir().unwrap();
        let issuer = Issuer::load_or_create(state.path(), "https://demo.example").unwrap();
        let token = issuer.mint(&MintRequest { subject: "alice".into(), ..Default::default() }).unwrap();
        (Gate::new(Some(Verifier::new(&issuer, VerifierSettings::default()).unwrap())), token, state)
    }

    #[tokio::test]
    async fn a_token_is_taken_from_the_header_or_the_cookie_and_from_nowhere_else() {
        let (gate, token, _state) = gate();
        for (name, value) in [
            ("authorization", format!("Bearer {token}")),
            ("authorization", format!("bearer {token}")),
            ("authorization", format!("BEARER  {token} ")),
            ("cookie", format!("jwt={token}")),
            ("cookie", format!("theme=dark; jwt={token}; x=y")),
        ] {
            let (status, _, body) = ask(&gate, Method::GET, "/list/1", Some((name, value.clone()))).await;
            assert_eq!((status, &*body), (200, "alice"), "{name}: {value}");
        }
        for (name, value) in [
            ("x-nothing", String::new()),
            ("authorization", token.clone()),
            ("authorization", format!("Basic {token}")),
            ("authorization", format!("Bearer{token}")),
            ("cookie", format!("xjwt={token}")),
        ] {
            let (status, _, body) = ask(&gate, Method::GET, "/list/1", Some((name, value.clone()))).await;
            assert_eq!((status, &*body), (401, "no token found\n"), "{name}: {value}");
        }
        let (status, _, body) = ask(&gate, Method::GET, &format!("/list/1?jwt={token}"), None).await;
        assert_eq!((status, &*body), (401, "no token found\n"));
    }

    #[tokio::test]
    async fn a_refusal_is_plain_text_with_a_challenge_and_without_the_token() {
        let (gate, token, _state) = gate();
        let (head, tail) = token.rsplit_once('.').unwrap();
        let forged = format!("{head}.{}", tail.chars().rev().collect::<String>());
        for bad in ["abc", &forged, ""] {
            let header = Some(("authorization", format!("Bearer {bad}.")));
            let (status, response, body) = ask(&gate, Method::POST, "/list", header).await;
            assert_eq!((status, &*body), (401, "token is unauthorized\n"));
            assert_eq!(response.headers()[header::CONTENT_TYPE], TEXT);
            assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
            assert!(response.headers().values().all(|value| !value.to_str().unwrap().contains(head)));
        }
    }

    #[tokio::test]
    async fn the_rule_decides_by_method_and_path_and_unknown_paths_are_404_without_a_token() {
        let (gate, _, _state) = gate();
        assert_eq!(ask(&gate, Method::GET, "/list", None).await.2, "anonymous");
        for (method, path, expected) in [
            (Method::POST, "/list", 401),
            (Method::HEAD, "/list", 401),
            (Method::GET, "/list/1", 401),
            (Method::PUT, "/list/1", 401),
            (Method::GET, "/%6cist", 404),
            (Method::GET, "/nope", 404),
        ] {
            assert_eq!(ask(&gate, method.clone(), path, None).await.0, expected, "{method} {path}");
        }
    }

    #[tokio::test]
    async fn without_authentication_everybody_is_anonymous_whatever_they_send() {
        let gate = Gate::new(None);
        for header in [None, Some(("authorization", "Bearer abc".to_owned()))] {
            let (status, _, body) = ask(&gate, Method::POST, "/list", header).await;
            assert_eq!((status, &*body), (200, "anonymous"));
        }
    }
}
