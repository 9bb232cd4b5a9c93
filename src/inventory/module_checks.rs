//! What can be checked of a cloud-config without running it: the names of modules, and the files it writes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Code;
use super::near::did_you_mean;
use super::scalar::{self, Plain};
use super::source::Sheet;
use super::span::Span;
use super::walker::{suggest_name, wrong_type};
use super::yaml::{Data, Pair, Scalar, Yaml};

/// The top-level keys that cloud-init's modules and datasources read.
const MODULES: &[&str] = &[
    "allow_public_ssh_keys",
    "ansible",
    "apk_repos",
    "apt",
    "apt_pipelining",
    "apt_reboot_if_required",
    "apt_update",
    "apt_upgrade",
    "authkey_hash",
    "autoinstall",
    "bootcmd",
    "byobu_by_default",
    "ca-certs",
    "ca_certs",
    "chef",
    "chpasswd",
    "cloud_config_modules",
    "cloud_final_modules",
    "cloud_init_modules",
    "create_hostname_file",
    "datasource",
    "datasource_list",
    "debconf_selections",
    "debug",
    "def_log_file",
    "device_aliases",
    "disable_ec2_metadata",
    "disable_root",
    "disable_root_opts",
    "disk_setup",
    "drivers",
    "fan",
    "final_message",
    "fqdn",
    "fs_setup",
    "groups",
    "growpart",
    "grub-dpkg",
    "grub_dpkg",
    "hostname",
    "instance-id",
    "keyboard",
    "landscape",
    "launch-index",
    "locale",
    "locale_configfile",
    "log_cfgs",
    "lxd",
    "manage_etc_hosts",
    "manage_resolv_conf",
    "manual_cache_clean",
    "mcollective",
    "merge_how",
    "merge_type",
    "migrate",
    "mount_default_fields",
    "mounts",
    "network",
    "no_ssh_fingerprints",
    "ntp",
    "output",
    "package_reboot_if_required",
    "package_update",
    "package_upgrade",
    "packages",
    "password",
    "phone_home",
    "power_state",
    "prefer_fqdn_over_hostname",
    "preserve_hostname",
    "puppet",
    "random_seed",
    "reporting",
    "resize_rootfs",
    "resolv_conf",
    "rh_subscription",
    "rpi",
    "rsyslog",
    "runcmd",
    "salt_minion",
    "snap",
    "spacewalk",
    "ssh",
    "ssh_authorized_keys",
    "ssh_deletekeys",
    "ssh_fp_console_blacklist",
    "ssh_genkeytypes",
    "ssh_import_id",
    "ssh_key_console_blacklist",
    "ssh_keys",
    "ssh_publish_hostkeys",
    "ssh_pwauth",
    "ssh_quiet_keygen",
    "swap",
    "syslog_fix_perms",
    "system_info",
    "timezone",
    "ubuntu_advantage",
    "ubuntu_pro",
    "unverified_modules",
    "updates",
    "user",
    "users",
    "vendor_data",
    "vendor_data2",
    "version",
    "warnings",
    "wireguard",
    "write_files",
    "yum_repo_dir",
    "yum_repos",
    "zypper",
];

/// True for a key that cloud-init reads.
pub(super) fn is_module(key: &str) -> bool {
    MODULES.contains(&key)
}

/// Modules whose value is a list; cloud-init refuses anything else when the node boots.
const LISTS: &[&str] = &["bootcmd", "mounts", "packages", "runcmd", "write_files"];

/// Checks a cloud-config.
pub(super) fn check(sheet: Sheet<'_>, yaml: &Yaml<'_>, jinja: bool) {
    let Data::Map(pairs) = &yaml.data else { return };
    for pair in pairs.iter() {
        let key = &*pair.key.text;
        let rendered = jinja && matches!(&pair.value.data, Data::Scalar(scalar) if scalar.text.contains("{{"));
        let listed = matches!(&pair.value.data, Data::List(_)) || module_is_null(&pair.value);
        if LISTS.contains(&key) && !listed && !rendered {
            wrong_type(sheet, &pair.value, key, "a list", None);
            continue;
        }
        if key == "runcmd" || key == "bootcmd" {
            if let Data::List(commands) = &pair.value.data {
                commands.iter().for_each(|command| self::command(sheet, command, key));
            }
        } else if key == "write_files" {
            if let Data::List(files) = &pair.value.data {
                files.iter().for_each(|file| written_file(sheet, file, jinja));
            }
        } else if !is_module(key) && key != super::secrets::KEY {
            let problem = sheet
                .problem(Code::UnknownModule, pair.key.span, format!("cloud-init has no module that reads `{key}`"))
                .label("would be ignored by the node");
            sheet.push(match did_you_mean(key, MODULES.iter().copied()) {
                Some(similar) => suggest_name(sheet, problem, &pair.key, similar),
                None => problem.help("remove it, or write the name that cloud-init's reference of modules has"),
            });
        }
    }
}

fn module_is_null(yaml: &Yaml<'_>) -> bool {
    matches!(&yaml.data, Data::Scalar(scalar) if scalar.plain && scalar::yaml_1_1(&scalar.text) == Plain::Null)
}

