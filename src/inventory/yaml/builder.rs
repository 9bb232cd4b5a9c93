//! From the parser's events to a tree.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use saphyr_parser::{Event, ScalarStyle, Tag};

use super::super::span::Span;
use super::cursor::Cursor;
use super::keys::{self, Slot};
use super::{Data, Pair, Scalar, Yaml};
use crate::inventory::Code;
use crate::inventory::source::Sheet;

/// The deepest nesting. A cloud-init document needs about ten.
const MAX_DEPTH: usize = 64;
/// The most values that aliases may add to a file.
const MAX_ALIASED: usize = 100_000;

/// A collection that is not complete yet.
struct Frame<'t> {
    start: Span,
    anchor: usize,
    /// Values seen before it, to know how many it holds.
    before: usize,
    /// Height of its highest child.
    height: usize,
    /// Its problem is reported already.
    bad: bool,
    /// Its keys come again from the first on, which is reported.
    restarted: bool,
    content: Content<'t>,
}

enum Content<'t> {
    List(Vec<Yaml<'t>>),
    Map { pairs: Vec<Pair<'t>>, merges: Vec<Yaml<'t>>, seen: HashSet<Cow<'t, str>>, key: Slot<'t> },
}

struct Anchored<'t> {
    value: Yaml<'t>,
    values: usize,
    height: usize,
}

/// What the tag of a scalar says about it.
#[derive(PartialEq, Eq)]
enum Tagged {
    AsWritten,
    Text,
    Bad,
}

/// Makes a tree of the parser's events.
pub(super) struct Builder<'t> {
    sheet: Sheet<'t>,
    pub(super) cursor: Cursor<'t>,
    frames: Vec<Frame<'t>>,
    anchors: HashMap<usize, Anchored<'t>>,
    documents: usize,
    values: usize,
    aliased: usize,
    /// Where the last event ended.
    pub(super) last: usize,
    /// An unquoted `{{ … }}` is reported; what the parser makes of its rest is no news.
    pub(super) told_expression: bool,
    pub(super) root: Option<Yaml<'t>>,
}

impl<'t> Builder<'t> {
    pub(super) fn new(sheet: Sheet<'t>) -> Self {
        Self {
            sheet,
            cursor: Cursor::new(sheet.source.text()),
            frames: Vec::new(),
            anchors: HashMap::new(),
            documents: 0,
            values: 0,
            aliased: 0,
            last: 0,
            told_expression: false,
            root: None,
        }
    }

    /// Offsets at which the collections under way start.
    pub(super) fn open(&self) -> Vec<usize> {
        self.frames.iter().map(|frame| frame.start.start()).collect()
    }

