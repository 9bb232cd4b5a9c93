//! The services that the program stands for, beside it in one run: the same data, loaded the same way, and the same
//! requests, turn by turn.
//!
//! ```text
//! REAL_SMD_URL=http://127.0.0.1:27779/hsm/v2 REAL_BSS_URL=http://127.0.0.1:27778/boot/v1 \
//! REAL_CLOUD_INIT_URL=http://127.0.0.1:27777 cargo bench --bench figures -- peers 1000
//! ```
//!
//! With `peers loads` only the loads are measured. The services are started by hand, on the same machine, with empty stores
//! and without authentication.

use std::time::{Duration, Instant};

use crate::generate::{mac, xname};
use crate::load::{self, Summary};
use crate::program::Program;

/// How long each kind of request is sent in one turn.
const TURN: Duration = Duration::from_secs(3);

/// How many turns each side has; the median one is told.
const TURNS: usize = 3;

/// How long nothing is sent before each load, so that the databases have put away what came before.
const REST: Duration = Duration::from_secs(2);

/// Components in one request, less than what SMD takes at most (4,369).
const CHUNK: usize = 2000;

/// Members of one group: SMD refuses groups of 50,000.
const GROUP: usize = 1000;

/// Where one side answers.
struct Side {
    smd: Place,
    bss: Place,
    cloud_init: Place,
}

/// An address and the path under which a service is found there.
#[derive(Clone)]
struct Place {
    addr: String,
    base: String,
}

impl Place {
    fn of(url: &str) -> Self {
        let rest = url.strip_prefix("http://").unwrap_or(url);
        let (addr, base) = rest.split_once('/').unwrap_or((rest, ""));
        let base = base.trim_end_matches('/');
        Self { addr: addr.to_owned(), base: if base.is_empty() { String::new() } else { format!("/{base}") } }
    }

    fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.base)
    }
}

/// Measures one number of nodes, the requests unless only the loads are asked for, and gives the rows of a table: what, the
/// program's figure, the services' figure, ratio.
pub(crate) fn measure(nodes: usize, only_loads: bool) -> Vec<[String; 4]> {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::new(directory.path());
    let serving = program.serve();
    let url = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} names the service to compare with"));
    let place = |path: &str| Place { addr: serving.api.clone(), base: path.to_owned() };
    let ours = Side { smd: place("/hsm/v2"), bss: place("/boot/v1"), cloud_init: place("/cloud-init") };
    let theirs = Side {
        smd: Place::of(&url("REAL_SMD_URL")),
        bss: Place::of(&url("REAL_BSS_URL")),
        cloud_init: Place::of(&url("REAL_CLOUD_INIT_URL")),
    };
    let mut rows = loads(nodes, &ours, &theirs);
    if !only_loads {
        rows.extend(requests(nodes, &ours, &theirs));
    }
    rows
}

/// Fills both sides, step by step; the last row is all of them together.
fn loads(nodes: usize, ours: &Side, theirs: &Side) -> Vec<[String; 4]> {
    type Step = (&'static str, usize, fn(usize, &Side) -> Vec<(Place, &'static str, String, String)>);
    let steps: [Step; 6] = [
        ("load components, 2,000 a request", 1, components),
        ("load interfaces, one a request, 8 connections", 8, interfaces),
        ("load Redfish endpoints with one system each, 8 connections", 8, endpoints),
        ("load groups of 1,000 members", 1, groups),
        ("load boot parameters, one request", 1, boot_parameters),
        ("load cloud-init defaults and groups", 1, cloud_init),
    ];
    let mut rows = Vec::new();
    let row = |what: &str, [a, b]: [Duration; 2]| {
        [what.to_owned(), seconds(a), seconds(b), ratio(b.as_secs_f64() / a.as_secs_f64())]
    };
    let mut whole = [Duration::ZERO; 2];
    for (what, connections, make) in steps {
        let took = [ours, theirs].map(|side| send_all(connections, &make(nodes, side)));
        whole = [whole[0] + took[0], whole[1] + took[1]];
        rows.push(row(what, took));
    }
    rows.push(row("the whole load of the cluster", whole));
    rows
}

