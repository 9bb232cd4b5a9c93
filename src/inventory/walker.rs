//! Reading mappings, lists and texts out of a YAML tree, collecting every problem on the way.

use std::cell::RefCell;
use std::sync::Arc;

use super::Code;
use super::diagnostic::Diagnostic;
use super::near::did_you_mean;
use super::source::Sheet;
use super::span::Span;
use super::yaml::{Data, Pair, Scalar, Yaml};

/// A text with its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'y> {
    pub(super) text: &'y str,
    pub(super) span: Span,
}

/// A mapping with named fields, and the node that its problems concern.
#[derive(Debug, Clone)]
pub(super) struct Fields<'y> {
    pub(super) sheet: Sheet<'y>,
    pub(super) span: Span,
    pub(super) node: Option<Arc<str>>,
    what: &'static str,
    pairs: &'y [Pair<'y>],
    /// The help on keys that are not known. A field that it names is not reported as missing, too.
    told: RefCell<Vec<String>>,
}

impl<'y> Fields<'y> {
    /// The mapping that a value should be; none, and a problem, when it is something else.
    pub(super) fn read(
        sheet: Sheet<'y>,
        yaml: &'y Yaml<'y>,
        what: &'static str,
        node: Option<&Arc<str>>,
    ) -> Option<Self> {
        match &yaml.data {
            Data::Map(pairs) => {
                Some(Self { sheet, span: yaml.span, node: node.cloned(), what, pairs, told: RefCell::default() })
            }
            _ => {
                wrong_type(sheet, yaml, what, "a mapping", node.map(AsRef::as_ref));
                None
            }
        }
    }

    /// Reports every key that is not among the known ones; `hint` may know better than its spelling what was meant.
    pub(super) fn known(&self, known: &[&str], hint: impl Fn(&str) -> Option<&'static str>) {
        for pair in self.pairs.iter().filter(|pair| !known.contains(&&*pair.key.text)) {
            let key = &pair.key;
            let message = match &self.node {
                Some(node) => format!("unknown field `{}` in node `{node}`", key.text),
                None => format!("unknown field `{}`", key.text),
            };
            let mut problem =
                self.problem(Code::UnknownField, key.span, message).label(format!("not a field of {}", self.what));
            if let Some(hint) = hint(&key.text) {
                problem = problem.help(hint);
            } else if let Some(similar) = did_you_mean(&key.text, known.iter().copied()) {
                problem = suggest_name(self.sheet, problem, key, similar);
            } else {
                problem = problem.help(match known {
                    [only] => format!("the only field of {} is `{only}`", self.what),
                    _ => format!("the fields of {} are {}", self.what, words(known)),
                });
                self.sheet.push(problem);
                continue;
            }
            self.tell(problem);
        }
    }

    /// Reports a key that was probably meant to be a field that the help names.
    pub(super) fn tell(&self, problem: Diagnostic) {
        self.told.borrow_mut().extend(problem.help.clone());
        self.sheet.push(problem);
    }

    /// True when the help on another key names this field.
    fn is_told(&self, key: &str) -> bool {
        self.told.borrow().iter().any(|help| help.contains(&format!("`{key}`")) || help.contains(&format!("`{key}:")))
    }

    /// The pairs, in file order.
    pub(super) fn pairs(&self) -> &'y [Pair<'y>] {
        self.pairs
    }

    /// The value of a field, where it is given.
    pub(super) fn get(&self, key: &str) -> Option<&'y Yaml<'y>> {
        self.pairs.iter().find(|pair| pair.key.text == key).map(|pair| &pair.value)
    }

    /// The value of a field that has to be there.
    pub(super) fn required(&self, key: &'static str) -> Option<&'y Yaml<'y>> {
        let value = self.get(key);
        if value.is_none() && !self.is_told(key) {
            let first = self.pairs.first().map_or(self.span, |pair| pair.key.span);
            let message = match &self.node {
                Some(node) => format!("node `{node}` has no `{key}`"),
                None => format!("{} has no `{key}`", self.what),
            };
            let problem = self.problem(Code::MissingField, first, message).label(format!("`{key}` is missing here"));
            self.sheet.push(problem.help(format!("write `{key}: …` beside it")));
        }
        value
    }

    /// A text field; a number is the text that is written.
    pub(super) fn text(&self, key: &str) -> Option<Text<'y>> {
        text(self.sheet, self.get(key)?, key, self.node.as_deref())
    }

    /// A text field that has to be there.
    pub(super) fn required_text(&self, key: &'static str) -> Option<Text<'y>> {
        text(self.sheet, self.required(key)?, key, self.node.as_deref())
    }

    /// A list field; empty where it is not given.
    pub(super) fn list(&self, key: &'static str) -> &'y [Yaml<'y>] {
        let Some(yaml) = self.get(key) else { return &[] };
        list(self.sheet, yaml, key, self.node.as_deref())
    }

    pub(super) fn problem(&self, code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        self.sheet.problem(code, span, message).node(self.node.as_deref())
    }
}

/// The text that a value should be: any scalar as it is written, but not an empty one.
pub(super) fn text<'y>(sheet: Sheet<'y>, yaml: &'y Yaml<'y>, what: &str, node: Option<&str>) -> Option<Text<'y>> {
    let Data::Scalar(scalar) = &yaml.data else {
        wrong_type(sheet, yaml, what, "a text", node);
        return None;
    };
    if scalar.text.trim().is_empty() || (scalar.plain && matches!(&*scalar.text, "~" | "null" | "Null" | "NULL")) {
        let problem = sheet.problem(Code::NoValue, yaml.span, format!("`{what}` has no value")).node(node);
        sheet.push(problem.label("a value is missing here").help("write the value, or remove the line"));
        return None;
    }
    Some(Text { text: &scalar.text, span: yaml.span })
}

