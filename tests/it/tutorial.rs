//! The tutorial's sections "Verifying things look OK" and "cloud-init", over HTTP, as its reader would type them.

use serde_json::{Value, json};

use crate::support::{Answer, Cluster, Serving, get, send};

const MACS: [&str; 9] = [
    "ec:e7:a7:05:a1:fc",
    "ec:e7:a7:05:a2:28",
    "ec:e7:a7:05:93:84",
    "ec:e7:a7:02:d9:90",
    "02:00:00:a8:4f:04",
    "ec:e7:a7:05:96:74",
    "02:00:00:97:c4:2e",
    "ec:e7:a7:05:93:48",
    "ec:e7:a7:05:9f:50",
];

const PARAMS: &str = "root=live:http://172.16.0.254:8080/openchami/compute-slurm/latest/rootfs-4.18.0-553.27.1.el8_10.x86_64 ochami_ci_url=http://172.16.0.254:8081/cloud-init/ ochami_ci_url_secure=http://172.16.0.254:8081/cloud-init-secure/ overlayroot=tmpfs overlayroot_cfgdisk=disabled nomodeset ro ip=dhcp apparmor=0 selinux=0 console=ttyS0,115200 ip6=off network-config=disabled rd.shell";

struct Tutorial {
    _cluster: Cluster,
    serving: Serving,
    bearer: String,
}

impl Tutorial {
    fn start() -> Self {
        let cluster = Cluster::demo();
        cluster.run(&["apply", "--yes"]).expect(0);
        let serving = cluster.serve(&["--trusted-proxy", "127.0.0.1/32"]);
        let token = cluster.run(&["token"]).expect(0).stdout;
        Self { bearer: format!("Bearer {}", token.trim()), serving, _cluster: cluster }
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let headers = [("authorization", self.bearer.as_str()), ("content-type", "application/json")];
        send(method, &format!("{}{path}", self.serving.api), &headers, body.map(Value::to_string).as_deref())
    }

    /// What a node at that address is told by the boot listener.
    fn as_node(&self, address: &str, path: &str) -> Answer {
        send("GET", &format!("{}{path}", self.serving.boot), &[("x-forwarded-for", address)], None)
    }
}

#[test]
fn smd_is_populated() {
    let tutorial = Tutorial::start();
    let components = tutorial.ask("GET", "/hsm/v2/State/Components", None).json();
    let components = components["Components"].as_array().unwrap();
    assert_eq!(components.len(), 18);
    for n in 1..=9 {
        let node = components.iter().find(|c| c["ID"] == format!("x1000c1s7b{n}n0")).unwrap();
        let expected = json!({"Enabled": true, "Flag": "OK", "ID": format!("x1000c1s7b{n}n0"), "NID": n,
            "Role": "Compute", "State": "On", "Type": "Node"});
        assert_eq!(*node, expected);
        // The tutorial's own server calls it a node, which it is not.
        let bmc = components.iter().find(|c| c["ID"] == format!("x1000c1s7b{n}")).unwrap();
        assert_eq!(*bmc, json!({"Enabled": true, "ID": format!("x1000c1s7b{n}"), "Type": "NodeBMC"}));
    }
    let interfaces = tutorial.ask("GET", "/hsm/v2/Inventory/EthernetInterfaces?ComponentID=x1000c1s7b1n0", None).json();
    assert_eq!(interfaces[0]["MACAddress"], MACS[0]);
    assert_eq!(interfaces[0]["IPAddresses"], json!([{"IPAddress": "172.16.0.1", "Network": "management"}]));
    let endpoints = tutorial.ask("GET", "/hsm/v2/Inventory/RedfishEndpoints", None).json();
    assert_eq!(endpoints["RedfishEndpoints"].as_array().unwrap().len(), 9);
    let behind = tutorial.ask("GET", "/hsm/v2/Inventory/ComponentEndpoints", None).json();
    assert_eq!(behind["ComponentEndpoints"].as_array().unwrap().len(), 18);
    let group = tutorial.ask("GET", "/hsm/v2/groups/compute", None).json();
    assert_eq!(group["description"], "The compute group");
    assert_eq!(group["members"]["ids"].as_array().unwrap().len(), 9);
}

