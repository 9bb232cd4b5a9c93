//! Reading request bodies: bounded in size and time, and never a panic whatever they hold.

mod values;

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::StatusCode;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use serde::de::DeserializeOwned;
use tokio::time::Sleep;

use super::Problem;
use crate::wire::json;

/// The largest body that is read. A bulk load of 100,000 nodes is some 60 MB; nothing sensible is larger.
pub const BODY_LIMIT: usize = 128 * 1024 * 1024;

/// The largest body on the local socket: the desired state of 100,000 nodes is some 300 MB, and only root and our own
/// user can send one.
pub const LOCAL_BODY_LIMIT: usize = 1024 * 1024 * 1024;

/// How long a whole body may take to arrive, so that a slow sender cannot hold a connection for ever.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads a whole body, which is JSON where it is anything.
///
/// # Errors
///
/// 413 when it is larger than [`BODY_LIMIT`] or holds more values than a tree is made of, 408 when it takes longer than
/// [`BODY_TIMEOUT`], or than the listener it came through allows; 400 when it breaks off.
pub async fn read(body: Body) -> Result<Bytes, Problem> {
    let bytes = read_up_to(body, BODY_LIMIT).await?;
    match values::excess(&bytes) {
        None => Ok(bytes),
        Some(excess) => Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, excess)),
    }
}

/// As [`read`], up to another size and of anything at all: what it holds is not looked at.
///
/// # Errors
///
/// Those of [`read`], but for the values.
pub async fn read_up_to(body: Body, most: usize) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(explain(&error)),
        Err(_) => Err(too_slow()),
    }
}

fn explain(error: &axum::Error) -> Problem {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        match cause.downcast_ref() {
            Some(BodyError::TooLarge(limit)) => return too_large(*limit),
            Some(BodyError::TooSlow) => return too_slow(),
            None if cause.is::<http_body_util::LengthLimitError>() => return too_large(BODY_LIMIT),
            None => source = cause.source(),
        }
    }
    Problem::bad_request("the body broke off")
}

fn too_large(limit: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {limit} bytes"))
}

fn too_slow() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")
}

/// Reads JSON, the names of its fields in any capitals, whatever its `Content-Type` says: the clients of OpenCHAMI send
/// none.
///
/// # Errors
///
/// Those of [`read`]; 400 when it is not JSON of that shape. The text of the body is not repeated in the error.
pub async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    json::from_slice(&read(body).await?).map_err(|error| not_json(&error))
}

/// Reads a JSON object from a body that is there already, the names of its fields as they are written.
///
/// # Errors
///
/// 400 as [`read_json`].
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // An array would do as well: serde reads a structure from the values of its fields in their order.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::bad_request("error decoding JSON: a list stands where an object is expected"));
    }
    serde_json::from_slice(bytes).map_err(|error| not_json(&error))
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::bad_request(format!("error decoding JSON {error}"))
}

/// Why reading a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// It is larger than its listener allows.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// It takes longer than its listener allows.
    #[error("the body took too long to arrive")]
    TooSlow,
}

