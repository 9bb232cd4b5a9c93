//! Any noun at all: what the store keeps in a row, the ledger owns and the plan changes.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    BootConfig, BootKey, CloudInitEntry, CloudInitGroup, ClusterDefaults, Component, ComponentEndpoint,
    EthernetInterface, Group, InstanceInfo, Kind, ObjectKey, RedfishEndpoint,
};
use crate::model::kind::CLUSTER;

/// Why a row or a document is no object.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The identifier is not one of its kind.
    #[error("`{id}` cannot identify a {kind}")]
    Id {
        /// The kind.
        kind: Kind,
        /// The identifier.
        id: String,
    },
    /// The content does not have the kind's shape. The cause is left out of the text for secret kinds.
    #[error("the content of {key} does not have the shape of its kind: {cause}")]
    Shape {
        /// The object.
        key: ObjectKey,
        /// What serde says.
        cause: String,
    },
}

/// One object. The values are shared: cloning costs a counter.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// SMD component.
    Component(Arc<Component>),
    /// SMD Redfish endpoint.
    RedfishEndpoint(Arc<RedfishEndpoint>),
    /// SMD component endpoint.
    ComponentEndpoint(Arc<ComponentEndpoint>),
    /// SMD Ethernet interface.
    EthernetInterface(Arc<EthernetInterface>),
    /// SMD group.
    Group(Arc<Group>),
    /// Open cloud-init entry.
    CloudInit(Arc<CloudInitEntry>),
    /// Secure cloud-init entry.
    CloudInitSecure(Arc<CloudInitEntry>),
    /// Defaults of today's cloud-init server.
    ClusterDefaults(Arc<ClusterDefaults>),
    /// Group of today's cloud-init server.
    CloudInitGroup(Arc<CloudInitGroup>),
    /// Instance of today's cloud-init server.
    InstanceInfo(Arc<InstanceInfo>),
    /// Boot parameters of one key.
    BootParams(BootKey, Arc<BootConfig>),
}

