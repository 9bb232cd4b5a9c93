//! Mistakes as people make them: each has one message, at the right place, with the way out.

use std::fs;

use super::{Code, codes, load, load_with, rendered};

const NODES: &str = "\
nodes:
  - name: nid001
    xname: x1000c0s0b0n0
    nid: 1
    group: compute
    bmc_mac: 00:00:5e:00:53:01
    bmc_ip: 172.16.0.101
    interfaces:
      - mac_addr: ec:e7:a7:05:a1:fc
        ip_addrs:
          - name: management
            ip_addr: 172.16.0.1
  - name: nid002
    xname: x1000c0s0b1n0
    nid: 2
    group: compute
    bmc_mac: 00:00:5e:00:53:02
    bmc_ip: 172.16.0.102
    interfaces:
      - mac_addr: ec:e7:a7:05:a1:fd
        ip_addrs:
          - name: management
            ip_addr: 172.16.0.2
";

const CLUSTER: &str = "\
cluster_name: demo
cluster_boot_ip: 172.16.0.254
bss_kernel_version: 4.18.0
bss_image_version: compute/latest
networks:
  - name: management
    subnet: 172.16.0.0/24
    router: 172.16.0.253
    pool: 172.16.0.200-172.16.0.250
";

const ENTRY: &str = "\
name: compute
cloud-init:
  userdata:
    write_files:
      - path: /etc/motd
        content: |
          hello
        permissions: '0644'
    runcmd: [echo hello]
";

/// A mistake: the first `from` of a file became `to`.
struct Mistake {
    file: &'static str,
    from: &'static str,
    to: &'static str,
    code: Code,
    /// Line and column of the problem.
    place: (u32, u32),
    /// Part of the help.
    help: &'static str,
    /// Line and column of the other place that is shown.
    other: Option<(u32, u32)>,
}

const fn nodes(from: &'static str, to: &'static str, code: Code, place: (u32, u32), help: &'static str) -> Mistake {
    Mistake { file: "nodes.yaml", from, to, code, place, help, other: None }
}

const fn cluster(from: &'static str, to: &'static str, code: Code, place: (u32, u32), help: &'static str) -> Mistake {
    Mistake { file: "cluster.yaml", from, to, code, place, help, other: None }
}

const fn entry(from: &'static str, to: &'static str, code: Code, place: (u32, u32), help: &'static str) -> Mistake {
    Mistake { file: "cloud-init/compute.yaml", from, to, code, place, help, other: None }
}

impl Mistake {
    const fn and(mut self, line: u32, column: u32) -> Self {
        self.other = Some((line, column));
        self
    }

    /// What is wrong with what is said of it.
    fn fault(&self) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("cloud-init")).unwrap();
        for (file, text) in [("nodes.yaml", NODES), ("cluster.yaml", CLUSTER), ("cloud-init/compute.yaml", ENTRY)] {
            let text = match file == self.file {
                true => {
                    assert!(text.contains(self.from), "{file} has no {:?}", self.from);
                    text.replacen(self.from, self.to, 1)
                }
                false => text.to_owned(),
            };
            fs::write(directory.path().join(file), text).unwrap();
        }
        let loaded = load(directory.path());
        let [problem] = loaded.diagnostics.as_slice() else {
            return Some(format!("{} problems", loaded.diagnostics.len()) + "\n" + &rendered(&loaded));
        };
        let place = problem.place.as_ref().map(|place| (place.line, place.column)).unwrap();
        let others: Vec<_> = problem.related.iter().map(|(place, _)| (place.line, place.column)).collect();
        let sound = problem.code == self.code
            && place == self.place
            && problem.help.as_ref().is_some_and(|help| help.contains(self.help))
            && self.other.is_none_or(|other| others.contains(&other));
        (!sound).then(|| format!("{:?} {:?} {others:?}\n{}", problem.code, problem.help, rendered(&loaded)))
    }
}

