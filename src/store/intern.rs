//! Sharing of equal values, so that ten thousand nodes that boot the same image hold its parameters once.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use crate::model::{BootConfig, Object, Xname};

/// How many boot configurations are remembered before those that nobody uses any more are dropped.
const SWEEP_AT_LEAST: usize = 1024;

/// The values met so far.
#[derive(Default)]
pub(super) struct Interner {
    boot_configs: HashSet<Arc<BootConfig>>,
    texts: HashSet<Arc<str>>,
    xnames: HashSet<Xname>,
    sweep_at: usize,
}

impl Interner {
    /// The object with its boot configuration shared with every other equal one. Cheap enough for each write.
    pub(super) fn share_boot_config(&mut self, object: Object) -> Object {
        let Object::BootParams(key, config) = object else { return object };
        if let Some(known) = self.boot_configs.get(&config) {
            return Object::BootParams(key, known.clone());
        }
        if self.boot_configs.len() >= self.sweep_at.max(SWEEP_AT_LEAST) {
            self.boot_configs.retain(|config| Arc::strong_count(config) > 1);
            // Twice what is in use, so that sweeping costs a constant amount per configuration.
            self.sweep_at = 2 * self.boot_configs.len();
        }
        self.boot_configs.insert(config.clone());
        Object::BootParams(key, config)
    }

    /// The object with everything shared that can be; for a freshly read one, which nobody else holds.
    pub(super) fn share(&mut self, object: Object) -> Object {
        match object {
            Object::Component(mut c) => {
                let component = Arc::make_mut(&mut c);
                self.xname(&mut component.id);
                Object::Component(c)
            }
            Object::RedfishEndpoint(mut e) => {
                self.xname(&mut Arc::make_mut(&mut e).id);
                Object::RedfishEndpoint(e)
            }
            Object::ComponentEndpoint(mut e) => {
                let endpoint = Arc::make_mut(&mut e);
                self.xname(&mut endpoint.id);
                self.xname(&mut endpoint.redfish_endpoint_id);
                Object::ComponentEndpoint(e)
            }
            Object::EthernetInterface(mut i) => {
                if let Some(id) = &mut Arc::make_mut(&mut i).component_id {
                    self.xname(id);
                }
                Object::EthernetInterface(i)
            }
            Object::Group(mut g) => {
                let group = Arc::make_mut(&mut g);
                let members = std::mem::take(&mut group.members);
                group.members = members.into_iter().map(|id| shared(&mut self.xnames, id)).collect();
                Object::Group(g)
            }
            Object::BootParams(key, mut config) => {
                if let Some(known) = self.boot_configs.get(&config) {
                    return Object::BootParams(key, known.clone());
                }
                let BootConfig { kernel, initrd, params, template, script } = Arc::make_mut(&mut config);
                for text in [kernel, initrd, params, template, script] {
                    *text = shared(&mut self.texts, text.clone());
                }
                self.boot_configs.insert(config.clone());
                Object::BootParams(key, config)
            }
            Object::InstanceInfo(mut i) => {
                self.xname(&mut Arc::make_mut(&mut i).id);
                Object::InstanceInfo(i)
            }
            Object::CloudInit(_)
            | Object::CloudInitSecure(_)
            | Object::ClusterDefaults(_)
            | Object::CloudInitGroup(_) => object,
        }
    }

    /// Forgets all but the boot configurations, which later writes are likely to repeat.
    pub(super) fn settle(&mut self) {
        self.texts = HashSet::new();
        self.xnames = HashSet::new();
    }

    /// The text, shared with every other equal one.
    pub(super) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let text: Arc<str> = text.into();
        self.texts.insert(text.clone());
        text
    }

    fn xname(&mut self, xname: &mut Xname) {
        *xname = shared(&mut self.xnames, xname.clone());
    }
}

/// The value that is in the set already, else this one.
fn shared<T: Clone + Eq + Hash>(set: &mut HashSet<T>, value: T) -> T {
    if let Some(known) = set.get(&value) {
        return known.clone();
    }
    set.insert(value.clone());
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BootKey, Component, Nid};

    fn params(nid: u64, kernel: &str) -> Object {
        let config = BootConfig { kernel: kernel.into(), ..BootConfig::default() };
        Object::BootParams(BootKey::Nid(Nid(nid)), Arc::new(config))
    }

    fn config(object: &Object) -> &Arc<BootConfig> {
        let Object::BootParams(_, config) = object else { panic!("not boot parameters") };
        config
    }

    #[test]
    fn equal_boot_configurations_become_one() {
        let mut interner = Interner::default();
        let first = interner.share(params(1, "http://a/vmlinuz"));
        for second in
            [interner.share(params(2, "http://a/vmlinuz")), interner.share_boot_config(params(3, "http://a/vmlinuz"))]
        {
            assert!(Arc::ptr_eq(config(&first), config(&second)));
        }
        assert_eq!(interner.share(params(2, "http://b/vmlinuz")), params(2, "http://b/vmlinuz"));
    }

    #[test]
    fn boot_configurations_that_nobody_uses_are_dropped() {
        let mut interner = Interner::default();
        let kept = interner.share_boot_config(params(0, "kept"));
        for number in 0..3 * SWEEP_AT_LEAST {
            interner.share_boot_config(params(1, &number.to_string()));
        }
        assert!(interner.boot_configs.len() <= SWEEP_AT_LEAST, "{}", interner.boot_configs.len());
        assert!(Arc::ptr_eq(config(&kept), config(&interner.share_boot_config(params(2, "kept")))));
    }

    #[test]
    fn equal_xnames_share_their_text() {
        let mut interner = Interner::default();
        let fresh = || Object::Component(Arc::new(Component::bare("x1000c0s0b0n0".parse().unwrap())));
        let (Object::Component(a), Object::Component(b)) = (interner.share(fresh()), interner.share(fresh())) else {
            panic!("sharing changed the kind");
        };
        assert!(std::ptr::eq(a.id.as_str(), b.id.as_str()));
    }
}
