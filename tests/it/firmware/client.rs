//! The real cloud-init client, as Debian packages it, from its first stage to its phone-home, in either form of
//! cloud-init.

use std::path::Path;
use std::process::{Command, Stdio};

use super::NODES;
use super::lab::{HEAD, Lab};
use crate::support::{Finished, Serving, repository};

/// What a node does with its user-data, but for the path of a file that tells which text it was.
const TOLD: &str = "runcmd:\n- [sh, -c, 'echo $(cat /etc/greeting) again > /etc/ran']\nphone_home:\n  url: \
                    http://172.16.0.254:8081/cloud-init/phone-home/x1000c1s7b1n0\n  post: [instance_id, hostname]\n  \
                    tries: 3\n";

/// Indents every line of a text.
fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{:by$}{line}\n", "")).collect()
}

/// Runs the client as the first node of the example cluster, and answers what it left: the directory has the files
/// `hostname`, `greeting` and `ran`.
fn runs_client(lab: &Lab, out: &Path) -> Serving {
    let serving = lab.serve();
    let node = lab.neighbour(NODES[0].0, "172.16.0.1");
    let mut client = Command::new("timeout");
    client.args(["-k", "5", "400", "unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child"]);
    client.arg(repository().join("tests/fixtures/cloud-init-client"));
    client.args([&node.0, &format!("http://{HEAD}:8081/cloud-init/")]).arg(lab.payload.join("cloud-init")).arg(out);
    client.args(["/etc/greeting", "/etc/ran"]).stdin(Stdio::null());
    let finished = Finished::of(client.output().unwrap());
    let told = |name: &str| std::fs::read_to_string(out.join(name)).unwrap_or_default();
    let logs = || ["dpkg.log", "stages.log", "status", "cloud-init.log"].map(told).concat();
    assert_eq!(finished.code, 0, "{finished:?}\n{}", logs());
    assert!(told("status").contains("status: done"), "{}", logs());
    serving
}

#[track_caller]
fn holds(path: &Path, text: &str) {
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(found.trim(), text, "{}", path.display());
}

/// What the client is started with.
const PROGRAMS: &[&str] = &["unshare", "nsenter"];

#[test]
fn the_real_client_does_what_the_tutorials_form_says_and_phones_home() {
    let Some(lab) = Lab::new(PROGRAMS) else { return };
    let entry = format!(
        "- name: compute\n  cloud-init:\n    metadata: {{instance-id: ochami-compute, local-hostname: nid001}}\n    \
         userdata:\n      write_files: [{{path: /etc/greeting, content: hello}}]\n{}",
        indented(TOLD, 6)
    );
    std::fs::write(lab.cluster.inventory().join("cloud-init/compute.yaml"), entry).unwrap();
    let out = lab.cluster.path("client");
    let serving = runs_client(&lab, &out);
    holds(&out.join("hostname"), "nid001");
    holds(&out.join("node/greeting"), "hello");
    holds(&out.join("node/ran"), "hello again");
    phoned_home(&serving);
}

#[test]
fn the_real_client_does_what_todays_form_says_and_phones_home() {
    let Some(lab) = Lab::new(PROGRAMS) else { return };
    let cloud_init = lab.cluster.inventory().join("cloud-init");
    std::fs::remove_file(cloud_init.join("compute.yaml")).unwrap();
    std::fs::create_dir(cloud_init.join("groups")).unwrap();
    let defaults =
        "cluster-name: demo\nshort-name: nid\nnid-length: 3\nbase-url: http://172.16.0.254:8081/cloud-init\n";
    std::fs::write(cloud_init.join("defaults.yaml"), defaults).unwrap();
    let file = "## template: jinja\n#cloud-config\nwrite_files:\n- path: /etc/greeting\n  content: hello \
                {{ ds.meta_data.instance_data.v1.local_ipv4 }}\n";
    let group = format!(
        "name: compute\ndescription: Compute nodes\nfile:\n  encoding: plain\n  content: |\n{}{}",
        indented(file, 4),
        indented(TOLD, 4)
    );
    std::fs::write(cloud_init.join("groups/compute.yaml"), group).unwrap();
    let out = lab.cluster.path("client");
    let serving = runs_client(&lab, &out);
    holds(&out.join("hostname"), "nid001");
    holds(&out.join("node/greeting"), "hello 172.16.0.1");
    holds(&out.join("node/ran"), "hello 172.16.0.1 again");
    phoned_home(&serving);
}

/// Fails unless our side noted that the node phoned home.
#[track_caller]
fn phoned_home(serving: &Serving) {
    let noted = "a node has ended its cloud-init node.xname=x1000c1s7b1n0";
    assert!(serving.log().contains(noted), "{}", serving.log());
}
