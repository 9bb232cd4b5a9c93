//! YAML as a tree in which everything knows its place.
//!
//! Aliases and `<<` merge keys are resolved. What a small file can grow to by them is bounded, as are its size and its
//! depth, so nothing that somebody commits can exhaust memory or stack.

mod builder;
mod cursor;
mod keys;

use std::borrow::Cow;
use std::rc::Rc;

use saphyr_parser::Parser;

use self::builder::Builder;
use super::source::Sheet;
use super::span::Span;
use super::{Code, syntax};

/// The largest file, in bytes. The nodes of the largest machines known take a tenth of it.
pub(super) const MAX_BYTES: usize = 64 << 20;

/// A scalar as the file has it.
#[derive(Debug, Clone)]
pub(super) struct Scalar<'t> {
    pub(super) text: Cow<'t, str>,
    /// Neither quoted nor a block: its type is told by its text.
    pub(super) plain: bool,
    pub(super) span: Span,
}

/// A value.
#[derive(Debug, Clone)]
pub(super) struct Yaml<'t> {
    pub(super) span: Span,
    pub(super) data: Data<'t>,
}

/// What a value is made of. Collections are shared, so an alias costs nothing.
#[derive(Debug, Clone)]
pub(super) enum Data<'t> {
    Scalar(Scalar<'t>),
    List(Rc<Vec<Yaml<'t>>>),
    Map(Rc<Vec<Pair<'t>>>),
    /// Something whose problem is reported already; nobody needs to say more about it.
    Bad,
}

/// A key of a mapping and its value.
#[derive(Debug, Clone)]
pub(super) struct Pair<'t> {
    pub(super) key: Scalar<'t>,
    pub(super) value: Yaml<'t>,
}

/// What became of a file.
#[derive(Debug)]
pub(super) enum Parsed<'t> {
    Tree(Yaml<'t>),
    /// Nothing but blanks and comments.
    Empty,
    /// The problem is reported.
    Failed(Unread<'t>),
}

/// What is known of a file that could not be read to its end.
#[derive(Debug, Default)]
pub(super) struct Unread<'t> {
    /// What was read until then, where that is anything.
    pub(super) tree: Option<Yaml<'t>>,
    /// The bytes in which the mistake is, where it is a slip in the writing of YAML: what is not there any more when
    /// they are gone.
    pub(super) slip: Option<Span>,
}

impl Yaml<'_> {
    /// The same with texts of its own.
    pub(super) fn into_owned(self) -> Yaml<'static> {
        let data = match self.data {
            Data::Scalar(scalar) => Data::Scalar(scalar.into_owned()),
            Data::List(items) => Data::List(Rc::new(items.iter().cloned().map(Yaml::into_owned).collect())),
            Data::Map(pairs) => {
                let own = |pair: &Pair<'_>| Pair {
                    key: pair.key.clone().into_owned(),
                    value: pair.value.clone().into_owned(),
                };
                Data::Map(Rc::new(pairs.iter().map(own).collect()))
            }
            Data::Bad => Data::Bad,
        };
        Yaml { span: self.span, data }
    }
}

impl Scalar<'_> {
    fn into_owned(self) -> Scalar<'static> {
        Scalar { text: Cow::Owned(self.text.into_owned()), plain: self.plain, span: self.span }
    }
}

/// Parses a file that holds one document.
pub(super) fn parse(sheet: Sheet<'_>) -> Parsed<'_> {
    if let Some(problem) = syntax::merge_conflict(sheet) {
        sheet.push(problem);
        return Parsed::Failed(Unread::default());
    }
    let mut parser = Parser::new_from_str(sheet.source.text());
    let mut builder = Builder::new(sheet);
    loop {
        match parser.next_event() {
            None => break,
            Some(Err(error)) => {
                let offset = builder.cursor.offset(*error.marker());
                let mut slip = Span::new(offset, offset);
                // What the reader of keys said of an unquoted expression is the cause of what the parser says.
                if !builder.told_expression {
                    let problem = syntax::explain(sheet, error.info(), offset, &builder.open(), builder.last);
                    let start = problem.place.as_ref().map_or(offset, |place| place.start);
                    // A mistake that has a name is where it is told; any other is there or where reading ended.
                    let end = if problem.code == Code::Syntax { offset } else { start };
                    slip = Span::new(start.min(end), start.max(end));
                    sheet.push(problem);
                }
                return Parsed::Failed(Unread { tree: builder.unfinished(), slip: Some(slip) });
            }
            Some(Ok((event, span))) => {
                let span = Span::new(builder.cursor.offset(span.start), builder.cursor.offset(span.end));
                if builder.event(event, span).is_none() {
                    return Parsed::Failed(Unread { tree: builder.unfinished(), slip: None });
                }
            }
        }
    }
    match builder.root {
        None => Parsed::Empty,
        Some(root) if matches!(&root.data, Data::Scalar(s) if s.plain && s.text.is_empty()) => Parsed::Empty,
        Some(root) => Parsed::Tree(root),
    }
}
