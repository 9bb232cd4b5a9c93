//! `State/Components`: the bodies that requests wrap components in.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ComponentBody, ComponentView};
use crate::model::{Component, Nid, Xname};

/// Body of `POST State/Components`.
#[derive(Debug, Default, Deserialize)]
pub struct ComponentsBody {
    /// The components.
    #[serde(rename = "Components")]
    pub components: Option<Vec<ComponentBody>>,
    /// Change those that exist.
    #[serde(rename = "Force")]
    pub force: Option<bool>,
}

/// Body of `PUT State/Components/{xname}`.
#[derive(Debug, Default, Deserialize)]
pub struct PutComponentBody {
    /// The component.
    #[serde(rename = "component")]
    pub component: Option<ComponentBody>,
    /// Change it when it exists.
    #[serde(rename = "Force")]
    pub force: Option<bool>,
}

/// One entry of `PATCH State/Components/BulkNID`.
#[derive(Debug, Default, Deserialize)]
pub struct NidBody {
    /// The xname.
    #[serde(rename = "ID")]
    pub id: Option<String>,
    /// As in [`ComponentBody::nid`].
    #[serde(rename = "NID")]
    pub nid: Option<Value>,
}

/// Body of `PATCH State/Components/BulkNID`.
#[derive(Debug, Default, Deserialize)]
pub struct BulkNidBody {
    /// The components with their numbers.
    #[serde(rename = "Components")]
    pub components: Option<Vec<NidBody>>,
}

/// Builds the body of `POST State/Components`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ComponentsRequest<'a> {
    components: Vec<ComponentView<'a>>,
    force: bool,
}

impl<'a> ComponentsRequest<'a> {
    /// A request with those components.
    pub fn new(components: impl IntoIterator<Item = &'a Component>, force: bool) -> Self {
        Self { components: components.into_iter().map(ComponentView::sent).collect(), force }
    }
}

/// Builds the body of `PUT State/Components/{xname}`. With force SMD sets State, Flag, Subtype, NetType, Arch and
/// Class of a component that exists, and silently keeps its NID, Role and Enabled.
#[derive(Debug, Serialize)]
pub struct PutComponentRequest<'a> {
    component: ComponentView<'a>,
    #[serde(rename = "Force")]
    force: bool,
}

impl<'a> PutComponentRequest<'a> {
    /// A request with that component.
    #[must_use]
    pub fn new(component: &'a Component, force: bool) -> Self {
        Self { component: ComponentView::sent(component), force }
    }
}

/// Builds the body of `PATCH State/Components/BulkNID`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BulkNidRequest<'a> {
    components: Vec<NidView<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "UPPERCASE")]
struct NidView<'a> {
    id: &'a str,
    nid: Nid,
}

impl<'a> BulkNidRequest<'a> {
    /// A request with those numbers.
    pub fn new(numbers: impl IntoIterator<Item = (&'a Xname, Nid)>) -> Self {
        Self { components: numbers.into_iter().map(|(id, nid)| NidView { id: id.as_str(), nid }).collect() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::json;

    #[test]
    fn requests_have_the_shape_that_the_client_sends() {
        let mut node = Component::bare("x1000c1s7b0n0".parse().unwrap());
        node.nid = Some(Nid(1));
        let post = serde_json::to_value(ComponentsRequest::new([&node], false)).unwrap();
        let row = json!({"ID": "x1000c1s7b0n0", "Type": "Node", "State": "On", "Enabled": true, "NID": 1});
        assert_eq!(post, json!({"Components": [row], "Force": false}));
        let put = serde_json::to_value(PutComponentRequest::new(&node, true)).unwrap();
        assert_eq!(put, json!({"component": row, "Force": true}));
        let bulk = serde_json::to_value(BulkNidRequest::new([(&node.id, Nid(9))])).unwrap();
        assert_eq!(bulk, json!({"Components": [{"ID": "x1000c1s7b0n0", "NID": 9}]}));
    }

    #[test]
    fn bodies_are_read_as_any_generation_of_client_spells_them() {
        let put: PutComponentBody = json::from_slice(br#"{"Component":{"ID":"x1"},"Force":true}"#).unwrap();
        assert_eq!((put.component.unwrap().id.as_deref(), put.force), (Some("x1"), Some(true)));
        let post: ComponentsBody = json::from_slice(br#"{"Components":[{"id":"x1"}],"Zip":1}"#).unwrap();
        assert_eq!((post.components.unwrap()[0].id.as_deref(), post.force), (Some("x1"), None));
    }
}
