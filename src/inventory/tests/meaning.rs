//! What sound files mean.

use serde_json::json;

use super::{Code, codes, demo, load, load_with, rendered};
use crate::inventory::{Adopt, Drift, Inventory, Limit, secrets};

const CLUSTER: &str = "cluster_name: demo\ncluster_boot_ip: 172.16.0.254\n";

fn sound(path: &'static str, text: &str) -> Inventory {
    let loaded = load_with(path, text.as_bytes());
    let text = rendered(&loaded);
    loaded.inventory.unwrap_or_else(|| panic!("{text}"))
}

fn node(fields: &str) -> String {
    format!("nodes:\n  - {{name: nid001, xname: x1000c0s0b0n0, {fields}}}\n")
}

#[test]
fn the_demo_inventory_is_the_tutorials_cluster() {
    let loaded = load(&demo());
    assert_eq!(codes(&loaded), [Code::LocalMac, Code::LocalMac], "{}", rendered(&loaded));
    let inventory = loaded.inventory.unwrap();
    assert_eq!(inventory.nodes.len(), 9);
    let node = &inventory.nodes[0];
    assert_eq!((&*node.name, node.xname.as_str(), node.nid.0), ("nid001", "x1000c1s7b1n0", 1));
    let boot = node.boot.as_ref().unwrap();
    let base = "http://172.16.0.254:8080/openchami/compute-slurm/latest";
    let version = "4.18.0-553.27.1.el8_10.x86_64";
    assert_eq!(*boot.kernel, *format!("{base}/vmlinuz-{version}"));
    assert_eq!(*boot.initrd, *format!("{base}/initramfs-{version}.img"));
    assert_eq!(
        *boot.params,
        *format!(
            "root=live:{base}/rootfs-{version} ochami_ci_url=http://172.16.0.254:8081/cloud-init/ \
             ochami_ci_url_secure=http://172.16.0.254:8081/cloud-init-secure/ overlayroot=tmpfs \
             overlayroot_cfgdisk=disabled nomodeset ro ip=dhcp apparmor=0 selinux=0 console=ttyS0,115200 ip6=off \
             network-config=disabled rd.shell"
        )
    );
    assert_eq!(boot.origin.to_string(), "cluster.yaml:14");
    assert_eq!((node.origin.line, node.origin.end_line), (9, 19));
    let last = &inventory.nodes[8];
    assert_eq!(last.interfaces[0].mac.to_string(), "ec:e7:a7:05:9f:50");
    assert_eq!(last.bmc.as_ref().unwrap().ip.unwrap().to_string(), "172.16.0.109");
    let secret = secrets::references(&inventory.cloud_init_secure[0].userdata);
    assert_eq!(secret.len(), 1);
    assert_eq!(inventory.cloud_init[0].metadata, serde_json::json!({"instance-id": "ochami-compute"}));
}

#[test]
fn group_and_groups_are_merged_in_file_order() {
    let fields = "nid: 1, groups: [login, Compute], group: compute, interfaces: [{mac_addr: ec:e7:a7:05:a1:fc}]";
    let inventory = sound("nodes.yaml", &node(fields));
    let groups: Vec<&str> = inventory.nodes[0].groups.iter().map(|group| group.as_str()).collect();
    assert_eq!(groups, ["login", "compute"]);
}

#[test]
fn values_may_be_quoted_and_macs_spelled_in_any_way() {
    for mac in ["EC-E7-A7-05-A1-FC", "ece7.a705.a1fc", "'ec:e7:a7:05:a1:fc'", "ECE7A705A1FC"] {
        let fields = format!("nid: \"1\", role: compute, arch: x86, class: hill, interfaces: [{{mac_addr: {mac}}}]");
        let inventory = sound("nodes.yaml", &node(&fields));
        let node = &inventory.nodes[0];
        assert_eq!((node.nid.0, node.interfaces[0].mac.to_string().as_str()), (1, "ec:e7:a7:05:a1:fc"), "{mac}");
        assert_eq!(node.role.unwrap().as_str(), "Compute");
        assert!(node.bmc.is_none() && node.sub_role.is_none());
    }
}

