//! What the services cannot be told, found before anything is written.

use serde_json::{Map, Value};

use crate::model::{Arch, Class, Component, Kind, NetType, Object};
use crate::plan::{Action, Write};
use crate::target::TargetError;

/// Refuses writes that no request could make.
///
/// # Errors
///
/// [`TargetError::Settings`], which names the object and the ways out.
pub(super) fn refuse(writes: &[Write]) -> Result<(), TargetError> {
    first(writes).map_or(Ok(()), |fault| Err(TargetError::Settings(fault)))
}

/// Why [`refuse`] would refuse them.
pub(super) fn first(writes: &[Write]) -> Option<String> {
    writes.iter().find_map(fault)
}

fn fault(write: &Write) -> Option<String> {
    match (&write.object, write.key.kind) {
        // The tutorial's server puts `#cloud-config` first and nothing else, so the node would not fill in a template.
        (Some(Object::CloudInit(entry) | Object::CloudInitSecure(entry)), _) if entry.jinja => Some(format!(
            "{} has `template: jinja`, which this cloud-init server cannot serve; take it out, or apply to the \
             built-in servers",
            write.key
        )),
        (Some(Object::BootParams(key, config)), _) if !config.template.is_empty() => {
            let name = &config.template;
            // These two are in force without any profile that names them.
            let way_out = match &**name {
                "boot" | "unknown" => format!("remove `templates/{name}.j2`"),
                _ => "take it out of the boot profile".to_owned(),
            };
            Some(format!(
                "the boot parameters {key} have `template: {name}`, which BSS cannot keep; {way_out}, or apply to the \
                 built-in servers"
            ))
        }
        (Some(Object::Component(wanted)), _) => kept_words(write, wanted),
        (_, Kind::ClusterDefaults) => kept_defaults(write),
        _ => None,
    }
}

/// SMD forgets a component's Arch, Class and NetType when it is forced to another value of one of them, and passes over a
/// request that only leaves them out.
fn kept_words(write: &Write, wanted: &Component) -> Option<String> {
    let Some(Object::Component(held)) = &write.before else { return None };
    let arch = (held.arch.map(Arch::as_str), wanted.arch.map(Arch::as_str));
    let class = (held.class.map(Class::as_str), wanted.class.map(Class::as_str));
    let net_type = (held.net_type.map(NetType::as_str), wanted.net_type.map(NetType::as_str));
    let words = [("arch", arch), ("class", class), ("net_type", net_type)];
    let differing: Vec<_> = words.into_iter().filter(|(_, (held, wanted))| held != wanted).collect();
    if differing.iter().any(|(_, (_, wanted))| wanted.is_some()) {
        return None;
    }
    let (name, (held, _)) = differing.first()?;
    Some(format!(
        "{} is to lose `{name}: {}`, which SMD keeps until it has another value for it; leave it in the inventory, or \
         apply to the built-in servers",
        write.key,
        held.unwrap_or_default()
    ))
}

/// The server overwrites the defaults that it is given and keeps all others, so none of them can be emptied.
fn kept_defaults(write: &Write) -> Option<String> {
    let fields = |object: &Option<Object>| object.as_ref().map(Object::fields).unwrap_or_default();
    let (before, after): (Map<String, Value>, Map<String, Value>) = (fields(&write.before), fields(&write.object));
    let kept: Vec<String> =
        before.keys().filter(|name| !after.contains_key(*name)).map(|name| format!("`{}`", spelt(name))).collect();
    if kept.is_empty() {
        return None;
    }
    let what = if write.action == Action::Delete { "be deleted" } else { "lose a value" };
    Some(format!(
        "the cloud-init defaults cannot {what} at this server, which overwrites and never clears: it would keep {}; give \
         them in cloud-init/defaults.yaml, empty the server's own store, or apply to the built-in servers",
        kept.join(", ")
    ))
}

