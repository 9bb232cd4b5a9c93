//! The clients that people use, unmodified, against `serve`.
//!
//! `OCHAMI_LEGACY_BIN` (v0.0.10, the tutorial's), `OCHAMI_2025_BIN` (v0.5.6), `OCHAMI_BIN` (v0.10.2) and `MAGELLAN_BIN`
//! name the programs. Without one of them its test says that it was skipped.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Cluster, Finished, Serving, get, send, skipped};

/// An empty cluster with tokens asked for, and a client that has one.
struct Client {
    cluster: Cluster,
    serving: Serving,
    program: String,
    token: String,
}

impl Client {
    fn find(variable: &str) -> Option<Self> {
        let Some(program) = std::env::var(variable).ok().filter(|path| !path.is_empty()) else {
            skipped(&format!("{variable} does not say where the client is"));
            return None;
        };
        let cluster = Cluster::demo();
        let serving = cluster.serve(&[]);
        let token = cluster.run(&["token"]).expect(0).stdout.trim().to_owned();
        // The first versions know `base-uri` only and refuse what they do not know.
        let services = "bss: {uri: /boot/v1}, smd: {uri: /hsm/v2}, cloud-init: {uri: /cloud-init}";
        let cluster_entry = match variable {
            "OCHAMI_LEGACY_BIN" => format!("{{base-uri: '{}'}}", serving.api),
            _ => format!("{{uri: '{}', enable-auth: true, {services}}}", serving.api),
        };
        let config = format!(
            "log: {{format: basic, level: warning}}\ndefault-cluster: demo\nclusters:\n- {{name: demo, cluster: {cluster_entry}}}\n"
        );
        std::fs::write(cluster.path("ochami.yaml"), config).unwrap();
        Some(Self { cluster, serving, program, token })
    }

    /// Runs `ochami`.
    fn run(&self, args: &[&str]) -> Finished {
        let mut command = Command::new(&self.program);
        command.args(["--config", "ochami.yaml"]).args(args).env("DEMO_ACCESS_TOKEN", &self.token);
        Finished::of(command.current_dir(self.cluster.dir.path()).stdin(Stdio::null()).output().unwrap())
    }

    #[track_caller]
    fn does(&self, args: &[&str]) -> String {
        self.run(args).expect(0).stdout
    }

    #[track_caller]
    fn says(&self, args: &[&str]) -> Value {
        let text = self.does(args);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}: {text}"))
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.cluster.path(file), text).unwrap();
    }

    fn smd(&self, path: &str) -> Value {
        let bearer = format!("Bearer {}", self.token);
        send("GET", &format!("{}/hsm/v2/{path}", self.serving.api), &[("authorization", &bearer)], None).json()
    }

    /// Whichever way the client asks for a boot script, it sends no token with it.
    #[track_caller]
    fn gets_scripts(&self) {
        for node in [["--mac", "ec:e7:a7:05:a1:fc"], ["--xname", "x1000c1s7b0n0"], ["--nid", "1"]] {
            let script = self.does(&[&["bss", "boot", "script", "get"], &node[..]].concat());
            assert!(script.contains("kernel ") && script.contains("nid=1 "), "{node:?}: {script}");
        }
    }

    /// What every client has to leave behind, however it said it.
    #[track_caller]
    fn is_discovered(&self, members: &[&str]) {
        let node = self.smd("State/Components/x1000c1s7b0n0");
        assert_eq!((node["NID"].as_u64(), node["State"].as_str()), (Some(1), Some("On")), "{node}");
        let interface = self.smd("Inventory/EthernetInterfaces/ece7a705a1fc");
        assert_eq!(interface["ComponentID"], "x1000c1s7b0n0");
        assert_eq!(interface["IPAddresses"][0]["IPAddress"], "172.16.0.1");
        assert_eq!(self.smd("Inventory/RedfishEndpoints/x1000c1s7b0")["IPAddress"], "172.16.0.101");
        assert_eq!(self.smd("Inventory/ComponentEndpoints/x1000c1s7b0n0")["RedfishEndpointID"], "x1000c1s7b0");
        assert_eq!(self.smd("groups/compute")["members"]["ids"], json!(members));
    }
}

