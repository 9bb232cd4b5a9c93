//! The members of one object, told to a structure under the names of its fields.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{CowStrDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::{AnyCase, Within};

/// Visits an object for a structure with these fields.
pub(super) struct Structure<V> {
    pub(super) visitor: V,
    pub(super) fields: &'static [&'static str],
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Structure<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        let Self { visitor, fields } = self;
        visitor.visit_map(Object { members: Some(members), fields, seen: 0, next: 0, waiting: Vec::new(), value: None })
    }
}

struct Object<A> {
    /// None once all of them were read.
    members: Option<A>,
    fields: &'static [&'static str],
    /// A bit for each field that was told.
    seen: u128,
    /// The field behind the one that was told last: clients mostly keep the order, and then this is a good guess.
    next: usize,
    /// The fields that came in another spelling, each with the last value that did.
    waiting: Vec<(usize, Value)>,
    /// The value of the field that was told, where it waited.
    value: Option<Value>,
}

impl<A> Object<A> {
    /// Notes that a field is told; true where it was not told before. A structure of more fields than there are bits
    /// would be told of one twice, and refuse it.
    fn tell(&mut self, field: usize) -> bool {
        let bit = u32::try_from(field).ok().and_then(|field| 1_u128.checked_shl(field)).unwrap_or(0);
        let first = self.seen & bit == 0;
        self.seen |= bit;
        self.next = field + 1;
        first
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Object<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        while let Some(members) = &mut self.members {
            let name = members.next_key_seed(Name { fields: self.fields, next: self.next })?;
            match name {
                None => self.members = None,
                Some(Found::Field(field)) => {
                    self.tell(field);
                    return seed.deserialize(StrDeserializer::new(self.fields[field])).map(Some);
                }
                Some(Found::Spelled(field)) => {
                    let value = members.next_value()?;
                    // One place for each field, however often a body repeats it.
                    match self.waiting.iter_mut().find(|(known, _)| *known == field) {
                        Some((_, last)) => *last = value,
                        None => self.waiting.push((field, value)),
                    }
                }
                Some(Found::Unknown(name)) => return seed.deserialize(CowStrDeserializer::new(name)).map(Some),
            }
        }
        while let Some((field, value)) = self.waiting.pop() {
            if self.tell(field) {
                self.value = Some(value);
                return seed.deserialize(StrDeserializer::new(self.fields[field])).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        match (self.value.take(), &mut self.members) {
            (Some(value), _) => seed.deserialize(AnyCase(value)).map_err(Error::custom),
            (None, Some(members)) => members.next_value_seed(Within(seed)),
            (None, None) => Err(Error::custom("a value without a name")),
        }
    }
}

/// What a member's name is.
enum Found<'de> {
    /// The name of this field.
    Field(usize),
    /// The name of this field in other capitals.
    Spelled(usize),
    /// Of no field.
    Unknown(Cow<'de, str>),
}

/// Looks for a name among the fields, from the one that is likely to come.
struct Name {
    fields: &'static [&'static str],
    next: usize,
}

impl Name {
    fn find<'n>(&self, name: Cow<'n, str>) -> Found<'n> {
        let numbered = || self.fields.iter().enumerate();
        let mut own = numbered().skip(self.next).chain(numbered().take(self.next));
        if let Some((field, _)) = own.find(|(_, field)| **field == name) {
            return Found::Field(field);
        }
        let spelled = numbered().find(|(_, field)| field.eq_ignore_ascii_case(&name));
        spelled.map_or(Found::Unknown(name), |(field, _)| Found::Spelled(field))
    }
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Found<'de>;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Found<'de>, D::Error> {
        name.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Found<'de>, E> {
        Ok(self.find(Cow::Borrowed(name)))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Found<'de>, E> {
        Ok(self.find(Cow::Owned(name.to_owned())))
    }
}