#[test]
fn an_unquoted_mac_that_looks_like_a_time_is_a_mac() {
    let inventory = sound("nodes.yaml", &node("nid: 1, interfaces: [{mac_addr: 12:34:56:07:08:09, ip_addrs: []}]"));
    assert_eq!(inventory.nodes[0].interfaces[0].mac.to_string(), "12:34:56:07:08:09");
}

#[test]
fn nodes_that_share_a_bmc_share_its_addresses() {
    let text = "nodes:
  - {name: a, xname: x1c0s0b0n0, nid: 1, bmc_mac: 00:00:5e:00:53:01, bmc_ip: 172.16.0.101, interfaces: [{mac_addr: ec:e7:a7:05:a1:fc}]}
  - {name: b, xname: x1c0s0b0n1, nid: 2, bmc_mac: 00:00:5e:00:53:01, bmc_ip: 172.16.0.101, interfaces: [{mac_addr: ec:e7:a7:05:a1:fd}]}
";
    let inventory = sound("nodes.yaml", text);
    assert_eq!(inventory.nodes[0].bmc.as_ref().unwrap().xname, inventory.nodes[1].bmc.as_ref().unwrap().xname);
}

#[test]
fn a_boot_profile_takes_what_it_leaves_out_from_the_less_specific_one() {
    let cluster = format!(
        "{CLUSTER}bss_kernel_version: '1'\nbss_image_version: image\nboot:\n  default: {{params: default}}\n  groups:\n    \
         compute: {{initrd: 'http://{{{{ cluster_boot_ip }}}}/initrd'}}\n  nodes:\n    x1000c00s0b0n0: {{params: own}}\n"
    );
    let inventory = sound("cluster.yaml", &cluster);
    let boot = inventory.nodes[0].boot.as_ref().unwrap();
    assert_eq!(&*boot.kernel, "http://172.16.0.254:8080/openchami/image/vmlinuz-1");
    assert_eq!(&*boot.initrd, "http://172.16.0.254/initrd");
    assert_eq!(&*boot.params, "own");
    assert_eq!(boot.origin.to_string(), "cluster.yaml:10");
}

#[test]
fn a_profile_can_do_without_an_initrd() {
    let cluster =
        format!("{CLUSTER}bss_kernel_version: '1'\nbss_image_version: image\nboot: {{default: {{initrd: ''}}}}\n");
    assert_eq!(&*sound("cluster.yaml", &cluster).nodes[0].boot.as_ref().unwrap().initrd, "");
}

#[test]
fn the_recipes_own_urls_and_parameters_win_over_derived_ones() {
    let cluster = format!(
        "{CLUSTER}bss_kernel_version: '1'\nbss_image_version: image\nbss_kernel_url: 'http://other/{{{{ bss_kernel_version }}}}'\n\
         bss_params: '{{{{ bss_params_opts }}}} quiet'\nbss_params_opts: ro\n"
    );
    let inventory = sound("cluster.yaml", &cluster);
    let boot = inventory.nodes[0].boot.as_ref().unwrap();
    assert_eq!((&*boot.kernel, &*boot.params), ("http://other/1", "ro quiet"));
}

#[test]
fn the_group_with_the_higher_priority_wins_and_equal_profiles_are_no_conflict() {
    let nodes = node("nid: 1, groups: [compute, gpu, login], interfaces: [{mac_addr: ec:e7:a7:05:a1:fc}]");
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("nodes.yaml"), nodes).unwrap();
    let cluster = format!(
        "{CLUSTER}boot:\n  default: {{kernel: 'http://a/k', params: a}}\n  groups:\n    compute: {{params: low}}\n    \
         gpu: {{params: high, priority: 2}}\n    login: {{params: high, priority: 2}}\n"
    );
    std::fs::write(directory.path().join("cluster.yaml"), cluster).unwrap();
    let loaded = load(directory.path());
    let text = rendered(&loaded);
    let inventory = loaded.inventory.unwrap_or_else(|| panic!("{text}"));
    assert_eq!(&*inventory.nodes[0].boot.as_ref().unwrap().params, "high");
}

