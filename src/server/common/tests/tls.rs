//! TLS on a real socket.

use std::path::Path;
use std::sync::Arc;

use axum::routing::get;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::server::common::tls::tests::{certificate, loaded};
use crate::server::common::{Proto, Tls, tls::install_provider};

const NAME: &str = "demo.example";

fn start(tls: &Arc<Tls>, change: impl FnOnce(&mut Limits)) -> Server {
    let mut listener = Listener::tcp(Role::Api, "127.0.0.1:0".parse().unwrap());
    listener.tls = Some(tls.clone());
    change(&mut listener.limits);
    let sockets = Sockets::bind(vec![listener]).unwrap();
    let bound = &sockets.bound()[0];
    assert_eq!((bound.proto, &*bound.url), (Proto::Https, &*format!("https://{}", bound.addr)));
    Server::run(sockets, Router::new().route("/", get(async || "ok")), Shared::default())
}

/// A client that trusts the certificate in that file and nothing else.
async fn connect(
    server: &Server,
    trusted: &Path,
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<TlsStream<TcpStream>> {
    install_provider();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
    let config =
        ClientConfig::builder_with_protocol_versions(&[version]).with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(NAME).unwrap();
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, server.connect().await);
    within("a handshake", handshake).await
}

#[tokio::test]
async fn both_versions_are_spoken() {
    let directory = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(directory.path(), NAME);
    let server = start(&loaded(&cert, &key).unwrap(), |_| {});
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut stream = connect(&server, &cert, version).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        assert_eq!(body(&ask(&mut stream, "GET /").await), "ok");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_new_connections_and_open_ones_go_on() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cert, key) = certificate(old.path(), NAME);
    let (new_cert, new_key) = certificate(new.path(), NAME);
    let old_cert = new.path().join("old.pem");
    std::fs::copy(&cert, &old_cert).unwrap();
    let tls = loaded(&cert, &key).unwrap();
    let server = start(&tls, |_| {});
    let mut open = connect(&server, &old_cert, &rustls::version::TLS13).await.unwrap();

    std::fs::copy(&new_key, &key).unwrap();
    assert!(tls.look(crate::clock::now()).is_some());
    assert!(connect(&server, &old_cert, &rustls::version::TLS13).await.is_ok(), "half a change changes nothing");
    std::fs::copy(&new_cert, &cert).unwrap();
    assert!(tls.look(crate::clock::now()).is_none());

    assert!(connect(&server, &new_cert, &rustls::version::TLS13).await.is_ok());
    assert!(connect(&server, &old_cert, &rustls::version::TLS13).await.is_err());
    assert_eq!(body(&ask(&mut open, "GET /").await), "ok");
    server.stop().await;
}

#[tokio::test]
async fn peers_that_do_not_shake_hands_are_closed_and_harm_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(directory.path(), NAME);
    let tls = loaded(&cert, &key).unwrap();
    let server = start(&tls, |limits| limits.handshake = Duration::from_millis(100));
    assert_eq!(server.send("").await, "", "silence");
    assert!(!server.send("GET / HTTP/1.1\r\n\r\n").await.contains("HTTP"), "plain HTTP");
    assert!(!server.send([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]).await.contains("HTTP"), "a broken greeting");
    server.stop().await;
    let server = start(&tls, |limits| (limits.handshake, limits.drain) = (PATIENCE * 2, PATIENCE * 2));
    let mut waiting = server.connect().await;
    let mut stream = connect(&server, &cert, &rustls::version::TLS13).await.unwrap();
    assert_eq!(body(&ask(&mut stream, "GET /").await), "ok", "a handshake that waits holds up no other");
    // Nor does it hold up the shutdown, which would otherwise outlast the patience of `stop`.
    server.stop().await;
    assert_eq!(read_to_end(&mut waiting).await, "");
}
