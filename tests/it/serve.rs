//! `serve`: its ready line, roles, exposure rules, authentication, health, and writes that survive a restart.

use serde_json::{Value, json};

use crate::support::{Cluster, get, send, until};

#[test]
fn the_ready_line_and_the_file_name_every_listener_with_its_real_port() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&[]);
    let listeners = serving.ready.as_array().unwrap();
    let roles: Vec<&str> = listeners.iter().map(|l| l["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["api", "boot", "metrics"]);
    for listener in listeners {
        assert_eq!(listener["proto"], "http");
        let addr = listener["addr"].as_str().unwrap();
        assert!(addr.starts_with("127.0.0.1:") && !addr.ends_with(":0"), "{addr}");
        assert_eq!(listener["url"], format!("http://{addr}"));
    }
    let file = std::fs::read_to_string(cluster.state().join("listeners.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&file).unwrap(), serving.ready);
}

#[test]
fn health_and_readiness_answer_on_every_listener() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&[]);
    for listener in [&serving.api, &serving.boot, &serving.metrics] {
        assert_eq!(get(&format!("{listener}/health")).status, 200);
        let ready = get(&format!("{listener}/ready"));
        assert_eq!((ready.status, ready.json()["status"].clone()), (200, json!("ready")));
    }
    assert!(get(&format!("{}/metrics", serving.metrics)).body.contains("# TYPE"));
    assert_eq!(get(&format!("{}/metrics", serving.boot)).status, 404);
}

#[test]
fn the_boot_listener_answers_reads_about_the_requester_only() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    let serving = cluster.serve(&[]);
    let absent = [
        "/hsm/v2/State/Components",
        "/boot/v1/bootparameters",
        "/boot/v1/dumpstate",
        "/cloud-init",
        "/cloud-init/compute",
        "/cloud-init/compute/user-data",
        "/cloud-init-secure",
        "/cloud-init-secure/user-data",
        "/v1/plan",
        "/v1/token",
    ];
    for path in absent {
        assert_eq!(get(&format!("{}{path}", serving.boot)).status, 404, "{path}");
    }
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for path in ["/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc", "/cloud-init/user-data", "/hsm/v2/groups"] {
            let answer = send(method, &format!("{}{path}", serving.boot), &[], Some("{}"));
            assert!(matches!(answer.status, 404 | 405), "{method} {path}: {}", answer.status);
        }
    }
    // A node that claims to be another one is not believed.
    let spoofed = [("x-forwarded-for", "172.16.0.1"), ("x-real-ip", "172.16.0.1")];
    assert_eq!(send("GET", &format!("{}/cloud-init/meta-data", serving.boot), &spoofed, None).status, 422);
}

#[test]
fn writes_need_a_token_and_ours_is_taken() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&[]);
    let url = format!("{}/hsm/v2/State/Components", serving.api);
    let body = r#"{"Components":[{"ID":"x9c0s0b0n0","State":"Ready","NID":9}]}"#;
    assert_eq!(send("POST", &url, &[], Some(body)).status, 401);
    assert_eq!(send("POST", &url, &[("authorization", "Bearer e30.e30.e30")], Some(body)).status, 401);
    let token = cluster.run(&["token", "--ttl", "5m"]).expect(0).stdout;
    let bearer = format!("Bearer {}", token.trim());
    assert_eq!(send("POST", &url, &[("authorization", &bearer)], Some(body)).status, 204);
    let keys = get(&format!("{}/.well-known/jwks.json", serving.api)).json();
    assert_eq!(keys["keys"][0]["alg"], "ES256");
    cluster.run(&["token", "--ttl", "25h"]).expect(1);
}

#[test]
fn a_token_without_a_daemon_is_refused_with_the_way_out() {
    let cluster = Cluster::demo();
    let finished = cluster.run(&["token"]).expect(1);
    assert!(finished.stderr.contains("serve"), "{}", finished.stderr);
}

#[test]
fn what_a_client_wrote_is_there_after_a_restart() {
    let cluster = Cluster::demo();
    let insecure = [("OCHAMI_SYNC_INSECURE", "1")];
    let serving = cluster.serve_with(&["--auth", "none"], &insecure);
    let body = r#"{"Components":[{"ID":"x9c0s0b0n0","State":"Ready","NID":9}]}"#;
    assert_eq!(send("POST", &format!("{}/hsm/v2/State/Components", serving.api), &[], Some(body)).status, 204);
    // Killed, not stopped: an answer means that it is durable.
    drop(serving);
    let serving = cluster.serve_with(&["--auth", "none"], &insecure);
    assert_eq!(get(&format!("{}/hsm/v2/State/Components/x9c0s0b0n0", serving.api)).json()["NID"], 9);
}

