//! The services of others that read an SMD, unmodified, with ours for their SMD: what they tell nodes has to come from
//! what `serve` holds.
//!
//! `BSS_BIN` (`boot-script-service`), `CLOUD_INIT_BIN` (today's `cloud-init-server`) and `COREDHCP_BIN` (`coredhcp` built
//! with coresmd) name the programs. Without one of them its test says that it was skipped. None needs a database.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::between::{Between, Fate};
use crate::dhcp::{NODE, Wires, has, is_root};
use crate::replay::yaml;
use crate::support::{Answer, Cluster, Killed, PROGRAM, Serving, get, send, skipped, until};

const FIRST: &str = "x1000c1s7b1n0";
const BASE: &str = "http://172.16.0.254:8081/cloud-init";

/// The program that a variable names.
fn program(variable: &str) -> Option<String> {
    let program = std::env::var(variable).ok().filter(|path| !path.is_empty());
    if program.is_none() {
        skipped(&format!("{variable} does not say where the service is"));
    }
    program
}

/// Starts a service of others, with what it says in a file.
fn start(mut command: Command, log: &std::path::Path) -> Killed {
    let sink = std::fs::File::create(log).unwrap();
    Killed(command.stdin(Stdio::null()).stdout(sink.try_clone().unwrap()).stderr(sink).spawn().unwrap())
}

/// The example cluster in our SMD, which asks for tokens, and a service that reads it over HTTP.
struct Beside {
    cluster: Cluster,
    serving: Serving,
    token: String,
    /// Gives the token to whoever asks, as the token service of an installation does.
    tokens: Between,
    /// Where the service is to listen.
    address: String,
    service: Option<Killed>,
}

impl Beside {
    fn new() -> Self {
        let cluster = Cluster::demo();
        cluster.run(&["apply", "--yes"]).expect(0);
        let serving = cluster.serve(&[]);
        assert_eq!(get(&format!("{}/hsm/v2/Inventory/RedfishEndpoints", serving.api)).status, 401);
        let token = cluster.run(&["token"]).expect(0).stdout.trim().to_owned();
        let given: &'static str = json!({ "access_token": token }).to_string().leak();
        let tokens = Between::new("", move |_| Fate::Answer(200, given));
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        Self { cluster, serving, token, tokens, address, service: None }
    }

    /// Starts the service, and waits until it answers there.
    fn start(&mut self, command: Command, path: &str) {
        let log = self.cluster.path("service.log");
        let mut service = start(command, &log);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        until("the service answers", || {
            let said = || std::fs::read_to_string(&log).unwrap();
            assert!(service.0.try_wait().unwrap().is_none(), "the service has ended:\n{}", said());
            let answer = runtime.block_on(reqwest::get(format!("http://{}{path}", self.address)));
            answer.is_ok_and(|answer| answer.status().is_success()).then_some(())
        });
        self.service = Some(service);
    }

    /// Asks the service.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let body = body.map(|body| body.to_string());
        send(method, &format!("http://{}{path}", self.address), headers, body.as_deref())
    }

    fn read(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], None)
    }

    /// Has the service take what is said.
    #[track_caller]
    fn tell(&self, method: &str, path: &str, body: Value) {
        let answer = self.ask(method, path, &[("content-type", "application/json")], Some(body));
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.body);
    }

    /// Changes something in our SMD.
    #[track_caller]
    fn set(&self, method: &str, path: &str, body: &Value) {
        let bearer = format!("Bearer {}", self.token);
        let url = format!("{}/hsm/v2{path}", self.serving.api);
        let answer = send(method, &url, &[("authorization", &bearer)], Some(&body.to_string()));
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.body);
    }
}

