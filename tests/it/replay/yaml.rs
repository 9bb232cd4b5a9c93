//! YAML as data: two texts that say the same are the same, however they are laid out and quoted.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// The data of a text with one document; none when it is not YAML, or uses what servers do not write. Scalars stay
/// texts, so that `1.0` and `"1.0"` are the same; a plain scalar that stands for nothing is null.
pub(crate) fn data(text: &str) -> Option<Value> {
    let events: Vec<Event<'_>> =
        Parser::new_from_str(text).map(|event| event.map(|(event, _)| event)).collect::<Result<_, _>>().ok()?;
    let mut events = events.into_iter().filter(|event| {
        !matches!(event, Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd)
    });
    let Some(first) = events.next() else { return Some(Value::Null) };
    let value = value(first, &mut events)?;
    events.next().is_none().then_some(value)
}

fn value<'e>(event: Event<'e>, events: &mut impl Iterator<Item = Event<'e>>) -> Option<Value> {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) if matches!(&*text, "" | "~" | "null") => Some(Value::Null),
        Event::Scalar(text, ..) => Some(text.trim_end().into()),
        Event::SequenceStart(..) => {
            let mut list = Vec::new();
            loop {
                match events.next()? {
                    Event::SequenceEnd => return Some(Value::Array(list)),
                    item => list.push(value(item, events)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut map = Map::new();
            loop {
                let key = match events.next()? {
                    Event::MappingEnd => return Some(Value::Object(map)),
                    Event::Scalar(text, ..) => text.into_owned(),
                    _ => return None,
                };
                let item = events.next()?;
                map.insert(key, value(item, events)?);
            }
        }
        _ => None,
    }
}
