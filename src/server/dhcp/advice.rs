//! What the settings ask for and the flags do not serve, so that machines get an address and then hang.

use super::BootSettings;
use crate::model::{DhcpMode, DhcpNetwork, DhcpSettings};

/// A sentence for each thing that machines would look for in vain.
pub(super) fn advice(settings: &DhcpSettings, flags: &BootSettings) -> Vec<String> {
    let named = |wanted: &dyn Fn(&DhcpNetwork) -> bool| -> String {
        let served = settings.networks.iter().filter(|network| network.mode != DhcpMode::Off);
        served.filter(|network| wanted(network)).map(|network| &*network.name).collect::<Vec<_>>().join(", ")
    };
    let mut advice = Vec::new();
    let without_tftp = named(&|network| network.options.next_server.is_none());
    if !flags.tftp && !without_tftp.is_empty() {
        advice.push(format!(
            "there is no --tftp, so firmware that boots by TFTP, a BIOS for instance, finds no loader on \
             {without_tftp}; give --tftp, or name another server by `next_server`"
        ));
    }
    // With a server and a boot file of its own a network boots what the site says there, which may be no iPXE at all.
    let ours = named(&|network| network.options.next_server.is_none() || network.options.boot_file.is_none());
    if !flags.boot_reachable && settings.boot_script_url.is_none() && !ours.is_empty() {
        advice.push(format!(
            "--boot is on loopback only, where no node on {ours} finds its boot script; give --boot or --boot-url"
        ));
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DhcpOptions, UnknownPolicy};

    const ALL: BootSettings = BootSettings { boot_url: None, boot_port: 8081, boot_reachable: true, tftp: true };

    fn network(name: &str, mode: DhcpMode, next_server: bool, boot_file: bool) -> DhcpNetwork {
        let options = DhcpOptions {
            next_server: next_server.then_some([172, 16, 0, 9].into()),
            boot_file: boot_file.then(|| "grubx64.efi".into()),
            ..DhcpOptions::default()
        };
        let (subnet, unknown) = ("172.16.0.0/24".parse().unwrap(), UnknownPolicy::Reboot);
        DhcpNetwork { name: name.into(), subnet, mode, pool: None, unknown, unknown_lease: 300, options }
    }

    fn settings(networks: Vec<DhcpNetwork>) -> DhcpSettings {
        DhcpSettings { networks, ..DhcpSettings::default() }
    }

    #[test]
    fn a_network_whose_firmware_is_sent_to_a_tftp_server_that_is_not_there_is_named() {
        let networks = vec![
            network("near", DhcpMode::Server, false, false),
            network("site", DhcpMode::Proxy, false, false),
            network("closed", DhcpMode::Off, false, false),
            network("elsewhere", DhcpMode::Server, true, false),
        ];
        let settings = settings(networks);
        let told = advice(&settings, &BootSettings { tftp: false, ..ALL });
        assert!(told.len() == 1 && told[0].contains("no loader on near, site;"), "{told:?}");
        assert_eq!(advice(&settings, &ALL), [""; 0]);
    }

    #[test]
    fn a_boot_listener_on_loopback_is_told_unless_nodes_boot_from_elsewhere() {
        let flags = BootSettings { boot_reachable: false, ..ALL };
        let near = || network("near", DhcpMode::Server, false, false);
        let told = advice(&settings(vec![near(), network("grub", DhcpMode::Server, true, true)]), &flags);
        assert!(told.len() == 1 && told[0].contains("no node on near finds its boot script"), "{told:?}");
        let loaders = network("loaders", DhcpMode::Server, true, false);
        assert_eq!(advice(&settings(vec![loaders]), &flags).len(), 1, "iPXE of another server asks us for its script");
        assert_eq!(advice(&settings(vec![network("grub", DhcpMode::Server, true, true)]), &flags), [""; 0]);
        let bss =
            DhcpSettings { boot_script_url: Some("http://bss.example/bootscript".into()), ..settings(vec![near()]) };
        assert_eq!(advice(&bss, &flags), [""; 0]);
        assert_eq!(advice(&settings(vec![]), &BootSettings { tftp: false, ..flags }), [""; 0]);
    }
}
