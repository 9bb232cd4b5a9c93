//! What the REST rooms share in routing: answers for unknown paths and wrong methods, in the manner of SMD.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use super::Problem;

/// The content type of plain answers, spelt as the original services spell it.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// 404 in the words of the original services; the fallback of the assembled router.
pub async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, TEXT)], "404 page not found\n").into_response()
}

/// 405 with the methods that the path has, such as `GET,POST,DELETE`. SMD leaves the list empty where the path has an
/// id in it.
pub fn method_not_allowed(allow: &'static str) -> Response {
    let mut response = Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("allow {allow}")).into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

/// Answers every method that the routes do not name with 405 and that list.
///
/// HEAD is such a method too unless the list names it: axum answers HEAD wherever there is a GET, SMD answers 405.
///
/// ```
/// use axum::routing::get;
/// use ochami_sync::server::common::routing::only;
///
/// let components: axum::routing::MethodRouter =
///     only("GET,POST", get(async || "[]").post(async || axum::http::StatusCode::NO_CONTENT));
/// ```
pub fn only<S: Clone + Send + Sync + 'static>(allow: &'static str, routes: MethodRouter<S>) -> MethodRouter<S> {
    let refuse = move || std::future::ready(method_not_allowed(allow));
    let named_head = allow.split(',').any(|method| method == "HEAD");
    let routes = if named_head { routes } else { routes.head(refuse) };
    routes.fallback(refuse)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::{Method, Request};
    use axum::routing::get;
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(method: Method, path: &str) -> (StatusCode, Option<String>, Option<String>, String) {
        let router = Router::new()
            .route("/list", only("GET,POST,DELETE", get(async || "list").post(async || "made").delete(async || "gone")))
            .route("/list/{id}", only("", get(async || "one")))
            .route("/status", only("GET,HEAD", get(async || "status")))
            .fallback(not_found);
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (status, kind, allow) = (response.status(), header(header::CONTENT_TYPE), header(header::ALLOW));
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, kind, allow, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn methods_that_a_path_has_are_answered_and_all_others_are_405_with_the_list() {
        for (method, expected) in [(Method::GET, "list"), (Method::POST, "made"), (Method::DELETE, "gone")] {
            assert_eq!(ask(method, "/list").await.3, expected);
        }
        for method in [Method::PUT, Method::PATCH, Method::OPTIONS, Method::TRACE] {
            let (status, kind, allow, body) = ask(method, "/list").await;
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
            assert_eq!(kind.as_deref(), Some("application/problem+json"));
            assert_eq!(allow.as_deref(), Some("GET,POST,DELETE"));
            let expected = json!({
                "type": "about:blank", "title": "Method Not Allowed", "detail": "allow GET,POST,DELETE", "status": 405
            });
            assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn head_is_405_unless_the_list_names_it() {
        assert_eq!(ask(Method::HEAD, "/list").await.0, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(ask(Method::HEAD, "/status").await.0, StatusCode::OK);
        let (status, _, allow, _) = ask(Method::HEAD, "/list/1").await;
        assert_eq!((status, allow.as_deref()), (StatusCode::METHOD_NOT_ALLOWED, Some("")));
    }

    #[tokio::test]
    async fn an_unknown_path_is_told_in_plain_text() {
        let (status, kind, _, body) = ask(Method::GET, "/nope").await;
        assert_eq!((status, kind.as_deref(), &*body), (StatusCode::NOT_FOUND, Some(TEXT), "404 page not found\n"));
    }
}
