//! `{{ variable }}` in `cluster.yaml`: texts that use the file's own top-level keys.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use super::Code;
use super::near::did_you_mean;
use super::places::Traced;
use super::source::Sheet;
use super::span::Span;
use super::walker::Text;
use super::yaml::{Data, Pair, Scalar};
use crate::template::check::{self, ExpressionError};

/// What to do about variables that need each other.
const CYCLE: &str = "write the value itself in one of them";
/// How deep variables may refer to each other.
const MAX_DEPTH: usize = 32;

/// A text of more parts is taken to be said by its own line alone.
const MAX_PARTS: usize = 256;

/// The variables of a file, and what those that were used became.
pub(super) struct Variables<'y> {
    sheet: Sheet<'y>,
    scalars: HashMap<&'y str, &'y Scalar<'y>>,
    /// By the place of the text, so that each is resolved, and each problem reported, once.
    resolved: RefCell<HashMap<usize, Option<Rc<str>>>>,
    /// Names whose own problem is reported, so that those who use them say nothing.
    mistrusted: RefCell<HashSet<&'static str>>,
    /// By the same, what texts are put together from, so that each is taken apart once.
    traced: RefCell<HashMap<usize, Traced>>,
}

impl<'y> Variables<'y> {
    pub(super) fn new(sheet: Sheet<'y>, pairs: &'y [Pair<'y>]) -> Self {
        let scalars = pairs.iter().filter_map(|pair| match &pair.value.data {
            Data::Scalar(scalar) => Some((&*pair.key.text, scalar)),
            Data::List(_) | Data::Map(_) | Data::Bad => None,
        });
        Self {
            sheet,
            scalars: scalars.collect(),
            resolved: RefCell::default(),
            mistrusted: RefCell::default(),
            traced: RefCell::default(),
        }
    }

    /// Takes a variable for reported: a text that uses it has no value from here on, and nobody is told again.
    pub(super) fn mistrust(&self, name: &'static str) {
        self.mistrusted.borrow_mut().insert(name);
    }

    /// The text with its variables put in; none when that fails, which is reported.
    pub(super) fn resolve(&self, text: Text<'y>) -> Option<Cow<'y, str>> {
        if !check::has_expression(text.text) {
            return Some(Cow::Borrowed(text.text));
        }
        self.expand(text.text, text.span, &mut Vec::new()).map(|value| Cow::Owned(value.to_string()))
    }

    fn expand(&self, text: &str, span: Span, under_way: &mut Vec<usize>) -> Option<Rc<str>> {
        if !check::has_expression(text) {
            return Some(text.into());
        }
        if let Some(known) = self.resolved.borrow().get(&span.start()) {
            return known.clone();
        }
        under_way.push(span.start());
        let value = self.evaluate(text, span, under_way);
        under_way.pop();
        self.resolved.borrow_mut().insert(span.start(), value.clone());
        value
    }

    /// The text with its variables put in, and the lines that say its parts; none when a variable has no value.
    ///
    /// A text that does more than put variables in, by a filter, is taken to be said by its own line alone.
    pub(super) fn trace(&self, text: &str, span: Span, line: u32) -> Option<Traced> {
        let value = self.expand(text, span, &mut Vec::new())?;
        if let Some(known) = self.traced.borrow().get(&span.start()) {
            return Some(known.clone());
        }
        let parts = self.parts(text, line).filter(|parts| parts.len() <= MAX_PARTS && parts.text() == *value);
        let traced = parts.unwrap_or_else(|| Traced::said(&*value, line));
        self.traced.borrow_mut().insert(span.start(), traced.clone());
        Some(traced)
    }

    /// What stands between the variables, and what the variables say. The depth of the recursion is bounded, because
    /// the text has a value.
    fn parts(&self, text: &str, line: u32) -> Option<Traced> {
        let (mut parts, mut rest) = (Traced::default(), text);
        while let Some((said, behind)) = rest.split_once("{{") {
            let (name, behind) = behind.split_once("}}")?;
            let scalar = self.scalars.get(name.trim())?;
            let variable = self.trace(&scalar.text, scalar.span, self.sheet.origin(scalar.span).line)?;
            parts = parts + Traced::said(said, line) + variable;
            rest = behind;
        }
        Some(parts + Traced::said(rest, line))
    }

    fn evaluate(&self, text: &str, span: Span, under_way: &mut Vec<usize>) -> Option<Rc<str>> {
        let names = check::variables(text).map_err(|error| self.refuse(&error, span)).ok()?;
        let mut values = BTreeMap::new();
        let mut sound = true;
        for name in names {
            match self.scalars.get(name.as_str()) {
                _ if self.mistrusted.borrow().contains(name.as_str()) => sound = false,
                None => {
                    sound = false;
                    self.undefined(&name, span);
                }
                Some(scalar) if under_way.contains(&scalar.span.start()) => {
                    sound = false;
                    let message = format!("the variable `{name}` refers to itself");
                    let problem = self.sheet.problem(Code::VariableCycle, self.mention(&name, span), message);
                    self.sheet.push(problem.help(CYCLE));
                }
                Some(_) if under_way.len() >= MAX_DEPTH => {
                    sound = false;
                    let message = format!("variables refer to each other more than {MAX_DEPTH} levels deep");
                    let problem = self.sheet.problem(Code::VariableCycle, self.mention(&name, span), message);
                    self.sheet.push(problem.help(CYCLE));
                }
                Some(scalar) => match self.expand(&scalar.text, scalar.span, under_way) {
                    Some(value) => {
                        values.insert(name, value.to_string());
                    }
                    None => sound = false,
                },
            }
        }
        if !sound {
            return None;
        }
        check::substitute(text, &values).map(Rc::from).map_err(|error| self.refuse(&error, span)).ok()
    }

    fn undefined(&self, name: &str, span: Span) {
        let mut problem = self
            .sheet
            .problem(Code::UnknownVariable, self.mention(name, span), format!("the variable `{name}` is not defined"))
            .label("no key of this file");
        problem = match did_you_mean(name, self.scalars.keys().copied()) {
            Some(similar) => {
                let place = self.sheet.place(self.mention(name, span));
                problem.help(format!("did you mean `{similar}`?")).suggest(
                    "a variable with a similar name exists",
                    place,
                    similar,
                )
            }
            None => problem.help("only the top-level keys of `cluster.yaml` are variables"),
        };
        self.sheet.push(problem);
    }

    fn refuse(&self, error: &ExpressionError, span: Span) {
        let problem = match error {
            ExpressionError::Lookup(_) => self
                .sheet
                .problem(Code::Lookup, span, error.to_string())
                .help("an inventory reads no other file; write the value itself"),
            ExpressionError::Syntax(_) | ExpressionError::Unsupported(_) | ExpressionError::TooLong => self
                .sheet
                .problem(Code::Expression, span, format!("the expression is not supported: {error}"))
                .help("`{{ name }}` puts in the value of a top-level key of this file; nothing else is available"),
        };
        self.sheet.push(problem);
    }

    /// Where a text mentions a variable.
    fn mention(&self, name: &str, span: Span) -> Span {
        let written = self.sheet.written(span);
        let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        written
            .match_indices(name)
            .find(|(at, _)| {
                !word(written[..*at].chars().next_back()) && !word(written[at + name.len()..].chars().next())
            })
            .map_or(span, |(at, _)| Span::new(span.start() + at, span.start() + at + name.len()))
    }
}
