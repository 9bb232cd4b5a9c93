//! One connection: HTTP/1.1, request by request, each within its limits and none able to harm another.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use super::Problem;
use super::body::Guarded;
use super::linger::{Lingering, MOMENT};
use super::normalize::normalize;
use super::peer::{ClientAddr, LocalAddr, Peer};
use super::request_id::{HEADER, RequestId};
use super::served::Served;
use super::stall::StallGuard;
use super::supervise::panic_text;

/// Answers the requests of a connection until it ends, or until shutdown, which lets the open request end.
pub(super) async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    (peer, local): (Peer, Option<LocalAddr>),
    served: &Arc<Served>,
    shutdown: &CancellationToken,
) {
    let limits = &served.limits;
    let service = service_fn(|request: Request<Incoming>| {
        let served = served.clone();
        let mut request = request.map(Body::new);
        local.and_then(|local| request.extensions_mut().insert(local));
        async move { Ok::<_, Infallible>(answer(&served, peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_header_size(limits.head_bytes)
        .serve_connection(TokioIo::new(StallGuard::new(Lingering::new(stream, MOMENT), limits.stall)), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %peer, error = %error, "a connection broke");
    }
}

/// Answers one request: whatever happens, there is an answer with a request id, a line in the log and a count.
async fn answer(served: &Served, peer: Peer, request: Request<Body>) -> Response {
    let begun = Instant::now();
    let id = RequestId::of(request.headers());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = match AssertUnwindSafe(routed(served, peer, &id, request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            served.shared.metrics.panicked(served.role);
            let panic = panic_text(&*panic);
            tracing::error!(request.id = %id, http.method = %method, http.path = path, panic, "a handler panicked");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "an internal error; the log has more under the request id")
                .into_response()
        }
    };
    response.headers_mut().insert(HEADER, id.header());
    let took = begun.elapsed();
    served.shared.metrics.answered(served.role, &path, response.status(), took);
    tracing::debug!(
        request.id = %id,
        role = served.role.name(),
        peer = %peer,
        http.method = %method,
        http.path = path,
        http.status = response.status().as_u16(),
        took.micros = took.as_micros(),
        "answered"
    );
    response
}

/// Makes a request plain, says who asks, and hands it to the router within its time.
async fn routed(served: &Served, peer: Peer, id: &RequestId, mut request: Request<Body>) -> Response {
    let limits = &served.limits;
    if let Err(problem) = normalize(request.uri_mut(), limits.uri_bytes) {
        return problem.into_response();
    }
    if let Some(client) = client(served, peer, request.headers()) {
        request.extensions_mut().insert(client);
    }
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(id.clone());
    let request = request.map(|body| Guarded::wrap(body, limits.body_bytes, limits.body));
    let mut router = served.router.clone();
    let handled = async { router.call(request).await.unwrap_or_else(|never| match never {}) };
    let Some(time) = limits.request else { return handled.await };
    tokio::time::timeout(time, handled).await.unwrap_or_else(|_| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the answer took too long; try again").into_response()
    })
}

fn client(served: &Served, peer: Peer, headers: &HeaderMap) -> Option<ClientAddr> {
    match peer {
        Peer::Tcp(addr) => Some(served.shared.trusted_proxies.client(addr.ip(), headers)),
        Peer::Unix { .. } => None,
    }
}