/// The first node, in the groups `compute` and `gpu`, with these boot profiles; or the problems there are.
fn booted(boot: &str) -> Result<crate::inventory::Boot, (Vec<Code>, String)> {
    let nodes = node("nid: 1, groups: [compute, gpu], interfaces: [{mac_addr: ec:e7:a7:05:a1:fc}]");
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("nodes.yaml"), nodes).unwrap();
    std::fs::write(directory.path().join("cluster.yaml"), format!("{CLUSTER}boot:\n{boot}")).unwrap();
    let loaded = load(directory.path());
    let problems = (codes(&loaded), rendered(&loaded));
    loaded.inventory.and_then(|inventory| inventory.nodes[0].boot.clone()).ok_or(problems)
}

#[test]
fn groups_that_give_different_things_do_not_disagree() {
    let boot = booted(
        "  default: {kernel: 'http://a/default', params: default}\n  groups:\n    compute: {kernel: 'http://a/compute'}\n    \
         gpu: {params: gpu}\n",
    );
    let boot = boot.unwrap();
    assert_eq!((&*boot.kernel, &*boot.params), ("http://a/compute", "gpu"));
}

#[test]
fn what_the_group_that_wins_leaves_out_comes_from_the_other_one() {
    let groups = "  default: {kernel: 'http://a/k', params: default}\n  groups:\n    compute: {params: low}\n    gpu: {kernel: \
         'http://a/gpu', priority: 2}\n";
    let boot = booted(groups).unwrap();
    assert_eq!((&*boot.kernel, &*boot.params), ("http://a/gpu", "low"));
    assert_eq!(boot.origin.to_string(), "cluster.yaml:7", "the place is that of the most specific one");
}

#[test]
fn a_nodes_own_profile_settles_what_it_gives_and_nothing_else() {
    let groups =
        "  groups:\n    compute: {kernel: 'http://a/1', params: one}\n    gpu: {kernel: 'http://a/2', params: two}\n";
    let own = |profile: &str| booted(&format!("{groups}  nodes:\n    nid001: {{{profile}}}\n"));
    let boot = own("kernel: 'http://a/own', params: own").unwrap();
    assert_eq!((&*boot.kernel, &*boot.params), ("http://a/own", "own"));
    let (codes, text) = own("kernel: 'http://a/own'").unwrap_err();
    assert!(codes.contains(&Code::ProfileConflict) && text.contains("they give another `params`\n"), "{text}");
    let (codes, text) = booted(groups).unwrap_err();
    assert_eq!(codes.iter().filter(|code| **code == Code::ProfileConflict).count(), 1, "{text}");
    assert!(text.contains("they give another `kernel`, `params`\n"), "{text}");
    let (codes, text) = own("kernel: nothing").unwrap_err();
    assert!(codes.contains(&Code::BootUrl) && text.contains("they give another `params`\n"), "{text}");
}

#[test]
fn the_cluster_has_its_defaults_and_its_policy() {
    let cluster = sound("cluster.yaml", CLUSTER).cluster;
    assert_eq!((cluster.id.as_str(), cluster.short_name.as_str(), cluster.nid_length), ("demo", "nid", 3));
    assert_eq!(cluster.domain, "openchami.cluster");
    assert_eq!(cluster.sync, crate::inventory::SyncPolicy::default());
    let policy = "cluster_id: one\nsync: {prune: none, adopt: never, drift: correct, limits: {delete: {max: 0}, replace: {percent: 50}}}\n";
    let cluster = sound("cluster.yaml", &format!("{CLUSTER}{policy}")).cluster;
    assert_eq!(cluster.id, "one");
    assert!(!cluster.sync.prune);
    assert_eq!(cluster.sync.adopt, Adopt::Never);
    assert_eq!(cluster.sync.drift, Drift::Correct);
    assert_eq!(
        (cluster.sync.delete, cluster.sync.replace),
        (Limit { max: 0, percent: 5 }, Limit { max: 3, percent: 50 })
    );
}

