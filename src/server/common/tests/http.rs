//! What reaches a handler, and what comes back beside its answer.

use axum::Extension;
use axum::routing::get;
use serde_json::json;

use super::*;
use crate::server::common::{Access, Caller, ClientAddr, Gate, Health, Peer, RequestId, TrustedProxies, not_found};
use crate::token::{Issuer, MintRequest, Verifier, VerifierSettings};

#[tokio::test]
async fn handlers_know_the_peer_the_requester_and_the_request_id() {
    let whoami = async |Extension(peer): Extension<Peer>,
                        Extension(client): Extension<ClientAddr>,
                        Extension(id): Extension<RequestId>| format!("{peer} {} {id}", client.0);
    let router = Router::new().route("/", get(whoami));
    let boot = Listener::tcp(Role::Boot, "127.0.0.1:0".parse().unwrap());
    let proxied =
        Shared { trusted_proxies: TrustedProxies::new(vec!["127.0.0.0/8".parse().unwrap()]), ..Shared::default() };
    for (shared, client) in [(Shared::default(), "127.0.0.1"), (proxied, "172.16.0.2")] {
        let server = Server::serve(vec![boot.clone()], router.clone(), shared);
        let mut stream = server.connect().await;
        let request = "GET / HTTP/1.1\r\nhost: x\r\nx-request-id: abc-1\r\n\
            x-forwarded-for: 172.16.0.9, 172.16.0.2\r\nx-real-ip: 172.16.0.9\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert_eq!(body(&answer), format!("{} {client} abc-1", stream.local_addr().unwrap()));
        assert!(answer.contains("x-request-id: abc-1\r\n"), "{answer}");
        server.stop().await;
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_is_counted() {
    let server = Server::serve(
        vec![Listener::tcp(Role::Api, "127.0.0.1:0".parse().unwrap())],
        Router::new().route("/hsm/v2/groups", get(async || "[]")).fallback(not_found),
        metrics(),
    );
    let mut stream = server.connect().await;
    for (line, expected) in [("GET /hsm/v2/groups/", 200), ("GET /nope", 404), ("GET /%", 400)] {
        let answer = ask(&mut stream, line).await;
        assert_eq!(status(&answer), expected);
        assert!(answer.contains("x-request-id: "), "{answer}");
    }
    let text = server.shared.metrics.render();
    for line in [
        r#"ochami_sync_http_requests_total{role="api",room="smd",status="2xx"} 1"#,
        r#"ochami_sync_http_requests_total{role="api",room="other",status="4xx"} 2"#,
        r#"ochami_sync_http_request_duration_seconds_count{role="api"} 3"#,
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    server.stop().await;
}

#[tokio::test]
async fn figures_and_health_are_served_on_their_routes() {
    let (metrics, health) = (Metrics::default(), Health::new());
    let router = metrics.routes().merge(health.routes());
    let metrics_listener = Listener::tcp(Role::Metrics, "127.0.0.1:0".parse().unwrap());
    let server = Server::serve(vec![metrics_listener], router, Shared { metrics, ..Shared::default() });
    let mut stream = server.connect().await;
    let ready = ask(&mut stream, "GET /ready").await;
    assert_eq!(
        (status(&ready), body(&ready)),
        (503, json!({ "degraded": [], "status": "starting" }).to_string().as_str())
    );
    assert_eq!(status(&ask(&mut stream, "GET /health").await), 200);
    assert_eq!(status(&ask(&mut stream, "POST /health").await), 405);
    let figures = ask(&mut stream, "GET /metrics").await;
    assert!(figures.contains("content-type: text/plain; version=0.0.4"), "{figures}");
    assert!(figures.contains("ochami_sync_http_connections{role=\"metrics\"} 1\n"), "{figures}");
    server.stop().await;
}

#[tokio::test]
async fn a_role_without_a_router_answers_404() {
    let sockets = Sockets::bind(vec![Listener::tcp(Role::Boot, "127.0.0.1:0".parse().unwrap())]).unwrap();
    let addr = sockets.bound()[0].addr;
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(sockets.run(BTreeMap::new(), Shared::default(), shutdown.clone()));
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let answer = ask(&mut stream, "GET /hsm/v2/groups").await;
    assert_eq!((status(&answer), body(&answer)), (404, "404 page not found\n"));
    shutdown.cancel();
    within("it ends", running).await.unwrap();
}

#[tokio::test]
async fn no_part_of_a_token_is_in_a_log_or_in_an_answer() {
    let (log, _logging) = Log::start();

    let state = tempfile::tempdir().unwrap();
    let issuer = Issuer::load_or_create(state.path(), "https://demo.example").unwrap();
    let good = issuer.mint(&MintRequest { subject: "alice".into(), ..Default::default() }).unwrap();
    let elsewhere = issuer.mint(&MintRequest { audience: vec!["smd".into()], ..Default::default() }).unwrap();
    let (head, signature) = good.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    let gate = Gate::new(Some(Verifier::new(&issuer, VerifierSettings::default()).unwrap()));
    let whoami = async |Extension(caller): Extension<Caller>| caller.subject.to_string();
    let router = gate.protect(Router::new().route("/", get(whoami)), |_, _| Access::Token);
    let server = Server::start(router, |_| {});
    let mut stream = server.connect().await;
    let mut answers = Vec::new();
    for (token, expected) in [(&good, 200), (&elsewhere, 401), (&forged, 401)] {
        let request = format!("GET / HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert_eq!(status(&answer), expected, "{answer}");
        answers.push(answer);
    }
    server.stop().await;
    let log = log.text();
    assert!(log.contains("minted a token") && log.contains("answered") && log.contains("denied"), "{log}");
    for token in [&good, &elsewhere, &forged] {
        for part in token.split('.') {
            assert!(!log.contains(part) && answers.iter().all(|answer| !answer.contains(part)), "{log}{answers:?}");
        }
    }
}
