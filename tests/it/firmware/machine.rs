//! Machines: QEMU, emulating everything, with real firmware.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use super::lab::{Lab, within};

/// Seconds that a machine may take from power to its verdict. It takes 10 to 20 with a core of its own, and far more
/// where many machines and other tests share few.
const PATIENCE: u64 = 600;

/// What a machine starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Firmware {
    /// SeaBIOS with iPXE in the network card's ROM.
    Bios,
    /// SeaBIOS and an iPXE that fetches `undionly.kpxe`, as the ROM of a card would.
    Undionly,
    /// OVMF, by its own PXE.
    Uefi,
    /// OVMF, by its own HTTP boot.
    UefiHttp,
    /// AAVMF, by its own PXE.
    Arm64,
    /// AAVMF, by its own HTTP boot.
    Arm64Http,
}

impl Firmware {
    fn is_arm64(self) -> bool {
        matches!(self, Self::Arm64 | Self::Arm64Http)
    }

    fn is_http(self) -> bool {
        matches!(self, Self::UefiHttp | Self::Arm64Http)
    }
}

/// A machine that is on; off when the test ends.
pub(super) struct Machine {
    child: Child,
    console: PathBuf,
    mac: String,
}

impl Machine {
    /// Turns a machine on. It turns itself off in the end, or instead of restarting unless `restarts`.
    pub(super) fn start(lab: &Lab, firmware: Firmware, mac: &str, restarts: bool) -> Self {
        let port = lab.port();
        let console = lab.cluster.path(&format!("{port}.console"));
        let arm64 = firmware.is_arm64();
        let mut qemu = lab.command(if arm64 { "qemu-system-aarch64" } else { "qemu-system-x86_64" });
        if arm64 {
            qemu.args(["-machine", "virt,accel=tcg", "-cpu", "cortex-a57", "-m", "384"]);
        } else {
            qemu.args(["-machine", "q35,accel=tcg,graphics=off", "-cpu", "max", "-m", "320"]);
        }
        qemu.args(["-nodefaults", "-display", "none", "-serial"]).arg(format!("file:{}", console.display()));
        // Firmware that finds no source of random numbers hides its network boot without a word.
        qemu.args(["-object", "rng-random,id=random,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=random"]);
        qemu.args(["-netdev", &format!("tap,id=net,ifname={port},script=no,downscript=no")]);
        // Without the ROM it is the firmware's own network boot that is tried.
        let rom = if firmware == Firmware::Bios { "" } else { ",romfile=" };
        qemu.args(["-device", &format!("virtio-net-pci,netdev=net,mac={mac},bootindex=1{rom}")]);
        if !restarts {
            qemu.arg("-no-reboot");
        }
        let of_firmware = |name: &str| lab.payload.join("firmware").join(name);
        match firmware {
            Firmware::Bios => {}
            Firmware::Undionly => {
                let script = lab.cluster.path("rom.ipxe");
                std::fs::write(&script, "#!ipxe\ndhcp\nchain tftp://${next-server}/undionly.kpxe\n").unwrap();
                qemu.arg("-kernel").arg(of_firmware("ipxe.lkrn")).arg("-initrd").arg(script);
            }
            _ => {
                let (code, variables) =
                    if arm64 { ("AAVMF_CODE.fd", "AAVMF_VARS.fd") } else { ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd") };
                let own = lab.cluster.path(&format!("{port}.variables"));
                std::fs::copy(of_firmware(variables), &own).unwrap();
                let code = of_firmware(code);
                qemu.arg("-drive").arg(format!("if=pflash,format=raw,unit=0,readonly=on,file={}", code.display()));
                qemu.arg("-drive").arg(format!("if=pflash,format=raw,unit=1,file={}", own.display()));
                let off = |what: &str| format!("name=opt/org.tianocore/{what}PXESupport,string=n");
                qemu.args(["-fw_cfg", &off("IPv6")]);
                if firmware.is_http() {
                    qemu.args(["-fw_cfg", &off("IPv4")]);
                }
            }
        }
        let errors = std::fs::File::create(lab.cluster.path(&format!("{port}.errors"))).unwrap();
        let child = qemu.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn().unwrap();
        Self { child, console, mac: mac.to_owned() }
    }

    /// What the console shows so far, without the codes that move a cursor.
    pub(super) fn console(&self) -> String {
        let errors = std::fs::read_to_string(self.console.with_extension("errors")).unwrap_or_default();
        let bytes = std::fs::read(&self.console).unwrap_or_default();
        let mut text = String::new();
        let mut escaped = false;
        for character in String::from_utf8_lossy(&bytes).chars() {
            match character {
                '\u{1b}' => escaped = true,
                letter if escaped => escaped = !letter.is_ascii_alphabetic(),
                '\r' => {}
                other => text.push(other),
            }
        }
        errors + &text
    }

    /// Waits until the console shows a text.
    #[track_caller]
    pub(super) fn shows(&self, text: &str) {
        let shown = |console: String| if console.contains(text) { Ok(()) } else { Err(console) };
        within(PATIENCE, &format!("{} shows {text:?}", self.mac), || shown(self.console()));
    }

    /// Waits until the machine has said how it went, and fails unless it booted. Answers what it was told.
    #[track_caller]
    pub(super) fn boots(&mut self) -> Told {
        let ended = within(PATIENCE, &format!("{} is through", self.mac.clone()), || {
            let off = self.child.try_wait().unwrap().is_some();
            let console = self.console();
            if off || console.contains("\nVERDICT ") { Ok(console) } else { Err(console) }
        });
        assert!(ended.contains("\nVERDICT booted"), "{} did not boot:\n{ended}", self.mac);
        Told { mac: self.mac.clone(), console: ended }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a machine that booted was told on its way.
pub(super) struct Told {
    mac: String,
    pub(super) console: String,
}

impl Told {
    /// Fails unless this is among it.
    #[track_caller]
    pub(super) fn has(&self, what: &str) {
        assert!(self.console.contains(what), "{} was not told {what:?}:\n{}", self.mac, self.console);
    }
}
