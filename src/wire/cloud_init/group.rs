//! `admin/groups`: a cloud-config file and variables for the members of a group.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::field::{AdminError, name, read};
use crate::model::{CloudInitGroup, Details, EntryName};

/// A group as it is sent.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct GroupBody {
    name: Option<String>,
    description: Option<String>,
    meta_data: Option<Map<String, Value>>,
    file: Option<FileBody>,
    versions: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FileBody {
    content: Option<String>,
    filename: Option<String>,
    encoding: Option<String>,
}

/// A group as it is shown, in the original's order. Its file is always there.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct GroupView<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "Details::is_null")]
    meta_data: &'a Details,
    file: FileView<'a>,
    #[serde(skip_serializing_if = "Details::is_null")]
    versions: &'a Details,
}

#[derive(Serialize)]
struct FileView<'a> {
    content: &'a str,
    filename: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    encoding: &'a str,
}

/// Reads the body of a POST or PUT.
///
/// # Errors
///
/// [`AdminError`] for what is not JSON of this shape, a name that is missing or cannot be one, and a file that no node
/// could be given because it does not decode.
pub fn parse_group(body: &[u8]) -> Result<CloudInitGroup, AdminError> {
    let body: GroupBody = read(body)?;
    let name = name(body.name.as_deref().unwrap_or_default())?;
    let group = body.named(name);
    file_of(&group)?;
    Ok(group)
}

/// The groups that a server holds, as far as they can be read.
#[derive(Debug, Default, PartialEq)]
pub struct GroupListing {
    /// The groups, by name.
    pub groups: Vec<CloudInitGroup>,
    /// What could not be read, one sentence a group.
    pub rejected: Vec<String>,
}

/// Reads what a server answers to a GET of all groups, a mapping of names. The name there is what counts: the original
/// keeps a group under the name in the path, whatever name is in the body. A group that is not understood does not spoil
/// the others, and files are taken as they are.
///
/// # Errors
///
/// [`AdminError`] when the body is no mapping.
pub fn read_groups(body: &[u8]) -> Result<GroupListing, AdminError> {
    let items: BTreeMap<String, Box<RawValue>> = read(body)?;
    let mut listing = GroupListing::default();
    for (key, item) in items {
        let group = name(&key).and_then(|name| Ok(read::<GroupBody>(item.get().as_bytes())?.named(name)));
        match group {
            Ok(group) => listing.groups.push(group),
            Err(error) => listing.rejected.push(format!("cloud-init group `{key}`: {error}")),
        }
    }
    Ok(listing)
}

impl GroupBody {
    fn named(self, name: EntryName) -> CloudInitGroup {
        let mapping = |members: Map<String, Value>| (!members.is_empty()).then_some(Value::Object(members));
        let file = self.file.unwrap_or_default();
        let versions = self.versions.unwrap_or_default().into_iter().map(|(key, text)| (key, text.into())).collect();
        CloudInitGroup {
            name,
            description: self.description.unwrap_or_default(),
            meta_data: self.meta_data.and_then(mapping).unwrap_or_default().into(),
            content: file.content.unwrap_or_default(),
            filename: file.filename.unwrap_or_default(),
            encoding: file.encoding.unwrap_or_default(),
            versions: mapping(versions).unwrap_or_default().into(),
        }
    }
}

/// The group's file as a node gets it: decoded from base64, and as it is in any other encoding, as the original gives it.
///
/// # Errors
///
/// [`AdminError::Base64`] when the content is not what its encoding says.
pub fn file_of(group: &CloudInitGroup) -> Result<Cow<'_, [u8]>, AdminError> {
    if group.encoding != "base64" {
        return Ok(Cow::Borrowed(group.content.as_bytes()));
    }
    // Tools break base64 into lines, and the original reads over the breaks.
    let line: String = group.content.split(['\r', '\n']).collect();
    STANDARD.decode(line).map(Cow::Owned).map_err(|_| AdminError::Base64)
}

fn view(group: &CloudInitGroup) -> GroupView<'_> {
    GroupView {
        name: group.name.as_str(),
        description: &group.description,
        meta_data: &group.meta_data,
        file: FileView { content: &group.content, filename: &group.filename, encoding: &group.encoding },
        versions: &group.versions,
    }
}