/// One item of `runcmd` or `bootcmd`. A command with `: ` in it is a mapping to YAML, and cloud-init gives up on it.
fn command(sheet: Sheet<'_>, yaml: &Yaml<'_>, module: &str) {
    let Data::Map(pairs) = &yaml.data else { return };
    if pairs.iter().any(|pair| pair.key.text == super::secrets::KEY) {
        return;
    }
    let problem =
        sheet.problem(Code::WrongType, yaml.span, format!("a command of `{module}` is a mapping, not a text"));
    sheet.push(
        problem
            .label("YAML reads `: ` as the end of a key")
            .help("put the whole command in single quotes, a single quote within it twice"),
    );
}

/// What cloud-init knows as the encoding of a file, and whether base64 is part of it.
const ENCODINGS: &[(&str, bool)] = &[
    ("base64", true),
    ("b64", true),
    ("gzip", false),
    ("gz", false),
    ("gz+base64", true),
    ("gzip+base64", true),
    ("gz+b64", true),
    ("gzip+b64", true),
    ("text/plain", false),
];

/// One item of `write_files`.
fn written_file(sheet: Sheet<'_>, yaml: &Yaml<'_>, jinja: bool) {
    let Data::Map(pairs) = &yaml.data else { return };
    let scalar = |key: &str| {
        let pair: &Pair<'_> = pairs.iter().find(|pair| pair.key.text == key)?;
        match &pair.value.data {
            Data::Scalar(scalar) => Some(scalar),
            Data::List(_) | Data::Map(_) | Data::Bad => None,
        }
    };
    if let Some(permissions) = scalar("permissions").filter(|scalar| scalar.plain)
        && let found @ (Plain::Int(_) | Plain::Float(_)) = scalar::yaml_1_1(&permissions.text)
    {
        let digits = permissions.text.trim_start_matches("0o").trim_start_matches('0');
        let quoted = format!("'0{digits}'");
        let problem = sheet.problem(Code::Permissions, permissions.span, "`permissions` has to be a text");
        sheet.push(
            problem
                .label(format!("{}, because it is not in quotes", found.describe()))
                .help(format!("write {quoted}"))
                .suggest("the same in quotes", sheet.place(permissions.span), quoted.clone()),
        );
    }
    let encoding = scalar("encoding").filter(|encoding| !(jinja && encoding.text.contains("{{")));
    let known = |encoding: &Scalar<'_>| {
        // cloud-init compares without regard to case and to blanks around it.
        let word = encoding.text.trim().to_ascii_lowercase();
        ENCODINGS.iter().find(|(name, _)| *name == word).map(|(_, base64)| *base64)
    };
    if let Some(unknown) = encoding.filter(|encoding| known(encoding).is_none()) {
        self::encoding(sheet, unknown);
    }
    let encoded = encoding.and_then(known).unwrap_or(false);
    if let Some(content) = scalar("content").filter(|content| encoded && !(jinja && content.text.contains("{{"))) {
        let bare: Vec<u8> = content.text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        if let Err(error) = STANDARD.decode(&bare) {
            let span = breaking_point(sheet, content.span, &error);
            let problem = sheet.problem(Code::Base64, span, "the content of this file is not base64");
            sheet.push(problem.label(fault(&error)).help("encode it again: `base64 < FILE`; or remove `encoding`"));
        }
    }
}

/// Reports an encoding that cloud-init does not know; it would write the content as it is.
fn encoding(sheet: Sheet<'_>, unknown: &Scalar<'_>) {
    let message = match sheet.source.is_private() {
        true => "`encoding` cannot be this".to_owned(),
        false => format!("`encoding` cannot be `{}`", unknown.text),
    };
    let problem = sheet.problem(Code::Word, unknown.span, message).label("cloud-init would write the text as it is");
    let help = match did_you_mean(&unknown.text, ENCODINGS.iter().map(|(name, _)| *name)) {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => "`base64`, `gzip`, `gz+base64` and `text/plain` are possible".into(),
    };
    sheet.push(problem.help(help));
}

/// Where in the file the content stops being base64: a character, or the last line when the end is at fault.
fn breaking_point(sheet: Sheet<'_>, content: Span, error: &base64::DecodeError) -> Span {
    let written = sheet.written(content);
    // Only escapes of double quotes make the text differ from what is written but for blanks.
    let quotes = usize::from(written.starts_with(['"', '\'']));
    let mut solid = written.char_indices().filter(|(_, c)| !c.is_ascii_whitespace()).skip(quotes);
    let at = match error {
        base64::DecodeError::InvalidByte(index, _) => solid.nth(*index),
        base64::DecodeError::InvalidLastSymbol { .. }
        | base64::DecodeError::InvalidLength(_)
        | base64::DecodeError::InvalidPadding => None,
    };
    if let Some((at, character)) = at {
        return Span::new(content.start() + at, content.start() + at + character.len_utf8());
    }
    let line = sheet.source.line_range(sheet.source.line_at(content.end().saturating_sub(1)));
    let body = &sheet.source.text()[line.clone()];
    let start = line.start + body.len() - body.trim_start().len();
    Span::new(start.max(content.start()), content.end())
}

/// The fault without the content, which may be private.
fn fault(error: &base64::DecodeError) -> &'static str {
    match error {
        base64::DecodeError::InvalidByte(..) => "has a character that base64 does not use",
        base64::DecodeError::InvalidLength(_) => "characters are missing or left over",
        base64::DecodeError::InvalidLastSymbol { .. } => "the last character cannot be right",
        base64::DecodeError::InvalidPadding => "the `=` at the end are missing or too many",
    }
}