#[test]
fn a_real_bss_finds_nodes_in_our_smd() {
    let Some(program) = program("BSS_BIN") else { return };
    let mut beside = Beside::new();
    let mut command = Command::new(program);
    command.args(["-http-listen", &beside.address, "-hsm", &beside.serving.api, "-datastore", "mem:"]);
    // Nobody listens there: changes of state are not told to it.
    command.args(["-nfd", "http://127.0.0.1:9", "-spire-url", "http://127.0.0.1:9"]);
    command.args(["-cloud-init-address", "172.16.0.254", "-oauth2-admin-base-url", &beside.tokens.url]);
    beside.start(command, "/boot/v1/service/status");
    assert_eq!(beside.tokens.seen()[..1], ["POST /token"], "it is told to have a token and gets one");

    let nodes = beside.read("/boot/v1/hosts").json();
    let node = nodes.as_array().unwrap().iter().find(|node| node["ID"] == FIRST).expect("the node is known").clone();
    assert_eq!((&node["NID"], &node["EndpointEnabled"]), (&json!(1), &json!(true)), "{node}");
    assert!(node["MAC"].as_array().unwrap().contains(&json!(NODE)), "{node}");
    assert_eq!(beside.read("/boot/v1/hosts?nid=1").json()[0]["ID"], FIRST);
    assert_eq!(beside.read("/boot/v1/hosts?mac=02:00:00:00:00:01").status, 404);

    // It is told of the node by its name, and the node asks by its address: our SMD is what joins the two.
    let parameters = json!({"hosts": [FIRST], "kernel": "http://head/vmlinuz", "initrd": "http://head/initrd",
        "params": "quiet"});
    beside.tell("PUT", "/boot/v1/bootparameters", parameters);
    for asked in [&format!("mac={NODE}"), "nid=1", &format!("name={FIRST}")] {
        let script = beside.read(&format!("/boot/v1/bootscript?{asked}")).body;
        let kernel = format!("kernel --name kernel http://head/vmlinuz initrd=initrd quiet xname={FIRST} nid=1 ");
        assert!(script.contains(&kernel) && script.contains("initrd --name initrd http://head/initrd"), "{script}");
    }

    beside.set("PATCH", "/State/Components/BulkNID", &json!({"Components": [{"ID": FIRST, "NID": 4711}]}));
    until("it has read our SMD again", || {
        assert!(beside.ask("POST", "/boot/v1/hosts", &[], None).status < 300);
        let script = beside.read(&format!("/boot/v1/bootscript?mac={NODE}")).body;
        script.contains(&format!("xname={FIRST} nid=4711 ")).then_some(())
    });
}

#[test]
fn a_real_cloud_init_finds_nodes_and_their_groups_in_our_smd() {
    let Some(program) = program("CLOUD_INIT_BIN") else { return };
    let mut beside = Beside::new();
    let members = json!({"label": "gpu", "description": "", "members": {"ids": [FIRST]}});
    beside.set("POST", "/groups", &members);
    let mut command = Command::new(program);
    command.args(["--listen", &beside.address, "--smd-url", &beside.serving.api, "--base-url", BASE]);
    command.args(["--impersonation", "--insecure", "--token-url", &format!("{}/token", beside.tokens.url)]);
    beside.start(command, "/version");
    assert!(beside.tokens.seen().contains(&"GET /token".to_owned()), "it is told to have a token and gets one");

    let defaults = json!({"cluster-name": "demo", "short-name": "nid", "nid-length": 3});
    beside.tell("POST", "/admin/cluster-defaults", defaults);
    let config = "#cloud-config\nruncmd: [hostname]\n";
    let group = json!({"name": "compute", "description": "all of them", "meta-data": {"syslog": "192.0.2.1"},
        "file": {"encoding": "plain", "content": config}});
    beside.tell("POST", "/admin/groups", group);

    let as_node = |path: &str| beside.ask("GET", path, &[("x-forwarded-for", "172.16.0.1")], None);
    let by_name = beside.read(&format!("/admin/impersonation/{FIRST}/meta-data"));
    for answer in [as_node("/meta-data"), by_name] {
        let said = yaml::data(&answer.body).unwrap();
        assert_eq!((&said["local-hostname"], &said["cluster-name"]), (&json!("nid001"), &json!("demo")), "{said}");
        let instance = &said["instance_data"]["v1"];
        assert_eq!(instance["local_ipv4"], "172.16.0.1", "{said}");
        let groups = &instance["vendor_data"]["groups"];
        assert_eq!(groups.as_object().unwrap().keys().collect::<Vec<_>>(), ["compute", "gpu"], "{said}");
        assert_eq!(groups["compute"]["syslog"], "192.0.2.1", "{said}");
    }
    assert_eq!(as_node("/vendor-data").body, format!("#include\n{BASE}/compute.yaml\n{BASE}/gpu.yaml\n"));
    assert_eq!(as_node("/compute.yaml").body, config);
    assert_eq!(beside.read(&format!("/admin/impersonation/{FIRST}/compute.yaml")).body, config);
    assert_eq!(as_node("/login.yaml").status, 404, "the node is no member");
    assert_eq!(beside.ask("GET", "/meta-data", &[("x-forwarded-for", "172.16.0.199")], None).status, 422);
    assert_eq!(beside.read("/admin/impersonation/x9000c1s7b1n0/meta-data").status, 404);
}

