//! Fingerprints of objects: equal for equal content, whatever changes by itself left out.

use std::sync::Arc;

use crate::model::{Object, Timestamp};

/// The fingerprint of an object, `b3:` and 32 hexadecimal digits. What the services change by themselves (a component's
/// state, flag and software status, an interface's time) does not count. For secret kinds the hash is keyed, so that
/// nobody who has a plan can try out secrets against it; without a key only which object it is counts.
#[must_use]
pub fn fingerprint(object: &Object, key: Option<&[u8; 32]>) -> String {
    text(&digest(object, key))
}

/// The hash that a fingerprint writes down.
pub(super) type Digest = blake3::Hash;

/// One fingerprint of several objects; none of none.
pub(super) fn of_all<'a>(digests: impl Iterator<Item = &'a Digest>) -> Option<String> {
    let digests: Vec<&Digest> = digests.collect();
    match digests.as_slice() {
        [] => None,
        [only] => Some(text(only)),
        several => {
            let mut hasher = blake3::Hasher::new();
            for digest in several {
                hasher.update(digest.as_bytes());
            }
            Some(text(&hasher.finalize()))
        }
    }
}

fn text(digest: &Digest) -> String {
    format!("b3:{}", &digest.to_hex()[..32])
}

/// Hashes the identity and the lasting content of an object.
pub(super) fn digest(object: &Object, key: Option<&[u8; 32]>) -> Digest {
    let text = match object {
        Object::Component(component) => {
            let mut component = (**component).clone();
            (component.state, component.flag, component.software_status) = (None, None, None);
            Object::Component(Arc::new(component)).to_json()
        }
        Object::EthernetInterface(interface) => {
            let mut interface = (**interface).clone();
            interface.last_update = Timestamp(0);
            Object::EthernetInterface(Arc::new(interface)).to_json()
        }
        // The content of boot parameters does not hold their key, as every other content does.
        Object::BootParams(key, _) => format!("{key} {}", object.to_json()),
        other => other.to_json(),
    };
    let text = format!("{} {text}", object.kind());
    match (object.kind().is_secret(), key) {
        (false, _) => blake3::hash(text.as_bytes()),
        (true, Some(key)) => blake3::keyed_hash(key, text.as_bytes()),
        (true, None) => blake3::hash(object.key().to_string().as_bytes()),
    }
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
    fn without_a_key_the_content_of_a_secret_does_not_count() {
        let entry = |text: &str| {
            let key = crate::model::ObjectKey::new(crate::model::Kind::CloudInitSecure, "compute");
            Object::from_json(&key, &format!(r#"{{"name":"compute","userdata":{{"a":"{text}"}}}}"#)).unwrap()
        };
        assert_eq!(fingerprint(&entry("x"), None), fingerprint(&entry("y"), None));
        assert_ne!(fingerprint(&entry("x"), Some(&[1; 32])), fingerprint(&entry("y"), Some(&[1; 32])));
    }
}
