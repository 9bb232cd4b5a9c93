//! Which lines of `cluster.yaml` each value of a boot profile comes from.
//!
//! This follows what the parent module makes of the same lines. Where the two do not come to the same text, the
//! profile's own line is told instead: a cause that is too coarse is better than a wrong one.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::super::places::{BootStretches, Stretch, Traced};
use super::super::reader::Reader;
use super::super::walker::Fields;
use super::super::yaml::Data;
use super::{DEFAULT_OPTIONS, Profile};

/// Tells it of the profile that the `bss_*` variables make.
pub(super) fn of_variables<'y>(
    reader: &Reader<'y>,
    cluster: &Fields<'y>,
    boot_ip: Option<Ipv4Addr>,
    profile: Profile,
) -> Profile {
    let said = |key: &str| said(reader, cluster, key);
    let boot_ip = || said("cluster_boot_ip").or_else(|| boot_ip.map(|ip| Traced::fixed(&ip.to_string())));
    let file = |name: &str| {
        let image = said("bss_image_version")?.trimmed(|c| c == '/');
        let parts = [
            Traced::fixed("http://"),
            boot_ip()?,
            Traced::fixed(":8080/openchami/"),
            image,
            Traced::fixed(&format!("/{name}-")),
            said("bss_kernel_version")?,
        ];
        parts.into_iter().reduce(|text, part| text + part)
    };
    let line = |key: &str| said(key).map(|text| text.trimmed(char::is_whitespace));
    let parts = || {
        let root = line("bss_params_root").or_else(|| Some(Traced::fixed("root=live:") + file("rootfs")?));
        let seed = line("bss_params_cloud_init")
            .or_else(|| Some(Traced::fixed("ds=nocloud;s=http://") + boot_ip()? + Traced::fixed(":8081/cloud-init/")));
        let options = line("bss_params_opts").or_else(|| Some(Traced::fixed(DEFAULT_OPTIONS)));
        let parts = [root, seed, options].into_iter().flatten();
        parts.reduce(|text, part| text + Traced::fixed(" ") + part)
    };
    let initrd = || said("bss_initrd_url").or_else(|| Some(file("initramfs")? + Traced::fixed(".img")));
    let (kernel, initrd) = (said("bss_kernel_url").or_else(|| file("vmlinuz")), initrd());
    with(profile, kernel, initrd, line("bss_params").or_else(parts))
}

/// Tells it of a profile that is written out.
pub(super) fn of_profile<'y>(reader: &Reader<'y>, fields: &Fields<'y>, profile: Profile) -> Profile {
    let said = |key: &str| said(reader, fields, key);
    with(profile, said("kernel"), said("initrd"), said("params").map(|text| text.trimmed(char::is_whitespace)))
}

fn with(profile: Profile, kernel: Option<Traced>, initrd: Option<Traced>, params: Option<Traced>) -> Profile {
    let checked = |value: &Option<Arc<str>>, traced: Option<Traced>| -> Arc<[Stretch]> {
        match (value, traced) {
            (Some(value), Some(traced)) if traced.text() == **value => traced.stretches(),
            (Some(value), _) => Traced::said(&**value, profile.origin.line).stretches(),
            (None, _) => Arc::default(),
        }
    };
    let stretches = BootStretches {
        kernel: checked(&profile.kernel, kernel),
        initrd: checked(&profile.initrd, initrd),
        params: checked(&profile.params, params),
    };
    Profile { stretches, ..profile }
}

/// The value of a key with its variables followed; none where the key is not given or is no text.
fn said<'y>(reader: &Reader<'y>, fields: &Fields<'y>, key: &str) -> Option<Traced> {
    let pair = fields.pairs().iter().find(|pair| pair.key.text == key)?;
    match &pair.value.data {
        Data::Scalar(scalar) => {
            reader.variables.trace(&scalar.text, scalar.span, reader.sheet.origin(pair.key.span).line)
        }
        Data::List(_) | Data::Map(_) | Data::Bad => None,
    }
}
