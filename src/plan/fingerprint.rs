//! Fingerprints of objects: equal for equal content, whatever changes by itself left out.

use std::sync::Arc;

use crate::model::{Object, Timestamp};

/// Stands for the fingerprint of a secret before there is a key.
pub(super) const HIDDEN: &str = "b3:hidden";

/// The fingerprint of an object, `b3:` and 32 hexadecimal digits. What the services change by themselves (a component's
/// state, flag and software status, an interface's time) does not count. For secret kinds the hash is keyed, so that
/// nobody who has a plan can try out secrets against it; without a key it says `b3:hidden`.
#[must_use]
pub fn fingerprint(object: &Object, key: Option<&[u8; 32]>) -> String {
    of_all(std::iter::once(object), key).unwrap_or_default()
}

/// One fingerprint of several objects; none of none.
pub(super) fn of_all<'a>(objects: impl Iterator<Item = &'a Object>, key: Option<&[u8; 32]>) -> Option<String> {
    let mut objects = objects.peekable();
    let secret = objects.peek()?.kind().is_secret();
    let mut hasher = match (secret, key) {
        (false, _) => blake3::Hasher::new(),
        (true, Some(key)) => blake3::Hasher::new_keyed(key),
        (true, None) => return Some(HIDDEN.to_owned()),
    };
    for object in objects {
        if object.kind().is_secret() == secret {
            feed(&mut hasher, object);
        }
    }
    let mut text = hasher.finalize().to_hex().to_string();
    text.truncate(32);
    Some(format!("b3:{text}"))
}

/// Puts the lasting content of an object into a hash, after its key.
pub(super) fn feed(hasher: &mut blake3::Hasher, object: &Object) {
    let lasting = match object {
        Object::Component(component) => {
            let mut component = (**component).clone();
            (component.state, component.flag, component.software_status) = (None, None, None);
            Object::Component(Arc::new(component))
        }
        Object::EthernetInterface(interface) => {
            let mut interface = (**interface).clone();
            interface.last_update = Timestamp(0);
            Object::EthernetInterface(Arc::new(interface))
        }
        other => other.clone(),
    };
    let text = lasting.to_json();
    hasher.update(object.kind().as_str().as_bytes());
    if let Object::BootParams(key, _) = object {
        hasher.update(key.to_string().as_bytes());
    }
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Component, State};

    #[test]
    fn what_the_services_change_by_themselves_does_not_count() {
        let component = Component::bare("x0c0s0b0n0".parse().unwrap());
        let mut ready = component.clone();
        ready.state = Some(State::Ready);
        ready.software_status = Some("AdminStatus".into());
        let mut other = component.clone();
        other.enabled = false;
        let print = |component: Component| fingerprint(&Object::Component(Arc::new(component)), None);
        assert_eq!(print(component.clone()), print(ready));
        assert_ne!(print(component), print(other));
    }

    #[test]
    fn the_fingerprint_of_a_secret_depends_on_the_key() {
        let key = crate::model::ObjectKey::new(crate::model::Kind::CloudInitSecure, "compute");
        let object = Object::from_json(&key, r#"{"name":"compute","userdata":{"password":"hunter2"}}"#).unwrap();
        assert_ne!(fingerprint(&object, Some(&[1; 32])), fingerprint(&object, Some(&[2; 32])));
        let open = Object::CloudInit(match object {
            Object::CloudInitSecure(entry) => entry,
            _ => unreachable!(),
        });
        assert_eq!(fingerprint(&open, Some(&[1; 32])), fingerprint(&open, Some(&[2; 32])));
    }

    #[test]
    fn without_a_key_a_secret_has_no_fingerprint_at_all() {
        let entry = |text: &str| {
            let key = crate::model::ObjectKey::new(crate::model::Kind::CloudInitSecure, "compute");
            Object::from_json(&key, &format!(r#"{{"name":"compute","userdata":{{"a":"{text}"}}}}"#)).unwrap()
        };
        assert_eq!(fingerprint(&entry("x"), None), HIDDEN);
        assert_eq!(fingerprint(&entry("x"), None), fingerprint(&entry("y"), None));
    }
}
