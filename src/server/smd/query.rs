//! Filters in query strings: several values of one key mean any of them, different keys mean all of them, and `!X`
//! means anything but X. Keys are read in any case, and those that are not known are ignored, as SMD does.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

use crate::model::{Xname, XnameType};
use crate::server::common::Problem;

/// The pairs of a query string, in order; 400 as a problem when it cannot be read.
pub(super) struct Pairs(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Pairs {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let wrong = || Problem::bad_request("failed to decode query parameters.");
        // Once a `;` separated pairs. To take it for a part of a value may select what nobody asked for.
        if parts.uri.query().is_some_and(|query| query.contains(';')) {
            return Err(wrong());
        }
        let Query(pairs) = Query::try_from_uri(&parts.uri).map_err(|_| wrong())?;
        Ok(Self(pairs))
    }
}

impl FromIterator<(String, String)> for Pairs {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl Pairs {
    /// The values of a key, in order. Where the key is given in several spellings only the last of them in the order
    /// of bytes counts, which is how Go's JSON decoder makes of `Type=Node&type=Chassis` a query for chassis.
    pub(super) fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        let spelling = names.filter(|name| name.eq_ignore_ascii_case(key)).max();
        self.0.iter().filter(move |(name, _)| Some(name.as_str()) == spelling).map(|(_, value)| value.as_str())
    }

    /// The first value of a key.
    pub(super) fn first(&self, key: &str) -> Option<&str> {
        self.all(key).next()
    }

    /// The filter that a key makes. `read` tells what a value without its `!` means; none is 400 with `problem`.
    pub(super) fn filter<T>(
        &self,
        key: &str,
        problem: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Filter<T>, Problem> {
        let mut filter = Filter { wanted: Vec::new(), excluded: Vec::new() };
        for value in self.all(key) {
            let word = value.trim_start_matches('!');
            let list = if word.len() == value.len() { &mut filter.wanted } else { &mut filter.excluded };
            list.push(read(word).ok_or_else(|| Problem::bad_request(format!("bad query param: {problem}")))?);
        }
        Ok(filter)
    }

    /// A filter by xname. None stands for the name of several pieces of hardware, which no component has.
    pub(super) fn xnames(&self, key: &str) -> Result<Filter<Option<Xname>>, Problem> {
        let read = |text: &str| match text.parse() {
            Ok(id) => Some(Some(id)),
            Err(_) => name_of_several(text).map(|_| None),
        };
        self.filter(key, "Argument was not a valid xname ID", read)
    }

    /// A filter by the text of an xname, as SMD's inventory of Redfish has it; see [`xname_or_none`].
    pub(super) fn xnames_or_none(&self, key: &str) -> Result<Filter<String>, Problem> {
        self.filter(key, "Argument was not a valid xname ID", xname_or_none)
    }

    /// A filter by SMD's type. An empty value is the type of nothing.
    pub(super) fn types(&self, key: &str) -> Result<Filter<Option<XnameType>>, Problem> {
        self.filter(key, "Argument was not a valid HMS Type", or_nothing)
    }

    /// A filter by a text.
    pub(super) fn texts(&self, key: &str) -> Result<Filter<String>, Problem> {
        self.filter(key, "", |text| Some(text.to_owned()))
    }
}

/// The names of SMD's that stand for several pieces of hardware. Its queries take them where they take an xname.
const OF_SEVERAL: [&str; 3] = ["all", "all_comp", "all_svc"];

/// Reads an xname to the text that is compared with others. An empty value is the xname of nothing; the name of several
/// pieces of hardware is one that none of them has.
pub(super) fn xname_or_none(text: &str) -> Option<String> {
    match text.parse::<Xname>() {
        Ok(id) => Some(id.to_string()),
        Err(_) if text.is_empty() => Some(String::new()),
        Err(_) => name_of_several(text).map(str::to_owned),
    }
}

fn name_of_several(text: &str) -> Option<&'static str> {
    OF_SEVERAL.into_iter().find(|name| name.eq_ignore_ascii_case(text))
}

/// Reads a text of letters and digits; an empty one is one.
pub(super) fn alphanumeric(text: &str) -> Option<String> {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric()).then(|| text.to_owned())
}

/// Reads a word, or an empty value as "has none".
#[expect(clippy::option_option, reason = "the outer one is the reader's refusal, the inner one the field's value")]
pub(super) fn or_nothing<T: std::str::FromStr>(text: &str) -> Option<Option<T>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

/// A compiled filter by one field.
#[derive(Debug)]
pub(super) struct Filter<T> {
    /// Any of these; no restriction where it is empty.
    pub(super) wanted: Vec<T>,
    /// None of these.
    pub(super) excluded: Vec<T>,
}

impl<T> Filter<T> {
    /// True where the key was not given.
    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.excluded.is_empty()
    }

    /// Whether a value passes.
    pub(super) fn passes<Q: ?Sized>(&self, value: &Q) -> bool
    where
        T: PartialEq<Q>,
    {
        (self.wanted.is_empty() || self.wanted.iter().any(|w| w == value)) && !self.excluded.iter().any(|e| e == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(query: &str) -> Pairs {
        Query::try_from_uri(&format!("/?{query}").parse().unwrap()).map(|Query(pairs)| Pairs(pairs)).unwrap()
    }

    #[test]
    fn a_key_is_found_in_any_case() {
        let pairs = pairs("OlderThan=1&TYPE=Node&TYPE=Chassis");
        assert_eq!(pairs.first("olderthan"), Some("1"));
        assert_eq!(pairs.all("type").collect::<Vec<_>>(), ["Node", "Chassis"]);
        assert_eq!(pairs.first("typ"), None);
    }

    #[test]
    fn of_two_spellings_of_a_key_the_last_in_the_order_of_bytes_counts() {
        assert_eq!(pairs("type=Node&Type=Chassis&TYPE=x").all("Type").collect::<Vec<_>>(), ["Node"]);
    }
}
