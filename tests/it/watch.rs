//! `serve` with an inventory: a saved change is picked up, a broken one changes nothing and says why.

use crate::support::{Cluster, get, send, until};

const MAC: &str = "ec:e7:a7:05:a1:fc";

fn script(boot: &str) -> String {
    get(&format!("{boot}/boot/v1/bootscript?mac={MAC}")).body
}

#[test]
fn with_apply_an_edit_changes_the_script_a_broken_file_changes_nothing_and_mending_recovers() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&["-i", "inventory", "--apply"]);
    until("the inventory was applied", || script(&serving.boot).contains("compute-slurm/latest").then_some(()));

    cluster.edit("cluster.yaml", "compute-slurm/latest", "compute-slurm/v2");
    until("the edit was applied", || script(&serving.boot).contains("compute-slurm/v2/vmlinuz").then_some(()));

    let before = script(&serving.boot);
    cluster.edit("nodes.yaml", "xname: x1000c1s7b1n0", "xname: not-an-xname");
    until("the daemon said why", || serving.log().contains("not-an-xname").then_some(()));
    assert!(serving.log().contains("nodes.yaml:"), "{}", serving.log());
    assert_eq!(script(&serving.boot), before);
    let ready = until("the daemon was degraded", || {
        let ready = get(&format!("{}/ready", serving.api));
        (ready.json()["status"] == "degraded").then_some(ready)
    });
    assert_eq!(ready.status, 200);
    assert!(ready.body.contains("inventory"), "{}", ready.body);

    cluster.edit("nodes.yaml", "xname: not-an-xname", "xname: x1000c1s7b1n0");
    until("the daemon recovered", || {
        (get(&format!("{}/ready", serving.api)).json()["status"] == "ready").then_some(())
    });
    assert_eq!(script(&serving.boot), before);
}

#[test]
fn a_broken_inventory_at_the_start_serves_what_is_stored() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    cluster.edit("nodes.yaml", "nodes:", "nodes: [");
    let serving = cluster.serve(&["-i", "inventory", "--apply"]);
    assert!(script(&serving.boot).contains("compute-slurm/latest"));
    let ready = until("the daemon noticed", || {
        let ready = get(&format!("{}/ready", serving.api));
        (ready.json()["status"] == "degraded").then_some(ready)
    });
    assert_eq!(ready.status, 200);
}

#[test]
fn without_apply_the_plan_is_printed_and_nothing_changes() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    let serving = cluster.serve(&["-i", "inventory"]);
    until("the daemon is in sync", || serving.log().contains("in sync").then_some(()));
    cluster.edit("cluster.yaml", "compute-slurm/latest", "compute-slurm/v2");
    until("the plan was printed", || serving.log().contains("{+").then_some(()));
    assert!(script(&serving.boot).contains("compute-slurm/latest"));
    assert!(!script(&serving.boot).contains("compute-slurm/v2"));
    // A person applies it through the daemon, and the daemon answers with it at once.
    let applied = cluster.run(&["apply", "--yes"]).expect(0);
    assert!(applied.stdout.contains("applied:"), "{}", applied.stdout);
    assert!(script(&serving.boot).contains("compute-slurm/v2"));
}

#[test]
fn a_burst_that_would_delete_too_much_is_refused_and_stays_refused() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&["-i", "inventory", "--apply"]);
    until("the inventory was applied", || script(&serving.boot).contains("compute-slurm/latest").then_some(()));
    let path = cluster.inventory().join("nodes.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let start = text.find("- name: nid004").unwrap();
    std::fs::write(&path, &text[..start]).unwrap();
    until("the daemon refused", || serving.log().contains("limit.delete").then_some(()));
    assert!(get(&format!("{}/boot/v1/bootscript?mac=ec:e7:a7:05:9f:50", serving.boot)).body.contains("kernel"));
    std::fs::write(&path, text).unwrap();
    until("the daemon is in sync again", || {
        (get(&format!("{}/ready", serving.api)).json()["status"] == "ready").then_some(())
    });
}

#[test]
fn a_database_that_cannot_be_opened_does_not_keep_nodes_from_booting() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    let database = cluster.state().join("state.db");
    assert!(database.exists());
    std::fs::write(&database, b"this is no database, whatever its name says; it only has some length").unwrap();
    let serving = cluster.serve(&["-i", "inventory", "--apply", "--trusted-proxy", "127.0.0.1/32"]);
    assert!(script(&serving.boot).contains("compute-slurm/latest"));
    let url = format!("{}/cloud-init/meta-data", serving.boot);
    assert_eq!(send("GET", &url, &[("x-forwarded-for", "172.16.0.1")], None).body, "instance-id: ochami-compute\n");
    let ready = get(&format!("{}/ready", serving.api));
    assert_eq!((ready.status, ready.json()["status"].clone()), (200, "degraded".into()));
    assert!(ready.body.contains("state.db"), "{}", ready.body);
    // Nothing is taken that could not be kept.
    let bearer = format!("Bearer {}", cluster.run(&["token"]).expect(0).stdout.trim());
    let body = r#"{"Components":[{"ID":"x9c0s0b0n0","State":"Ready","NID":9}]}"#;
    let url = format!("{}/hsm/v2/State/Components", serving.api);
    assert_eq!(send("POST", &url, &[("authorization", &bearer)], Some(body)).status, 503);
    cluster.run(&["apply", "--yes"]).expect(4);
}
