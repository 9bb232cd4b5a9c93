//! On the example inventory and directories made for it.

use super::*;
use crate::inventory;

const VERSION: &str = "4.18.0-553.27.1.el8_10.x86_64";

fn demo() -> Inventory {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory");
    inventory::load(&directory).inventory.unwrap()
}

/// A directory with the image that the example boots; files of these versions.
fn image(kernel: &str, initrd: &str, rootfs: &str) -> tempfile::TempDir {
    let temp = tempfile::tempdir().unwrap();
    let image = temp.path().join("openchami/compute-slurm/latest");
    std::fs::create_dir_all(&image).unwrap();
    for (name, len) in
        [(format!("vmlinuz-{kernel}"), 10), (format!("initramfs-{initrd}.img"), 20), (format!("rootfs-{rootfs}"), 30)]
    {
        std::fs::write(image.join(name), vec![0; len]).unwrap();
    }
    temp
}

#[test]
fn kernel_initrd_and_rootfs_of_the_example_are_found_with_their_lines() {
    let named = named(&demo());
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory/cluster.yaml")).unwrap();
    let line = |key: &str| text.lines().position(|line| line.starts_with(key)).unwrap() as u32 + 1;
    let base = "openchami/compute-slurm/latest";
    let found: Vec<_> = named.iter().map(|file| (file.part, &*file.name, file.nodes)).collect();
    assert_eq!(
        found,
        [
            (Part::Kernel, &*format!("{base}/vmlinuz-{VERSION}"), 9),
            (Part::Initrd, &*format!("{base}/initramfs-{VERSION}.img"), 9),
            (Part::Rootfs, &*format!("{base}/rootfs-{VERSION}"), 9),
        ]
    );
    assert!(named.iter().all(|file| file.line == line("bss_kernel_version")), "{named:?}");
}

#[test]
fn nothing_is_missing_when_all_is_there() {
    let temp = image(VERSION, VERSION, VERSION);
    assert_eq!(missing(&demo(), temp.path()), []);
}

#[test]
fn what_is_missing_is_told_with_what_was_probably_meant() {
    let temp = image("4.18.0-553.30.1.el8_10.x86_64", VERSION, VERSION);
    let found = missing(&demo(), temp.path());
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].named.part, found[0].reason), (Part::Kernel, "is not there"));
    assert_eq!(found[0].near.as_deref(), Some("openchami/compute-slurm/latest/vmlinuz-4.18.0-553.30.1.el8_10.x86_64"));
    let initrd = image(VERSION, "5", VERSION);
    let near = missing(&demo(), initrd.path()).remove(0).near;
    assert_eq!(near.as_deref(), Some("openchami/compute-slurm/latest/initramfs-5.img"), "and not the rootfs");
    let other = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(other.path().join("openchami/compute-slrum")).unwrap();
    let found = missing(&demo(), other.path());
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|missing| missing.near.as_deref() == Some("openchami/compute-slrum")), "{found:?}");
    let empty = tempfile::tempdir().unwrap();
    assert!(missing(&demo(), empty.path()).iter().all(|missing| missing.near.is_none()));
}

#[test]
fn other_hosts_and_other_protocols_are_not_looked_at() {
    for (url, name) in [
        ("http://10.0.0.1:8080/a/b", Some("a/b")),
        ("http://10.0.0.1/a?x", Some("a")),
        ("http://10.0.0.10/a", None),
        ("https://10.0.0.1/a", None),
        ("tftp://10.0.0.1/a", None),
        ("http://10.0.0.1", None),
        ("", None),
    ] {
        assert_eq!(below(url, "10.0.0.1").as_deref(), name, "{url}");
    }
}