#[test]
fn magellan_sends_what_it_collected_and_sends_it_again() {
    let Some(magellan) = Client::find("MAGELLAN_BIN") else { return };
    let collected = json!([{
        "ID": "x1000c1s7b0", "Type": "", "Name": "", "FQDN": "172.16.0.101", "User": "root", "MACRequired": true,
        "MACAddr": "de:ca:fc:0f:ee:ee", "IPAddress": "172.16.0.101", "RediscoverOnUpdate": false, "SchemaVersion": 1,
        "Systems": [{"uri": "/redfish/v1/Systems/Node0", "uuid": "s0", "name": "Node0", "system_type": "Physical",
            "ethernet_interfaces": [{"mac": "ec:e7:a7:05:a1:fc", "ip": "172.16.0.1", "name": "1", "enabled": true}],
            "actions": ["On", "ForceOff"]}],
        "Managers": [{"uri": "/redfish/v1/Managers/BMC", "uuid": "m0", "name": "BMC", "type": "BMC",
            "ethernet_interfaces": [{"mac": "de:ca:fc:0f:ee:ee", "ip": "172.16.0.101", "name": "1", "enabled": true}]}],
    }]);
    magellan.write("collected.json", &collected.to_string());
    for force in [&[][..], &["--force-update"]] {
        let mut command = Command::new(&magellan.program);
        command.args(["send", "-d", "@collected.json", "--access-token", &magellan.token]).args(force);
        command.arg(&magellan.serving.api).current_dir(magellan.cluster.dir.path()).stdin(Stdio::null());
        Finished::of(command.env("HOME", magellan.cluster.dir.path()).output().unwrap()).expect(0);
        let interface = magellan.smd("Inventory/EthernetInterfaces/ece7a705a1fc");
        assert_eq!(interface["ComponentID"], "x1000c1s7b0n0", "{interface}");
        assert_eq!(magellan.smd("State/Components/x1000c1s7b0n0")["State"], "On");
        assert_eq!(magellan.smd("Inventory/RedfishEndpoints/x1000c1s7b0")["Password"], "");
    }
}

const BOOT: &str =
    "macs: ['ec:e7:a7:05:a1:fc']\nkernel: http://demo/vmlinuz\ninitrd: http://demo/initrd\nparams: quiet\n";

#[test]
fn the_tutorials_client_does_what_the_tutorial_says() {
    let Some(ochami) = Client::find("OCHAMI_LEGACY_BIN") else { return };
    ochami.write(
        "nodes.yaml",
        "nodes:\n- name: nid001\n  nid: 1\n  xname: x1000c1s7b0n0\n  bmc_mac: de:ca:fc:0f:ee:ee\n  bmc_ip: 172.16.0.101\n  \
         group: compute\n  interfaces:\n  - mac_addr: ec:e7:a7:05:a1:fc\n    ip_addrs:\n    - name: internal\n      \
         ip_addr: 172.16.0.1\n",
    );
    // It registers the interface with the endpoint and once more by itself, is told that it is there, and complains, as
    // with the original.
    ochami.run(&["discover", "-f", "nodes.yaml", "--payload-format", "yaml"]).expect(1);
    ochami.is_discovered(&["x1000c1s7b0n0"]);
    for noun in ["component", "compep", "rfe", "iface", "group"] {
        assert!(ochami.does(&["smd", noun, "get"]).contains("x1000c1s7b0"), "{noun}");
    }
    ochami.write("boot.yaml", BOOT);
    ochami.does(&["bss", "boot", "params", "set", "--payload-format", "yaml", "--payload", "boot.yaml"]);
    assert_eq!(ochami.says(&["bss", "boot", "params", "get"])[0]["kernel"], "http://demo/vmlinuz");
    ochami.gets_scripts();
    assert!(ochami.does(&["smd", "status"]).contains("healthy") && ochami.does(&["bss", "status"]).contains("running"));
    ochami.write(
        "ci.yaml",
        "- name: compute\n  cloud-init:\n    userdata: {runcmd: [date]}\n    metadata: {instance-id: test}\n",
    );
    for shelf in [&["cloud-init"][..], &["cloud-init", "--secure"]] {
        let ask = |rest: &[&str]| ochami.does(&[shelf, rest].concat());
        ask(&["config", "add", "--payload-format", "yaml", "--payload", "ci.yaml"]);
        ask(&["config", "update", "--payload-format", "yaml", "--payload", "ci.yaml"]);
        assert_eq!(ask(&["data", "get", "compute"]).trim(), "#cloud-config\nruncmd:\n- date");
        assert_eq!(ask(&["data", "get", "--meta", "x1000c1s7b0n0"]).trim(), "instance-id: test");
        ask(&["config", "delete", "--force", "compute"]);
    }
}