/// The answer to a GET of one group, and the body of a POST or PUT of it.
#[must_use]
pub fn group_json(group: &CloudInitGroup) -> String {
    serde_json::to_string(&view(group)).expect("a group is a tree with text keys only")
}

/// The answer to a GET of all groups: a mapping of names.
pub fn groups_json<'a>(groups: impl IntoIterator<Item = &'a CloudInitGroup>) -> String {
    let groups: BTreeMap<_, _> = groups.into_iter().map(|group| (group.name.as_str(), view(group))).collect();
    serde_json::to_string(&groups).expect("groups are trees with text keys only")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<CloudInitGroup, AdminError> {
        parse_group(body.as_bytes())
    }

    #[test]
    fn what_is_given_is_shown_in_the_same_words() {
        for text in [
            r##"{"name":"compute","description":"C","meta-data":{"a":[1],"n":3},"file":{"content":"#cloud-config\n","filename":"f","encoding":"plain"},"versions":{"v":"1"}}"##,
            r#"{"name":"a b","file":{"content":"","filename":""}}"#,
        ] {
            assert_eq!(group_json(&parse(text).unwrap()), text);
        }
        let groups = [parse(r#"{"name":"b"}"#).unwrap(), parse(r#"{"name":"a","meta-data":{},"file":null}"#).unwrap()];
        let file = r#""file":{"content":"","filename":""}"#;
        let all = format!(r#"{{"a":{{"name":"a",{file}}},"b":{{"name":"b",{file}}}}}"#);
        assert_eq!(groups_json(&groups), all);
    }

    #[test]
    fn groups_are_read_as_they_are_shown_under_the_name_that_counts() {
        let group = parse(
            r##"{"name":"compute","meta-data":{"n":3},"file":{"content":"#cloud-config\n","encoding":"plain"}}"##,
        )
        .unwrap();
        let listing = read_groups(groups_json([&group]).as_bytes()).unwrap();
        assert_eq!(listing, GroupListing { groups: vec![group], rejected: Vec::new() });
        let listing = read_groups(br#"{"newg":{"name":"other","file":{"content":"","filename":""}}}"#).unwrap();
        assert_eq!(listing.groups[0].name.as_str(), "newg");
    }

    #[test]
    fn a_group_that_is_not_understood_does_not_spoil_the_others() {
        let text = br#"{"a b/c": {"name": "a b/c"}, "bad": {"file": 1}, "null": {"file": null, "meta-data": null},
            "odd": {"file": {"content": "@@@", "encoding": "base64"}}}"#;
        let listing = read_groups(text).unwrap();
        assert_eq!(listing.groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["null", "odd"]);
        assert_eq!(listing.rejected.len(), 2, "{:?}", listing.rejected);
        assert!(read_groups(b"[]").is_err());
    }

    #[test]
    fn a_file_in_base64_is_decoded_over_line_breaks() {
        let group =
            parse(r##"{"name":"g","file":{"content":"I2Nsb3Vk\r\nLWNvbmZpZwo=\n","encoding":"base64"}}"##).unwrap();
        assert_eq!(&*file_of(&group).unwrap(), b"#cloud-config\n");
        let plain = parse(r##"{"name":"g","file":{"content":"I2Ns"}}"##).unwrap();
        assert_eq!(&*file_of(&plain).unwrap(), b"I2Ns");
        let unknown = parse(r##"{"name":"g","file":{"content":"I2Ns","encoding":"Base64"}}"##).unwrap();
        assert_eq!(&*file_of(&unknown).unwrap(), b"I2Ns", "in an encoding that is not known it is given as it is");
    }

    #[test]
    fn what_no_node_could_be_given_is_refused() {
        for (body, error) in [
            ("{}", AdminError::NoName),
            ("null", AdminError::NoName),
            (r#"{"name":""}"#, AdminError::NoName),
            (r#"{"name":"a/b"}"#, AdminError::Name),
            (r#"{"name":"g","file":{"content":"@@@","encoding":"base64"}}"#, AdminError::Base64),
        ] {
            assert_eq!(parse(body).unwrap_err(), error, "{body}");
        }
        for body in ["", "{", "[]", "name: y", r#"{"name":"g","meta-data":[]}"#, r#"{"name":"g","versions":{"a":1}}"#] {
            assert!(matches!(parse(body), Err(AdminError::Json { .. })), "{body}");
        }
    }
}
