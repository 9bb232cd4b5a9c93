//! Budgets, failures of the machine, shutdown, and the Unix socket.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::Arc;

use axum::Extension;
use axum::routing::get;
use tokio::net::UnixStream;
use tokio::sync::Notify;

use super::*;
use crate::server::common::serve::Socket;
use crate::server::common::{ClientAddr, Peer};

fn router() -> Router {
    Router::new().route("/", get(async || "ok"))
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    within(what, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_one_ends() {
    let server = Server::start(router(), |limits| limits.connections = 2);
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    assert_eq!(status(&ask(&mut first, "GET /").await), 200);
    assert_eq!(status(&ask(&mut second, "GET /").await), 200);
    let mut third = server.connect().await;
    third.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    for _ in 0..20 {
        assert_eq!(status(&ask(&mut first, "GET /").await), 200);
        assert_eq!(server.connections(Role::Api), 2);
    }
    drop(second);
    assert_eq!(status(&read_answer(&mut third).await), 200);
    server.stop().await;
}

#[tokio::test]
async fn a_flood_of_the_api_leaves_the_boot_role_alone() {
    let mut listeners = [Role::Api, Role::Boot].map(|role| Listener::tcp(role, "127.0.0.1:0".parse().unwrap()));
    for listener in &mut listeners {
        listener.limits.connections = 3;
        listener.limits.drain = Duration::ZERO;
    }
    let server = Server::serve(listeners.to_vec(), router(), Shared::default());
    let mut flood = Vec::new();
    for _ in 0..20 {
        flood.push(TcpStream::connect(server.addrs[0]).await.unwrap());
    }
    until("the API is full", || server.connections(Role::Api) == 3).await;
    let mut node = TcpStream::connect(server.addrs[1]).await.unwrap();
    assert_eq!(status(&ask(&mut node, "GET /").await), 200);
    server.stop().await;
}

/// Runs [`in_a_process_with_few_files`] in a process of its own, since the limit holds for a whole process.
#[test]
fn running_out_of_files_is_survived() {
    let name = "server::common::tests::life::in_a_process_with_few_files";
    let script = r#"ulimit -n 64 && exec "$0" --exact "$1" --ignored --nocapture"#;
    let output =
        Command::new("sh").args(["-c", script]).arg(std::env::current_exe().unwrap()).arg(name).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
#[ignore = "it takes all files of its process; `running_out_of_files_is_survived` runs it"]
async fn in_a_process_with_few_files() {
    let (log, _logging) = Log::start();
    let server = Server::start(router(), |_| {});
    let mut hoard = Vec::new();
    loop {
        match TcpStream::connect(server.addrs[0]).await {
            Ok(stream) => hoard.push(stream),
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(24), "{error}");
                break;
            }
        }
        assert!(hoard.len() < 64, "the limit does not hold");
        // So that the server takes its half of the files as well.
        tokio::task::yield_now().await;
    }
    let failures = || log.text().matches("no connection can be accepted").count();
    until("the server cannot accept either", || failures() >= 3).await;
    assert!(failures() < 20, "it pauses between its attempts");
    drop(hoard);
    assert_eq!(status(&ask(&mut server.connect().await, "GET /").await), 200);
    server.stop().await;
}

#[tokio::test]
async fn shutdown_refuses_new_connections_closes_idle_ones_and_lets_open_requests_end() {
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (on_enter, on_release) = (entered.clone(), release.clone());
    let slow = get(async move || {
        on_enter.notify_one();
        on_release.notified().await;
        "done"
    });
    let server = Server::start(router().route("/slow", slow), |limits| limits.drain = PATIENCE);
    let mut idle = server.connect().await;
    assert_eq!(status(&ask(&mut idle, "GET /").await), 200);
    let mut open = server.connect().await;
    open.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    within("the request is being handled", entered.notified()).await;

    let mut unused = server.connect().await;
    until("all are accepted", || server.connections(Role::Api) == 3).await;

    server.shutdown.cancel();
    assert_eq!(read_to_end(&mut idle).await, "");
    assert_eq!(read_to_end(&mut unused).await, "");
    let addr = server.addrs[0];
    within("the socket is closed", async {
        while TcpStream::connect(addr).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    assert!(!server.running.is_finished(), "it waits for the open request");
    release.notify_one();
    let answer = read_to_end(&mut open).await;
    assert!(answer.contains("connection: close") && answer.ends_with("done"), "{answer}");
    within("the server ends", server.running).await.unwrap();
}

#[tokio::test]
async fn requests_that_do_not_end_are_cut_at_the_drain_deadline() {
    let entered = Arc::new(Notify::new());
    let on_enter = entered.clone();
    let endless = get(async move || {
        on_enter.notify_one();
        std::future::pending::<String>().await
    });
    let server = Server::start(Router::new().route("/", endless), |limits| limits.drain = Duration::from_millis(20));
    let mut open = server.connect().await;
    open.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    within("the request is being handled", entered.notified()).await;
    server.stop().await;
    assert_eq!(read_to_end(&mut open).await, "");
}

#[tokio::test]
async fn the_local_api_knows_its_user_and_turns_others_away() {
    let directory = tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap();
    let path = directory.path().join("api.sock");
    let whoami = async |Extension(peer): Extension<Peer>, client: Option<Extension<ClientAddr>>| {
        format!("{peer} {}", client.is_some())
    };
    let router = Router::new().route("/", get(whoami));
    let own = std::os::unix::fs::MetadataExt::uid(&directory.path().metadata().unwrap());

    let server = Server::serve(vec![Listener::unix(Role::Local, &path)], router.clone(), Shared::default());
    assert!(server.addrs.is_empty(), "it is in no list of network listeners");
    let mut stream = UnixStream::connect(&path).await.unwrap();
    assert_eq!(body(&ask(&mut stream, "GET /").await), format!("uid={own} false"));
    server.stop().await;
    assert!(!path.exists());

    let mut sockets = Sockets::bind(vec![Listener::unix(Role::Local, &path)]).unwrap();
    let Socket::Unix(socket) = &mut sockets.0[0].1 else { panic!("it is a Unix socket") };
    socket.admit_nobody();
    let server = Server::run(sockets, router, Shared::default());
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(read_to_end(&mut stream).await, "");
    server.stop().await;
}