/// A body with the limits of the listener that it comes through, whoever reads it and however.
pub(super) struct Guarded {
    body: Body,
    left: usize,
    limit: usize,
    time: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Guarded {
    /// A body that ends in an error beyond that many bytes or when it is not whole in that time, which runs from the
    /// first wait for it.
    pub(super) fn wrap(body: Body, limit: usize, time: Duration) -> Body {
        // Most requests have none, and then there is nothing to guard.
        if body.is_end_stream() {
            return body;
        }
        Body::new(Self { body, left: limit, limit, time, deadline: None })
    }
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        // A length that is announced too large is refused before any of it is read.
        if this.body.size_hint().lower() > this.left as u64 {
            return Poll::Ready(Some(Err(axum::Error::new(BodyError::TooLarge(this.limit)))));
        }
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) else {
            let time = this.time;
            let deadline = this.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
            ready!(deadline.as_mut().poll(context));
            return Poll::Ready(Some(Err(axum::Error::new(BodyError::TooSlow))));
        };
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            match this.left.checked_sub(data.len()) {
                Some(left) => this.left = left,
                None => return Poll::Ready(Some(Err(axum::Error::new(BodyError::TooLarge(this.limit))))),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn chunks(chunks: &[&'static str]) -> Body {
        Body::from_stream(stream::iter(chunks.iter().map(|chunk| Ok::<_, std::io::Error>(*chunk)).collect::<Vec<_>>()))
    }

    async fn status_of(body: Body) -> StatusCode {
        read(body).await.unwrap_err().status
    }

    #[tokio::test]
    async fn a_body_up_to_its_limit_is_read_whole() {
        let guarded = |body| Guarded::wrap(body, 6, Duration::from_secs(60));
        assert_eq!(read(guarded(chunks(&["abc", "def"]))).await.unwrap(), "abcdef");
        assert_eq!(read(guarded(Body::from("abcdef"))).await.unwrap(), "abcdef");
        assert_eq!(read(guarded(Body::empty())).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_body_beyond_its_limit_is_413_whether_its_length_was_announced_or_not() {
        let guarded = |body| Guarded::wrap(body, 5, Duration::from_secs(60));
        assert_eq!(status_of(guarded(chunks(&["abc", "def"]))).await, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(status_of(guarded(Body::from("abcdef"))).await, StatusCode::PAYLOAD_TOO_LARGE);
        let chunk = Bytes::from(vec![b'a'; 1 << 20]);
        let unguarded = stream::iter((0..129).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
        assert_eq!(status_of(Body::from_stream(unguarded)).await, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn a_body_of_too_many_values_is_413_and_is_not_made_a_tree() {
        let body = format!("[{}{{}}]", "{},".repeat(1 << 20));
        let problem = read(Body::from(body.clone())).await.unwrap_err();
        assert_eq!(problem.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(problem.detail.contains("objects and lists"), "{}", problem.detail);
        assert_eq!(read_up_to(Body::from(body.clone()), BODY_LIMIT).await.unwrap(), body);
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_408() {
        let endless = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(status_of(Guarded::wrap(endless, 5, Duration::from_millis(1))).await, StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_or_is_no_json_is_400_and_is_not_repeated() {
        let broken = Body::from_stream(stream::iter([Err::<Bytes, _>(std::io::Error::other("reset"))]));
        assert_eq!(status_of(broken).await, StatusCode::BAD_REQUEST);
        for text in ["", "{", "hunter2", "\u{0}", "[1,]"] {
            let problem = read_json::<serde_json::Value>(Body::from(text)).await.unwrap_err();
            assert_eq!(problem.status, StatusCode::BAD_REQUEST);
            assert!(!problem.detail.contains("hunter2"));
        }
        assert_eq!(read_json::<serde_json::Value>(Body::from(" {}")).await.unwrap(), serde_json::json!({}));
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Named {
        #[serde(rename = "ID")]
        id: Option<u8>,
    }

    #[tokio::test]
    async fn the_names_of_fields_are_read_in_any_capitals_and_a_list_is_no_object() {
        for (text, id) in [(r#" {"Id":1}"#, Some(1)), (r#"{"id":2,"ID":1}"#, Some(1)), ("{}", None)] {
            assert_eq!(read_json::<Named>(Body::from(text)).await.unwrap(), Named { id }, "{text}");
        }
        assert_eq!(parse_json::<Named>(br#"{"id":1}"#).unwrap(), Named { id: None });
        assert_eq!(read_json::<Named>(Body::from(" [1]")).await.unwrap_err().status, StatusCode::BAD_REQUEST);
        assert_eq!(parse_json::<Named>(b" [1]").unwrap_err().status, StatusCode::BAD_REQUEST);
    }
}