#[test]
fn a_rootfs_is_known_however_the_command_line_names_it() {
    let url = "http://172.16.0.254:8080/none/rootfs";
    for word in
        ["root=live:{}", "root={}", "\"root=live:{}\"", "root=\"live:{}\"", "root=squash:{}", "netroot=livenet:{}"]
    {
        let mut inventory = demo();
        let boot = inventory.nodes[0].boot.as_mut().unwrap();
        boot.params = format!("quiet root=/dev/sda1 {} ro", word.replace("{}", url)).into();
        let named: Vec<String> = named(&inventory).into_iter().map(|named| named.name).collect();
        assert!(named.contains(&"none/rootfs".to_owned()), "{word}: {named:?}");
    }
    for word in ["root=nfs:172.16.0.254:/x", "root=live:/dev/sr0"] {
        let mut inventory = demo();
        let boot = inventory.nodes[0].boot.as_mut().unwrap();
        boot.params = word.into();
        assert_eq!(boot.rootfs(), None, "{word}");
    }
}

#[test]
fn images_are_listed_with_versions_sizes_and_users() {
    let temp = image(VERSION, VERSION, VERSION);
    let latest = temp.path().join("openchami/compute-slurm/latest");
    std::os::unix::fs::symlink("latest", latest.with_file_name("link")).unwrap();
    std::os::unix::fs::symlink("..", latest.with_file_name("circle")).unwrap();
    std::fs::write(temp.path().join("openchami/README"), "no image").unwrap();
    let images = list(temp.path(), Some(&demo())).unwrap();
    let of = |name: &str| images.iter().find(|image| image.name == name).unwrap();
    let used = of("openchami/compute-slurm/latest");
    assert_eq!((used.bytes, used.nodes, used.versions.len(), used.problems.len()), (60, 9, 1, 0));
    assert_eq!(used.users.iter().map(|users| &*users.groups).collect::<Vec<_>>(), [["compute".to_owned()]]);
    let names: Vec<String> = (1..=9).map(|number| format!("nid00{number}")).collect();
    assert_eq!(used.users[0].nodes, names);
    assert_eq!(of("openchami/compute-slurm/link").link.as_deref(), Some("latest"));
    assert_eq!(of("openchami/compute-slurm/link").nodes, 0);
    assert!(images.iter().all(|image| image.name != "openchami"));
    assert!(list(&temp.path().join("gone"), None).is_err());
}

#[test]
fn a_kernel_and_a_rootfs_of_different_versions_are_told() {
    let told = |initrd: &str, rootfs: &str| {
        let temp = image("5.1", initrd, rootfs);
        list(temp.path(), None).unwrap().remove(0).problems
    };
    let pair = |part: &str| {
        [format!("kernel 5.1 has no {part} of its version"), format!("{part} 5.2 has no kernel of its version")]
    };
    assert_eq!(told("5.1", "5.2"), pair("rootfs"));
    assert_eq!(told("5.2", "5.1"), pair("initrd"));
    assert_eq!(told("5.1", "5.1"), [""; 0]);
}

#[test]
fn a_kernel_that_is_booted_with_a_rootfs_of_another_version_from_elsewhere_is_told_with_how_many_do_so() {
    let mut inventory = demo();
    for node in inventory.nodes.iter_mut().take(2) {
        let boot = node.boot.as_mut().unwrap();
        let other = "root=live:http://172.16.0.254:8080/openchami/other/latest/rootfs-5.2";
        boot.params = boot
            .params
            .split(' ')
            .map(|word| if word.starts_with("root=") { other } else { word })
            .collect::<Vec<_>>()
            .join(" ")
            .into();
    }
    let temp = image(VERSION, VERSION, VERSION);
    let images = list(temp.path(), Some(&inventory)).unwrap();
    let url = "http://172.16.0.254:8080/openchami/other/latest/rootfs-5.2";
    let expected = format!("kernel {VERSION} is booted with the rootfs of 5.2, {url}, by 2 nodes");
    assert_eq!(images[0].problems, [expected]);
    assert_eq!(images[0].nodes, 9, "the kernel is booted by all of them");
}