fn check(mistakes: &[Mistake]) {
    let faults: Vec<String> = mistakes
        .iter()
        .filter_map(|mistake| Some(format!("{:?} -> {:?}: {}", mistake.from, mistake.to, mistake.fault()?)))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn a_line_in_the_wrong_column_is_told_the_right_one() {
    use Code::{DuplicateKey, Indentation, Tab, WrongType};
    check(&[
        nodes("    nid: 1", "      nid: 1", Indentation, (4, 7), "start it in column 5, as line 3 does").and(3, 5),
        nodes("    nid: 1", "   nid: 1", Indentation, (4, 4), "start it in column 5, as line 3 does").and(3, 5),
        nodes("    group: compute", "group: compute", Indentation, (5, 1), "start it in column 5, as line 4 does")
            .and(4, 5),
        nodes("  - name: nid002", "   - name: nid002", Indentation, (13, 4), "column 3, as line 2 does").and(2, 3),
        nodes("  - name: nid002", " - name: nid002", Indentation, (13, 2), "column 3, as line 2 does").and(2, 3),
        nodes(
            "            ip_addr: 172.16.0.1\n",
            "             ip_addr: 172.16.0.1\n",
            Indentation,
            (12, 14),
            "column 13",
        ),
        nodes(
            "            ip_addr: 172.16.0.1\n",
            "          ip_addr: 172.16.0.1\n",
            Indentation,
            (12, 11),
            "column 13",
        ),
        nodes("        ip_addrs:\n", "      ip_addrs:\n", Indentation, (10, 7), "column 9, as line 9 does").and(9, 9),
        nodes("  - name: nid002", "  name: nid002", Indentation, (13, 3), "write `- ` in front").and(2, 3),
        nodes("  - name: nid002", "name: nid002", Indentation, (13, 1), "starting in column 3").and(2, 3),
        nodes("  - name: nid002", "    name: nid002", DuplicateKey, (13, 5), "another item starts here").and(2, 5),
        nodes(
            "      - mac_addr: ec:e7:a7:05:a1:fc\n  ",
            "      mac_addr: ec:e7:a7:05:a1:fc\n",
            WrongType,
            (9, 7),
            "`- `",
        ),
        nodes("    nid: 1", "\tnid: 1", Tab, (4, 1), "blanks"),
        nodes("      - mac_addr", "    \t- mac_addr", Tab, (9, 5), "blanks"),
        nodes("    nid: 1", "\u{a0}\u{a0}  nid: 1", Indentation, (4, 1), "ordinary blanks"),
        nodes("  - name: nid002", "  -name: nid002", Indentation, (13, 3), "a blank behind the dash"),
        nodes("    nid: 1", "    - nid: 1", Indentation, (4, 5), "remove the `- `").and(3, 5),
        nodes("nid: 1", "nid:\t1", Tab, (4, 9), "write a blank"),
        entry("          hello", "       hello", Indentation, (7, 8), "in column 11, deeper than the key in line 6"),
        entry("          hello\n", "          hello\n        world\n", Indentation, (8, 9), "in column 11 at least"),
        entry("          hello\n", "          hello\nworld\n", Indentation, (8, 1), "in column 11 at least"),
    ]);
}

#[test]
fn other_slips_of_the_pen_have_one_message_each() {
    use Code::{ComplexKey, EmptyFile, HostName, MergeConflict, MissingColon, SeveralDocuments, Syntax, UnclosedQuote};
    check(&[
        cluster("demo", "{{ name }}", ComplexKey, (1, 15), "quotes"),
        cluster("demo", "{{ name }}.example", ComplexKey, (1, 15), "quotes"),
        entry("          hello", "          a: {{ x }}\n bad", Code::Indentation, (8, 2), "in column 11 at least"),
        cluster("demo", "{{ name }", ComplexKey, (1, 15), "quotes"),
        entry("/etc/motd", "{{ v1.path }}/motd", ComplexKey, (5, 15), "quotes"),
        nodes(
            "    nid: 1\n",
            "<<<<<<< HEAD\n    nid: 1\n=======\n    nid: 3\n>>>>>>> a\n",
            MergeConflict,
            (4, 1),
            "choose",
        )
        .and(8, 1),
        cluster("cluster_name: demo", "cluster_name = demo", MissingColon, (1, 1), "write `: ` in place of ` = `"),
        entry("[echo hello]", "[\"echo \\d\"]", Syntax, (9, 20), "single quotes"),
        nodes("nid: 1", "nid:1", MissingColon, (4, 5), "a blank has to follow"),
        nodes("name: nid001", "name: \"nid001", UnclosedQuote, (2, 11), "write `\"` at the end"),
        cluster("demo", "*.example", Syntax, (1, 15), "quotes"),
        cluster("demo", "%eth0", Syntax, (1, 15), "quotes"),
        cluster("demo", "@eth0", Syntax, (1, 15), "quotes"),
        cluster("demo", "\u{201c}demo\u{201d}", HostName, (1, 15), "word processor"),
        nodes("  - name: nid002", "---\nnodes:\n  - name: nid002", SeveralDocuments, (13, 1), "one document per file"),
        entry(ENTRY, "# nothing yet\n", EmptyFile, (1, 1), "write an entry"),
        nodes(NODES, "{\"nodes\": [{\"name\": \"nid001\",, \"nid\": 1}]}\n", Syntax, (1, 30), "remove it"),
        nodes("    xname: x1000c0s0b1n0\n", "    xname: x1000c0s0b1n0\u{0}\n", Syntax, (14, 25), ""),
    ]);
}

#[test]
fn one_cause_has_one_message() {
    use Code::{DuplicateXname, IpAddress, MissingField, NoKernel, NoNodes, UnknownField, WrongType};
    const USER: &str = "cluster_domain: '{{ cluster_boot_ip }}'\nboot: {groups: {compute: {initrd: 'http://{{ cluster_boot_ip }}/i'}}}\n";
    let with_users = |text: &str| text.to_owned() + USER;
    let loaded =
        load_with("cluster.yaml", with_users(&CLUSTER.replace("cluster_boot_ip", "cluster_boot_pi")).as_bytes());
    assert_eq!(codes(&loaded), [UnknownField], "{}", rendered(&loaded));
    let loaded =
        load_with("cluster.yaml", with_users(&CLUSTER.replace("cluster_boot_ip: 172.16.0.254\n", "")).as_bytes());
    assert_eq!(codes(&loaded), [MissingField], "{}", rendered(&loaded));
    let bad = CLUSTER.replace("172.16.0.254", "172.16.0.354").replace("172.16.0.253", "'{{ cluster_boot_ip }}'");
    let loaded = load_with("cluster.yaml", with_users(&bad).as_bytes());
    assert_eq!(codes(&loaded), [IpAddress], "{}", rendered(&loaded));
    check(&[
        cluster("bss_kernel_version: 4.18.0\n", "bss_params: '{{ bss_kernel_version }}'\n", NoKernel, (3, 1), "too"),
        nodes("nodes:", "node:", UnknownField, (1, 1), "`nodes`"),
        nodes("xname", "xnmae", UnknownField, (3, 5), "`xname`"),
        nodes("- mac_addr", "- mac", UnknownField, (9, 9), "`mac_addr`"),
        nodes("group: compute", "gruop: compute", UnknownField, (5, 5), "`group`"),
        entry("cloud-init:", "cloud_init:", UnknownField, (2, 1), "`cloud-init`"),
        entry(ENTRY, "name: compute\nuserdata: {runcmd: [a]}\n", UnknownField, (2, 1), "under `cloud-init:`"),
        entry("name: compute", "nmae: compute", UnknownField, (1, 1), "`name`"),
        entry(ENTRY, "#cloud-config\nruncmd: [a]\n", UnknownField, (2, 1), "write `name: GROUP`"),
        entry("[echo hello]", "echo hello", WrongType, (9, 13), "`- `"),
        cluster("compute/latest", "compute latest", Code::BootUrl, (4, 20), "are safe"),
        nodes(
            "ip_addrs:\n          - name: management\n            ip_addr: 172.16.0.1\n",
            "ip_addrs: [172.16.0.1]\n",
            WrongType,
            (10, 20),
            "`- ip_addr: 172.16.0.1`",
        ),
        entry("  userdata:\n", "  userdata: |\n", WrongType, (4, 5), "remove the `|`"),
        entry("[echo hello]", "\n      - echo a: b", WrongType, (10, 9), "single quotes"),
        nodes("x1000c0s0b1n0", "x1000c0s00b0n0", DuplicateXname, (14, 12), "another xname").and(3, 12),
        nodes(NODES, "nodes: []\n", NoNodes, (1, 8), "at least one node"),
        nodes(NODES, "nodes:\n", NoNodes, (1, 6), "at least one node"),
        nodes(NODES, "nodes: {nid001: {nid: 1}}\n", WrongType, (1, 8), "`- `"),
        nodes("nodes:\n", "", WrongType, (1, 3), "`nodes:`"),
    ]);
    let twice = format!("{NODES}{}", NODES[7..].split("  - name: nid002").next().unwrap());
    let loaded = load_with("nodes.yaml", twice.as_bytes());
    assert_eq!(codes(&loaded), [DuplicateXname], "{}", rendered(&loaded));
    let half = twice.replacen("ec:e7:a7:05:a1:fc", "ec:e7:a7:05:a1:fd", 2).replacen("a1:fd", "a1:fc", 1);
    let loaded = load_with("nodes.yaml", half.as_bytes());
    assert_eq!(codes(&loaded), [DuplicateXname, Code::DuplicateMac], "{}", rendered(&loaded));
}

#[test]
fn names_that_could_mean_two_things_are_errors_with_both_places() {
    use Code::{AmbiguousName, DuplicateEntry, DuplicateProfile};
    const PROFILES: &str = "boot:\n  nodes:\n    nid001: {params: a}\n    X1000c00s0b0n0: {params: b}\nnetworks:";
    const GROUPS: &str = "boot:\n  groups:\n    compute: {params: a}\n    Compute: {params: b}\nnetworks:";
    const ENTRIES: &str = "- {name: nid001, cloud-init: {}}\n- {name: x1000c0s0b0n0, cloud-init: {}}\n- name: compute\n  cloud-init: {}\n";
    check(&[
        nodes("name: nid002", "name: x1000c0s0b0n0", AmbiguousName, (13, 11), "another name").and(3, 12),
        nodes("name: nid002", "name: Compute", AmbiguousName, (13, 11), "another name").and(5, 12),
        cluster("networks:", PROFILES, DuplicateProfile, (8, 5), "one of its names").and(7, 5),
        cluster("networks:", GROUPS, DuplicateProfile, (8, 5), "one of its names").and(7, 5),
        entry(ENTRY, ENTRIES, DuplicateEntry, (2, 10), "one entry").and(1, 10),
    ]);
    let own = NODES.replace("name: nid002", "name: x1000c0s0b1n0");
    assert_eq!(codes(&load_with("nodes.yaml", own.as_bytes())), [], "a node may be called by its own xname");
}

#[test]
fn values_out_of_their_range_say_what_is_possible() {
    use Code::{Base64, BootUrl, HeadAddress, MacAddress, Nid, OldYaml, Permissions, PoolAddress, RouterAddress, Word};
    const FTP: &str = "boot: {groups: {compute: {kernel: 'ftp://172.16.0.254/k'}}}\nnetworks:";
    const BASE64: &str =
        "encoding: base64\n        content: |\n          aGVsbG8gd29ybGQgaGVsbG8gd29y\n          bGQgaGVs*G8gaGVsbG8=";
    check(&[
        nodes("nid: 1", "nid: 0", Nid, (4, 10), "from 1"),
        nodes("nid: 1", "nid: 2147483648", Nid, (4, 10), "2147483647"),
        nodes("nid: 1", "nid: 99999999999999999999", Nid, (4, 10), "2147483647"),
        nodes("nid: 1", "nid: 001", Nid, (4, 10), "without leading zeros"),
        nodes("ec:e7:a7:05:a1:fc", "e", MacAddress, (9, 19), "six"),
        nodes("ip_addr: 172.16.0.1\n", "ip_addr: 172.16.0.201\n", PoolAddress, (12, 22), "pool").and(9, 11),
        nodes("ip_addr: 172.16.0.1\n", "ip_addr: 172.16.0.253\n", RouterAddress, (12, 22), "nothing else").and(8, 13),
        nodes("ip_addr: 172.16.0.1\n", "ip_addr: 172.16.0.254\n", HeadAddress, (12, 22), "nothing else").and(2, 18),
        cluster("networks:", FTP, BootUrl, (5, 35), "`http`, `https` and `tftp`"),
        entry("permissions: '0644'", "permissions: 0644", Permissions, (8, 22), "'0644'"),
        entry("permissions: '0644'", "encoding: b46", Word, (8, 19), "did you mean `b64`?"),
        entry("runcmd: [echo hello]", "ssh_deletekeys: no", OldYaml, (9, 21), "write `false`"),
        entry("content: |\n          hello", BASE64, Base64, (9, 19), "base64 < FILE"),
    ]);
}

#[test]
fn an_empty_text_is_a_value_where_nothing_may_be_meant() {
    let cluster = format!("{CLUSTER}bss_params_opts: ''\nbss_params_cloud_init: \"\"\nbss_params_root: quiet\n");
    let loaded = load_with("cluster.yaml", cluster.as_bytes());
    let text = rendered(&loaded);
    let inventory = loaded.inventory.unwrap_or_else(|| panic!("{text}"));
    assert_eq!(&*inventory.nodes[0].boot.as_ref().unwrap().params, "quiet");
    let loaded = load_with("cluster.yaml", format!("{CLUSTER}bss_params: ''\n").as_bytes());
    assert_eq!(&*loaded.inventory.unwrap().nodes[0].boot.as_ref().unwrap().params, "");
}

#[test]
fn a_misspelt_encoding_of_a_secret_is_told_at_its_place() {
    let directory = tempfile::tempdir().unwrap();
    super::write(directory.path(), &super::explain::files(super::explain::BASE));
    fs::create_dir_all(directory.path().join("cloud-init/secure")).unwrap();
    let text = "name: compute\ncloud-init:\n  metadata:\n    key:\n      $secret: {file: a, encode: base46}\n";
    fs::write(directory.path().join("cloud-init/secure/compute.yaml"), text).unwrap();
    let loaded = load(directory.path());
    let problem = &loaded.diagnostics[0];
    let place = problem.place.as_ref().unwrap();
    assert_eq!((problem.code, place.line, place.column), (Code::SecretReference, 5, 34));
    assert!(problem.label.contains("did you mean `base64`?"), "{}", problem.label);
}

#[test]
fn files_in_utf_16_are_told_how_to_be_converted() {
    let bytes: Vec<u8> = std::iter::once(0xfeff).chain(NODES.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let loaded = load_with("nodes.yaml", &bytes);
    assert_eq!(codes(&loaded), [Code::NotUtf8]);
    assert!(loaded.diagnostics[0].help.as_ref().unwrap().contains("UTF-16"));
}
