//! `admin/cluster-defaults`.

use serde::{Deserialize, Serialize};

use super::field::{AdminError, base_url, read};
use crate::model::ClusterDefaults;

/// The most digits of a number in a host name: a label of one has 63 characters.
const MOST_DIGITS: u32 = 63;

/// The defaults as they are sent and shown, in the original's order. One name has an underscore.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct DefaultsBody {
    #[serde(rename = "cloud_provider", skip_serializing_if = "unsaid")]
    cloud_provider: Option<String>,
    #[serde(skip_serializing_if = "unsaid")]
    region: Option<String>,
    #[serde(skip_serializing_if = "unsaid")]
    availability_zone: Option<String>,
    #[serde(skip_serializing_if = "unsaid")]
    cluster_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_keys: Option<Vec<String>>,
    #[serde(skip_serializing_if = "unsaid")]
    base_url: Option<String>,
    #[serde(skip_serializing_if = "unsaid")]
    boot_subnet: Option<String>,
    #[serde(skip_serializing_if = "unsaid")]
    wg_subnet: Option<String>,
    #[serde(skip_serializing_if = "unsaid")]
    short_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nid_length: Option<i64>,
}

fn unsaid(text: &Option<String>) -> bool {
    text.as_deref().is_none_or(str::is_empty)
}

/// A POST of defaults: what it gives is laid over what there is. What is empty counts as not given, so nothing can be
/// cleared this way, as with the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultsRequest(ClusterDefaults);

/// Reads the body of a POST.
///
/// # Errors
///
/// [`AdminError`] for what is not JSON of this shape, a URL that is none and a number of digits that cannot be.
pub fn parse_defaults(body: &[u8]) -> Result<DefaultsRequest, AdminError> {
    let mut defaults = read::<DefaultsBody>(body)?.defaults()?;
    if defaults.nid_length > MOST_DIGITS {
        return Err(AdminError::NidLength);
    }
    defaults.base_url = base_url("base-url", &defaults.base_url)?;
    Ok(DefaultsRequest(defaults))
}

/// Reads what a server answers to a GET; none when nothing is set. It is taken as it is, whatever we would accept.
///
/// # Errors
///
/// [`AdminError`] for what is not JSON of this shape.
pub fn read_defaults(body: &[u8]) -> Result<Option<ClusterDefaults>, AdminError> {
    let defaults = read::<DefaultsBody>(body)?.defaults()?;
    Ok((defaults != ClusterDefaults::default()).then_some(defaults))
}

impl DefaultsBody {
    fn defaults(self) -> Result<ClusterDefaults, AdminError> {
        let digits = self.nid_length.unwrap_or_default();
        Ok(ClusterDefaults {
            cloud_provider: self.cloud_provider.unwrap_or_default(),
            region: self.region.unwrap_or_default(),
            availability_zone: self.availability_zone.unwrap_or_default(),
            cluster_name: self.cluster_name.unwrap_or_default(),
            public_keys: self.public_keys.unwrap_or_default(),
            base_url: self.base_url.unwrap_or_default(),
            boot_subnet: self.boot_subnet.unwrap_or_default(),
            wg_subnet: self.wg_subnet.unwrap_or_default(),
            short_name: self.short_name.unwrap_or_default(),
            nid_length: u32::try_from(digits).map_err(|_| AdminError::NidLength)?,
        })
    }
}

impl DefaultsRequest {
    /// The defaults with what is given replaced.
    #[must_use]
    pub fn over(self, old: &ClusterDefaults) -> ClusterDefaults {
        let Self(new) = self;
        let text = |new: String, old: &str| if new.is_empty() { old.to_owned() } else { new };
        ClusterDefaults {
            cloud_provider: text(new.cloud_provider, &old.cloud_provider),
            region: text(new.region, &old.region),
            availability_zone: text(new.availability_zone, &old.availability_zone),
            cluster_name: text(new.cluster_name, &old.cluster_name),
            public_keys: if new.public_keys.is_empty() { old.public_keys.clone() } else { new.public_keys },
            base_url: text(new.base_url, &old.base_url),
            boot_subnet: text(new.boot_subnet, &old.boot_subnet),
            wg_subnet: text(new.wg_subnet, &old.wg_subnet),
            short_name: text(new.short_name, &old.short_name),
            nid_length: if new.nid_length == 0 { old.nid_length } else { new.nid_length },
        }
    }
}

