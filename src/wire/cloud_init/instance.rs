//! `admin/instance-info`: what is special about one node.

use serde::{Deserialize, Serialize};

use super::field::{AdminError, base_url, read};
use crate::model::{InstanceInfo, Xname};

/// An instance as it is sent. `instance-id` is read over, as by the original: it is made from what the node is told.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct InstanceBody {
    id: Option<String>,
    local_hostname: Option<String>,
    hostname: Option<String>,
    cluster_name: Option<String>,
    region: Option<String>,
    availability_zone: Option<String>,
    cloud_provider: Option<String>,
    instance_type: Option<String>,
    cloud_init_base_url: Option<String>,
    public_keys: Option<Vec<String>>,
}

/// An instance as it is shown, in the original's order.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct InstanceView<'a> {
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

/// Reads the body of a PUT for this node: the whole of what is special about it.
///
/// # Errors
///
/// [`AdminError`] for what is not JSON of this shape, a body of another node, and a URL that is none.
pub fn parse_instance(id: &Xname, body: &[u8]) -> Result<InstanceInfo, AdminError> {
    let body: InstanceBody = read(body)?;
    if let Some(other) = body.id.filter(|text| !text.is_empty() && text.parse::<Xname>().as_ref() != Ok(id)) {
        return Err(AdminError::Other(other));
    }
    Ok(InstanceInfo {
        id: id.clone(),
        local_hostname: body.local_hostname.unwrap_or_default(),
        hostname: body.hostname.unwrap_or_default(),
        cluster_name: body.cluster_name.unwrap_or_default(),
        region: body.region.unwrap_or_default(),
        availability_zone: body.availability_zone.unwrap_or_default(),
        cloud_provider: body.cloud_provider.unwrap_or_default(),
        instance_type: body.instance_type.unwrap_or_default(),
        cloud_init_base_url: base_url("cloud-init-base-url", &body.cloud_init_base_url.unwrap_or_default())?,
        public_keys: body.public_keys.unwrap_or_default(),
    })
}

/// The body of a PUT, and what a GET would show.
#[must_use]
pub fn instance_json(instance: &InstanceInfo) -> String {
    let view = InstanceView {
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
    };
    serde_json::to_string(&view).expect("an instance is made of texts")
}

/// The body of a PUT that leaves nothing of what was special about the node.
#[must_use]
pub fn no_instance_json(id: &str) -> String {
    serde_json::json!({ "id": id }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<InstanceInfo, AdminError> {
        parse_instance(&"x1000c1s7b0n0".parse().unwrap(), body.as_bytes())
    }

    #[test]
    fn what_is_given_is_shown_in_the_same_words() {
        let text = r#"{"id":"x1000c1s7b0n0","local-hostname":"c1","hostname":"c1.demo","cluster-name":"demo","region":"r","availability-zone":"z","cloud-provider":"p","instance-type":"t1","cloud-init-base-url":"http://h/ci","public-keys":["k"]}"#;
        assert_eq!(instance_json(&parse(text).unwrap()), text);
        assert_eq!(
            instance_json(&parse(r#"{"instance-id":"i-1","hostname":null}"#).unwrap()),
            no_instance_json("x1000c1s7b0n0")
        );
        assert_eq!(no_instance_json("x1000c1s7b0n0"), r#"{"id":"x1000c1s7b0n0"}"#);
    }

    #[test]
    fn the_body_is_of_the_node_that_the_path_names() {
        assert!(parse(r#"{"id":"X1000C1S7B0N0"}"#).is_ok());
        assert!(parse(r#"{"id":""}"#).is_ok());
        for other in ["x1000c1s7b1n0", "foo"] {
            let error = parse(&format!(r#"{{"id":"{other}"}}"#)).unwrap_err();
            assert_eq!(error, AdminError::Other(other.to_owned()));
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for body in ["{", "[]", "", r#"{"hostname":1}"#, r#"{"public-keys":"k"}"#] {
            assert!(matches!(parse(body), Err(AdminError::Json { .. })), "{body}");
        }
        let error = parse(r#"{"cloud-init-base-url":"http://h evil"}"#).unwrap_err();
        assert_eq!(error, AdminError::Url("cloud-init-base-url"));
    }
}
