//! The flags of `serve` that answers show, and the readers of their values.

use clap::Args as ClapArgs;

/// What answers say of this installation.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "What answers say")]
pub(in crate::cli) struct AnswerArgs {
    /// BSS's advertised address, put into `ds=nocloud-net;s=`; the address at which a node reached us unless given.
    #[arg(long, value_name = "ADDR", alias = "bss-advertise", value_parser = advertised)]
    pub(in crate::cli) bss_advertise_address: Option<String>,
    /// What precedes `/boot/v1/bootscript` where a boot script chains to itself; `/apis/bss` of --boot-url unless given.
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(in crate::cli) bss_chain_url: Option<String>,
    /// Seconds that a node waits before it tries again when its boot failed.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = delay())]
    pub(in crate::cli) bss_retry_delay: u32,
    /// Seconds that a node waits which has nothing to boot yet.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = delay())]
    pub(in crate::cli) bss_unknown_delay: u32,
    /// Where nodes reach cloud-init, for vendor-data of today's form; the address at which a node reached us unless given.
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(in crate::cli) cloud_init_base_url: Option<String>,
    /// The cluster's name in meta-data of that generation, until the cluster's defaults set one.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) cluster_name: Option<String>,
}

/// The longest delay, an hour: a node that waits longer looks dead to whoever stands before it.
fn delay() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=3600)
}

/// Reads the address of a service, `http://HOST[:PORT][/PATH]` or `https://…`; without the slash at its end.
///
/// # Errors
///
/// What is wrong with it, in a few words.
pub(super) fn http_url(text: &str) -> Result<String, String> {
    let url = checked(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it ends with its path; leave out what stands behind `?` or `#`".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Reads the address of the open cloud-init store, `http://HOST[:PORT]/PATH`.
///
/// # Errors
///
/// What is wrong with it, in a few words.
pub(super) fn store_url(text: &str) -> Result<String, String> {
    let url = http_url(text)?;
    match url.split_once("://").and_then(|(_, rest)| rest.split_once('/')) {
        Some(_) => Ok(url),
        None => Err("it has no path such as /cloud-init; the secure store is taken to be at that path with `-secure` \
                     behind it"
            .to_owned()),
    }
}

/// Reads the address of a document, which may have a query.
///
/// # Errors
///
/// What is wrong with it, in a few words.
pub(super) fn document_url(text: &str) -> Result<String, String> {
    checked(text).map(|_| text.to_owned())
}

/// A password is refused, because addresses end up in boot scripts and logs.
fn checked(text: &str) -> Result<reqwest::Url, String> {
    let url = reqwest::Url::parse(text)
        .map_err(|error| format!("it is no URL ({error}); write http://HOST:PORT or https://HOST:PORT"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{}` is neither http nor https", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a user name or password in a URL ends up in logs; leave it out".to_owned());
    }
    // `Url` drops blanks and line breaks around and within the text, which would be passed on as they are.
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("there is a blank in it".to_owned());
    }
    Ok(url)
}

/// Reads an address as it stands on a kernel's command line: no blank, no control character, no slash at its end.
fn advertised(text: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("write a host or an address without blanks".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_service_loses_the_slash_at_its_end_and_nothing_else() {
        for (text, expected) in [
            ("http://172.16.0.254:8081", "http://172.16.0.254:8081"),
            ("https://demo.openchami.cluster/apis/bss/", "https://demo.openchami.cluster/apis/bss"),
            ("http://[2001:db8::1]:80", "http://[2001:db8::1]:80"),
        ] {
            assert_eq!(http_url(text).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_address_of_a_service_is_told_why() {
        for (text, reason) in [
            ("nonsense", "no URL"),
            ("172.16.0.254:8081", "no URL"),
            ("http://", "no URL"),
            ("ftp://head", "neither http nor https"),
            ("http://me:secret@head", "password"),
            ("http://head?x=1", "`?`"),
            ("http://head#x", "`#`"),
            ("http://head/a b", "blank"),
            ("http://head/\n", "blank"),
        ] {
            let error = http_url(text).unwrap_err();
            assert!(error.contains(reason), "{text:?}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_address_of_the_cloud_init_store_has_a_path() {
        assert_eq!(store_url("http://head:27777/cloud-init/").unwrap(), "http://head:27777/cloud-init");
        for text in ["http://head:27777", "http://head/", "http://head//"] {
            assert!(store_url(text).unwrap_err().contains("no path"), "{text}");
        }
        assert!(store_url("head").unwrap_err().contains("no URL"));
    }

    #[test]
    fn the_address_of_a_document_may_have_a_query() {
        assert_eq!(document_url("https://head/keys?set=1").unwrap(), "https://head/keys?set=1");
        assert!(document_url("keys.json").is_err() && document_url("file:///keys.json").is_err());
    }

    #[test]
    fn an_advertised_address_is_one_word() {
        assert_eq!(advertised("http://172.16.0.254/").unwrap(), "http://172.16.0.254");
        for text in ["", "a b", "a\nb"] {
            assert!(advertised(text).is_err(), "{text:?}");
        }
    }
}
