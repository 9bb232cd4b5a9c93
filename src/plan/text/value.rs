//! The lines that tell what becomes of one field.

use serde_json::Value;

use super::super::document::{Class, FieldChange, FieldClass};
use super::{TextOptions, diff, fold, tree};

/// A value up to this length stands on one line with the one that follows it.
const SHORT: usize = 24;
/// Members of a set that are listed where they cannot be folded.
const LISTED: usize = 8;

/// A line with the sign in front of it.
pub(super) type Line = (char, String);

/// The lines of a field. `fields` holds the same field of every change of a block; they may differ in values that are
/// each node's own. `corrected` tells whether drift is put back.
pub(super) fn lines(fields: &[&FieldChange], class: Class, corrected: bool, options: &TextOptions) -> Vec<Line> {
    let Some(field) = fields.first() else { return Vec::new() };
    let label = label(&field.path);
    if field.sensitive {
        return vec![(' ', format!("{label}  changed"))];
    }
    if !field.added.is_empty() || !field.removed.is_empty() {
        return vec![(' ', format!("{label}  {}", set(field)))];
    }
    if let (None | Some(Value::Object(_)), None | Some(Value::Object(_))) = (&field.live, &field.want)
        && fields.len() == 1
    {
        return document(&label, field, options);
    }
    let fold = |side: fn(&FieldChange) -> &Option<Value>| -> Option<String> {
        let values: Vec<String> = fields.iter().filter_map(|field| side(field).as_ref()).map(word).collect();
        (!values.is_empty()).then(|| fold::values(&values, options.ellipsis()))
    };
    let (last, live, want) = (fold(|f| &f.last), fold(|f| &f.live), fold(|f| &f.want));
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
    match field.class {
        FieldClass::Conflict => {
            vec![(' ', format!("{label}  was {}, live {}, want {}", shown(&last), shown(&live), shown(&want)))]
        }
        FieldClass::Drift if class == Class::Drift => {
            let (last, live) = (shown(&last), shown(&live));
            if last.len() > SHORT || live.len() > SHORT {
                return change(&label, Some(&last), Some(&live), options);
            }
            let arrow = options.arrow();
            let back = if corrected { format!(" {arrow} {}", shown(&want)) } else { String::new() };
            vec![(' ', format!("{label}  {last} {arrow} live {live}{back}"))]
        }
        FieldClass::Recorded => vec![(' ', format!("{label}  is already {}", shown(&live)))],
        FieldClass::Left => {
            vec![(' ', format!("{label}  {} is left as it is, no longer managed", shown(&live)))]
        }
        _ => change(&label, live.as_deref(), want.as_deref(), options),
    }
}

/// The name of a field: its path without the slash in front, `boot/kernel` as `kernel`.
fn label(path: &str) -> String {
    match path.trim_start_matches('/') {
        "" => "content".to_owned(),
        path => fold::escape(path.strip_prefix("boot/").unwrap_or(path)).into_owned(),
    }
}

fn change(label: &str, live: Option<&str>, want: Option<&str>, options: &TextOptions) -> Vec<Line> {
    match (live, want) {
        (Some(live), Some(want)) if live.contains(' ') && want.contains(' ') => {
            vec![(' ', format!("{label}  {}", diff::words(live, want, options)))]
        }
        (Some(live), Some(want)) if live.len() <= SHORT && want.len() <= SHORT => {
            vec![(' ', format!("{label}  {live} {} {want}", options.arrow()))]
        }
        (live, want) => {
            let old = live.map(|live| ('-', format!("{label}  {live}")));
            let new = want.map(|want| ('+', format!("{label}  {want}")));
            old.into_iter().chain(new).collect()
        }
    }
}

/// A value in one line: a text as it is, a list of addresses joined, anything else as JSON.
pub(super) fn word(value: &Value) -> String {
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
            names("", &field.added).map(|names| format!("{names} removed by somebody else")),
            names("", &field.removed),
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
    let side = |value: &Option<Value>| value.as_ref().map(tree::lines).unwrap_or_default();
    let compared = diff::lines(&side(&field.live), &side(&field.want), options);
    let mut title = label.to_owned();
    if compared.added > 0 {
        title.push_str(&format!("  +{}", fold::count(compared.added as u64, "line")));
    }
    if compared.removed > 0 {
        title.push_str(&format!("  -{}", fold::count(compared.removed as u64, "line")));
    }
    if field.class == FieldClass::Conflict {
        title.push_str("  (changed by somebody else, too)");
    }
    let wholly_new = field.live.is_none() && !options.expand;
    let shown = if wholly_new { Vec::new() } else { compared.shown };
    std::iter::once((' ', title)).chain(shown.into_iter().map(|(sign, line)| (sign, format!("  {line}")))).collect()
}
