//! The lines that tell what becomes of one field.
//!
//! Every change reads in the direction of an apply: what is there goes (`-`), what the inventory says comes (`+`).

use serde_json::Value;

use super::super::document::{Class, FieldChange, FieldClass};
use super::series::Series;
use super::{TextOptions, diff, fold, tree, words};

/// A value up to this length stands on one line with the one that follows it.
const SHORT: usize = 24;
/// A change and what was there before stand on one line up to this length together.
const SHORT_LINE: usize = 72;
/// What stands around a label and a value on their line: the indent, the sign, and the gap between them.
const MARGIN: usize = 18;
/// Members of a set that are listed where they cannot be folded.
const LISTED: usize = 8;
/// Nodes that are told one by one where their values cannot be folded.
const NODES: usize = 8;

/// A line with the sign in front of it.
pub(super) type Line = (char, String);

/// The lines of a field. `fields` holds the same field of every change of a block, each with the name of its subject;
/// they may differ in values that are each node's own.
pub(super) fn lines(fields: &[(&str, &FieldChange)], class: Class, options: &TextOptions) -> Vec<Line> {
    let Some((_, field)) = fields.first() else { return Vec::new() };
    let label = words::label(&field.path);
    if field.sensitive {
        return vec![(' ', format!("{label}  changed"))];
    }
    if !field.added.is_empty() || !field.removed.is_empty() {
        return vec![(' ', format!("{label}  {}", set(field)))];
    }
    let same = |(_, other): &(&str, &FieldChange)| (&other.live, &other.want) == (&field.live, &field.want);
    if is_document(field) && fields.iter().all(same) {
        return document(&label, field, options);
    }
    let sides: Vec<Sides> = fields.iter().map(|(_, field)| Sides::of(field)).collect();
    if let Some(folded) = Sides::folded(&sides) {
        return folded.lines(&label, field.class, class, options);
    }
    let mut lines = Vec::new();
    let mut each: Vec<(&str, &Sides)> = fields.iter().zip(&sides).map(|((name, _), sides)| (*name, sides)).collect();
    each.sort_by_key(|(name, _)| (name.len(), *name));
    for (place, (name, sides)) in each.into_iter().take(NODES).enumerate() {
        let label = if place == 0 { label.clone() } else { " ".repeat(label.chars().count()) };
        // A name that changes says itself whose it is.
        let label = if field.path == "/name" { label } else { format!("{label}  {}", fold::escape(name)) };
        lines.extend(sides.lines(&label, field.class, class, options));
    }
    if let Some(rest) = fields.len().checked_sub(NODES).filter(|rest| *rest > 0) {
        let others = fold::count(rest as u64, "other");
        lines.push((' ', format!("{}  and {others}; --expand lists them", " ".repeat(label.chars().count()))));
    }
    lines
}

/// True for trees and for texts of several lines, which are compared line by line.
fn is_document(field: &FieldChange) -> bool {
    let sides = || [&field.live, &field.want].into_iter().flatten();
    let has_lines = |value: &Value| value.as_str().is_some_and(|text| text.contains('\n'));
    sides().all(Value::is_object) || (sides().all(Value::is_string) && sides().any(has_lines))
}

/// The values of a field in words.
#[derive(Clone, PartialEq)]
struct Sides {
    last: Option<String>,
    live: Option<String>,
    want: Option<String>,
}

impl Sides {
    fn of(field: &FieldChange) -> Self {
        let word = |value: &Option<Value>| value.as_ref().map(word);
        Self { last: word(&field.last), live: word(&field.live), want: word(&field.want) }
    }

    /// One that says the same as all; none where nothing short does. Values that count up fold to a range, and where
    /// both the old and the new ones do, only when every node's value is moved by the same.
    fn folded(all: &[Self]) -> Option<Self> {
        let first = all.first()?;
        if all.iter().all(|sides| sides == first) {
            return Some(first.clone());
        }
        let mut series: Vec<Series> = Vec::new();
        let mut fold = |side: fn(&Self) -> &Option<String>| -> Option<Option<String>> {
            let values: Vec<&str> = all.iter().filter_map(|sides| side(sides).as_deref()).collect();
            if values.len() < all.len() {
                return values.is_empty().then_some(None);
            }
            if values.windows(2).all(|pair| pair[0] == pair[1]) {
                return Some(side(first).clone());
            }
            let found = Series::of(&values)?;
            let text = found.text.clone()?;
            series.push(found);
            Some(Some(text))
        };
        let folded = Self { last: fold(|s| &s.last)?, live: fold(|s| &s.live)?, want: fold(|s| &s.want)? };
        series.windows(2).all(|pair| pair[0].is_shifted_to(&pair[1])).then_some(folded)
    }

    fn lines(&self, label: &str, field: FieldClass, class: Class, options: &TextOptions) -> Vec<Line> {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
        let plain = |text: String| vec![(' ', format!("{label}  {text}"))];
        let (live, want) = (self.live.as_deref(), self.want.as_deref());
        match field {
            FieldClass::Conflict => self.conflict(label, options),
            FieldClass::Drift if class == Class::Drift => change(label, live, want, &LABELLED, options),
            FieldClass::Recorded => plain(format!("is already {}", shown(&self.live))),
            FieldClass::Left => plain(format!("{} is left as it is, no longer managed", shown(&self.live))),
            _ => change(label, live, want, &PLAIN, options),
        }
    }

