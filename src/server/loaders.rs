//! Loaders over HTTP, for the HTTP boot of UEFI firmware: `GET` and `HEAD` of `/loaders/NAME` on the boot role.
//!
//! They are those that TFTP hands out, under the same names. UEFI asks with `HEAD` first and needs `Content-Length`.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};

use super::common::{ClientAddr, Problem, only};
use crate::directory::OpenError;
use crate::loaders::{Content, LoaderError, Loaders};

/// The route, for the boot role.
pub fn routes(loaders: Loaders) -> Router {
    Router::new().route("/loaders/{*name}", only("GET,HEAD", get(handle))).with_state(loaders)
}

async fn handle(
    State(loaders): State<Loaders>,
    client: Option<Extension<ClientAddr>>,
    Path(name): Path<String>,
) -> Response {
    let client = client.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Extension(ClientAddr(ip))| ip);
    // The disk may be slow, and other requests have not to wait for it.
    let kind = if name.ends_with(".efi") { "application/efi" } else { "application/octet-stream" };
    match tokio::task::spawn_blocking(move || loaders.load(&name, client)).await {
        Ok(Ok(Content::Memory(bytes))) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        Ok(Ok(Content::File(..))) => {
            Problem::not_found("the file is too large for a loader; images are served elsewhere").into_response()
        }
        Ok(Err(LoaderError::Open(OpenError::NotFound | OpenError::Outside))) => {
            Problem::not_found("there is no such loader").into_response()
        }
        Ok(Err(LoaderError::Open(OpenError::Denied))) => {
            Problem::new(StatusCode::FORBIDDEN, "the loader may not be read").into_response()
        }
        Ok(Err(error)) => {
            tracing::error!(error = %error, "a loader cannot be read");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the loader cannot be read; try again").into_response()
        }
        Err(error) => {
            tracing::error!(error = %error, "a loader cannot be read");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the loader cannot be read").into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Method, Request};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(method: Method, path: &str) -> (StatusCode, Option<String>, String, Vec<u8>) {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("snponly.efi"), "an efi program").unwrap();
        std::fs::File::create(temp.path().join("large.iso")).unwrap().set_len(64 << 20).unwrap();
        let routes = routes(Loaders::new(Some(temp.path().into())));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = routes.oneshot(request).await.unwrap();
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (length, kind) = (header("content-length"), header("content-type").unwrap_or_default());
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        (status, length, kind, body)
    }

    #[tokio::test]
    async fn a_loader_is_given_with_its_length_and_head_tells_the_same_without_it() {
        let (status, length, kind, body) = ask(Method::GET, "/loaders/snponly.efi").await;
        assert_eq!((status, &*kind, &*body), (StatusCode::OK, "application/efi", &b"an efi program"[..]));
        assert_eq!(length.as_deref(), Some("14"));
        let (status, length, _, body) = ask(Method::HEAD, "/loaders/snponly.efi").await;
        assert_eq!((status, length.as_deref(), body.len()), (StatusCode::OK, Some("14"), 0));
    }

    #[tokio::test]
    async fn scripts_are_loaders_and_what_is_none_is_not_found() {
        assert!(ask(Method::GET, "/loaders/autoexec.ipxe").await.3.starts_with(b"#!ipxe\n"));
        for path in ["/loaders/none", "/loaders/large.iso", "/loaders/..%2fsecret", "/loaders/a%5cb", "/loaders/"] {
            assert_eq!(ask(Method::GET, path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(ask(Method::POST, "/loaders/none").await.0, StatusCode::METHOD_NOT_ALLOWED);
    }
}
