//! `doctor`: what it says of a machine, and that it changes nothing.

use std::io::{Read as _, Write as _};

use serde_json::Value;

use crate::support::Cluster;

/// A cluster with a directory of loaders, and the flags that look at it with free ports.
fn cluster() -> (Cluster, Vec<String>) {
    let cluster = Cluster::demo();
    std::fs::create_dir(cluster.path("loaders")).unwrap();
    std::fs::write(cluster.path("loaders/undionly.kpxe"), b"\xea\x05\x00\xc0\x07").unwrap();
    let flags = ["doctor", "--api", "http://127.0.0.1:0", "--boot", "127.0.0.1:0", "--loaders", "loaders"];
    (cluster, flags.map(str::to_owned).to_vec())
}

fn run(cluster: &Cluster, flags: &[String], more: &[&str], code: i32) -> String {
    let flags: Vec<&str> = flags.iter().map(String::as_str).chain(more.iter().copied()).collect();
    cluster.run(&flags).expect(code).stdout
}

#[test]
fn a_machine_that_can_serve_is_told_so_and_nothing_is_made() {
    let (cluster, flags) = cluster();
    let said = run(&cluster, &flags, &[], 0);
    assert!(said.contains("undionly.kpxe: BIOS") && said.contains("0 errors"), "{said}");
    assert!(said.contains("there is no ipxe-arm64.efi"), "{said}");
    assert!(!cluster.state().exists(), "the state directory is not made");
    let quiet = run(&cluster, &flags, &["--quiet"], 0);
    assert!(!quiet.contains("undionly.kpxe: BIOS"), "{quiet}");
}

#[test]
fn what_keeps_serve_from_serving_is_an_error_with_a_way_out() {
    let (cluster, flags) = cluster();
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = held.local_addr().unwrap().to_string();
    std::fs::write(cluster.path("loaders/ipxe-x86_64.efi"), b"\x7fELF").unwrap();
    let more = ["--boot", &addr, "--images", "none", "--image-listen", "127.0.0.1:0", "--format", "json"];
    let told: Value = serde_json::from_str(&run(&cluster, &flags, &more, 1)).unwrap();
    assert_eq!(told["format"], "ochami-sync/doctor");
    let errors: Vec<&Value> =
        told["findings"].as_array().unwrap().iter().filter(|finding| finding["status"] == "error").collect();
    for (check, words) in
        [("socket", &*addr), ("loaders", "ipxe-x86_64.efi is no loader"), ("images", "none cannot be read")]
    {
        let found =
            errors.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("{check}: {told}"));
        assert!(found["message"].as_str().unwrap().contains(words), "{found}");
        assert!(!found["help"].as_str().unwrap().is_empty());
    }
}

#[test]
fn what_our_own_daemon_holds_is_well() {
    let (cluster, flags) = cluster();
    let serving = cluster.serve(&[]);
    let boot = serving.boot.trim_start_matches("http://").to_owned();
    let said = run(&cluster, &flags, &["--boot", &boot], 0);
    assert!(said.contains(&format!("{boot}/tcp is held by the daemon of this state directory")), "{said}");
}

#[test]
fn a_configuration_of_coredhcp_goes_out_and_comes_back() {
    let cluster = Cluster::demo();
    for generation in ["0.2", "0.4", "0.5"] {
        let rendered = cluster.run(&["render", "coredhcp", "--generation", generation]).expect(0).stdout;
        assert!(rendered.contains("https://demo.openchami.cluster:8443"), "{rendered}");
        std::fs::write(cluster.path("coredhcp.yaml"), rendered).unwrap();
        let lines = cluster.run(&["import", "coredhcp", "coredhcp.yaml"]).expect(0).stdout;
        for line in ["subnet: 172.16.0.0/24", "router: 172.16.0.254", "pool: 172.16.0.200-172.16.0.250"] {
            assert!(lines.contains(line), "{generation}: {lines}");
        }
    }
    let refused = cluster.run(&["import", "coredhcp", "inventory/nodes.yaml"]).expect(1);
    assert!(refused.stderr.contains("server4") && refused.stdout.is_empty(), "{refused:?}");
    std::fs::remove_file(cluster.inventory().join("nodes.yaml")).unwrap();
    cluster.run(&["render", "coredhcp"]).expect(3);
}

