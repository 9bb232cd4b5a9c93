//! The `openchami` target: the same inventory applied over REST to services that run elsewhere.
//!
//! The services are those of a second daemon, reached as any client reaches them. Where addresses of real services are
//! given (`REAL_SMD_URL`, `REAL_BSS_URL`, `REAL_CLOUD_INIT_URL`), the same steps run against those.

use serde_json::Value;

use crate::support::{Answer, Cluster, Serving, get, send, until};

/// Services to apply to, with the flags that name them.
struct Services {
    serving: Serving,
    _home: Cluster,
}

impl Services {
    fn start() -> Self {
        let home = Cluster::demo();
        let serving = home.serve_with(&["--auth", "none"], &[("OCHAMI_SYNC_INSECURE", "1")]);
        Self { serving, _home: home }
    }

    fn args<'a>(&'a self, verb: &[&'a str]) -> Vec<&'a str> {
        let mut args = verb.to_vec();
        args.extend(["--base-uri", &self.serving.api]);
        args
    }

    fn read(&self, path: &str) -> Answer {
        get(&format!("{}{path}", self.serving.api))
    }
}

#[test]
fn applying_twice_writes_once() {
    let cluster = Cluster::demo();
    let services = Services::start();
    let plan = cluster.run(&services.args(&["plan"])).expect(0);
    assert!(plan.stdout.contains("nothing can be deleted"), "{}", plan.stdout);
    let first = cluster.run(&services.args(&["apply", "--yes"])).expect(0);
    assert!(first.stdout.contains("applied:"), "{}", first.stdout);
    let second = cluster.run(&services.args(&["apply", "--yes"])).expect(0);
    assert!(second.stdout.contains("in sync"), "{}", second.stdout);
    let script = services.read("/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc").body;
    assert!(script.contains("compute-slurm/latest") && script.contains("nid=1 "), "{script}");
    let interface = services.read("/hsm/v2/Inventory/EthernetInterfaces/ece7a705a1fc").json();
    assert_eq!(interface["IPAddresses"][0]["Network"], "management");
    // The services' own view is the one that the built-in target would have made.
    let endpoints = services.read("/hsm/v2/Inventory/ComponentEndpoints").json();
    assert_eq!(endpoints["ComponentEndpoints"].as_array().map(Vec::len), Some(18));
}

#[test]
fn edits_and_deletes_reach_the_services_and_foreign_objects_stay() {
    let cluster = Cluster::demo();
    let services = Services::start();
    let api = &services.serving.api;
    let foreign = r#"{"Components":[{"ID":"x1000c7s0b0n0","State":"Ready","NID":700}]}"#;
    send("POST", &format!("{api}/hsm/v2/State/Components"), &[], Some(foreign));
    cluster.run(&services.args(&["apply", "--yes"])).expect(0);
    send("POST", &format!("{api}/hsm/v2/groups/compute/members"), &[], Some(r#"{"id":"x1000c7s0b0n0"}"#));
    cluster.edit("cluster.yaml", "compute-slurm/latest", "compute-slurm/v2");
    cluster.edit("nodes.yaml", "nid: 8", "nid: 88");
    let path = cluster.inventory().join("nodes.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.find("- name: nid009").unwrap()]).unwrap();
    cluster.run(&services.args(&["apply", "--yes"])).expect(0);
    let again = cluster.run(&services.args(&["plan", "--exit-code"])).expect(0);
    assert!(again.stdout.contains("in sync"), "{}", again.stdout);
    assert!(services.read("/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc").body.contains("compute-slurm/v2"));
    assert_eq!(services.read("/hsm/v2/State/Components/x1000c1s7b8n0").json()["NID"], 88);
    assert_eq!(services.read("/hsm/v2/State/Components/x1000c1s7b9n0").status, 404);
    assert_eq!(services.read("/hsm/v2/State/Components/x1000c7s0b0n0").status, 200);
    let members = services.read("/hsm/v2/groups/compute").json()["members"]["ids"].clone();
    assert!(members.as_array().unwrap().contains(&Value::from("x1000c7s0b0n0")), "{members}");
}

#[test]
fn without_a_ledger_nothing_is_deleted_and_equal_objects_are_taken_over() {
    let cluster = Cluster::demo();
    let services = Services::start();
    cluster.run(&services.args(&["apply", "--yes"])).expect(0);
    std::fs::remove_dir_all(cluster.state()).unwrap();
    let path = cluster.inventory().join("nodes.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.find("- name: nid009").unwrap()]).unwrap();
    let plan = cluster.run(&services.args(&["plan", "--format", "json"])).expect(0);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(plan["summary"]["delete"], 0);
    cluster.run(&services.args(&["apply", "--yes"])).expect(0);
    assert_eq!(services.read("/hsm/v2/State/Components/x1000c1s7b9n0").status, 200);
}

#[test]
fn services_that_do_not_answer_are_named() {
    let cluster = Cluster::demo();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let finished = cluster.run(&["plan", "--base-uri", &url]).expect(1);
    assert!(finished.stderr.contains("SMD") && finished.stderr.contains(&url), "{}", finished.stderr);
    cluster.run(&["plan", "--smd", &url]).expect(2);
}

#[test]
fn a_service_that_refuses_our_token_stops_the_apply_before_any_write() {
    let cluster = Cluster::demo();
    let home = Cluster::demo();
    let serving = home.serve(&[]);
    std::fs::write(cluster.path("token"), "not-a-token\n").unwrap();
    let args = ["apply", "--yes", "--base-uri", &serving.api, "--token-file", "token"];
    let finished = cluster.run(&args);
    assert!(matches!(finished.code, 1 | 4), "{finished:?}");
    assert!(!finished.stderr.contains("not-a-token"), "{}", finished.stderr);
    let token = home.run(&["token"]).expect(0).stdout;
    std::fs::write(cluster.path("token"), token).unwrap();
    cluster.run(&args).expect(0);
    assert!(get(&format!("{}/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc", serving.boot)).body.contains("latest"));
}

#[test]
fn a_daemon_applies_every_save_to_services_elsewhere_and_tells_when_they_are_gone() {
    let cluster = Cluster::demo();
    let services = Services::start();
    let script = || services.read("/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc").body;
    let serving = cluster.serve(&["-i", "inventory", "--apply", "--base-uri", &services.serving.api]);
    until("the inventory was applied", || script().contains("compute-slurm/latest").then_some(()));
    cluster.edit("cluster.yaml", "compute-slurm/latest", "compute-slurm/v2");
    until("the edit was applied", || script().contains("compute-slurm/v2").then_some(()));
    // The same ledger, by the daemon's socket.
    let plan = cluster.run(&services.args(&["plan"])).expect(0);
    assert!(plan.stdout.contains("in sync"), "{}", plan.stdout);
    let own = get(&format!("{}/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc", serving.boot));
    assert!(!own.body.contains("compute-slurm"), "the daemon's own store is no target: {}", own.body);

    let Services { serving: gone, _home } = services;
    let api = gone.api.clone();
    drop(gone);
    cluster.edit("cluster.yaml", "compute-slurm/v2", "compute-slurm/v3");
    let health = || get(&format!("{}/ready", serving.boot)).body;
    until("the daemon says who does not answer", || {
        (health().contains("SMD") && health().contains(&api)).then_some(())
    });
    assert!(health().contains(r#""status":"degraded""#), "{}", health());
}

#[test]
fn services_elsewhere_are_of_no_use_to_a_daemon_without_an_inventory() {
    let cluster = Cluster::demo();
    let finished = cluster.run(&["serve", "--base-uri", "http://127.0.0.1:1"]).expect(2);
    assert!(finished.stderr.contains("--inventory"), "{}", finished.stderr);
}