/// Sends each request once and waits for every answer; what the answers are is not judged here, because SMD answers some
/// that it carried out with an error.
fn send_all(connections: usize, requests: &[(Place, &'static str, String, String)]) -> Duration {
    let lanes: Vec<Vec<(String, Vec<u8>)>> = (0..connections)
        .map(|lane| {
            let own = requests.iter().skip(lane).step_by(connections);
            own.map(|(place, method, path, body)| {
                let head = format!(
                    "{method} {} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    place.path(path),
                    body.len()
                );
                (place.addr.clone(), [head.as_bytes(), body.as_bytes()].concat())
            })
            .collect()
        })
        .collect();
    rest();
    let started = Instant::now();
    load::send(lanes);
    started.elapsed()
}

#[expect(clippy::disallowed_methods, reason = "there is no runtime here, and nothing to wait for but time")]
fn rest() {
    std::thread::sleep(REST);
}

fn components(nodes: usize, side: &Side) -> Vec<(Place, &'static str, String, String)> {
    let all: Vec<String> = (0..nodes)
        .map(|at| format!(r#"{{"ID":"{}","State":"On","NID":{},"Role":"Compute"}}"#, xname(at), at + 1))
        .collect();
    let post = |chunk: &[String]| {
        let body = format!(r#"{{"Components":[{}]}}"#, chunk.join(","));
        (side.smd.clone(), "POST", "/State/Components".to_owned(), body)
    };
    all.chunks(CHUNK).map(post).collect()
}

fn interfaces(nodes: usize, side: &Side) -> Vec<(Place, &'static str, String, String)> {
    let post = |at: usize| {
        let ip = format!("10.{}.{}.{}", 1 + (at >> 16), at >> 8 & 0xff, at & 0xff);
        let body = format!(
            r#"{{"MACAddress":"{}","ComponentID":"{}","IPAddresses":[{{"IPAddress":"{ip}"}}]}}"#,
            mac(at),
            xname(at)
        );
        (side.smd.clone(), "POST", "/Inventory/EthernetInterfaces".to_owned(), body)
    };
    (0..nodes).map(post).collect()
}

fn endpoints(nodes: usize, side: &Side) -> Vec<(Place, &'static str, String, String)> {
    let post = |at: usize| {
        let node = xname(at);
        let bmc = node.trim_end_matches("n0");
        let uuid = format!("00000000-0000-4000-8000-{at:012x}");
        let body = format!(
            r#"{{"ID":"{bmc}","FQDN":"{bmc}","SchemaVersion":1,"Systems":[{{"uri":"/redfish/v1/Systems/{node}","uuid":"{uuid}","name":"{node}","ethernet_interfaces":[{{"mac":"{}","ip":""}}]}}]}}"#,
            mac(at)
        );
        (side.smd.clone(), "POST", "/Inventory/RedfishEndpoints".to_owned(), body)
    };
    (0..nodes).map(post).collect()
}

fn groups(nodes: usize, side: &Side) -> Vec<(Place, &'static str, String, String)> {
    let all: Vec<usize> = (0..nodes).collect();
    let post = |(at, chunk): (usize, &[usize])| {
        let members: Vec<String> = chunk.iter().map(|at| format!(r#""{}""#, xname(*at))).collect();
        let body = format!(r#"{{"label":"g{at}","description":"","members":{{"ids":[{}]}}}}"#, members.join(","));
        (side.smd.clone(), "POST", "/groups".to_owned(), body)
    };
    all.chunks(GROUP).enumerate().map(post).collect()
}

fn boot_parameters(nodes: usize, side: &Side) -> Vec<(Place, &'static str, String, String)> {
    let macs: Vec<String> = (0..nodes).map(|at| format!(r#""{}""#, mac(at))).collect();
    let body = format!(
        r#"{{"macs":[{}],"kernel":"http://10.255.0.254:8080/vmlinuz","initrd":"http://10.255.0.254:8080/initramfs.img","params":"console=ttyS0,115200 ip=dhcp root=live:http://10.255.0.254:8080/rootfs"}}"#,
        macs.join(",")
    );
    vec![(side.bss.clone(), "PUT", "/bootparameters".to_owned(), body)]
}

fn cloud_init(nodes: usize, side: &Side) -> Vec<(Place, &'static str, String, String)> {
    let defaults = r#"{"cluster-name":"bench","short-name":"nid","nid-length":6,"base-url":"http://10.255.0.254:8081/cloud-init","public-keys":["ssh-ed25519 AAAA bench"]}"#;
    let mut all = vec![(side.cloud_init.clone(), "POST", "/admin/cluster-defaults".to_owned(), defaults.to_owned())];
    for at in 0..nodes.div_ceil(GROUP) {
        let body = format!(
            r##"{{"name":"g{at}","description":"bench","meta-data":{{"syslog":"10.255.0.254"}},"file":{{"encoding":"plain","content":"#cloud-config\nruncmd:\n- systemctl restart chronyd\n"}}}}"##
        );
        all.push((side.cloud_init.clone(), "POST", "/admin/groups".to_owned(), body));
    }
    all
}

/// The requests of booting nodes and of those who look at the inventory, both sides in turns.
fn requests(nodes: usize, ours: &Side, theirs: &Side) -> Vec<[String; 4]> {
    type Make = Box<dyn Fn(&Side, usize) -> (Place, String) + Sync>;
    let node = move |at: usize| xname(at % nodes);
    let of_node = move |file: &'static str| -> Make {
        Box::new(move |side, at| {
            let file = if file.is_empty() { format!("g{}.yaml", at % nodes / GROUP) } else { file.to_owned() };
            (side.cloud_init.clone(), format!("/admin/impersonation/{}/{file}", node(at)))
        })
    };
    let kinds: [(&str, &[usize], Make); 7] = [
        (
            "boot script",
            &[1, 16],
            Box::new(move |side, at| (side.bss.clone(), format!("/bootscript?mac={}", mac(at % nodes)))),
        ),
        (
            "SMD component by xname",
            &[1, 16],
            Box::new(move |side, at| (side.smd.clone(), format!("/State/Components/{}", node(at)))),
        ),
        ("cloud-init meta-data", &[1, 16], of_node("meta-data")),
        ("cloud-init vendor-data", &[1, 16], of_node("vendor-data")),
        ("cloud-init group file", &[1, 16], of_node("")),
        ("SMD list of all components", &[1], Box::new(|side, _| (side.smd.clone(), "/State/Components".to_owned()))),
        (
            "SMD list of all interfaces",
            &[1],
            Box::new(|side, _| (side.smd.clone(), "/Inventory/EthernetInterfaces".to_owned())),
        ),
    ];
    let mut rows = Vec::new();
    for (what, connections, make) in &kinds {
        for &connections in *connections {
            let mut turns: [Vec<Summary>; 2] = [Vec::new(), Vec::new()];
            for _ in 0..TURNS {
                for (side, turns) in [ours, theirs].into_iter().zip(&mut turns) {
                    let addr = make(side, 0).0.addr;
                    let path = |at: usize| {
                        let (place, path) = make(side, at);
                        place.path(&path)
                    };
                    turns.push(load::run(&addr, connections, TURN, &path));
                }
            }
            let [a, b] = turns.map(median);
            let (a_text, b_text) = (told(&a), told(&b));
            rows.push([
                format!("{what}, {connections} connections"),
                a_text,
                b_text,
                ratio(a.per_second / b.per_second),
            ]);
        }
    }
    rows
}

fn median(mut turns: Vec<Summary>) -> Summary {
    turns.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    turns.swap_remove(TURNS / 2)
}

fn told(summary: &Summary) -> String {
    let bad = if summary.bad == 0 { String::new() } else { format!(", **{} not 200**", summary.bad) };
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    format!("{:.0}/s, p50 {:.2} ms, p99 {:.2} ms{bad}", summary.per_second, ms(summary.p50), ms(summary.p99))
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

fn ratio(times: f64) -> String {
    format!("{times:.1}×")
}