/// A field as the file and the server spell it.
fn spelt(name: &str) -> String {
    if name == "cloud_provider" { name.to_owned() } else { name.replace('_', "-") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::model::{CloudInitEntry, ClusterDefaults, ObjectKey};
    use crate::store::LedgerChange;

    fn write(action: Action, before: Option<Object>, object: Option<Object>) -> Write {
        let key = before.as_ref().or(object.as_ref()).unwrap().key();
        Write { op: "o1".into(), action, ledger: LedgerChange::Forget(key.clone()), key, object, before, owner: None }
    }

    fn defaults(region: &str, nid_length: u32) -> Option<Object> {
        let region = region.to_owned();
        Some(Object::ClusterDefaults(Arc::new(ClusterDefaults { region, nid_length, ..ClusterDefaults::default() })))
    }

    #[test]
    fn a_default_can_be_given_and_changed_and_not_taken_away() {
        assert!(refuse(&[write(Action::Create, None, defaults("west", 3))]).is_ok());
        assert!(refuse(&[write(Action::Update, defaults("west", 0), defaults("east", 3))]).is_ok());
        let error = refuse(&[write(Action::Update, defaults("west", 3), defaults("east", 0))]).unwrap_err().to_string();
        assert!(error.contains("`nid-length`") && !error.contains("`region`"), "{error}");
        let error = refuse(&[write(Action::Delete, defaults("west", 3), None)]).unwrap_err().to_string();
        assert!(error.contains("be deleted") && error.contains("`region`"), "{error}");
    }

    #[test]
    fn an_architecture_can_be_changed_and_not_taken_away_alone() {
        let component = |arch: Option<Arch>, class: Option<Class>| {
            let fields = json!({"id": "x1000c0s0b0n0", "enabled": true, "arch": arch, "class": class});
            Object::from_json(&ObjectKey::new(Kind::Component, "x1000c0s0b0n0"), &fields.to_string()).ok()
        };
        let update = |before, after| refuse(&[write(Action::Update, before, after)]);
        let (arm, x86, river) = (Some(Arch::Arm), Some(Arch::X86), Some(Class::River));
        assert!(update(component(arm, river), component(x86, river)).is_ok());
        assert!(update(component(arm, river), component(x86, None)).is_ok(), "it goes with the change");
        assert!(component(None, None).is_some() && update(component(None, None), component(None, None)).is_ok());
        let error = update(component(arm, river), component(arm, None)).unwrap_err().to_string();
        assert!(error.contains("component/x1000c0s0b0n0 is to lose `class: River`"), "{error}");
    }

    #[test]
    fn a_boot_script_of_another_template_is_refused() {
        let config = |template: &str| crate::model::BootConfig {
            kernel: "http://k".into(),
            template: template.into(),
            ..Default::default()
        };
        let key: crate::model::BootKey = "mac:02:00:00:00:00:0a".parse().unwrap();
        let write =
            |template| write(Action::Create, None, Some(Object::BootParams(key.clone(), config(template).into())));
        assert!(refuse(&[write("")]).is_ok());
        let error = refuse(&[write("maintenance")]).unwrap_err().to_string();
        assert!(error.contains("mac:02:00:00:00:00:0a have `template: maintenance`"), "{error}");
        assert!(error.contains("take it out of the boot profile"), "{error}");
        for name in ["boot", "unknown"] {
            let error = refuse(&[write(name)]).unwrap_err().to_string();
            assert!(error.contains(&format!("remove `templates/{name}.j2`")), "{error}");
        }
    }

    #[test]
    fn a_template_that_the_server_cannot_serve_is_refused() {
        let entry = |jinja| CloudInitEntry {
            name: "compute".parse().unwrap(),
            userdata: json!({"runcmd": ["a"]}),
            metadata: Value::Null,
            vendordata: Value::Null,
            jinja,
        };
        let write = |jinja| write(Action::Create, None, Some(Object::CloudInit(Arc::new(entry(jinja)))));
        assert!(refuse(&[write(false)]).is_ok());
        let error = refuse(&[write(true)]).unwrap_err().to_string();
        assert!(error.contains("cloud-init/compute has `template: jinja`"), "{error}");
        assert_eq!(ObjectKey::new(Kind::CloudInit, "compute"), write(true).key);
    }
}