#[test]
fn an_exposed_api_without_protection_is_refused_at_the_start() {
    let cluster = Cluster::demo();
    for (args, environment, word) in [
        (&["--auth", "none"][..], &[][..], "OCHAMI_SYNC_INSECURE"),
        (&["--auth", "none", "--api", "http://0.0.0.0:0"], &[("OCHAMI_SYNC_INSECURE", "1")], "loopback"),
        (&["--api", "http://0.0.0.0:0"], &[], "loopback"),
        (&["--api", "https://127.0.0.1:0"], &[], "--tls-cert"),
        (&["--api", "ftp://127.0.0.1:0"], &[], "ftp"),
        (&["--api", "http://head:0"], &[], "IP:PORT"),
    ] {
        let all = [&["serve", "--boot", "127.0.0.1:0"], args].concat();
        let finished = cluster.run_with(&all, environment);
        assert_eq!(finished.code, 2, "{args:?}: {}", finished.stderr);
        assert!(finished.stderr.contains(word), "{args:?}: {}", finished.stderr);
    }
}

#[test]
fn a_socket_that_cannot_be_had_ends_the_start_and_names_it() {
    let cluster = Cluster::demo();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let finished = cluster.run(&["serve", "--api", "http://127.0.0.1:0", "--boot", &addr]).expect(1);
    assert!(finished.stderr.contains(&addr), "{}", finished.stderr);
}

#[test]
fn the_api_is_served_over_tls_and_a_renewed_certificate_is_taken_into_use() {
    let cluster = Cluster::demo();
    let renew = || {
        let signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(cluster.path("cert.pem"), signed.cert.pem()).unwrap();
        std::fs::write(cluster.path("key.pem"), signed.signing_key.serialize_pem()).unwrap();
        signed.cert.pem()
    };
    let first = renew();
    let mut command = cluster.command(&["serve", "--api", "https://127.0.0.1:0", "--boot", "127.0.0.1:0"]);
    command.args(["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let serving = crate::support::Serving::start(command);
    assert!(serving.api.starts_with("https://127.0.0.1:"), "{}", serving.api);
    let port = serving.api.rsplit(':').next().unwrap().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let health = |trusted: &str| {
        ochami_sync::server::common::tls::install_provider();
        let root = reqwest::Certificate::from_pem(trusted.as_bytes()).unwrap();
        let client = reqwest::Client::builder().add_root_certificate(root);
        let client = client.resolve("localhost", ([127, 0, 0, 1], 0).into()).build().unwrap();
        let answer = runtime.block_on(client.get(format!("https://localhost:{port}/health")).send());
        answer.ok().map(|answer| answer.status().as_u16())
    };
    assert_eq!(health(&first), Some(200));
    let second = renew();
    until("the renewed certificate is in use", || health(&second));
    assert_eq!(health(&first), None);
}

#[test]
fn a_certificate_that_cannot_be_used_is_waited_for_while_everything_else_is_served() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    let mut command = cluster.command(&["serve", "--api", "https://127.0.0.1:0", "--boot", "127.0.0.1:0"]);
    command.args(["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let serving = crate::support::Serving::start(command);
    let ready = get(&format!("{}/ready", serving.boot));
    assert_eq!((ready.status, ready.json()["status"].clone()), (200, json!("degraded")));
    assert!(ready.body.contains("certificate") && ready.body.contains("cert.pem"), "{}", ready.body);
    assert_eq!(get(&format!("{}/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc", serving.boot)).status, 200);
    cluster.run(&["plan"]).expect(0);

    // A key that belongs to another certificate is the next mistake, and another reason.
    let signed = |name: &str| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (good, other) = (signed("localhost"), signed("localhost"));
    std::fs::write(cluster.path("cert.pem"), good.cert.pem()).unwrap();
    std::fs::write(cluster.path("key.pem"), other.signing_key.serialize_pem()).unwrap();
    until("the wrong key was told", || {
        get(&format!("{}/ready", serving.boot)).body.contains("does not go with").then_some(())
    });
    std::fs::write(cluster.path("key.pem"), good.signing_key.serialize_pem()).unwrap();
    until("the daemon was ready", || {
        (get(&format!("{}/ready", serving.boot)).json()["status"] == "ready").then_some(())
    });
    let port = serving.api.rsplit(':').next().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    ochami_sync::server::common::tls::install_provider();
    let root = reqwest::Certificate::from_pem(good.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().add_root_certificate(root);
    let client = client.resolve("localhost", ([127, 0, 0, 1], 0).into()).build().unwrap();
    let answer = runtime.block_on(client.get(format!("https://localhost:{port}/health")).send()).unwrap();
    assert_eq!(answer.status().as_u16(), 200);
}

#[test]
fn a_state_directory_that_cannot_be_used_and_a_boot_url_that_is_none_are_told_with_the_flag() {
    let cluster = Cluster::demo();
    std::fs::write(cluster.path("file"), "").unwrap();
    let flags = ["serve", "--api", "http://127.0.0.1:0", "--boot", "127.0.0.1:0", "--state", "file/state"];
    let finished = cluster.run(&flags).expect(1);
    for word in ["file/state", "--state", "OCHAMI_SYNC_STATE"] {
        assert!(finished.stderr.contains(word), "{word}: {}", finished.stderr);
    }
    let finished = cluster.run(&["apply", "--yes", "--state", "file/state"]).expect(1);
    assert!(finished.stderr.contains("OCHAMI_SYNC_STATE"), "{}", finished.stderr);
    for url in ["nonsense", "ftp://head", "http://", "http://head/path", "http://u@head", "http://head?x", "//head", ""]
    {
        let finished = cluster.run(&["serve", "--boot-url", url]).expect(2);
        assert!(finished.stderr.contains("--boot-url"), "{url}: {}", finished.stderr);
    }
}

#[test]
fn a_script_by_name_or_number_takes_no_token_at_the_api_and_is_refused_at_the_boot_listener() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    let serving = cluster.serve(&[]);
    for query in ["nid=1", "name=x1000c1s7b1n0"] {
        for prefix in ["/boot/v1", "/apis/bss/boot/v1"] {
            let path = format!("{prefix}/bootscript?{query}");
            let refused = get(&format!("{}{path}", serving.boot));
            assert_eq!((refused.status, &*refused.kind), (403, "application/problem+json"), "{path}");
            assert!(refused.body.contains("mac="), "{}", refused.body);
            let given = get(&format!("{}{path}", serving.api));
            assert!(given.body.contains("kernel"), "{path}: {}", given.body);
        }
    }
    for listener in [&serving.api, &serving.boot] {
        assert!(get(&format!("{listener}/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc")).body.contains("kernel"));
    }
}

#[test]
fn a_stopped_daemon_leaves_nothing_that_hinders_the_next() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&[]);
    let log = serving.stop();
    assert!(!log.contains("panicked"), "{log}");
    assert!(!cluster.state().join("listeners.json").exists(), "it would name sockets that are gone");
    let serving = cluster.serve(&["--api", "http://localhost:0"]);
    assert_eq!(get(&format!("{}/health", serving.api)).status, 200);
}

#[test]
fn a_stop_ends_within_seconds_whatever_is_open_and_under_way_and_a_start_follows_at_once() {
    use std::io::{Read as _, Write as _};
    let cluster = Cluster::demo();
    let mut serving = cluster.serve(&["-i", "inventory", "--apply"]);
    let connect = |url: &str| std::net::TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let mut open = Vec::new();
    for listener in [&serving.api, &serving.boot, &serving.metrics] {
        let mut idle = connect(listener);
        idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        assert!(idle.read(&mut [0; 512]).unwrap() > 0, "it is kept alive");
        let mut torn = connect(listener);
        torn.write_all(b"GET /health HT").unwrap();
        open.extend([idle, torn, connect(listener)]);
    }
    let mut planning = cluster.command(&["plan"]);
    planning.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut planning = planning.spawn().unwrap();
    let begun = std::time::Instant::now();
    let pid = serving.child.0.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let status = until("the daemon ended", || serving.child.0.try_wait().unwrap());
    assert_eq!(status.code(), Some(0), "{}", serving.log());
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "after {:?}", begun.elapsed());
    let _ = planning.wait();
    assert!(!serving.log().contains("panicked"), "{}", serving.log());
    let again = cluster.serve(&["-i", "inventory"]);
    assert_eq!(get(&format!("{}/health", again.boot)).status, 200);
    drop(open);
}

