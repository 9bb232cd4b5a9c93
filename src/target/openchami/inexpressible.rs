//! What the services cannot be told, found before anything is written.

use serde_json::{Map, Value};

use crate::model::{Kind, Object};
use crate::plan::{Action, Write};
use crate::target::TargetError;

/// Refuses writes that no request could make.
///
/// # Errors
///
/// [`TargetError::Settings`], which names the object and the ways out.
pub(super) fn refuse(writes: &[Write]) -> Result<(), TargetError> {
    match writes.iter().find_map(fault) {
        None => Ok(()),
        Some(fault) => Err(TargetError::Settings(fault)),
    }
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
        (_, Kind::ClusterDefaults) => kept_defaults(write),
        _ => None,
    }
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
