//! Boot scripts of other templates: planned, applied, served, and taken back.

use crate::support::{Cluster, get};

const NODE: &str = "/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc";
const OTHER: &str = "/boot/v1/bootscript?mac=ec:e7:a7:05:a2:28";

#[test]
fn a_template_is_planned_applied_and_served_until_it_is_taken_back() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&[]);
    cluster.run(&["apply", "--yes"]).expect(0);
    let script = |path: &str| get(&format!("{}{path}", serving.boot)).body;
    let (usual, others) = (script(NODE), script(OTHER));
    assert!(usual.contains("\nkernel ") && others.contains("\nkernel "), "{usual}{others}");

    let whole = std::fs::read_to_string(cluster.inventory().join("cluster.yaml")).unwrap();
    let write =
        |more: &str| std::fs::write(cluster.inventory().join("cluster.yaml"), format!("{whole}{more}")).unwrap();
    write("boot: {nodes: {nid001: {template: maintenance}}}\n");
    let plan = cluster.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains("template") && plan.contains("maintenance"), "{plan}");
    cluster.run(&["apply", "--yes"]).expect(0);
    assert!(script(NODE).contains("kept for maintenance"), "{}", script(NODE));
    assert_eq!(script(OTHER), others, "a node without a template has the script that BSS sends");

    std::fs::create_dir(cluster.inventory().join("templates")).unwrap();
    let file = cluster.inventory().join("templates/mine.j2");
    std::fs::write(&file, "#!ipxe\necho {{ xname }} {{ nid }}\nsleep {{ delay }}\nchain {{ chain_url }}\n").unwrap();
    write("boot: {groups: {compute: {template: mine}}}\n");
    cluster.run(&["apply", "--yes"]).expect(0);
    assert!(script(NODE).starts_with("#!ipxe\necho x1000c1s7b1n0 1\nsleep "), "{}", script(NODE));
    std::fs::write(&file, "#!ipxe\necho changed\n").unwrap();
    let plan = cluster.run(&["plan"]).expect(0).stdout;
    // Nine nodes with the same change are told once, line by line.
    assert!(plan.contains("script  +1 line  -3 lines"), "{plan}");
    assert!(plan.contains("+   echo changed\n"), "{plan}");
    cluster.run(&["apply", "--yes"]).expect(0);
    assert_eq!(script(NODE), "#!ipxe\necho changed\n");

    write("");
    cluster.run(&["apply", "--yes"]).expect(0);
    assert_eq!(script(NODE), usual);
    assert!(cluster.run(&["plan"]).expect(0).stdout.contains("in sync"));
}

#[test]
fn the_sites_boot_and_unknown_are_planned_applied_and_served_until_they_are_taken_back() {
    const STRANGER: &str = "/boot/v1/bootscript?mac=02:00:00:00:00:99";
    let cluster = Cluster::demo();
    let serving = cluster.serve(&[]);
    cluster.run(&["apply", "--yes"]).expect(0);
    let script = |path: &str| get(&format!("{}{path}", serving.boot)).body;
    let usual = script(NODE);

    let templates = cluster.inventory().join("templates");
    std::fs::create_dir(&templates).unwrap();
    let own = "#!ipxe\nkernel {{ kernel }} {{ params }}\nboot || reboot\n";
    std::fs::write(templates.join("boot.j2"), own).unwrap();
    std::fs::write(templates.join("unknown.j2"), "#!ipxe\necho who is {{ mac }}\nchain {{ chain_url }} || reboot\n")
        .unwrap();
    let plan = cluster.run(&["plan"]).expect(0).stdout;
    assert!(plan.contains("host:Unknown") && plan.contains("templates/unknown.j2:1"), "{plan}");
    assert!(plan.contains("+ template  unknown") && plan.contains("+ template  boot"), "{plan}");
    assert_eq!(plan.matches("script  +3 lines").count(), 2, "{plan}");
    assert!(script(STRANGER).contains("sleep 10\nchain "), "a plan changes nothing: {}", script(STRANGER));
    cluster.run(&["apply", "--yes"]).expect(0);
    assert!(script(NODE).ends_with("\nboot || reboot\n"), "{}", script(NODE));
    assert!(script(STRANGER).starts_with("#!ipxe\necho who is 02-00-00-00-00-99\nchain http"), "{}", script(STRANGER));
    assert!(cluster.run(&["plan"]).expect(0).stdout.contains("in sync"));

    std::fs::remove_dir_all(&templates).unwrap();
    cluster.run(&["apply", "--yes"]).expect(0);
    assert_eq!(script(NODE), usual);
    assert!(script(STRANGER).contains("sleep 10\nchain "), "{}", script(STRANGER));
}

#[test]
fn a_template_is_refused_by_services_that_cannot_keep_it_before_anything_is_written() {
    let (cluster, theirs) = (Cluster::demo(), Cluster::demo());
    let services = theirs.serve_with(&["--auth", "none"], &[("OCHAMI_SYNC_INSECURE", "1")]);
    let path = cluster.inventory().join("cluster.yaml");
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{whole}boot: {{nodes: {{nid001: {{template: shell}}}}}}\n")).unwrap();
    let plan = cluster.run(&["plan", "--base-uri", &services.api]).expect(0).stdout;
    assert!(plan.contains("an apply would refuse this plan") && plan.contains("`template: shell`"), "{plan}");
    let refused = cluster.run(&["apply", "--yes", "--base-uri", &services.api]).expect(1);
    assert!(refused.stderr.contains("`template: shell`"), "{}", refused.stderr);
    let components = get(&format!("{}/hsm/v2/State/Components", services.api)).json();
    assert_eq!(components["Components"].as_array().map_or(0, Vec::len), 0, "{components}");
}