/// The answer to a GET, and the body of a POST that gives all of it.
#[must_use]
pub fn defaults_json(defaults: &ClusterDefaults) -> String {
    let text = |text: &str| Some(text.to_owned());
    let body = DefaultsBody {
        cloud_provider: text(&defaults.cloud_provider),
        region: text(&defaults.region),
        availability_zone: text(&defaults.availability_zone),
        cluster_name: text(&defaults.cluster_name),
        public_keys: Some(defaults.public_keys.clone()).filter(|keys| !keys.is_empty()),
        base_url: text(&defaults.base_url),
        boot_subnet: text(&defaults.boot_subnet),
        wg_subnet: text(&defaults.wg_subnet),
        short_name: text(&defaults.short_name),
        nid_length: Some(defaults.nid_length.into()).filter(|digits| *digits != 0),
    };
    serde_json::to_string(&body).expect("defaults are texts and a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = r#"{"cloud_provider":"openchami","region":"r","availability-zone":"z","cluster-name":"demo","public-keys":["k"],"base-url":"http://h/ci","boot-subnet":"172.16.0.0/24","wg-subnet":"10.0.0.0/24","short-name":"nid","nid-length":3}"#;

    fn merged(body: &str, old: &ClusterDefaults) -> ClusterDefaults {
        parse_defaults(body.as_bytes()).unwrap().over(old)
    }

    #[test]
    fn what_is_given_is_shown_in_the_same_words() {
        assert_eq!(defaults_json(&merged(ALL, &ClusterDefaults::default())), ALL);
        assert_eq!(defaults_json(&ClusterDefaults::default()), "{}");
    }

    #[test]
    fn what_is_not_given_or_empty_stays_as_it_was() {
        let old = merged(ALL, &ClusterDefaults::default());
        for body in ["{}", "null", r#"{"region":"","public-keys":[],"nid-length":0,"base-url":null,"zip":1}"#] {
            assert_eq!(merged(body, &old), old, "{body}");
        }
        let new = merged(r#"{"short-name":"de"}"#, &old);
        assert_eq!(new, ClusterDefaults { short_name: "de".to_owned(), ..old });
    }

    #[test]
    fn what_a_server_holds_is_read_as_it_is() {
        let all = read_defaults(ALL.as_bytes()).unwrap().unwrap();
        assert_eq!(defaults_json(&all), ALL);
        let odd = read_defaults(br#"{"base-url":"http://h/ci/","nid-length":64}"#).unwrap().unwrap();
        assert_eq!((odd.base_url.as_str(), odd.nid_length), ("http://h/ci/", 64));
        assert_eq!(read_defaults(b"{}"), Ok(None), "a server that was told nothing has no defaults");
        for body in ["[1]", r#"{"nid-length":"3"}"#, r#"{"nid-length":-1}"#] {
            assert!(read_defaults(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_slash_at_the_end_of_the_url_is_taken_off() {
        assert_eq!(merged(r#"{"base-url":"http://h/ci//"}"#, &ClusterDefaults::default()).base_url, "http://h/ci");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (body, error) in [
            ("{", AdminError::Json { line: 1, column: 1 }),
            ("", AdminError::Json { line: 1, column: 0 }),
            ("[]", AdminError::Json { line: 1, column: 2 }),
            (r#"{"nid-length":-1}"#, AdminError::NidLength),
            (r#"{"nid-length":64}"#, AdminError::NidLength),
            (r#"{"base-url":"http://h\nhttp://evil"}"#, AdminError::Url("base-url")),
        ] {
            assert_eq!(parse_defaults(body.as_bytes()).unwrap_err(), error, "{body}");
        }
        for body in [r#"{"nid-length":"3"}"#, r#"{"region":1}"#, r#"{"public-keys":"k"}"#] {
            assert!(matches!(parse_defaults(body.as_bytes()), Err(AdminError::Json { .. })), "{body}");
        }
    }
}