    /// What was read so far, with the collections under way closed where they are.
    pub(super) fn unfinished(self) -> Option<Yaml<'t>> {
        let mut inner: Option<Yaml<'t>> = None;
        for frame in self.frames.into_iter().rev() {
            let value = inner.take();
            let data = match frame.content {
                Content::List(mut items) => {
                    items.extend(value);
                    Data::List(Rc::new(items))
                }
                Content::Map { mut pairs, key, .. } => {
                    if let (Slot::Value(key), Some(value)) = (key, value) {
                        pairs.push(Pair { key, value });
                    }
                    Data::Map(Rc::new(pairs))
                }
            };
            inner = Some(Yaml { span: frame.start, data });
        }
        inner.or(self.root)
    }

    /// Takes the next event; none when there is no use in going on.
    pub(super) fn event(&mut self, event: Event<'t>, span: Span) -> Option<()> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let problem = self.sheet.problem(Code::SeveralDocuments, span, "a second document starts here");
                    self.sheet.push(
                        problem
                            .label("everything behind this line would be ignored")
                            .help("write one document per file; remove the `---` line"),
                    );
                    return None;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let span = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => self.without_trailing_blanks(span),
                    ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => span,
                };
                let kind = self.scalar_tag(tag.as_deref(), span);
                let plain = style == ScalarStyle::Plain && kind != Tagged::Text;
                let data = if kind == Tagged::Bad { Data::Bad } else { Data::Scalar(Scalar { text, plain, span }) };
                let before = self.values;
                self.values += 1;
                self.value(Yaml { span, data }, anchor, before, 1);
            }
            Event::SequenceStart(anchor, tag) => {
                let bad = self.collection_tag(tag.as_deref(), span);
                self.start(span, anchor, bad, Content::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                let bad = self.collection_tag(tag.as_deref(), span);
                let content =
                    Content::Map { pairs: Vec::new(), merges: Vec::new(), seen: HashSet::new(), key: Slot::Key };
                self.start(span, anchor, bad, content)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(id) => self.alias(id, span)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        self.last = self.last.max(span.end());
        Some(())
    }

    /// A block ends for the parser where the next token starts.
    fn without_trailing_blanks(&self, span: Span) -> Span {
        Span::new(span.start(), span.start() + self.sheet.written(span).trim_end().len())
    }

    fn start(&mut self, start: Span, anchor: usize, bad: bool, content: Content<'t>) -> Option<()> {
        if self.frames.len() >= MAX_DEPTH {
            self.too_large(start, format!("the file is nested deeper than {MAX_DEPTH} levels"));
            return None;
        }
        self.frames.push(Frame { start, anchor, before: self.values, height: 0, bad, restarted: false, content });
        self.values += 1;
        Some(())
    }

    fn end(&mut self, end: Span) {
        let Some(frame) = self.frames.pop() else { return };
        // A block collection ends where the next token starts; what belongs to it ends with its last value.
        let flow = matches!(self.sheet.source.text().as_bytes().get(frame.start.start()), Some(b'[' | b'{'));
        let (data, last) = match frame.content {
            Content::List(items) => {
                let last = items.last().map(|item| item.span);
                (Data::List(Rc::new(items)), last)
            }
            Content::Map { mut pairs, merges, mut seen, .. } => {
                let last = pairs.last().map(|pair| pair.value.span);
                for merge in merges {
                    self.merge(&merge, &mut pairs, &mut seen);
                }
                (Data::Map(Rc::new(pairs)), last)
            }
        };
        let span = if flow { frame.start.to(end) } else { frame.start.to(last.unwrap_or(frame.start)) };
        let data = if frame.bad { Data::Bad } else { data };
        self.value(Yaml { span, data }, frame.anchor, frame.before, frame.height + 1);
    }

    fn alias(&mut self, id: usize, span: Span) -> Option<()> {
        let Some(target) = self.anchors.get(&id) else {
            let problem = self.sheet.problem(Code::Syntax, span, "an alias refers to a value that contains it");
            self.sheet.push(problem.label("this would never end").help("remove the alias, or write the value itself"));
            return None;
        };
        let (value, values, height) = (target.value.clone(), target.values, target.height);
        self.aliased = self.aliased.saturating_add(values);
        self.values = self.values.saturating_add(values);
        if self.aliased > MAX_ALIASED || self.frames.len() + height > MAX_DEPTH {
            self.too_large(span, "aliases make the file too large".into());
            return None;
        }
        let before = self.values - values;
        self.value(value, 0, before, height);
        Some(())
    }

    /// Puts a complete value where it belongs.
    fn value(&mut self, value: Yaml<'t>, anchor: usize, before: usize, height: usize) {
        if anchor != 0 {
            let values = self.values - before;
            self.anchors.insert(anchor, Anchored { value: value.clone(), values, height });
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(value);
            return;
        };
        frame.height = frame.height.max(height);
        match &mut frame.content {
            Content::List(items) => items.push(value),
            Content::Map { pairs, merges, seen, key } => match std::mem::replace(key, Slot::Key) {
                Slot::Value(key) => pairs.push(Pair { key, value }),
                Slot::Merge => merges.push(value),
                Slot::Dropped | Slot::Expression => {}
                Slot::Key => {
                    // In a flow mapping (`{…}`) the depth means nothing, so tabs do no harm.
                    if self.sheet.source.text().as_bytes().get(frame.start.start()) != Some(&b'{') {
                        keys::check_indentation(self.sheet, value.span);
                    }
                    *key = keys::read(self.sheet, value, pairs, seen, (&mut frame.bad, &mut frame.restarted));
                    self.told_expression |= matches!(key, Slot::Expression);
                }
            },
        }
    }

    /// Adds the pairs of a `<<` key that the mapping does not have itself.
    fn merge(&mut self, from: &Yaml<'t>, pairs: &mut Vec<Pair<'t>>, seen: &mut HashSet<Cow<'t, str>>) {
        match &from.data {
            Data::Map(merged) => {
                for pair in merged.iter() {
                    if seen.insert(pair.key.text.clone()) {
                        pairs.push(pair.clone());
                    }
                }
            }
            Data::List(items) if items.iter().all(|item| matches!(item.data, Data::Map(_))) => {
                for item in items.iter() {
                    self.merge(item, pairs, seen);
                }
            }
            Data::Bad => {}
            Data::List(_) | Data::Scalar(_) => {
                let problem = self.sheet.problem(Code::WrongType, from.span, "`<<` merges mappings only");
                self.sheet.push(problem.label("not a mapping").help("refer to an anchored mapping: `<<: *name`"));
            }
        }
    }

    fn too_large(&mut self, span: Span, message: String) {
        let problem = self.sheet.problem(Code::TooLarge, span, message).label("reading had to stop here");
        self.sheet.push(problem.help("write it flatter and without aliases"));
    }

    /// What a tag makes of a scalar; reports one that is not supported.
    fn scalar_tag(&mut self, tag: Option<&Tag>, span: Span) -> Tagged {
        let Some(tag) = tag else { return Tagged::AsWritten };
        match (tag.is_yaml_core_schema(), tag.suffix.as_str()) {
            (true, "int" | "float" | "bool" | "null") => Tagged::AsWritten,
            (true, "str") => Tagged::Text,
            (false, "!") if tag.handle.is_empty() => Tagged::Text,
            _ => {
                self.unsupported(tag, span);
                Tagged::Bad
            }
        }
    }

    /// True when the tag of a collection is not supported; reports it.
    fn collection_tag(&mut self, tag: Option<&Tag>, span: Span) -> bool {
        let Some(tag) = tag else { return false };
        let bad = !(tag.is_yaml_core_schema() && matches!(tag.suffix.as_str(), "map" | "seq"));
        if bad {
            self.unsupported(tag, span);
        }
        bad
    }

    fn unsupported(&mut self, tag: &Tag, span: Span) {
        let name = if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() };
        let problem = self.sheet.problem(Code::Tag, span, format!("the tag `{name}` is not supported"));
        self.sheet.push(problem.help("remove the tag; a secret is given by reference, `$secret: {file: NAME}`"));
    }
}
