//! Peers that are slow, greedy or broken.

use axum::body::Body;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::server::common::{Problem, body, not_found};

fn router() -> Router {
    let length = async |body: Body| match body::read(body).await {
        Ok(bytes) => bytes.len().to_string().into_response(),
        Err(problem) => problem.into_response(),
    };
    Router::new().route("/", get(async || "ok")).route("/length", post(length)).fallback(not_found)
}

fn short(limits: &mut Limits) {
    limits.head = Duration::from_millis(100);
    limits.body = Duration::from_millis(100);
    limits.body_bytes = 1000;
    limits.uri_bytes = 500;
    limits.head_bytes = 2000;
}

/// Limits that a slow test machine does not run into by itself.
fn small(limits: &mut Limits) {
    short(limits);
    limits.head = PATIENCE;
    limits.body = PATIENCE;
}

#[tokio::test]
async fn a_head_that_never_ends_and_an_idle_connection_are_closed() {
    let server = Server::start(router(), short);
    for bytes in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: x\r\nx-slow: a"] {
        let answer = server.send(bytes).await;
        assert!(answer.is_empty() || status(&answer) == 408, "{answer:?}");
    }
    let mut kept = server.connect().await;
    assert_eq!(status(&ask(&mut kept, "GET /").await), 200);
    assert_eq!(read_to_end(&mut kept).await, "");
    server.answers().await;
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_never_comes_is_408_and_one_that_breaks_off_harms_nobody() {
    let server = Server::start(router(), |limits| {
        short(limits);
        limits.head = PATIENCE;
    });
    let head = "POST /length HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    for rest in ["content-length: 10\r\n\r\nabc", "transfer-encoding: chunked\r\n\r\n5\r\nab"] {
        let answer = server.send(format!("{head}{rest}")).await;
        assert_eq!(status(&answer), 408, "{answer}");
    }
    let mut broken = server.connect().await;
    broken.write_all(format!("{head}content-length: 10\r\n\r\nabc").as_bytes()).await.unwrap();
    drop(broken);
    server.answers().await;
    server.stop().await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_announced_or_not() {
    let server = Server::start(router(), small);
    let head = "POST /length HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    let fits = "a".repeat(1000);
    let answer = server.send(format!("{head}content-length: 1000\r\n\r\n{fits}")).await;
    assert_eq!((status(&answer), body(&answer)), (200, "1000"));
    for rest in [
        "content-length: 1001\r\n\r\n".to_owned(),
        "content-length: 99999999999\r\n\r\n".to_owned(),
        format!("transfer-encoding: chunked\r\n\r\n3e8\r\n{fits}\r\n1\r\na\r\n0\r\n\r\n"),
    ] {
        let answer = server.send(format!("{head}{rest}")).await;
        assert_eq!(status(&answer), 413, "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
    }
    server.answers().await;
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_request_is_400_and_what_is_too_long_is_told_so() {
    let server = Server::start(router(), small);
    let long = "a".repeat(600);
    for (request, expected) in [
        (b"\x16\x03\x01\x02\x00\x01\x00".to_vec(), 400),
        (b"hello\r\n\r\n".to_vec(), 400),
        (b"GET  / HTTP/1.1\r\n\r\n".to_vec(), 400),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n".to_vec(), 400),
        (b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), 400),
        (b"GET /?a=\xc3\x28 HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), 400),
        (b"POST /length HTTP/1.1\r\ncontent-length: -1\r\n\r\n".to_vec(), 400),
        (b"POST /length HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n".to_vec(), 400),
        (format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(3000)).into_bytes(), 431),
    ] {
        let answer = server.send(&request).await;
        assert_eq!(status(&answer), expected, "{:?}", String::from_utf8_lossy(&request));
        server.answers().await;
    }
    for (path, expected) in [
        ("/%ff", 400),
        ("/%", 400),
        ("/?x=%zz", 400),
        (&*format!("/{long}"), 414),
        (&*format!("/?{long}"), 414),
        ("//", 200),
        ("//x/", 404),
        ("/../..//etc/passwd", 404),
    ] {
        let answer = server.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        assert_eq!(status(&answer), expected, "{path}: {answer}");
        if matches!(expected, 400 | 414) {
            let problem: Value = serde_json::from_str(body(&answer)).unwrap();
            assert_eq!(problem["status"], expected, "{path}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn requests_sent_together_are_answered_in_order() {
    let server = Server::start(router(), small);
    let first = "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc";
    let last = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answers = server.send(format!("{first}{}{last}", first.replace("3\r\n\r\nabc", "1\r\n\r\na"))).await;
    let bodies: Vec<_> = answers.split("HTTP/1.1 200 OK").skip(1).map(body).collect();
    assert_eq!(bodies, ["3", "1", "ok"]);
    server.stop().await;
}

#[tokio::test]
async fn a_handler_that_panics_or_hangs_costs_its_own_request_only() {
    let router = router()
        .route("/panic", get(async || -> String { panic!("the secret word") }))
        .route("/hang", get(async || std::future::pending::<String>().await));
    let server = Server::start(router, |limits| {
        small(limits);
        limits.request = Some(Duration::from_millis(50));
    });
    let mut stream = server.connect().await;
    for (line, expected) in [("GET /panic", 500), ("GET /hang", 503)] {
        let answer = ask(&mut stream, line).await;
        assert_eq!(status(&answer), expected, "{answer}");
        assert!(answer.contains("x-request-id: ") && !answer.contains("secret"), "{answer}");
        let problem: Value = serde_json::from_str(body(&answer)).unwrap();
        assert_eq!(problem["status"], expected);
    }
    assert_eq!(status(&ask(&mut stream, "GET /").await), 200, "the same connection goes on");
    let panics = "ochami_sync_http_panics_total{role=\"api\"} 1";
    assert!(server.shared.metrics.render().contains(panics));
    server.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_bring_it_down(bytes in prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        // Nearly a request: what a parser may take for one.
        "(GET|POST|HEAD|X) [ -~]{0,20} HTTP/1.[019]\r\n([a-z-]{0,16}: [ -~]{0,20}\r\n){0,4}\r\n[ -~]{0,40}"
            .prop_map(String::into_bytes),
    ]) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start(router(), |limits| {
                small(limits);
                limits.drain = Duration::ZERO;
            });
            let mut stream = server.connect().await;
            stream.write_all(&bytes).await.unwrap();
            server.answers().await;
            server.stop().await;
        });
    }
}

#[tokio::test]
async fn a_problem_is_the_answer_to_a_bad_body_and_not_an_echo() {
    let echo = async |body: Body| match body::read_json::<Value>(body).await {
        Ok(_) => "ok".into_response(),
        Err(problem) => Problem::into_response(problem),
    };
    let server = Server::start(Router::new().route("/", post(echo)), small);
    let head = "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    let bad = server.send(format!("{head}content-length: 9\r\n\r\n{{hunter2}}")).await;
    assert_eq!(status(&bad), 400);
    assert!(!bad.contains("hunter2"), "{bad}");
    server.stop().await;
}