#[test]
fn the_client_of_2025_finds_smd_bss_and_cloud_init_as_it_knows_them() {
    let Some(ochami) = Client::find("OCHAMI_2025_BIN") else { return };
    ochami.write(
        "nodes.yaml",
        "nodes:\n- {name: node01, nid: 1, xname: x1000c1s7b0n0, bmc_mac: 'de:ca:fc:0f:ee:ee', bmc_ip: 172.16.0.101, \
         groups: [compute], interfaces: [{mac_addr: 'ec:e7:a7:05:a1:fc', ip_addrs: [{name: i, ip_addr: 172.16.0.1}]}]}\n\
         - {name: node02, nid: 2, xname: x1000c1s7b1n0, bmc_mac: 'de:ca:fc:0f:ee:ef', bmc_ip: 172.16.0.102, groups: \
         [compute], interfaces: [{mac_addr: 'ec:e7:a7:05:a2:28', ip_addrs: [{name: i, ip_addr: 172.16.0.2}]}]}\n",
    );
    ochami.finds_smd();
    ochami.finds_bss();
    ochami.finds_cloud_init();
}

#[test]
fn todays_client_finds_smd_bss_and_cloud_init_as_it_knows_them() {
    let Some(ochami) = Client::find("OCHAMI_BIN") else { return };
    ochami.write(
        "nodes.yaml",
        "bmcs:\n- {xname: x1000c1s7b0, mac: 'de:ca:fc:0f:ee:ee', ip: 172.16.0.101}\n- {xname: x1000c1s7b1, mac: \
         'de:ca:fc:0f:ee:ef', ip: 172.16.0.102}\nnodes:\n- {name: node01, nid: 1, xname: x1000c1s7b0n0, bmc: x1000c1s7b0, \
         groups: [compute], interfaces: [{mac_addr: 'ec:e7:a7:05:a1:fc', ip_addrs: [{name: i, ip_addr: 172.16.0.1}]}]}\n\
         - {name: node02, nid: 2, xname: x1000c1s7b1n0, bmc: x1000c1s7b1, groups: [compute], interfaces: [{mac_addr: \
         'ec:e7:a7:05:a2:28', ip_addrs: [{name: i, ip_addr: 172.16.0.2}]}]}\n",
    );
    ochami.finds_smd();
    // The client before this one has the filter and does not send it.
    let found = ochami.says(&["smd", "iface", "get", "--ip", "172.16.0.2"]);
    assert_eq!((found.as_array().unwrap().len(), &found[0]["ComponentID"]), (1, &json!("x1000c1s7b1n0")));
    ochami.finds_bss();
    ochami.finds_cloud_init();
}

/// What the clients since 2025 have in common.
impl Client {
    /// Registers the two nodes of `nodes.yaml`, and then some.
    #[track_caller]
    fn finds_smd(&self) {
        self.does(&["discover", "static", "-f", "yaml", "-d", "@nodes.yaml"]);
        self.is_discovered(&["x1000c1s7b0n0", "x1000c1s7b1n0"]);
        self.run(&["discover", "static", "-f", "yaml", "-d", "@nodes.yaml"]).expect(1);
        self.does(&["discover", "static", "--overwrite", "-f", "yaml", "-d", "@nodes.yaml"]);
        self.is_discovered(&["x1000c1s7b0n0", "x1000c1s7b1n0"]);
        for noun in ["component", "compep", "rfe", "iface", "group"] {
            assert!(self.does(&["smd", noun, "get"]).contains("x1000c1s7b1"), "{noun}");
        }
        assert_eq!(self.says(&["smd", "component", "get", "-n", "2"])["ID"], "x1000c1s7b1n0");
        self.does(&["smd", "group", "add", "-D", "Login", "--tag", "tag1,tag2", "-m", "x1000c1s7b0n0", "login"]);
        self.run(&["smd", "group", "add", "login"]).expect(1);
        self.run(&["smd", "group", "add", "Bad Name!"]).expect(1);
        self.does(&["smd", "group", "member", "add", "login", "x1000c1s7b1n0"]);
        self.run(&["smd", "group", "member", "add", "login", "x9000c1s7b3n0"]).expect(1);
        assert_eq!(self.smd("groups/login")["members"]["ids"].as_array().unwrap().len(), 2);
        self.does(&["smd", "group", "delete", "--no-confirm", "login"]);
        self.does(&["smd", "iface", "add", "x3000c1s7b56n0", "de:ca:fc:0f:fe:f1", "NMN,172.16.0.56"]);
        assert!(self.does(&["smd", "iface", "get"]).contains("x3000c1s7b56n0"));
        self.run(&["smd", "iface", "add", "x3000c1s7b56n0", "zz:zz", "NMN,172.16.0.56"]).expect(1);
        self.does(&["smd", "iface", "delete", "--no-confirm", "decafc0ffef1"]);
        self.does(&["smd", "component", "add", "x3000c1s7b57n0", "57"]);
        // The client asks for a NID and does not send it, so SMD gives one.
        assert_eq!(self.says(&["smd", "component", "get", "-x", "x3000c1s7b57n0"])["State"], "Ready");
        self.does(&["smd", "component", "delete", "--no-confirm", "x3000c1s7b57n0"]);
        assert!(self.does(&["smd", "service", "status"]).contains("healthy"));
    }

