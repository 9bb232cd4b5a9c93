//! `Defaults/NodeMaps`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::FieldError;
use super::field::word;
use crate::model::{Details, Nid, NodeMap, Role, SubRole, Xname, XnameType};
use crate::wire::json::fields;

/// A node map as SMD shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NodeMapView<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    #[serde(rename = "NID")]
    nid: Nid,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_role: Option<SubRole>,
    #[serde(skip_serializing_if = "Details::is_null")]
    node_info: &'a Details,
}

impl<'a> From<&'a NodeMap> for NodeMapView<'a> {
    fn from(map: &'a NodeMap) -> Self {
        Self { id: map.id.as_str(), nid: map.nid, role: map.role, sub_role: map.sub_role, node_info: &map.info }
    }
}

/// A node map as a client sends it, or SMD shows it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct NodeMapBody {
    /// The xname of a node.
    #[serde(rename = "ID")]
    pub id: Option<String>,
    /// A whole number greater than zero.
    #[serde(rename = "NID")]
    pub nid: Option<i64>,
    /// Any of [`Role`].
    #[serde(rename = "Role")]
    pub role: Option<String>,
    /// Any of [`SubRole`].
    #[serde(rename = "SubRole")]
    pub sub_role: Option<String>,
    /// Anything.
    #[serde(rename = "NodeInfo")]
    pub node_info: Option<Value>,
}

impl TryFrom<NodeMapBody> for NodeMap {
    type Error = FieldError;

    fn try_from(body: NodeMapBody) -> Result<Self, FieldError> {
        let id = body.id.unwrap_or_default();
        let node = id.parse::<Xname>().ok();
        let node = node.filter(|xname| matches!(xname.kind(), XnameType::Node | XnameType::VirtualNode));
        let number = body.nid.unwrap_or_default();
        Ok(Self {
            id: node.ok_or_else(|| FieldError::Node(id.to_ascii_lowercase()))?,
            nid: u64::try_from(number).ok().filter(|nid| *nid > 0).map(Nid).ok_or(FieldError::MappedNid(number))?,
            role: word(body.role.as_deref()).map_err(|_| invalid("Role", body.role))?,
            sub_role: word(body.sub_role.as_deref()).map_err(|_| invalid("SubRole", body.sub_role))?,
            info: body.node_info.unwrap_or_default().into(),
        })
    }
}

/// Body of `POST Defaults/NodeMaps`: one node map, or a list of them. A single one wins over a list, as in SMD.
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self")]
pub struct NodeMapsBody {
    #[serde(flatten)]
    one: NodeMapBody,
    #[serde(rename = "NodeMaps")]
    node_maps: Option<Vec<NodeMapBody>>,
}

fields! { NodeMapsBody: "ID" "NID" "Role" "SubRole" "NodeInfo" "NodeMaps" }

impl NodeMapsBody {
    /// The node maps of the request, in their order.
    #[must_use]
    pub fn into_bodies(self) -> Vec<NodeMapBody> {
        if self.one == NodeMapBody::default() { self.node_maps.unwrap_or_default() } else { vec![self.one] }
    }
}

fn invalid(field: &'static str, word: Option<String>) -> FieldError {
    FieldError::MappedWord { field, word: word.unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::json;

    fn read(text: &str) -> Vec<Result<NodeMap, FieldError>> {
        let bodies = json::from_slice::<NodeMapsBody>(text.as_bytes()).unwrap().into_bodies();
        bodies.into_iter().map(NodeMap::try_from).collect()
    }

    #[test]
    fn a_node_map_survives_its_wire_form() {
        for text in [
            r#"{"ID":"x1c0s0b0n0","NID":7,"Role":"Service","SubRole":"Master","NodeInfo":{"a":[1]}}"#,
            r#"{"ID":"x1c0s0b0n0v1","NID":7}"#,
        ] {
            let maps = read(text);
            assert_eq!(serde_json::to_string(&NodeMapView::from(maps[0].as_ref().unwrap())).unwrap(), text);
        }
    }

    #[test]
    fn one_or_many_or_none_are_read() {
        assert_eq!(read("{}").len(), 0);
        assert_eq!(read(r#"{"NodeMaps":null}"#).len(), 0);
        assert_eq!(read(r#"{"nodemaps":[{"id":"x1c0s0b0n0","nid":1},{"id":"x1c0s0b0n1","nid":2}]}"#).len(), 2);
        let both = read(r#"{"NodeMaps":[{"ID":"x1c0s0b0n0","NID":1}],"ID":"x1c0s0b0n1","NID":2}"#);
        assert_eq!(both[0].as_ref().unwrap().id.as_str(), "x1c0s0b0n1");
        assert_eq!(both.len(), 1);
    }

    #[test]
    fn a_map_is_of_a_node_to_a_positive_number_and_known_words() {
        for text in [
            r#"{"NID":1}"#,
            r#"{"ID":"foo","NID":1}"#,
            r#"{"ID":"x1c0s0b0","NID":1}"#,
            r#"{"ID":"x1c0s0b0n0"}"#,
            r#"{"ID":"x1c0s0b0n0","NID":0}"#,
            r#"{"ID":"x1c0s0b0n0","NID":-1}"#,
            r#"{"ID":"x1c0s0b0n0","NID":1,"Role":"bogus"}"#,
            r#"{"ID":"x1c0s0b0n0","NID":1,"SubRole":"bogus"}"#,
        ] {
            assert!(read(text)[0].is_err(), "{text}");
        }
        for text in [r#"{"ID":"x1c0s0b0n0","NID":"1"}"#, r#"{"ID":"x1c0s0b0n0","NID":1.5}"#] {
            assert!(serde_json::from_str::<NodeMapsBody>(text).is_err(), "{text}");
        }
    }
}
