//! What kind of program asks: firmware that needs a loader, firmware that boots over HTTP, iPXE, or none of them.

use super::code;
use super::request::Request;

/// What a client boots with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    /// It does not boot over the network: an operating system, a management controller.
    Plain,
    /// It loads a program over TFTP; its architecture as in option 93.
    Pxe(u16),
    /// It loads a program over HTTP (UEFI 2.5); its architecture.
    Http(u16),
    /// iPXE, which runs a script.
    Ipxe,
}

/// How UEFI HTTP boot names itself.
pub(super) const HTTP_CLIENT: &[u8] = b"HTTPClient";

/// How PXE names itself.
pub(super) const PXE_CLIENT: &[u8] = b"PXEClient";

impl Client {
    /// Tells what asks.
    pub(super) fn of(request: &Request<'_>) -> Self {
        if is_ipxe(request) {
            return Self::Ipxe;
        }
        let vendor = request.option(code::VENDOR_CLASS).unwrap_or_default();
        match architecture(request) {
            Some(arch) if vendor.starts_with(HTTP_CLIENT) || is_http(arch) => Self::Http(arch),
            Some(arch) => Self::Pxe(arch),
            None => Self::Plain,
        }
    }
}

/// The first architecture of option 93; some firmware lists several.
pub(super) fn architecture(request: &Request<'_>) -> Option<u16> {
    match *request.option(code::ARCHITECTURE)? {
        [high, low, ..] => Some(u16::from_be_bytes([high, low])),
        _ => None,
    }
}

/// Architectures that stand for HTTP boot (IANA, processor architecture types).
fn is_http(arch: u16) -> bool {
    (15..=20).contains(&arch)
}

/// iPXE sends encapsulated options of its own, and its name as a user class: as plain text, or as RFC 3004 has it.
fn is_ipxe(request: &Request<'_>) -> bool {
    const NAME: &[u8] = b"iPXE";
    if request.option(code::IPXE).is_some_and(|data| !data.is_empty()) {
        return true;
    }
    let Some(classes) = request.option(code::USER_CLASS) else { return false };
    let mut classes = &*classes;
    if classes == NAME {
        return true;
    }
    while let [length, rest @ ..] = classes {
        let Some((class, behind)) = rest.split_at_checked(usize::from(*length)) else { return false };
        if class == NAME {
            return true;
        }
        classes = behind;
    }
    false
}