#[test]
fn the_settings_file_of_serve_is_read_as_serve_reads_it() {
    let (cluster, flags) = cluster();
    let text = "images: none\nimage-listen: 127.0.0.1:0\nbss-retry-delay: 7\napply: false\ninventory: inventory\n";
    std::fs::write(cluster.path("serve.yaml"), text).unwrap();
    let said = run(&cluster, &flags, &["--config", "serve.yaml"], 1);
    assert!(said.contains("none cannot be read") && said.contains("127.0.0.1:0/tcp is free"), "{said}");
    assert!(said.contains("inventory    9 nodes"), "{said}");
    std::fs::create_dir(cluster.path("images")).unwrap();
    let typed = run(&cluster, &flags, &["--config", "serve.yaml", "--images", "images"], 1);
    assert!(!typed.contains("none cannot be read") && typed.contains("is not there below images"), "{typed}");
    std::fs::write(cluster.path("serve.yaml"), "bss-retry-delay: soon\n").unwrap();
    let refused = cluster.run(&["doctor", "--config", "serve.yaml"]).expect(2);
    assert!(refused.stderr.contains("serve.yaml:1:18: invalid value 'soon'"), "{}", refused.stderr);
}

#[test]
fn the_services_that_the_inventory_is_applied_to_are_asked_whether_they_take_the_token() {
    let (cluster, flags) = cluster();
    let services = Cluster::demo();
    let serving = services.serve(&[]);
    std::fs::write(cluster.path("token"), "no token").unwrap();
    let target = ["-i", "inventory", "--base-uri", &serving.api, "--token-file", "token"];
    let said = run(&cluster, &flags, &target, 0);
    for service in ["SMD", "BSS", "cloud-init"] {
        let line = said.lines().find(|line| line.contains(&format!("{service} at {}", serving.api)));
        let line = line.unwrap_or_else(|| panic!("{service}: {said}"));
        assert!(line.starts_with("warning") && line.contains("expired or not accepted"), "{line}");
    }
    std::fs::write(cluster.path("token"), services.run(&["token"]).expect(0).stdout).unwrap();
    let said = run(&cluster, &flags, &target, 0);
    assert_eq!(said.matches(" answers\n").count(), 3, "{said}");

    let gone = ["-i", "inventory", "--base-uri", "http://127.0.0.1:1"];
    let said = run(&cluster, &flags, &gone, 0);
    assert_eq!(said.matches("nothing is applied until the service answers").count(), 3, "{said}");
    let elsewhere = format!("{}/none", serving.api);
    let said = run(&cluster, &flags, &[&target[..], &["--cloud-init", &elsewhere]].concat(), 0);
    assert!(said.contains("/none: 404 Not Found; is the address right"), "{said}");
    let page = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", page.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut asked in page.incoming().map_while(Result::ok) {
            let _ = asked.read(&mut [0; 4096]);
            let _ = asked.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>");
        }
    });
    let said = run(&cluster, &flags, &["-i", "inventory", "--base-uri", &url], 0);
    assert_eq!(said.matches("the list cannot be read").count(), 3, "a page for people is no service: {said}");

    std::fs::write(cluster.path("inventory/nodes.yaml"), "nodes: 1\n").unwrap();
    let said = run(&cluster, &flags, &["-i", "inventory", "--base-uri", &serving.api], 1);
    assert!(said.contains("not asked: the variable that holds the token"), "{said}");
    for (wrong, reason) in [
        (&["-i", "inventory", "--base-uri", &serving.api, "--token-file", "lost"][..], "cannot read lost"),
        (&["-i", "inventory", "--smd", "http://127.0.0.1:1/hsm/v2"], "give --bss URL"),
        (&["--base-uri", &serving.api], "no inventory is named"),
    ] {
        let said = run(&cluster, &flags, wrong, 1);
        assert!(said.contains(reason), "{said}");
    }
}
