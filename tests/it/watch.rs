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
    std::fs::write(&path, &text).unwrap();
    until("the daemon is in sync again", || {
        (get(&format!("{}/ready", serving.api)).json()["status"] == "ready").then_some(())
    });
}

#[test]
fn what_the_daemon_refused_and_a_person_applied_is_no_longer_wrong() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&["-i", "inventory", "--apply"]);
    until("the inventory was applied", || script(&serving.boot).contains("compute-slurm/latest").then_some(()));
    let path = cluster.inventory().join("nodes.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.find("- name: nid004").unwrap()]).unwrap();
    let ready = || get(&format!("{}/ready", serving.api)).json();
    until("the daemon refused", || (ready()["status"] == "degraded").then_some(()));
    assert!(ready()["degraded"][0]["reason"].as_str().unwrap().contains("limit.delete"), "{}", ready());
    cluster.run(&["apply", "--yes", "--allow-delete", "6"]).expect(0);
    assert_eq!(ready()["status"], "ready");
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
    let finished = cluster.run(&["apply", "--yes"]).expect(1);
    assert!(finished.stderr.contains("state.db"), "{}", finished.stderr);
}

#[test]
fn a_database_that_is_mended_while_serving_is_taken_into_use_without_a_restart() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    let database = cluster.state().join("state.db");
    let sound = std::fs::read(&database).unwrap();
    std::fs::write(&database, b"this is no database, whatever its name says; it only has some length").unwrap();
    // The inventory says something else by now, so that it shows from which of the two an answer comes.
    cluster.edit("cluster.yaml", "compute-slurm/latest", "compute-slurm/v2");
    let serving = cluster.serve(&["-i", "inventory"]);
    assert!(script(&serving.boot).contains("compute-slurm/v2"));

    // While it is away, nobody makes an empty one in its place.
    std::fs::remove_file(&database).unwrap();
    until("the missing file was told", || {
        get(&format!("{}/ready", serving.boot)).body.contains("is not there any more").then_some(())
    });
    assert!(!database.exists());
    assert!(script(&serving.boot).contains("compute-slurm/v2"));

    std::fs::write(cluster.path("restored.db"), sound).unwrap();
    std::fs::rename(cluster.path("restored.db"), &database).unwrap();
    until("the daemon was ready", || {
        (get(&format!("{}/ready", serving.boot)).json()["status"] == "ready").then_some(())
    });
    assert!(script(&serving.boot).contains("compute-slurm/latest"), "what is applied is what the database holds");
    until("the inventory was planned against it", || serving.log().contains("{+").then_some(()));
    cluster.run(&["apply", "--yes"]).expect(0);
    assert!(script(&serving.boot).contains("compute-slurm/v2"));
    let log = serving.stop();
    assert!(!log.contains("panicked"), "{log}");
    assert!(cluster.run(&["plan"]).expect(0).stdout.contains("in sync"), "the apply is in the database");
}

#[test]
fn an_empty_database_that_opens_late_takes_no_nodes_boot_away_and_apply_fills_it() {
    let cluster = Cluster::demo();
    let url = format!("sqlite:{}", cluster.path("disk/state.db").display());
    let serving = cluster.serve(&["-i", "inventory", "--database", &url]);
    assert!(script(&serving.boot).contains("compute-slurm/latest"));
    // The file system is mounted at last.
    std::fs::create_dir(cluster.path("disk")).unwrap();
    let held = until("the database was open", || {
        let body = get(&format!("{}/ready", serving.boot)).body;
        body.contains("nothing to boot").then_some(body)
    });
    assert!(!held.contains("\"component\":\"database\""), "{held}");
    assert!(script(&serving.boot).contains("compute-slurm/latest"), "nodes boot as before");
    cluster.run(&["apply", "--yes"]).expect(0);
    assert!(script(&serving.boot).contains("compute-slurm/latest"));
    until("the daemon was ready", || {
        (get(&format!("{}/ready", serving.boot)).json()["status"] == "ready").then_some(())
    });
}

#[test]
fn with_apply_a_database_that_opens_late_is_brought_up_to_date_at_once() {
    let cluster = Cluster::demo();
    let url = format!("sqlite:{}", cluster.path("disk/state.db").display());
    let serving = cluster.serve(&["-i", "inventory", "--apply", "--database", &url]);
    until("the daemon said why", || {
        get(&format!("{}/ready", serving.boot)).body.contains("disk/state.db").then_some(())
    });
    std::fs::create_dir(cluster.path("disk")).unwrap();
    until("the daemon was ready", || {
        (get(&format!("{}/ready", serving.boot)).json()["status"] == "ready").then_some(())
    });
    until("the inventory was applied", || serving.log().contains("applied: ").then_some(()));
}

