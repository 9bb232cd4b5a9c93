//! `partitions`.

use serde::{Deserialize, Serialize};

use super::field::xname;
use super::group::tags;
use super::{FieldError, MembersBody, MembersView};
use crate::model::Partition;

/// A partition as SMD shows it.
#[derive(Debug, Serialize)]
pub struct PartitionView<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    members: MembersView<'a>,
}

impl<'a> From<&'a Partition> for PartitionView<'a> {
    fn from(partition: &'a Partition) -> Self {
        Self {
            name: partition.name.as_str(),
            description: &partition.description,
            tags: &partition.tags,
            members: MembersView::new(&partition.members),
        }
    }
}

/// A partition as a client sends it, or SMD shows it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PartitionBody {
    /// The name.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Words that could be group labels.
    pub tags: Option<Vec<String>>,
    /// The members.
    pub members: Option<MembersBody>,
}

impl TryFrom<PartitionBody> for Partition {
    type Error = FieldError;

    /// Members given twice are one.
    fn try_from(body: PartitionBody) -> Result<Self, FieldError> {
        let ids = body.members.and_then(|members| members.ids).unwrap_or_default();
        Ok(Self {
            name: body.name.unwrap_or_default().parse()?,
            description: body.description.unwrap_or_default(),
            tags: tags(body.tags.unwrap_or_default())?,
            members: ids.iter().map(|id| xname(id)).collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Partition, FieldError> {
        crate::wire::json::from_slice::<PartitionBody>(text.as_bytes()).unwrap().try_into()
    }

    #[test]
    fn a_partition_survives_its_wire_form() {
        for text in [
            r#"{"name":"p1","description":"d","tags":["a"],"members":{"ids":["x1000c0s0b0n0"]}}"#,
            r#"{"name":"p1.2","members":{"ids":[]}}"#,
        ] {
            assert_eq!(serde_json::to_string(&PartitionView::from(&read(text).unwrap())).unwrap(), text);
        }
    }

    #[test]
    fn names_tags_and_members_are_checked() {
        for text in [
            "{}",
            r#"{"name":"part one"}"#,
            r#"{"name":"p1","tags":["a b"]}"#,
            r#"{"name":"p1","members":{"ids":["foo"]}}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn fields_are_read_in_the_spellings_of_go_clients() {
        let partition = read(r#"{"Name":"P1","Tags":["A"],"Members":{"IDs":["X1000C0S00B0N0"]}}"#).unwrap();
        let text = r#"{"name":"p1","tags":["a"],"members":{"ids":["x1000c0s0b0n0"]}}"#;
        assert_eq!(serde_json::to_string(&PartitionView::from(&partition)).unwrap(), text);
    }
}
