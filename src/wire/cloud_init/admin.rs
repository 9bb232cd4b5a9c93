//! The admin API of today's cloud-init server as its clients use it: what is sent, and what is read of its answers.
//!
//! The names are the server's: `cloud_provider` with an underscore among dashes, in the defaults.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::{CloudInitGroup, ClusterDefaults, InstanceInfo};

/// A body of `admin/cluster-defaults`. What is empty is left out: the server keeps what it has then.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct DefaultsBody {
    #[serde(rename = "cloud_provider", skip_serializing_if = "String::is_empty")]
    cloud_provider: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    region: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    availability_zone: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    cluster_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_keys: Option<Vec<String>>,
    #[serde(skip_serializing_if = "String::is_empty")]
    base_url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    boot_subnet: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    wg_subnet: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    short_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nid_length: Option<u32>,
}

/// A group in `admin/groups`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct GroupBody {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Value::is_null")]
    meta_data: Value,
    file: Option<FileBody>,
    #[serde(skip_serializing_if = "Value::is_null")]
    versions: Value,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct FileBody {
    content: Option<String>,
    filename: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<String>,
}

/// A body of `admin/instance-info`, which replaces what the server holds of the node.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct InstanceBody<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    local_hostname: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    hostname: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    cluster_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    region: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    availability_zone: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    cloud_provider: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    instance_type: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    cloud_init_base_url: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    public_keys: &'a [String],
}

/// The groups that a server holds, as far as they can be read.
#[derive(Debug, Default, PartialEq)]
pub struct GroupListing {
    /// The groups, by name.
    pub groups: Vec<CloudInitGroup>,
    /// What could not be read, one sentence a group.
    pub rejected: Vec<String>,
}

fn text(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("the structures of this file have text keys only")
}

/// The body of a POST to `admin/cluster-defaults`, which overwrites what it gives and clears nothing.
#[must_use]
pub fn defaults_body(defaults: &ClusterDefaults) -> String {
    text(&DefaultsBody {
        cloud_provider: defaults.cloud_provider.clone(),
        region: defaults.region.clone(),
        availability_zone: defaults.availability_zone.clone(),
        cluster_name: defaults.cluster_name.clone(),
        public_keys: Some(defaults.public_keys.clone()).filter(|keys| !keys.is_empty()),
        base_url: defaults.base_url.clone(),
        boot_subnet: defaults.boot_subnet.clone(),
        wg_subnet: defaults.wg_subnet.clone(),
        short_name: defaults.short_name.clone(),
        nid_length: Some(defaults.nid_length).filter(|length| *length > 0),
    })
}

/// Reads the answer to `GET admin/cluster-defaults`; none when nothing is set.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse_defaults(body: &[u8]) -> Result<Option<ClusterDefaults>, String> {
    let body: DefaultsBody = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let defaults = ClusterDefaults {
        cloud_provider: body.cloud_provider,
        region: body.region,
        availability_zone: body.availability_zone,
        cluster_name: body.cluster_name,
        public_keys: body.public_keys.unwrap_or_default(),
        base_url: body.base_url,
        boot_subnet: body.boot_subnet,
        wg_subnet: body.wg_subnet,
        short_name: body.short_name,
        nid_length: body.nid_length.unwrap_or_default(),
    };
    Ok((defaults != ClusterDefaults::default()).then_some(defaults))
}

/// The body of a PUT to `admin/groups/{name}`, which makes or replaces the group.
#[must_use]
pub fn group_body(group: &CloudInitGroup) -> String {
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    text(&GroupBody {
        name: group.name.to_string(),
        description: given(&group.description),
        meta_data: group.meta_data.tree(),
        file: Some(FileBody {
            content: Some(group.content.clone()),
            filename: Some(group.filename.clone()),
            encoding: given(&group.encoding),
        }),
        versions: group.versions.tree(),
    })
}

/// Reads the answer to `GET admin/groups`, a map from names to groups. The key is what counts: the server keeps a group
/// under the name in the path, whatever name is in the body. A group that is not understood does not spoil the others.
///
/// # Errors
///
/// When the body is not a map.
pub fn parse_groups(body: &[u8]) -> Result<GroupListing, String> {
    let items: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let mut listing = GroupListing::default();
    for (key, item) in items {
        match (key.parse(), serde_json::from_str::<GroupBody>(item.get())) {
            (Ok(name), Ok(body)) => {
                let file = body.file.unwrap_or_default();
                listing.groups.push(CloudInitGroup {
                    name,
                    description: body.description.unwrap_or_default(),
                    meta_data: body.meta_data.into(),
                    content: file.content.unwrap_or_default(),
                    filename: file.filename.unwrap_or_default(),
                    encoding: file.encoding.unwrap_or_default(),
                    versions: body.versions.into(),
                });
            }
            (Err(error), _) => listing.rejected.push(format!("cloud-init group `{key}`: {error}")),
            (_, Err(error)) => listing.rejected.push(format!("cloud-init group `{key}`: {error}")),
        }
    }
    Ok(listing)
}