    /// Sets, reads and deletes the boot parameters of the first node.
    #[track_caller]
    fn finds_bss(&self) {
        self.write("boot.yaml", BOOT);
        self.does(&["bss", "boot", "params", "set", "-f", "yaml", "-d", "@boot.yaml"]);
        self.does(&["bss", "boot", "params", "update", "--mac", "ec:e7:a7:05:a1:fc", "--params", "debug"]);
        assert_eq!(self.says(&["bss", "boot", "params", "get"])[0]["params"], "debug");
        let script = get(&format!("{}/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc", self.serving.boot)).body;
        assert_eq!(
            self.does(&["bss", "boot", "script", "get", "--mac", "ec:e7:a7:05:a1:fc"]).lines().next(),
            script.lines().next()
        );
        assert!(script.contains(" debug ") && script.contains("nid=1 "), "{script}");
        self.gets_scripts();
        self.does(&["bss", "boot", "params", "delete", "--no-confirm", "-d", r#"{"macs":["ec:e7:a7:05:a1:fc"]}"#]);
        self.run(&["bss", "boot", "params", "get", "--mac", "ec:e7:a7:05:a1:fc"]).expect(1);
        assert!(self.does(&["bss", "service", "status"]).contains("running"));
    }

    /// Says what the group of the nodes and the first node are told, and reads it as the node would.
    #[track_caller]
    fn finds_cloud_init(&self) {
        self.write(
            "defaults.yaml",
            "cluster-name: demo\nshort-name: nid\nnid-length: 3\nbase-url: http://head/cloud-init\n",
        );
        self.does(&["cloud-init", "defaults", "set", "-f", "yaml", "-d", "@defaults.yaml"]);
        assert_eq!(self.says(&["cloud-init", "defaults", "get"])["nid-length"], 3);
        let config = "## template: jinja\n#cloud-config\nhostname: {{ ds.meta_data.instance_data.v1.local_ipv4 }}\n";
        let group = json!([{"name": "compute", "description": "all of them", "meta-data": {"syslog": "192.0.2.1"},
            "file": {"encoding": "plain", "content": config}}]);
        self.write("group.json", &group.to_string());
        let group = |rest: &[&str]| self.run(&[&["cloud-init", "group"], rest].concat());
        group(&["get", "raw", "compute"]).expect(1);
        group(&["add", "-d", "@group.json"]).expect(0);
        group(&["add", "-d", "@group.json"]).expect(1);
        group(&["set", "-d", "@group.json"]).expect(0);
        assert_eq!(self.says(&["cloud-init", "group", "get", "raw", "compute"])[0]["description"], "all of them");
        assert_eq!(group(&["get", "config", "compute"]).expect(0).stdout.trim(), config.trim());
        // It reads the node's meta-data and fills in the template by itself.
        let rendered = group(&["render", "compute", "x1000c1s7b1n0"]).expect(0).stdout;
        assert!(rendered.contains("hostname: 172.16.0.2"), "{rendered}");

        self.does(&["cloud-init", "node", "set", "-d", r#"[{"id": "x1000c1s7b0n0", "local-hostname": "login"}]"#]);
        let node = |what: &'static str| ["cloud-init", "node", "get", what, "x1000c1s7b0n0"];
        let meta_data = &self.says(&node("meta-data"))[0];
        assert_eq!((&meta_data["local-hostname"], &meta_data["hostname"]), (&json!("login"), &json!("nid001")));
        let instance = &meta_data["instance_data"]["v1"];
        assert_eq!(instance["local_ipv4"], "172.16.0.1", "{instance}");
        assert_eq!(instance["vendor_data"]["groups"]["compute"]["syslog"], "192.0.2.1", "{instance}");
        assert_eq!(self.does(&node("vendor-data")).trim(), "#include\nhttp://head/cloud-init/compute.yaml");
        assert_eq!(self.does(&node("user-data")).trim(), "#cloud-config");
        let groups = self.does(&["cloud-init", "node", "get", "group", "x1000c1s7b0n0", "compute"]);
        assert_eq!(groups.trim(), config.trim());
        self.run(&["cloud-init", "node", "get", "meta-data", "x9000c1s7b0n0"]).expect(1);
        group(&["delete", "--no-confirm", "compute"]).expect(0);
        group(&["get", "raw", "compute"]).expect(1);
        assert!(self.does(&["cloud-init", "service", "status"]).contains("running"));
    }
}