#[test]
fn bss_is_populated() {
    let tutorial = Tutorial::start();
    let all = tutorial.ask("GET", "/boot/v1/bootparameters", None).json();
    let base = "http://172.16.0.254:8080/openchami/compute-slurm/latest";
    let mut macs = MACS;
    macs.sort_unstable();
    let mut found = all[0].clone();
    let mut found_macs: Vec<String> = serde_json::from_value(found["macs"].take()).unwrap();
    found_macs.sort_unstable();
    assert_eq!(found_macs, macs);
    let expected = json!([{
        "cloud-init": {"meta-data": null, "user-data": null, "phone-home": {"fqdn": "", "hostname": "",
            "instance_id": "", "pub_key_dsa": "", "pub_key_ecdsa": "", "pub_key_rsa": ""}},
        "initrd": format!("{base}/initramfs-4.18.0-553.27.1.el8_10.x86_64.img"),
        "kernel": format!("{base}/vmlinuz-4.18.0-553.27.1.el8_10.x86_64"),
        "macs": null,
        "params": PARAMS,
    }]);
    assert_eq!(json!([found]), expected);
    let unknown = send("GET", &format!("{}/boot/v1/bootparameters", tutorial.serving.api), &[], None);
    assert_eq!(unknown.status, 401);
}

#[test]
fn the_boot_script_is_the_one_the_original_sends() {
    let tutorial = Tutorial::start();
    for (prefix, listener) in [
        ("/boot/v1", &tutorial.serving.api),
        ("/apis/bss/boot/v1", &tutorial.serving.boot),
        ("/boot/v1", &tutorial.serving.boot),
    ] {
        let answer = get(&format!("{listener}{prefix}/bootscript?mac=ec:e7:a7:05:a1:fc"));
        assert_eq!((answer.status, answer.kind.as_str()), (200, "text/plain; charset=UTF-8"));
        let base = "http://172.16.0.254:8080/openchami/compute-slurm/latest";
        let kernel = format!(
            "#!ipxe\nkernel --name kernel {base}/vmlinuz-4.18.0-553.27.1.el8_10.x86_64 initrd=initrd {PARAMS} \
             xname=x1000c1s7b1n0 nid=1 BOOTIF=01-ec-e7-a7-05-a1-fc"
        );
        assert!(answer.body.starts_with(&kernel), "{}", answer.body);
        assert!(answer.body.contains(&format!("initrd --name initrd {base}/initramfs-")), "{}", answer.body);
        assert!(answer.body.contains("\nboot || goto boot_retry\n:boot_retry\nsleep 30\nchain "), "{}", answer.body);
        assert!(answer.body.ends_with("/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc&retry=1\n\n"), "{}", answer.body);
    }
    let unknown = get(&format!("{}/boot/v1/bootscript?mac=00:00:00:00:00:09", tutorial.serving.boot));
    assert_eq!(unknown.status, 200);
    assert!(unknown.body.starts_with("#!ipxe\nsleep 10\nchain "), "{}", unknown.body);
}

#[test]
fn a_node_is_told_its_cloud_init_by_its_address() {
    let tutorial = Tutorial::start();
    let user_data = tutorial.as_node("172.16.0.3", "/cloud-init/user-data");
    assert_eq!((user_data.status, user_data.kind.as_str()), (200, "text/plain; charset=utf-8"));
    assert!(user_data.body.starts_with("#cloud-config\n"), "{}", user_data.body);
    for text in ["setenforce 0", "/etc/sysconfig/slurmd", "SLURMD_OPTIONS=--conf-server 172.16.0.254:6817", "nid009"] {
        assert!(user_data.body.contains(text), "{text} is missing in\n{}", user_data.body);
    }
    let meta_data = tutorial.as_node("172.16.0.3", "/cloud-init/meta-data");
    assert_eq!(meta_data.body.trim(), "instance-id: ochami-compute");
    assert_eq!(tutorial.as_node("172.16.0.250", "/cloud-init/meta-data").status, 422);
}

#[test]
fn an_entry_is_replaced_and_a_node_entry_wins_over_its_group_key_by_key() {
    let tutorial = Tutorial::start();
    let entry = json!({"name": "compute", "cloud-init": {
        "userdata": {"write_files": [{"path": "/etc/test123", "content": "blah blah blah"}], "runcmd": ["echo hello"]},
        "metadata": {"instance-id": "test"}}});
    let put = tutorial.ask("PUT", "/cloud-init/compute", Some(&entry));
    assert_eq!((put.status, put.json()), (200, json!("compute")));
    let stored = get(&format!("{}/cloud-init/compute", tutorial.serving.api)).json();
    assert_eq!(stored["cloud-init"]["userdata"], entry["cloud-init"]["userdata"]);
    let expected =
        "#cloud-config\nruncmd:\n- echo hello\nwrite_files:\n- content: blah blah blah\n  path: /etc/test123\n";
    for name in ["compute", "x1000c1s7b3n0"] {
        assert_eq!(get(&format!("{}/cloud-init/{name}/user-data", tutorial.serving.api)).body, expected);
        assert_eq!(get(&format!("{}/cloud-init/{name}/meta-data", tutorial.serving.api)).body, "instance-id: test\n");
    }
    let node = json!({"name": "x1000c1s7b3n0", "cloud-init": {
        "userdata": {"write_files": [{"path": "/etc/test123", "content": "blah blah blah but different"}]},
        "metadata": {"instance-id": "test"}}});
    assert_eq!(tutorial.ask("POST", "/cloud-init", Some(&node)).status, 200);
    let expected = "#cloud-config\nruncmd:\n- echo hello\nwrite_files:\n- content: blah blah blah but different\n  path: /etc/test123\n";
    assert_eq!(get(&format!("{}/cloud-init/x1000c1s7b3n0/user-data", tutorial.serving.api)).body, expected);
    assert_eq!(tutorial.as_node("172.16.0.3", "/cloud-init/user-data").body, expected);
}