/// The body of a PUT to `admin/instance-info/{id}`.
#[must_use]
pub fn instance_body(instance: &InstanceInfo) -> String {
    text(&InstanceBody {
        id: instance.id.as_str(),
        local_hostname: &instance.local_hostname,
        hostname: &instance.hostname,
        cluster_name: &instance.cluster_name,
        region: &instance.region,
        availability_zone: &instance.availability_zone,
        cloud_provider: &instance.cloud_provider,
        instance_type: &instance.instance_type,
        cloud_init_base_url: &instance.cloud_init_base_url,
        public_keys: &instance.public_keys,
    })
}

/// The body of a PUT to `admin/instance-info/{id}` that leaves nothing of what was special about the node.
#[must_use]
pub fn no_instance_body(id: &str) -> String {
    text(&BTreeMap::from([("id", id)]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn json(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn defaults_have_the_names_of_the_server_and_leave_out_what_is_empty() {
        let defaults = ClusterDefaults {
            cloud_provider: "openchami".into(),
            cluster_name: "demo".into(),
            public_keys: vec!["ssh-rsa AAAA k1".into()],
            base_url: "http://172.16.0.254:8081/cloud-init".into(),
            nid_length: 3,
            ..ClusterDefaults::default()
        };
        let body = defaults_body(&defaults);
        assert_eq!(
            json(&body),
            json!({"cloud_provider": "openchami", "cluster-name": "demo", "public-keys": ["ssh-rsa AAAA k1"],
                "base-url": "http://172.16.0.254:8081/cloud-init", "nid-length": 3})
        );
        assert_eq!(parse_defaults(body.as_bytes()), Ok(Some(defaults)));
        assert_eq!(parse_defaults(b"{}"), Ok(None), "a server that was told nothing has no defaults");
        assert!(parse_defaults(b"[1]").is_err());
        assert!(parse_defaults(br#"{"nid-length":"3"}"#).is_err());
    }

    #[test]
    fn groups_are_read_as_they_are_sent_under_the_name_that_counts() {
        let group = CloudInitGroup {
            name: "compute".parse().unwrap(),
            description: "Compute".into(),
            meta_data: json!({"n": 3}).into(),
            content: "#cloud-config\n".into(),
            filename: String::new(),
            encoding: "plain".into(),
            versions: Value::Null.into(),
        };
        let body = group_body(&group);
        let file = json!({"content": "#cloud-config\n", "filename": "", "encoding": "plain"});
        let expected = json!({"name": "compute", "description": "Compute", "meta-data": {"n": 3}, "file": file});
        assert_eq!(json(&body), expected);
        let listing = parse_groups(format!(r#"{{"compute":{body}}}"#).as_bytes()).unwrap();
        assert_eq!(listing, GroupListing { groups: vec![group], rejected: Vec::new() });
        let listing = parse_groups(br#"{"newg":{"name":"other","file":{"content":"","filename":""}}}"#).unwrap();
        assert_eq!(listing.groups[0].name.as_str(), "newg");
    }

    #[test]
    fn a_group_that_is_not_understood_does_not_spoil_the_others() {
        let text = br#"{"a b/c": {"name": "a b/c"}, "bad": {"file": 1}, "null": {"file": null, "meta-data": null}}"#;
        let listing = parse_groups(text).unwrap();
        assert_eq!(listing.groups.len(), 1);
        assert_eq!(listing.rejected.len(), 2, "{:?}", listing.rejected);
        assert!(parse_groups(b"[]").is_err());
    }

    #[test]
    fn an_instance_is_sent_with_what_is_special_about_it_only() {
        let mut fields = serde_json::Map::new();
        fields.insert("id".into(), "x1000c0s0b0n0".into());
        fields.insert("local_hostname".into(), "compute1".into());
        let instance: InstanceInfo = serde_json::from_value(Value::Object(fields)).unwrap();
        assert_eq!(json(&instance_body(&instance)), json!({"id": "x1000c0s0b0n0", "local-hostname": "compute1"}));
        assert_eq!(json(&no_instance_body("x1000c0s0b0n0")), json!({"id": "x1000c0s0b0n0"}));
    }
}
