//! Other writers: what somebody writes through an API succeeds, is shown as drift with writer and time, and goes back
//! only on an explicit apply or on a commit that touches that object.

use crate::support::{Cluster, Serving, get, send, until};

const MAC: &str = "ec:e7:a7:05:a1:fc";
const OTHER: &str = "ec:e7:a7:05:9f:50";

fn script(serving: &Serving, mac: &str) -> String {
    get(&format!("{}/boot/v1/bootscript?mac={mac}", serving.boot)).body
}

/// Boots one node from another kernel, as somebody would during an incident.
fn meddle(cluster: &Cluster, serving: &Serving) {
    let bearer = format!("Bearer {}", cluster.run(&["token"]).expect(0).stdout.trim());
    let body = format!(r#"{{"macs":["{MAC}"],"kernel":"http://172.16.0.254/rescue/vmlinuz"}}"#);
    let url = format!("{}/boot/v1/bootparameters", serving.api);
    let answer = send("PATCH", &url, &[("authorization", &bearer)], Some(&body));
    assert!(answer.status < 300, "{answer:?}");
    assert!(script(serving, MAC).contains("rescue/vmlinuz"));
}

#[test]
fn a_write_through_an_api_is_shown_with_writer_and_time_and_goes_back_on_an_explicit_apply() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&["-i", "inventory", "--apply"]);
    until("the inventory was applied", || script(&serving, MAC).contains("compute-slurm/latest").then_some(()));
    meddle(&cluster, &serving);
    let plan = cluster.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains("drift    nid001") && plan.contains("rescue/vmlinuz"), "{plan}");
    let writer = plan.lines().find(|line| line.contains("drift    nid001")).unwrap();
    let today = jiff::Timestamp::now().to_string()[..8].to_owned();
    let told = plan.contains("from 127.0.0.1 (API), ") && plan.contains(&today);
    assert!(told, "{writer}\n{plan}");
    cluster.run(&["apply", "--yes"]).expect(0);
    assert!(script(&serving, MAC).contains("compute-slurm/latest/vmlinuz"));
    assert!(cluster.run(&["plan"]).expect(0).stdout.contains("in sync"));
}

#[test]
fn a_commit_about_something_else_leaves_what_somebody_wrote_and_one_that_touches_it_puts_it_back() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&["-i", "inventory", "--apply"]);
    until("the inventory was applied", || script(&serving, MAC).contains("compute-slurm/latest").then_some(()));
    meddle(&cluster, &serving);
    cluster.edit("cloud-init/compute.yaml", "instance-id: ochami-compute", "instance-id: ochami-second");
    until("the commit was applied", || {
        let plan = cluster.run(&["plan"]).expect(0).stdout;
        (plan.contains("drift    nid001") && !plan.contains("ochami-second")).then_some(())
    });
    assert!(script(&serving, MAC).contains("rescue/vmlinuz"), "a commit about something else touches nothing of it");
    // The parameters of every node change; the kernel of this one goes back with them.
    cluster.edit("cluster.yaml", "rd.shell'", "rd.shell loglevel=7'");
    until("the commit was applied", || script(&serving, OTHER).contains("loglevel=7").then_some(()));
    let script = script(&serving, MAC);
    assert!(script.contains("compute-slurm/latest/vmlinuz") && script.contains("loglevel=7"), "{script}");
}