/// The items of a value that should be a list.
pub(super) fn list<'y>(sheet: Sheet<'y>, yaml: &'y Yaml<'y>, what: &str, node: Option<&str>) -> &'y [Yaml<'y>] {
    match &yaml.data {
        Data::List(items) => items,
        _ => {
            wrong_type(sheet, yaml, what, "a list", node);
            &[]
        }
    }
}

/// Reports a value of the wrong type.
pub(super) fn wrong_type(sheet: Sheet<'_>, yaml: &Yaml<'_>, what: &str, wanted: &str, node: Option<&str>) {
    let found = match &yaml.data {
        Data::Bad => return,
        Data::List(_) => "a list",
        Data::Map(_) => "a mapping",
        Data::Scalar(scalar) if scalar.plain && scalar.text.is_empty() => "nothing",
        Data::Scalar(_) => "a text",
    };
    // A whole mapping or list is no help to the eye; its first line is.
    let mut span = yaml.span;
    if !matches!(yaml.data, Data::Scalar(_)) {
        let line = sheet.source.line_range(sheet.source.line_at(span.start()));
        span = Span::new(span.start(), span.end().min(line.end));
    }
    let what = if what.contains(' ') { what.to_owned() } else { format!("`{what}`") };
    let mut problem =
        sheet.problem(Code::WrongType, span, format!("{what} has to be {wanted}, not {found}")).label(found).node(node);
    let block = sheet.source.text()[..yaml.span.start()].trim_end().ends_with(['|', '>', '-', '+'])
        && matches!(&yaml.data, Data::Scalar(scalar) if !scalar.plain)
        && !sheet.written(yaml.span).starts_with(['"', '\'']);
    let help = match (wanted, found) {
        _ if matches!(what.as_str(), "`ip_addrs`" | "an address") => {
            "write each address as `- ip_addr: 172.16.0.1`, with the `name` of its network beside it"
        }
        ("a list", "nothing") => "write the items below it, each in a line that starts with `- `",
        ("a list", "a mapping") => "start each item with `- `",
        ("a list", "a text") => "write `[item, item]`, or each item in a line of its own that starts with `- `",
        ("a mapping", "a text") if block => "remove the `|` or `>`, so that what follows it is read as YAML",
        ("a mapping", "a text") => "a mapping is written `key: value`, with a blank behind the colon",
        ("a mapping", "a list") => "remove the `- `",
        ("a text", "a list") => "write a single value, without brackets and without `- `",
        ("a text", "a mapping") => "write a single value; put it in quotes if it contains `: ` or starts with `{`",
        _ => "write the value, or remove the line",
    };
    problem = problem.help(help);
    sheet.push(problem);
}

/// Suggests another spelling of a key or word.
pub(super) fn suggest_name(sheet: Sheet<'_>, problem: Diagnostic, key: &Scalar<'_>, similar: &str) -> Diagnostic {
    let written = sheet.written(key.span);
    let replacement = if written == key.text { similar.to_owned() } else { written.replace(&*key.text, similar) };
    problem.help(format!("did you mean `{similar}`?")).suggest(
        "a field with a similar name exists",
        sheet.place(key.span),
        replacement,
    )
}

/// `` `a`, `b` and `c` ``.
pub(super) fn words(list: &[&str]) -> String {
    let quoted: Vec<String> = list.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}
