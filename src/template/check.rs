//! Templates that other people wrote: the syntax of those for cloud-init, and `{{ variable }}` in the inventory.
//!
//! cloud-init renders its templates on the node, with Jinja itself and data that only the node has, so here they are
//! parsed and never rendered. Text with variables is rendered, but can do nothing except put values in: there are no
//! statements, no functions, and of the filters only `lower`, `upper` and `trim`.

use std::collections::BTreeMap;

use minijinja::{Environment, ErrorKind, UndefinedBehavior};

use super::TemplateFault;
use super::bounded::{Bounded, add_filters};

/// The longest text that variables may produce, in bytes; a kernel command line has at most a few thousand.
const MAX_TEXT: usize = 64 << 10;

/// Why a text with variables has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It does not parse.
    #[error("{0}")]
    Syntax(String),
    /// It wants to look something up outside the inventory: `lookup()` or `query()`.
    #[error("`{0}()` is not available")]
    Lookup(String),
    /// It does more than put values in.
    #[error("{0}")]
    Unsupported(String),
    /// The result is longer than any use of it.
    #[error("the text becomes longer than {} KiB", MAX_TEXT >> 10)]
    TooLong,
}

/// Checks that a text is a Jinja template.
///
/// A statement that minijinja does not know is taken as sound: Jinja on the node may know it.
///
/// # Errors
/// The first mistake and its line.
pub fn syntax(text: &str) -> Result<(), TemplateFault> {
    match Environment::empty().template_from_str(text) {
        Ok(_) => Ok(()),
        Err(error) if error.detail().is_some_and(|detail| detail.starts_with("unknown statement")) => Ok(()),
        Err(error) => Err(TemplateFault {
            message: error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
            line: error.line().unwrap_or(1),
        }),
    }
}

/// True when a text has anything to put in.
#[must_use]
pub fn has_expression(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// The variables that a text uses, in alphabetical order.
///
/// # Errors
/// When the text does not parse, or uses more than variables and the allowed filters.
pub fn variables(text: &str) -> Result<Vec<String>, ExpressionError> {
    let environment = environment();
    let template = environment.template_from_str(text).map_err(|error| expression_error(&error))?;
    let mut names: Vec<String> = template.undeclared_variables(false).into_iter().collect();
    names.sort_unstable();
    if let Some(name) = names.iter().find(|name| matches!(name.as_str(), "lookup" | "query" | "q")) {
        return Err(ExpressionError::Lookup(name.clone()));
    }
    if text.contains("{%") {
        return Err(ExpressionError::Unsupported("statements (`{% … %}`) are not supported".into()));
    }
    // Repetition is the one operator by which a short text can become a long one before it is written.
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once("{{") {
        let (inside, behind) = behind.split_once("}}").unwrap_or((behind, ""));
        if inside.contains('*') {
            return Err(ExpressionError::Unsupported("calculations are not supported".into()));
        }
        rest = behind;
    }
    Ok(names)
}

/// Puts the values of variables into a text for which [`variables`] gave their names.
///
/// # Errors
/// When an expression cannot be evaluated or the result is too long.
pub fn substitute(text: &str, values: &BTreeMap<String, String>) -> Result<String, ExpressionError> {
    let environment = environment();
    let template = environment.template_from_str(text).map_err(|error| expression_error(&error))?;
    let mut output = Bounded::new(MAX_TEXT);
    match template.render_captured_to(values, &mut output) {
        Ok(_) => String::from_utf8(output.bytes).map_err(|_| ExpressionError::TooLong),
        Err(error) if error.kind() == ErrorKind::WriteFailure => Err(ExpressionError::TooLong),
        Err(error) => Err(expression_error(&error)),
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    add_filters(&mut environment);
    environment
}

fn expression_error(error: &minijinja::Error) -> ExpressionError {
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.kind() {
        ErrorKind::SyntaxError => ExpressionError::Syntax(detail),
        ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction => {
            ExpressionError::Unsupported(format!("{detail}; only `lower`, `upper` and `trim` are available"))
        }
        _ => ExpressionError::Unsupported(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn variables_are_named_and_put_in() {
        let text = "http://{{ ip }}:8080/{{ image | upper }}";
        assert_eq!(variables(text).unwrap(), ["image", "ip"]);
        assert_eq!(
            substitute(text, &values(&[("ip", "10.0.0.1"), ("image", "a/b")])).unwrap(),
            "http://10.0.0.1:8080/A/B"
        );
    }

    #[test]
    fn values_are_put_in_as_they_are() {
        assert_eq!(substitute("{{ a }}", &values(&[("a", "<&{{ b }}>")])).unwrap(), "<&{{ b }}>");
    }

    #[test]
    fn what_is_more_than_a_variable_is_refused() {
        assert_eq!(variables("{{ lookup('file', '/etc/shadow') }}"), Err(ExpressionError::Lookup("lookup".into())));
        for text in ["{% for x in y %}{% endfor %}", "{{ 'a' * 99999999 }}"] {
            assert!(matches!(variables(text), Err(ExpressionError::Unsupported(_))), "{text}");
        }
        assert!(matches!(variables("{{ a "), Err(ExpressionError::Syntax(_))));
        assert!(matches!(
            substitute("{{ a | from_yaml }}", &values(&[("a", "b")])),
            Err(ExpressionError::Unsupported(_))
        ));
    }

    #[test]
    fn a_long_result_is_refused() {
        let long = "x".repeat(MAX_TEXT);
        assert_eq!(substitute("{{ a }}{{ a }}", &values(&[("a", &long)])), Err(ExpressionError::TooLong));
    }

    #[test]
    fn templates_are_parsed_and_not_rendered() {
        assert_eq!(syntax("{% if v1.region == 'x' %}{{ undefined.thing() }}{% endif %}"), Ok(()));
        assert_eq!(syntax("{% trans %}"), Ok(()));
        let error = syntax("fine\n{% if %}").unwrap_err();
        assert_eq!(error.line, 2);
        assert!(syntax("{{ v1.name }").is_err());
    }
}