    /// All three values: the change as everywhere, and what was there before somebody else changed it.
    fn conflict(&self, label: &str, options: &TextOptions) -> Vec<Line> {
        let mut lines = change(label, self.live.as_deref(), self.want.as_deref(), &LABELLED, options);
        let last = self.last.as_deref().unwrap_or("(none)");
        let before = match &self.live {
            Some(live) if is_words(last) && is_words(live) => {
                let arrow = options.arrow();
                format!("changed by somebody else, last applied {arrow} live: {}", diff::words(last, live, options))
            }
            _ => format!("changed by somebody else, last applied: {last}"),
        };
        match lines.as_mut_slice() {
            [(' ', only)] if only.chars().count() + before.chars().count() < SHORT_LINE => {
                only.push_str(&format!("   {before}"));
            }
            _ => lines.push((' ', format!("  {before}"))),
        }
        lines
    }
}

/// What the old and the new value are called.
struct Labels {
    live: &'static str,
    want: &'static str,
    /// In front of both, where they are shown as one.
    both: bool,
}

const PLAIN: Labels = Labels { live: "", want: "", both: false };
const LABELLED: Labels = Labels { live: " (live)", want: " (inventory)", both: true };

fn change(label: &str, live: Option<&str>, want: Option<&str>, labels: &Labels, options: &TextOptions) -> Vec<Line> {
    let arrow = options.arrow();
    match (live, want) {
        (Some(live), Some(want)) if is_words(live) && is_words(want) => {
            let both = if labels.both { format!("live {arrow} inventory: ") } else { String::new() };
            vec![(' ', format!("{label}  {both}{}", diff::words(live, want, options)))]
        }
        (Some(live), Some(want)) if live.len() <= SHORT && want.len() <= SHORT => {
            vec![(' ', format!("{label}  {live}{} {arrow} {want}{}", labels.live, labels.want))]
        }
        (Some(live), Some(want))
            if !is_words(live) && !is_words(want) && is_too_long(label, live, want, labels, options) =>
        {
            let both = if labels.both { format!("live {arrow} inventory: ") } else { String::new() };
            vec![(' ', format!("{label}  {both}{}", diff::words(live, want, options)))]
        }
        (live, want) => {
            let old = live.map(|live| ('-', format!("{label}  {live}{}", labels.live)));
            let new = want.map(|want| ('+', format!("{label}  {want}{}", labels.want)));
            old.into_iter().chain(new).collect()
        }
    }
}

/// True for values that do not fit on lines of their own, which would be broken in front of them.
fn is_too_long(label: &str, live: &str, want: &str, labels: &Labels, options: &TextOptions) -> bool {
    let old = live.chars().count() + labels.live.len();
    let new = want.chars().count() + labels.want.len();
    label.chars().count() + old.max(new) > options.columns() - MARGIN
}

/// True for a text of several words, which is compared word by word.
fn is_words(text: &str) -> bool {
    text.contains(' ')
}

/// A value in one line: a text as it is, a list of addresses joined, anything else as JSON.
pub(in crate::plan) fn word(value: &Value) -> String {
    match value {
        Value::String(text) => fold::escape(text).into_owned(),
        Value::Array(list) => list.iter().map(word).collect::<Vec<_>>().join(", "),
        Value::Object(map) if map.contains_key("ip") => {
            let part = |key: &str| map.get(key).map(word).unwrap_or_default();
            let network = part("network");
            if network.is_empty() { part("ip") } else { format!("{} ({network})", part("ip")) }
        }
        other => fold::escape(&other.to_string()).into_owned(),
    }
}

fn set(field: &FieldChange) -> String {
    let names = |sign: &str, elements: &[String]| {
        let elements: Vec<&str> = elements.iter().map(String::as_str).collect();
        (!elements.is_empty()).then(|| format!("{sign}{}", fold::names(&elements, LISTED)))
    };
    let (added, removed) = match field.class {
        FieldClass::Drift => (
            names("+", &field.added).map(|names| format!("{names} (removed by somebody else)")),
            names("-", &field.removed).map(|names| format!("{names} (added by somebody else)")),
        ),
        FieldClass::Recorded => (
            names("", &field.added).map(|names| format!("{names} already there")),
            names("", &field.removed).map(|names| format!("{names} already gone")),
        ),
        _ => (names("+", &field.added), names("-", &field.removed)),
    };
    added.into_iter().chain(removed).collect::<Vec<_>>().join("  ")
}

fn document(label: &str, field: &FieldChange, options: &TextOptions) -> Vec<Line> {
    let side = |value: &Option<Value>| match value {
        Some(Value::String(text)) => text.lines().map(|line| fold::escape(line).into_owned()).collect(),
        Some(tree) => tree::lines(tree),
        None => Vec::new(),
    };
    let compared = diff::lines(&side(&field.live), &side(&field.want), options);
    let mut title = label.to_owned();
    if compared.added > 0 {
        title.push_str(&format!("  +{}", fold::count(compared.added as u64, "line")));
    }
    if compared.removed > 0 {
        title.push_str(&format!("  -{}", fold::count(compared.removed as u64, "line")));
    }
    match field.class {
        FieldClass::Conflict => title.push_str("  (changed by somebody else, too; live - and inventory + are shown)"),
        FieldClass::Drift => title.push_str("  (live - and inventory + are shown)"),
        _ => {}
    }
    let wholly_new = field.live.is_none() && !options.expand;
    let shown = if wholly_new { Vec::new() } else { compared.shown };
    std::iter::once((' ', title)).chain(shown.into_iter().map(|(sign, line)| (sign, format!("  {line}")))).collect()
}
