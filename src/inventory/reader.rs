//! Values of `cluster.yaml`, in whose texts variables may stand.

use std::net::{IpAddr, Ipv4Addr};

use super::source::Sheet;
use super::span::Span;
use super::values::Values;
use super::variables::Variables;
use super::walker::Text;

/// Reads texts of `cluster.yaml`, with variables put in.
pub(super) struct Reader<'y> {
    pub(super) sheet: Sheet<'y>,
    pub(super) variables: Variables<'y>,
}

impl<'y> Reader<'y> {
    /// A text with its variables put in.
    pub(super) fn named(&self, text: Text<'y>) -> Option<(String, Span)> {
        Some((self.variables.resolve(text)?.into_owned(), text.span))
    }

    pub(super) fn ipv4(&self, text: Text<'y>) -> Option<Ipv4Addr> {
        self.value(text, |values, text| values.ipv4(text))
    }

    pub(super) fn ip(&self, text: Text<'y>) -> Option<IpAddr> {
        self.value(text, |values, text| values.ip(text))
    }

    pub(super) fn host_name(&self, text: Text<'y>) -> Option<String> {
        self.value(text, |values, text| values.host_name(text).map(str::to_owned))
    }

    /// A value of a text after its variables were put in.
    pub(super) fn value<T>(&self, text: Text<'y>, read: impl Fn(Values<'_>, Text<'_>) -> Option<T>) -> Option<T> {
        let resolved = self.variables.resolve(text)?;
        read(Values { sheet: self.sheet, node: None }, Text { text: &resolved, ..text })
    }
}
