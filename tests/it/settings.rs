//! `serve --config FILE`: what the file says shows in answers, what is typed wins, what is wrong is told with its place.

use crate::support::{Cluster, get};

/// Starts `serve` with a settings file and answers the script of a node that nobody knows.
fn unknown_script(text: &str, flags: &[&str]) -> String {
    let cluster = Cluster::demo();
    std::fs::write(cluster.path("serve.yaml"), text).unwrap();
    let serving = cluster.serve(&[&["--config", "serve.yaml"], flags].concat());
    get(&format!("{}/boot/v1/bootscript?mac=02:00:00:00:00:01", serving.boot)).body
}

#[test]
fn a_settings_file_says_what_flags_say_and_flags_win() {
    let text = "bss-chain-url: https://demo.openchami.cluster/apis/bss/\nbss-unknown-delay: 7\n";
    let script = unknown_script(text, &[]);
    assert!(script.contains("chain https://demo.openchami.cluster/apis/bss/boot/v1/bootscript?mac="), "{script}");
    assert!(script.contains("sleep 7\n"), "{script}");
    let script = unknown_script(text, &["--bss-unknown-delay", "9"]);
    assert!(script.contains("sleep 9\n") && script.contains("demo.openchami.cluster"), "{script}");
}

#[test]
fn the_chain_url_of_bss_wins_over_the_one_made_of_the_boot_url() {
    let script = unknown_script("boot-url: http://head:8081\n", &[]);
    assert!(script.contains("chain http://head:8081/apis/bss/boot/v1/bootscript?"), "{script}");
    let script = unknown_script("boot-url: http://head:8081\n", &["--bss-chain-url", "http://gateway/bss"]);
    assert!(script.contains("chain http://gateway/bss/boot/v1/bootscript?"), "{script}");
}

#[test]
fn a_switch_in_the_file_is_set_by_true_and_left_by_false() {
    let cluster = Cluster::demo();
    std::fs::write(cluster.path("serve.yaml"), "inventory: inventory\napply: true\n").unwrap();
    let serving = cluster.serve(&["--config", "serve.yaml"]);
    crate::support::until("the inventory is applied", || serving.log().contains("applied:").then_some(()));
    std::fs::write(cluster.path("serve.yaml"), "inventory: inventory\napply: maybe\n").unwrap();
    let finished = cluster.run(&["serve", "--config", "serve.yaml"]).expect(2);
    assert!(finished.stderr.contains("serve.yaml:2:8: `apply` is true or false, not `maybe`"), "{}", finished.stderr);
}

#[test]
fn what_is_wrong_in_the_file_is_told_with_its_place_and_a_way_out() {
    let cluster = Cluster::demo();
    for (text, told) in [
        ("bss_retry_delay: 30\n", "1 + bss-retry-delay: 30"),
        ("config: other.yaml\n", "unknown field `config`"),
        ("# ours\nbss-retry-delay: soon\n", "serve.yaml:2:18: invalid value 'soon' for '--bss-retry-delay"),
        ("bss-retry-delay: 0\n", "serve.yaml:1:18: invalid value '0'"),
        ("bss-chain-url: demo\n", "serve.yaml:1:16: invalid value 'demo'"),
        ("cloud-init-base-url: ftp://head\n", "neither http nor https"),
        ("auth: maybe\n", "[possible values: jwt, none]"),
        ("log-format: [text, json]\n", "serve.yaml:1:13: the argument '--log-format"),
        ("api: [\n", "serve.yaml"),
    ] {
        std::fs::write(cluster.path("serve.yaml"), text).unwrap();
        let finished = cluster.run(&["serve", "--config", "serve.yaml"]).expect(2);
        assert!(finished.stderr.contains(told), "{text}: {}", finished.stderr);
    }
    let finished = cluster.run(&["serve", "--config", "nowhere.yaml"]).expect(2);
    assert!(finished.stderr.contains("`nowhere.yaml` cannot be read"), "{}", finished.stderr);
}

#[test]
fn what_is_wrong_on_the_command_line_is_told_as_without_a_file() {
    let cluster = Cluster::demo();
    std::fs::write(cluster.path("serve.yaml"), "bss-retry-delay: 40\n").unwrap();
    let typed = ["serve", "--config", "serve.yaml", "--bss-retry-delay", "soon"];
    let finished = cluster.run(&typed).expect(2);
    assert!(finished.stderr.starts_with("error: invalid value 'soon'"), "{}", finished.stderr);
    let finished = cluster.run(&["serve", "--bss-chain-url", "nonsense"]).expect(2);
    assert!(finished.stderr.contains("it is no URL"), "{}", finished.stderr);
}