/// Waits until the script of the first node names this image. The comparison of every minute comes too late for it.
fn until_image(serving: &crate::support::Serving, image: &str) {
    until(&format!("nodes boot {image}"), || script(&serving.boot).contains(image).then_some(()));
}

#[test]
fn an_inventory_directory_that_is_replaced_is_followed() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&["-i", "inventory", "--apply"]);
    until_image(&serving, "compute-slurm/latest");
    for image in ["compute-slurm/v2", "compute-slurm/v3"] {
        crate::support::copy_tree(&cluster.inventory(), &cluster.path("checkout"));
        let path = cluster.path("checkout/cluster.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        let line = text.lines().find(|line| line.starts_with("bss_image_version")).unwrap();
        std::fs::write(&path, text.replace(line, &format!("bss_image_version: {image}"))).unwrap();
        std::fs::rename(cluster.inventory(), cluster.path(&image.replace('/', "-"))).unwrap();
        std::fs::rename(cluster.path("checkout"), cluster.inventory()).unwrap();
        until_image(&serving, image);
    }
    cluster.edit("cluster.yaml", "compute-slurm/v3", "compute-slurm/v4");
    until_image(&serving, "compute-slurm/v4");
}

#[test]
fn a_volume_whose_files_are_behind_a_swapped_link_is_followed() {
    use std::os::unix::fs::symlink;
    let cluster = Cluster::demo();
    // As Kubernetes mounts a ConfigMap: every file is a link through `..data`, which is swapped as one.
    let mounted = cluster.path("mounted");
    crate::support::copy_tree(&cluster.inventory(), &mounted.join("..one"));
    crate::support::copy_tree(&cluster.inventory(), &mounted.join("..two"));
    let path = mounted.join("..two/cluster.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("compute-slurm/latest", "compute-slurm/v2")).unwrap();
    symlink("..one", mounted.join("..data")).unwrap();
    for name in ["nodes.yaml", "cluster.yaml", "cloud-init"] {
        symlink(format!("..data/{name}"), mounted.join(name)).unwrap();
    }
    let secrets = cluster.path("secrets");
    let serving = cluster.serve(&["-i", "mounted", "--secrets-dir", secrets.to_str().unwrap(), "--apply"]);
    until_image(&serving, "compute-slurm/latest");
    symlink("..two", mounted.join("..data_tmp")).unwrap();
    std::fs::rename(mounted.join("..data_tmp"), mounted.join("..data")).unwrap();
    until_image(&serving, "compute-slurm/v2");
}

#[test]
fn an_inventory_and_secrets_that_come_later_are_taken_up_and_their_want_is_told_once() {
    let cluster = Cluster::demo();
    let (inventory, secrets) = (cluster.inventory(), cluster.path("secrets"));
    std::fs::rename(&inventory, cluster.path("not-yet")).unwrap();
    std::fs::rename(&secrets, cluster.path("no-secrets-yet")).unwrap();
    let serving = cluster.serve(&["-i", "inventory", "--apply"]);
    until("the daemon said why", || serving.log().contains("stays in force").then_some(()));
    let ready = get(&format!("{}/ready", serving.boot));
    assert_eq!((ready.status, ready.json()["status"].clone()), (200, "degraded".into()));
    std::fs::rename(cluster.path("not-yet"), &inventory).unwrap();
    until("the missing secret was told", || serving.log().contains("munge.key").then_some(()));
    assert_eq!(serving.log().matches("what was applied last stays in force").count(), 1, "{}", serving.log());
    std::fs::rename(cluster.path("no-secrets-yet"), &secrets).unwrap();
    until_image(&serving, "compute-slurm/latest");
}

#[test]
fn without_apply_a_missing_secret_is_no_more_than_a_warning_of_the_plan() {
    let cluster = Cluster::demo();
    std::fs::remove_file(cluster.path("secrets/munge.key")).unwrap();
    let serving = cluster.serve(&["-i", "inventory"]);
    until("the plan was told with its warning", || serving.log().contains("Warning  ").then_some(()));
    let log = serving.log();
    assert!(log.contains("nid[001-009]") && log.contains("munge.key"), "{log}");
    assert!(!log.contains("not applied") && !log.contains("refused by"), "{log}");
}
