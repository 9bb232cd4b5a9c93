//! cloud-init documents as JSON, read as PyYAML on the node would read them.

use serde_json::{Map, Number, Value};

use super::Code;
use super::near::did_you_mean;
use super::scalar::{self, Plain};
use super::secrets;
use super::source::Sheet;
use super::span::Span;
use super::yaml::{Data, Pair, Scalar, Yaml};
use crate::template::check;

/// Which of the two stores an entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    /// Anybody on the boot network may read it.
    Open,
    /// Read with a token; the only one that may hold secrets.
    Secure,
}

/// The document as JSON; reports what cannot be passed on, values on which readers disagree, and misplaced secrets.
pub(super) fn read(sheet: Sheet<'_>, yaml: &Yaml<'_>, store: Store, jinja: bool) -> Value {
    Reader { sheet, store, jinja }.value(yaml)
}

struct Reader<'y> {
    sheet: Sheet<'y>,
    store: Store,
    jinja: bool,
}

impl Reader<'_> {
    /// The depth of the recursion is the depth of the tree, which is bounded.
    fn value(&self, yaml: &Yaml<'_>) -> Value {
        match &yaml.data {
            Data::Bad => Value::Null,
            Data::List(items) => items.iter().map(|item| self.value(item)).collect(),
            Data::Map(pairs) => {
                if let Some(secret) = pairs.iter().find(|pair| pair.key.text == secrets::KEY) {
                    self.secret(pairs, secret);
                }
                let fields = pairs.iter().map(|pair| (self.key(&pair.key), self.value(&pair.value)));
                Value::Object(fields.collect::<Map<_, _>>())
            }
            Data::Scalar(scalar) => self.scalar(scalar),
        }
    }

    fn scalar(&self, scalar: &Scalar<'_>) -> Value {
        if self.jinja {
            self.template(scalar);
        }
        let text = || Value::String(scalar.text.to_string());
        if !scalar.plain {
            return text();
        }
        let old = self.compare(scalar);
        match old {
            Plain::Null => Value::Null,
            Plain::Bool(value) => Value::Bool(value),
            Plain::Int(value) => {
                let number = value.and_then(Number::from_i128);
                number.map_or_else(|| self.no_json(scalar.span, "a whole number of more than 64 bits"), Value::Number)
            }
            Plain::Float(value) => match Number::from_f64(value) {
                Some(number) => Value::Number(number),
                None => self.no_json(scalar.span, "infinity, or not a number"),
            },
            Plain::Time | Plain::Text => text(),
        }
    }

    fn key(&self, key: &Scalar<'_>) -> String {
        if key.plain {
            self.compare(key);
        }
        key.text.to_string()
    }

    /// What the node reads; warns when other readers read something else.
    fn compare(&self, scalar: &Scalar<'_>) -> Plain {
        let old = scalar::yaml_1_1(&scalar.text);
        let new = scalar::yaml_1_2(&scalar.text);
        let both_nan = matches!((&old, &new), (Plain::Float(a), Plain::Float(b)) if a.is_nan() && b.is_nan());
        if old != new && !both_nan {
            self.disagreement(scalar, &old, &new);
        }
        old
    }

    fn disagreement(&self, scalar: &Scalar<'_>, old: &Plain, new: &Plain) {
        let (text, sheet) = (&scalar.text, self.sheet);
        sheet.push(if sheet.source.is_private() {
            sheet
                .problem(Code::OldYaml, scalar.span, "readers of YAML disagree about this value")
                .help("put it in quotes if the text is meant; write `true` or `false` for a truth value")
        } else {
            let help = match old {
                Plain::Bool(value) => format!("write `{value}`, or `'{text}'` if the text is meant"),
                _ => format!("write `'{text}'` if the text is meant"),
            };
            sheet
                .problem(Code::OldYaml, scalar.span, format!("readers of YAML disagree about `{text}`"))
                .label(format!("{} to cloud-init, {} to YAML 1.2", old.describe(), new.describe()))
                .help(help)
        });
    }

    fn no_json(&self, span: Span, label: &str) -> Value {
        let problem = self.sheet.problem(Code::NoJson, span, "this value cannot be passed on to a node");
        self.sheet.push(problem.label(label.to_owned()).help("put it in quotes to pass it on as a text"));
        Value::Null
    }

    fn template(&self, scalar: &Scalar<'_>) {
        if !check::has_expression(&scalar.text) {
            return;
        }
        if let Err(error) = check::syntax(&scalar.text) {
            let mut span = scalar.span;
            // The lines of a block are the lines of the template; a quoted text is folded, so its lines are not.
            if !scalar.plain && !self.sheet.written(span).starts_with(['"', '\'']) {
                let line = self.sheet.source.line_at(span.start()) + error.line - 1;
                let range = self.sheet.source.line_range(line);
                let text = self.sheet.source.line(line);
                span = Span::new(range.start + text.len() - text.trim_start().len(), range.end);
            }
            let message = match self.sheet.source.is_private() {
                true => "the template does not parse".to_owned(),
                false => format!("the template does not parse: {error}"),
            };
            let problem = self.sheet.problem(Code::Jinja, span, message);
            self.sheet.push(problem.help("the node renders it with Jinja, as the entry says `template: jinja`"));
        }
    }

    fn secret(&self, pairs: &[Pair<'_>], secret: &Pair<'_>) {
        if self.store == Store::Open {
            let problem =
                self.sheet.problem(Code::OpenSecret, secret.key.span, "a secret in an entry that anybody may read");
            self.sheet.push(
                problem
                    .label("every machine on the boot network can read this entry")
                    .help("move it into an entry of the same name in `cloud-init/secure/`"),
            );
            return;
        }
        let refuse = |span: Span, label: String| {
            let problem = self.sheet.problem(Code::SecretReference, span, "the reference to a secret is malformed");
            self.sheet.push(problem.label(label).help(
                "`$secret: {file: NAME, encode: base64}` or `$secret: {env: OCHAMI_SECRET_NAME}`; `encode` may be left out",
            ));
        };
        if let Some(other) = pairs.iter().find(|pair| pair.key.text != secrets::KEY) {
            refuse(other.key.span, "nothing may stand beside `$secret`".into());
        }
        match secrets::Reference::parse(&plain_json(&secret.value)) {
            Ok(_) => {}
            Err(error @ secrets::ReferenceError::Encoding) => {
                let span = encoding(&secret.value).map_or(secret.value.span, |(_, span)| span);
                let near = encoding(&secret.value).and_then(|(word, _)| did_you_mean(word, ["base64"].into_iter()));
                let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                refuse(span, format!("{error}{hint}"));
            }
            Err(error) => refuse(secret.value.span, error.to_string()),
        }
    }
}

/// The encoding that a reference names, and where.
fn encoding<'y>(reference: &'y Yaml<'_>) -> Option<(&'y str, Span)> {
    let Data::Map(pairs) = &reference.data else { return None };
    match &pairs.iter().find(|pair| pair.key.text == "encode")?.value.data {
        Data::Scalar(scalar) => Some((&scalar.text, scalar.span)),
        Data::List(_) | Data::Map(_) | Data::Bad => None,
    }
}

/// A reference as JSON; its texts are taken as they are written.
fn plain_json(yaml: &Yaml<'_>) -> Value {
    match &yaml.data {
        Data::Map(pairs) => {
            Value::Object(pairs.iter().map(|pair| (pair.key.text.to_string(), plain_json(&pair.value))).collect())
        }
        Data::Scalar(scalar) if !(scalar.plain && scalar.text.is_empty()) => Value::String(scalar.text.to_string()),
        _ => Value::Null,
    }
}