#[test]
fn a_real_coresmd_gives_nodes_the_addresses_of_our_smd() {
    let Some(program) = program("COREDHCP_BIN") else { return };
    if !is_root() || !has("udhcpc") {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(2));
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    wires.ip(1, &format!("link set left address {NODE}"));
    let mut command = wires.daemon(0, PROGRAM);
    command.args(["serve", "-i", "inventory", "--apply", "--api", "http://127.0.0.1:0", "--boot", "127.0.0.1:0"]);
    command.current_dir(cluster.dir.path()).env("OCHAMI_SYNC_STATE", cluster.state()).env_remove("RUST_LOG");
    let serving = Serving::start(command);
    until("the inventory is applied", || serving.log().contains("applied:").then_some(()));

    // It wants a certificate although it asks without TLS. It sends no token.
    std::fs::write(cluster.path("ca.pem"), "").unwrap();
    std::fs::create_dir(cluster.path("tftp")).unwrap();
    let within = cluster.dir.path().display();
    let config = format!(
        "server4:\n  listen: ['%right']\n  plugins:\n  - server_id: 172.16.0.254\n  - router: 172.16.0.254\n  - netmask: \
         255.255.255.0\n  - coresmd: svc_base_uri={} ipxe_base_uri=http://172.16.0.254:8081 ca_cert={within}/ca.pem \
         cache_valid=1s tftp_dir={within}/tftp lease_time=10m rule=type:Node,hostname:nid{{03d}}\n",
        serving.api
    );
    std::fs::write(cluster.path("coredhcp.yaml"), config).unwrap();
    let mut command = wires.daemon(0, &program);
    command.arg("-c").arg(cluster.path("coredhcp.yaml"));
    let log = cluster.path("coredhcp.log");
    let mut coredhcp = start(command, &log);
    let said = || std::fs::read_to_string(&log).unwrap();
    until("it has read our SMD", || {
        assert!(coredhcp.0.try_wait().unwrap().is_none(), "it has ended:\n{}", said());
        said().contains("Cache updated with").then_some(())
    });

    let as_ipxe = ["-O", "bootfile", "-x", "0x4d:69505845", "-x", "0x5d:0007"];
    let told = wires.udhcpc(1, &cluster, &as_ipxe);
    let bound = "EVENT bound ip=172.16.0.1 lease=600 hostname=nid001 router=172.16.0.254";
    assert!(told.contains(bound), "{told}\n{}", said());
    let file = format!("bootfile=http://172.16.0.254:8081/boot/v1/bootscript?mac={NODE}");
    assert!(told.contains(&file), "{told}\n{}", said());

    cluster.edit("nodes.yaml", "ip_addr: 172.16.0.1\n", "ip_addr: 172.16.0.77\n");
    until("it gives the address that the node has since", || {
        let told = wires.udhcpc(1, &cluster, &[]);
        told.contains("EVENT bound ip=172.16.0.77 lease=600 hostname=nid001 ").then_some(())
    });
}