#[test]
fn variables_may_use_variables_but_only_so_deep() {
    let chain = |length: usize| {
        let mut text = format!("{CLUSTER}ochami_0: end\n");
        for level in 1..=length {
            text.push_str(&format!("ochami_{level}: '{{{{ ochami_{} }}}}'\n", level - 1));
        }
        format!("{text}cluster_domain: '{{{{ ochami_{length} }}}}'\n")
    };
    assert_eq!(sound("cluster.yaml", &chain(20)).cluster.domain, "end");
    assert!(codes(&load_with("cluster.yaml", chain(5000).as_bytes())).contains(&Code::VariableCycle));
    let cycle = format!(
        "{CLUSTER}cluster_domain: '{{{{ ochami_a }}}}'\nochami_a: '{{{{ ochami_b }}}}'\nochami_b: '{{{{ ochami_a }}}}'\n"
    );
    let loaded = load_with("cluster.yaml", cycle.as_bytes());
    assert_eq!(codes(&loaded).iter().filter(|code| **code == Code::VariableCycle).count(), 1, "{}", rendered(&loaded));
}

#[test]
fn documents_have_the_values_that_the_node_would_read() {
    let text = "name: nid001\ncloud-init:\n  metadata: {a: yes, b: 010, c: '010', d: 1:30, e: 1.5, f: ~, g: 0o7, h: !!str 1, 5: x}\n";
    let inventory = sound("cloud-init/compute.yaml", text);
    let entry = &inventory.cloud_init[0];
    assert_eq!(
        entry.metadata,
        json!({"a": true, "b": 8, "c": "010", "d": 90, "e": 1.5, "f": null, "g": "0o7", "h": "1", "5": "x"})
    );
    assert_eq!(entry.node.as_ref().unwrap().as_str(), "x1000c0s0b0n0");
    assert!(entry.userdata.is_null() && !entry.jinja);
}

#[test]
fn a_file_may_hold_several_entries_for_groups_nodes_and_xnames() {
    for node in ["NID001", "x1000c0s00b0n0"] {
        let text =
            format!("- {{name: compute, cloud-init: {{}}, template: jinja}}\n- {{name: {node}, cloud-init: {{}}}}\n");
        let inventory = sound("cloud-init/compute.yaml", &text);
        let nodes: Vec<bool> = inventory.cloud_init.iter().map(|entry| entry.node.is_some()).collect();
        assert_eq!(nodes, [false, true], "{node}");
        assert!(inventory.cloud_init[0].jinja);
        assert_eq!(inventory.cloud_init[1].origin.to_string(), "cloud-init/compute.yaml:2");
    }
}

#[test]
fn a_secret_stays_a_reference() {
    let text = "name: compute\ncloud-init:\n  metadata: {key: {$secret: {file: munge.key, encode: base64}}}\n";
    let directory = tempfile::tempdir().unwrap();
    super::write(directory.path(), &super::explain::files(super::explain::BASE));
    std::fs::create_dir_all(directory.path().join("cloud-init/secure")).unwrap();
    std::fs::write(directory.path().join("cloud-init/secure/compute.yaml"), text).unwrap();
    let inventory = load(directory.path()).inventory.unwrap();
    let metadata = &inventory.cloud_init_secure[0].metadata;
    assert_eq!(*metadata, json!({"key": {"$secret": {"file": "munge.key", "encode": "base64"}}}));
}
