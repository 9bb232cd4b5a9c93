//! Makes an inventory of any number of nodes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// MAC address of the node at a position.
pub(crate) fn mac(at: usize) -> String {
    format!("a4:bf:01:{:02x}:{:02x}:{:02x}", at >> 16 & 0xff, at >> 8 & 0xff, at & 0xff)
}

/// Xname of the node at a position: 8 chassis of 64 slots of one BMC with one node, in as many cabinets as it takes.
pub(crate) fn xname(at: usize) -> String {
    format!("x{}c{}s{}b0n0", 1000 + at / 512, at / 64 % 8, at % 64)
}

/// Writes `inventory/` and `secrets/` below `directory`.
pub(crate) fn inventory(directory: &Path, nodes: usize) {
    let root = directory.join("inventory");
    fs::create_dir_all(root.join("cloud-init/secure")).unwrap();
    fs::create_dir_all(directory.join("secrets")).unwrap();
    fs::write(directory.join("secrets/munge.key"), [7_u8; 1024]).unwrap();
    fs::write(root.join("cluster.yaml"), CLUSTER).unwrap();
    fs::write(root.join("cloud-init/compute.yaml"), OPEN).unwrap();
    fs::write(root.join("cloud-init/secure/compute.yaml"), SECURE).unwrap();
    let mut text = String::from("nodes:\n");
    for at in 0..nodes {
        let (a, b, c) = (at >> 16, at >> 8 & 0xff, at & 0xff);
        write!(
            text,
            "- name: nid{nid:06}\n  xname: {xname}\n  nid: {nid}\n  group: compute\n  bmc_mac: a4:bf:02:{a:02x}:{b:02x}:{c:02x}\n  \
             bmc_ip: 10.{bmc}.{b}.{c}\n  interfaces:\n  - mac_addr: {mac}\n    ip_addrs:\n    - name: management\n      \
             ip_addr: 10.{host}.{b}.{c}\n",
            nid = at + 1,
            xname = xname(at),
            bmc = 100 + a,
            host = 1 + a,
            mac = mac(at),
        )
        .unwrap();
    }
    fs::write(root.join("nodes.yaml"), text).unwrap();
}

const CLUSTER: &str = "\
cluster_name: bench
cluster_shortname: nid
cluster_nidlength: 6
cluster_domain: openchami.cluster
cluster_boot_ip: 10.255.0.254
cluster_boot_interface: eth0
cluster_boot_ssh_pub_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA bench
bss_kernel_version: 4.18.0-553.27.1.el8_10.x86_64
bss_image_version: compute-slurm/latest
bss_params_cloud_init: ochami_ci_url=http://10.255.0.254:8081/cloud-init/ ochami_ci_url_secure=http://10.255.0.254:8081/cloud-init-secure/
bss_params_opts: overlayroot=tmpfs overlayroot_cfgdisk=disabled nomodeset ro ip=dhcp apparmor=0 selinux=0 console=ttyS0,115200 ip6=off network-config=disabled rd.shell
";

const OPEN: &str = "\
- name: compute
  cloud-init:
    userdata:
      ssh_deletekeys: false
      write_files:
      - path: /etc/chrony.conf
        content: |
          server 10.255.0.254 iburst
          makestep 1.0 3
      runcmd:
      - systemctl restart chronyd
    metadata:
      instance-id: ochami-compute
";

const SECURE: &str = "\
name: compute
cloud-init:
  userdata:
    write_files:
    - path: /etc/munge/munge.key
      permissions: '0400'
      owner: 'munge:munge'
      encoding: base64
      content: {\"$secret\": {\"file\": munge.key, \"encode\": base64}}
  metadata:
    instance-id: ochami-compute-secure
";
