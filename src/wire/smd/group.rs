//! `groups` and `memberships`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::field::{said, xname};
use super::{FieldError, ListError, Row, rows};
use crate::model::{Group, GroupLabel, Xname};

/// Members as SMD shows them.
#[derive(Debug, Serialize)]
pub struct MembersView<'a> {
    ids: Vec<&'a str>,
}

impl<'a> MembersView<'a> {
    /// Those members.
    pub fn new(members: impl IntoIterator<Item = &'a Xname>) -> Self {
        Self { ids: members.into_iter().map(Xname::as_str).collect() }
    }
}

/// A group as SMD shows it, which is also the body of `POST groups`.
#[derive(Debug, Serialize)]
pub struct GroupView<'a> {
    label: &'a str,
    description: &'a str,
    #[serde(rename = "exclusiveGroup", skip_serializing_if = "Option::is_none")]
    exclusive_group: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    members: MembersView<'a>,
}

impl<'a> GroupView<'a> {
    /// The group with these of its members.
    pub fn with_members(group: &'a Group, members: impl IntoIterator<Item = &'a Xname>) -> Self {
        Self {
            label: group.label.as_str(),
            description: &group.description,
            exclusive_group: group.exclusive_group.as_ref().map(GroupLabel::as_str),
            tags: &group.tags,
            members: MembersView::new(members),
        }
    }
}

impl<'a> From<&'a Group> for GroupView<'a> {
    fn from(group: &'a Group) -> Self {
        Self::with_members(group, &group.members)
    }
}

/// What a component belongs to, as SMD shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MembershipView<'a> {
    /// The component.
    pub id: &'a str,
    /// Its groups.
    pub group_labels: Vec<&'a str>,
    /// Its partition; empty where it has none.
    pub partition_name: &'a str,
}

/// Members as a client sends them: in `POST groups` and in `PUT groups/{label}/members`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct MembersBody {
    /// Xnames.
    pub ids: Option<Vec<String>>,
}

/// Body of `POST groups/{label}/members` and `POST partitions/{name}/members`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct MemberBody {
    /// The xname.
    pub id: Option<String>,
}

/// Builds the body of `POST groups/{label}/members`.
#[derive(Debug, Serialize)]
pub struct MemberView<'a> {
    id: &'a str,
}

impl<'a> From<&'a Xname> for MemberView<'a> {
    fn from(id: &'a Xname) -> Self {
        Self { id: id.as_str() }
    }
}

/// A group as a client sends it, or SMD shows it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct GroupBody {
    /// The name.
    pub label: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// A label.
    #[serde(rename = "exclusiveGroup")]
    pub exclusive_group: Option<String>,
    /// Labels.
    pub tags: Option<Vec<String>>,
    /// The members.
    pub members: Option<MembersBody>,
}

/// Checks tags: each has to be a word that could be a label. They are stored in lower case.
pub(super) fn tags(texts: Vec<String>) -> Result<Vec<String>, FieldError> {
    texts.into_iter().map(|text| Ok(text.parse::<GroupLabel>()?.to_string())).collect()
}

impl TryFrom<GroupBody> for Group {
    type Error = FieldError;

    /// Members given twice are one.
    fn try_from(body: GroupBody) -> Result<Self, FieldError> {
        let ids = body.members.and_then(|members| members.ids).unwrap_or_default();
        Ok(Self {
            label: body.label.unwrap_or_default().parse()?,
            description: body.description.unwrap_or_default(),
            tags: tags(body.tags.unwrap_or_default())?,
            exclusive_group: said(body.exclusive_group.as_deref()).map(str::parse).transpose()?,
            members: ids.iter().map(|id| xname(id)).collect::<Result<_, _>>()?,
        })
    }
}

/// Body of `PATCH groups/{label}` and `PATCH partitions/{name}`: what is given is set. SMD ignores `members` here, and so
/// do we.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct GroupPatchBody {
    /// Free text.
    pub description: Option<String>,
    /// All the tags.
    pub tags: Option<Vec<String>>,
}

impl GroupPatchBody {
    /// The tags, checked.
    ///
    /// # Errors
    ///
    /// [`FieldError::Label`] for one that could not be a label.
    pub fn checked_tags(&mut self) -> Result<Option<Vec<String>>, FieldError> {
        self.tags.take().map(tags).transpose()
    }
}

/// Builds the body of `PATCH groups/{label}`; a field that is none is left as it is.
#[derive(Debug, Default, Serialize)]
pub struct GroupPatchRequest<'a> {
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    /// All the tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<&'a [String]>,
}

/// Reads the answer of `GET groups`.
///
/// # Errors
///
/// [`ListError`] when it is no such list; a row that is wrong is an error of its own.
pub fn read_groups(answer: &[u8]) -> Result<Vec<Row<Group>>, ListError> {
    let list: Option<Vec<&RawValue>> =
        serde_json::from_slice(answer).map_err(|cause| ListError { list: "groups", cause })?;
    Ok(rows::read(list, |body: GroupBody| body.try_into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_survives_its_wire_form() {
        for text in [
            r#"{"label":"compute","description":"c","tags":["a"],"members":{"ids":["x1000c0s0b0n0"]}}"#,
            r#"{"label":"e1","description":"","exclusiveGroup":"ex","members":{"ids":[]}}"#,
        ] {
            let rows = read_groups(format!("[{text}]").as_bytes()).unwrap();
            assert_eq!(serde_json::to_string(&GroupView::from(rows[0].as_ref().unwrap())).unwrap(), text);
        }
    }

    #[test]
    fn labels_tags_and_members_are_checked() {
        let rows = read_groups(
            br#"[{"label":"a b"},{"label":"ok","tags":["a b"]},{"label":"ok","members":{"ids":["foo"]}},{"label":"OK"}]"#,
        )
        .unwrap();
        assert_eq!(rows[0].as_ref().unwrap_err().id, "a b");
        assert!(rows[1].is_err());
        assert_eq!(rows[2].as_ref().unwrap_err().to_string(), "`ok`: xname ID 'foo' is invalid");
        assert_eq!(rows[3].as_ref().unwrap().label.as_str(), "ok");
    }

    #[test]
    fn requests_hold_what_was_set() {
        let patch = GroupPatchRequest { description: Some("x"), tags: None };
        assert_eq!(serde_json::to_string(&patch).unwrap(), r#"{"description":"x"}"#);
        let id: Xname = "x1c0s0b0n0".parse().unwrap();
        assert_eq!(serde_json::to_string(&MemberView::from(&id)).unwrap(), r#"{"id":"x1c0s0b0n0"}"#);
        assert_eq!(serde_json::to_string(&MembersView::new([&id])).unwrap(), r#"{"ids":["x1c0s0b0n0"]}"#);
    }
}