impl Object {
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Component(_) => Kind::Component,
            Self::RedfishEndpoint(_) => Kind::RedfishEndpoint,
            Self::ComponentEndpoint(_) => Kind::ComponentEndpoint,
            Self::EthernetInterface(_) => Kind::EthernetInterface,
            Self::Group(_) => Kind::Group,
            Self::CloudInit(_) => Kind::CloudInit,
            Self::CloudInitSecure(_) => Kind::CloudInitSecure,
            Self::ClusterDefaults(_) => Kind::ClusterDefaults,
            Self::CloudInitGroup(_) => Kind::CloudInitGroup,
            Self::InstanceInfo(_) => Kind::InstanceInfo,
            Self::BootParams(..) => Kind::BootParams,
        }
    }

    /// The kind and the identifier.
    #[must_use]
    pub fn key(&self) -> ObjectKey {
        let id: Arc<str> = match self {
            Self::Component(c) => c.id.clone().into(),
            Self::RedfishEndpoint(e) => e.id.clone().into(),
            Self::ComponentEndpoint(e) => e.id.clone().into(),
            Self::EthernetInterface(i) => i.mac.to_string().into(),
            Self::Group(g) => g.label.clone().into(),
            Self::CloudInit(e) | Self::CloudInitSecure(e) => e.name.clone().into(),
            Self::ClusterDefaults(_) => CLUSTER.into(),
            Self::CloudInitGroup(g) => g.name.clone().into(),
            Self::InstanceInfo(i) => i.id.clone().into(),
            Self::BootParams(key, _) => key.to_string().into(),
        };
        ObjectKey { kind: self.kind(), id }
    }

    /// The canonical form as JSON text.
    ///
    /// # Panics
    ///
    /// Never: every noun is a structure of texts, numbers and trees with text keys, which JSON can always hold.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = match self {
            Self::Component(c) => serde_json::to_string(c),
            Self::RedfishEndpoint(e) => serde_json::to_string(e),
            Self::ComponentEndpoint(e) => serde_json::to_string(e),
            Self::EthernetInterface(i) => serde_json::to_string(i),
            Self::Group(g) => serde_json::to_string(g),
            Self::CloudInit(e) | Self::CloudInitSecure(e) => serde_json::to_string(e),
            Self::ClusterDefaults(d) => serde_json::to_string(d),
            Self::CloudInitGroup(g) => serde_json::to_string(g),
            Self::InstanceInfo(i) => serde_json::to_string(i),
            Self::BootParams(_, c) => serde_json::to_string(c),
        };
        text.expect("a noun of the model has text keys only")
    }

    /// Reads the canonical form.
    ///
    /// # Errors
    ///
    /// [`ObjectError`] when the identifier or the content is not of the kind.
    pub fn from_json(key: &ObjectKey, text: &str) -> Result<Self, ObjectError> {
        fn read<T: serde::de::DeserializeOwned>(key: &ObjectKey, text: &str) -> Result<Arc<T>, ObjectError> {
            serde_json::from_str(text).map(Arc::new).map_err(|error| ObjectError::Shape {
                key: key.clone(),
                cause: if key.kind.is_secret() { "(not shown)".to_owned() } else { error.to_string() },
            })
        }
        let object = match key.kind {
            Kind::Component => Self::Component(read(key, text)?),
            Kind::RedfishEndpoint => Self::RedfishEndpoint(read(key, text)?),
            Kind::ComponentEndpoint => Self::ComponentEndpoint(read(key, text)?),
            Kind::EthernetInterface => Self::EthernetInterface(read(key, text)?),
            Kind::Group => Self::Group(read(key, text)?),
            Kind::CloudInit => Self::CloudInit(read(key, text)?),
            Kind::CloudInitSecure => Self::CloudInitSecure(read(key, text)?),
            Kind::ClusterDefaults => Self::ClusterDefaults(read(key, text)?),
            Kind::CloudInitGroup => Self::CloudInitGroup(read(key, text)?),
            Kind::InstanceInfo => Self::InstanceInfo(read(key, text)?),
            Kind::BootParams => {
                let boot_key: BootKey = key.id.parse().map_err(|_| key.bad_id())?;
                Self::BootParams(boot_key, read(key, text)?)
            }
        };
        if object.key() == *key { Ok(object) } else { Err(key.bad_id()) }
    }

    /// The canonical form as a tree, without the field that identifies the object.
    #[must_use]
    pub fn fields(&self) -> Map<String, Value> {
        let tree = match self {
            Self::Component(c) => serde_json::to_value(c),
            Self::RedfishEndpoint(e) => serde_json::to_value(e),
            Self::ComponentEndpoint(e) => serde_json::to_value(e),
            Self::EthernetInterface(i) => serde_json::to_value(i),
            Self::Group(g) => serde_json::to_value(g),
            Self::CloudInit(e) | Self::CloudInitSecure(e) => serde_json::to_value(e),
            Self::ClusterDefaults(d) => serde_json::to_value(d),
            Self::CloudInitGroup(g) => serde_json::to_value(g),
            Self::InstanceInfo(i) => serde_json::to_value(i),
            Self::BootParams(_, c) => serde_json::to_value(c),
        };
        let mut fields = match tree {
            Ok(Value::Object(fields)) => fields,
            _ => unreachable!("every noun is a structure with named fields"),
        };
        if let Some(name) = self.kind().id_field() {
            fields.remove(name);
        }
        fields
    }

    /// Makes the object of that key from its fields, as [`Object::fields`] gives them.
    ///
    /// # Errors
    ///
    /// [`ObjectError`] when the identifier or a field is not of the kind.
    pub fn from_fields(key: &ObjectKey, mut fields: Map<String, Value>) -> Result<Self, ObjectError> {
        if let Some(name) = key.kind.id_field() {
            fields.insert(name.to_owned(), Value::from(&*key.id));
        }
        Self::from_json(key, &Value::Object(fields).to_string())
    }
}

impl ObjectKey {
    fn bad_id(&self) -> ObjectError {
        ObjectError::Id { kind: self.kind, id: self.id.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_survives_its_canonical_form() {
        let mut node = Component::bare("x1000c1s7b0n0".parse().unwrap());
        node.nid = Some(crate::model::Nid(1));
        let object = Object::Component(Arc::new(node));
        let text = object.to_json();
        assert_eq!(text, r#"{"id":"x1000c1s7b0n0","enabled":true,"nid":1}"#);
        assert_eq!(Object::from_json(&object.key(), &text).unwrap(), object);
        assert_eq!(Object::from_fields(&object.key(), object.fields()).unwrap(), object);
    }

    #[test]
    fn content_under_another_key_is_refused() {
        let key = ObjectKey::new(Kind::Component, "x1000c1s7b1n0");
        assert!(Object::from_json(&key, r#"{"id":"x1000c1s7b0n0","enabled":true}"#).is_err());
        let key = ObjectKey::new(Kind::BootParams, "mac:zz");
        assert!(Object::from_json(&key, "{}").is_err());
    }

    #[test]
    fn a_secret_is_not_told_by_an_error() {
        let key = ObjectKey::new(Kind::CloudInitSecure, "compute");
        let error = Object::from_json(&key, r#"{"name":"compute","jinja":"hunter2"}"#).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