#[test]
fn an_entry_by_a_nodes_name_is_found_by_every_name_and_address_of_the_node_also_after_a_restart() {
    let cluster = Cluster::demo();
    let nodes = cluster.inventory().join("nodes.yaml");
    let text = std::fs::read_to_string(&nodes).unwrap().replacen("nid002", "login1", 1);
    std::fs::write(nodes, text).unwrap();
    for name in ["nid003", "login1"] {
        let text = format!("name: {name}\ncloud-init:\n  userdata:\n    runcmd: [echo {name}]\n");
        std::fs::write(cluster.inventory().join(format!("cloud-init/{name}.yaml")), text).unwrap();
    }
    cluster.run(&["apply", "--yes"]).expect(0);
    for _ in 0..2 {
        let serving = cluster.serve(&["--trusted-proxy", "127.0.0.1/32"]);
        for (name, others) in [
            ("nid003", ["x1000c1s7b3n0", "ec:e7:a7:05:93:84", "172.16.0.3"]),
            ("login1", ["x1000c1s7b2n0", "ec:e7:a7:05:a2:28", "172.16.0.2"]),
        ] {
            let by_name = get(&format!("{}/cloud-init/{name}/user-data", serving.api));
            assert_eq!(by_name.status, 200, "{name}");
            assert!(by_name.body.contains(&format!("runcmd:\n- echo {name}\n")), "{}", by_name.body);
            assert!(by_name.body.contains("/etc/sysconfig/slurmd"), "the group's entry is under it: {}", by_name.body);
            for other in &others[..2] {
                assert_eq!(get(&format!("{}/cloud-init/{other}/user-data", serving.api)).body, by_name.body, "{other}");
            }
            for listener in [&serving.boot, &serving.api] {
                let url = format!("{listener}/cloud-init/user-data");
                assert_eq!(send("GET", &url, &[("x-forwarded-for", others[2])], None).body, by_name.body);
            }
        }
        assert_eq!(get(&format!("{}/cloud-init/nid002/user-data", serving.api)).status, 404, "nobody's name any more");
        serving.stop();
    }
}

#[test]
fn the_secure_store_needs_a_token_and_is_not_on_the_boot_listener() {
    let tutorial = Tutorial::start();
    let path = "/cloud-init-secure/compute/user-data";
    assert_eq!(get(&format!("{}{path}", tutorial.serving.api)).status, 401);
    assert_eq!(get(&format!("{}{path}", tutorial.serving.boot)).status, 404);
    let answer = tutorial.ask("GET", path, None);
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("/etc/munge/munge.key") && answer.body.contains("0400"), "{}", answer.body);
}

#[test]
fn a_script_is_found_by_its_mac_address_in_any_spelling_that_firmware_sends() {
    let cluster = Cluster::demo();
    cluster.run(&["apply", "--yes"]).expect(0);
    let serving = cluster.serve(&[]);
    // iPXE percent-encodes the colons when it puts the address into a name that DHCP gave it.
    for mac in [
        "ec:e7:a7:05:a1:fc",
        "ec%3ae7%3aa7%3a05%3aa1%3afc",
        "EC%3AE7%3AA7%3A05%3AA1%3AFC",
        "ec-e7-a7-05-a1-fc",
        "EC%2DE7-A7-05-A1-FC",
        "ece7a705a1fc",
    ] {
        let script = get(&format!("{}/boot/v1/bootscript?mac={mac}", serving.boot));
        assert_eq!(script.status, 200, "{mac}");
        assert!(script.body.starts_with("#!ipxe\nkernel "), "{mac}: {}", script.body);
    }
}
