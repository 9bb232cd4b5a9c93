//! Reading request bodies: bounded in size and time, and never a panic whatever they hold.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::Problem;

/// The largest body that is read. A bulk load of 100,000 nodes is some 60 MB; nothing sensible is larger.
pub const BODY_LIMIT: usize = 128 * 1024 * 1024;

/// How long a whole body may take to arrive, so that a slow sender cannot hold a connection for ever.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads a whole body.
///
/// # Errors
///
/// 413 when it is larger than [`BODY_LIMIT`], 408 when it takes longer than [`BODY_TIMEOUT`], 400 when it breaks off.
pub async fn read(body: Body) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, BODY_LIMIT)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_large(&error) => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {} MiB", BODY_LIMIT / 1024 / 1024),
        )),
        Ok(Err(_)) => Err(Problem::bad_request("the body broke off")),
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        if cause.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = cause.source();
    }
    false
}

/// Reads a JSON body, whatever its `Content-Type` says: the clients of OpenCHAMI send none.
///
/// # Errors
///
/// Those of [`read`]; 400 when it is not JSON of that shape. The text of the body is not repeated in the error.
pub async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let bytes = read(body).await?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::bad_request(format!("error decoding JSON {error}")))
}