#[test]
fn drift_is_shown_with_its_writer_and_put_back_by_an_explicit_apply_only() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&["-i", "inventory", "--apply"]);
    let script = || get(&format!("{}/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc", serving.boot)).body;
    until("the inventory was applied", || script().contains("latest").then_some(()));
    let bearer = format!("Bearer {}", cluster.run(&["token", "--subject", "ada"]).expect(0).stdout.trim());
    let body = json!({"macs": ["ec:e7:a7:05:a1:fc"], "kernel": "http://172.16.0.254/rescue", "params": "rescue"});
    let url = format!("{}/boot/v1/bootparameters", serving.api);
    let put = send("PUT", &url, &[("authorization", &bearer)], Some(&body.to_string()));
    assert_eq!(put.status, 200);
    assert!(script().contains("http://172.16.0.254/rescue"));
    let plan = cluster.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains("Drift") && plan.contains("nid001") && plan.contains("ada"), "{plan}");
    // A change elsewhere is applied by the daemon; the incident's change stays.
    cluster.edit("cloud-init/compute.yaml", "setenforce 0", "setenforce 1");
    until("the edit was applied", || {
        get(&format!("{}/cloud-init/compute/user-data", serving.api)).body.contains("setenforce 1").then_some(())
    });
    assert!(script().contains("http://172.16.0.254/rescue"));
    cluster.run(&["apply", "--yes"]).expect(0);
    assert!(script().contains("compute-slurm/latest"));
}
