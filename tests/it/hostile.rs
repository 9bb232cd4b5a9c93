//! Bad input on the listeners: a problem body or a closed connection, never a panic, never half a write.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{Cluster, DEADLINE, Serving, get, send};

fn insecure(cluster: &Cluster) -> Serving {
    cluster.serve_with(&["--auth", "none"], &[("OCHAMI_SYNC_INSECURE", "1")])
}

/// Sends bytes as they are and nothing more, and reads what comes until the server closes.
fn raw_and_done(listener: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = sent(listener, bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// As [`raw_and_done`], but ready to send more, as a client is that waits for its answer.
fn raw(listener: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = sent(listener, bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

fn sent(listener: &str, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(listener.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let _ = stream.write_all(bytes);
    stream
}

#[test]
fn bodies_that_are_no_json_or_of_the_wrong_shape_are_the_clients_fault() {
    let cluster = Cluster::demo();
    let serving = insecure(&cluster);
    let routes = [
        ("POST", "/hsm/v2/State/Components"),
        ("PUT", "/hsm/v2/State/Components/x1c0s0b0n0"),
        ("PATCH", "/hsm/v2/State/Components/BulkNID"),
        ("POST", "/hsm/v2/Inventory/EthernetInterfaces"),
        ("POST", "/hsm/v2/Inventory/RedfishEndpoints"),
        ("POST", "/hsm/v2/groups"),
        ("POST", "/hsm/v2/groups/compute/members"),
        ("POST", "/boot/v1/bootparameters"),
        ("PUT", "/boot/v1/bootparameters"),
        ("PATCH", "/boot/v1/bootparameters"),
        ("DELETE", "/boot/v1/bootparameters"),
        ("POST", "/cloud-init"),
        ("PUT", "/cloud-init/compute"),
        ("POST", "/cloud-init-secure"),
    ];
    let bodies = ["", "{", "[]", "null", "1", "\"x\"", "{\"Components\":7}", "\u{0}", "{\"macs\":{}}", "{\"name\":[]}"];
    for (method, path) in routes {
        for body in bodies {
            let answer = send(method, &format!("{}{path}", serving.api), &[], Some(body));
            assert!((200..500).contains(&answer.status), "{method} {path} {body:?}: {} {}", answer.status, answer.body);
            if answer.kind.starts_with("application/problem+json") {
                assert_eq!(answer.json()["status"], answer.status);
            }
        }
    }
    let components = get(&format!("{}/hsm/v2/State/Components", serving.api)).json();
    assert_eq!(components["Components"].as_array().map(Vec::len), Some(0), "something was half written");
    assert!(!serving.log().contains("panicked"), "{}", serving.log());
}

#[test]
fn a_bulk_write_with_one_bad_entry_writes_nothing() {
    let cluster = Cluster::demo();
    let serving = insecure(&cluster);
    let body = r#"{"Components":[{"ID":"x1c0s0b0n0","State":"Ready"},{"ID":"nonsense","State":"Ready"}]}"#;
    assert_eq!(send("POST", &format!("{}/hsm/v2/State/Components", serving.api), &[], Some(body)).status, 400);
    assert_eq!(get(&format!("{}/hsm/v2/State/Components/x1c0s0b0n0", serving.api)).status, 404);
}

#[test]
fn odd_paths_and_unknown_things_are_refused_calmly() {
    let cluster = Cluster::demo();
    let serving = insecure(&cluster);
    for path in [
        "/",
        "//",
        "/../../etc/passwd",
        "/hsm/v2/../../etc/passwd",
        "/hsm/v2/State/Components/%00",
        "/hsm/v2/State/Components/%ff%fe",
        "/hsm/v2/State/Components/..%2f..",
        "/boot/v1/bootscript",
        "/boot/v1/bootscript?mac=%ff",
        "/boot/v1/bootscript?mac=&name=&nid=",
        "/boot/v1/bootscript?nid=99999999999999999999",
        "/cloud-init/%2e%2e/user-data",
        "/cloud-init/nobody/user-data",
        "/hsm/v2/Inventory/Nothing",
        "/hsm/v2/State/Components?type=%ff",
    ] {
        for listener in [&serving.api, &serving.boot] {
            let answer =
                raw(listener, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes());
            let text = String::from_utf8_lossy(&answer);
            assert!(text.starts_with("HTTP/1.1 4") || text.starts_with("HTTP/1.1 200"), "{path}: {text}");
        }
    }
    assert!(!serving.log().contains("panicked"), "{}", serving.log());
}

#[test]
fn any_bytes_at_all_leave_the_daemon_answering() {
    let cluster = Cluster::demo();
    let serving = insecure(&cluster);
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let line = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..400),
        "(GET|PUT|POST|XYZZY) /[ -~]{0,60} HTTP/1\\.[01]\r\n([a-z-]{1,12}: [ -~]{0,30}\r\n){0,4}\r\n[ -~]{0,60}"
            .prop_map(String::into_bytes),
    ];
    runner
        .run(&line, |bytes| {
            for listener in [&serving.api, &serving.boot, &serving.metrics] {
                let answer = raw_and_done(listener, &bytes);
                prop_assert!(!answer.starts_with(b"HTTP/1.1 5"), "{}", String::from_utf8_lossy(&answer));
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(get(&format!("{}/health", serving.boot)).status, 200);
    assert!(!serving.log().contains("panicked"), "{}", serving.log());
}
