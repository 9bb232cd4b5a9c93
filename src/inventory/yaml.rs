//! YAML as a tree in which everything knows its place.
//!
//! Aliases and `<<` merge keys are resolved. What a small file can grow to by them is bounded, as are its size and its
//! depth, so nothing that somebody commits can exhaust memory or stack.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::Code;
use super::source::Sheet;
use super::syntax;

/// The largest file, in bytes. The nodes of the largest machines known take a tenth of it.
pub(super) const MAX_BYTES: usize = 64 << 20;
/// The deepest nesting. A cloud-init document needs about ten.
const MAX_DEPTH: usize = 64;
/// The most values that aliases may add to a file.
const MAX_ALIASED: usize = 100_000;

/// A stretch of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        let number = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: number(start), end: number(end.max(start)) }
    }

    pub(super) fn start(self) -> usize {
        self.start as usize
    }

    pub(super) fn end(self) -> usize {
        self.end as usize
    }

    pub(super) fn to(self, end: Self) -> Self {
        Self { start: self.start, end: end.end.max(self.start) }
    }
}

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
    Failed,
}

/// Parses a file that holds one document.
pub(super) fn parse(sheet: Sheet<'_>) -> Parsed<'_> {
    let mut parser = Parser::new_from_str(sheet.source.text());
    let mut builder = Builder::new(sheet);
    loop {
        match parser.next_event() {
            None => break,
            Some(Err(error)) => {
                let offset = builder.cursor.offset(*error.marker());
                sheet.push(syntax::explain(sheet, error.info(), offset, &builder.open(), builder.last));
                return Parsed::Failed;
            }
            Some(Ok((event, span))) => {
                let span = Span::new(builder.cursor.offset(span.start), builder.cursor.offset(span.end));
                if builder.event(event, span).is_none() {
                    return Parsed::Failed;
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

/// Turns the parser's character counts into byte offsets, walking from one to the next.
struct Cursor<'t> {
    text: &'t str,
    ascii: bool,
    index: usize,
    offset: usize,
}

impl Cursor<'_> {
    fn offset(&mut self, mark: Marker) -> usize {
        if self.ascii {
            return mark.index().min(self.text.len());
        }
        let (before, after) = self.text.split_at(self.offset);
        if let Some(ahead) = mark.index().checked_sub(self.index) {
            let step = after.char_indices().nth(ahead).map_or(after.len(), |(at, _)| at);
            self.index += after[..step].chars().count();
            self.offset += step;
        } else {
            let back = self.index - mark.index();
            let at = before.char_indices().rev().nth(back - 1).map_or(0, |(at, _)| at);
            self.index = mark.index();
            self.offset = at;
        }
        self.offset
    }
}

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
    content: Content<'t>,
}

enum Content<'t> {
    List(Vec<Yaml<'t>>),
    Map { pairs: Vec<Pair<'t>>, merges: Vec<Yaml<'t>>, keys: HashSet<Cow<'t, str>>, key: Slot<'t> },
}

/// What the next value of a mapping is.
enum Slot<'t> {
    Key,
    Value(Scalar<'t>),
    Merge,
    /// The value of a key that was reported.
    Dropped,
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

struct Builder<'t> {
    sheet: Sheet<'t>,
    cursor: Cursor<'t>,
    frames: Vec<Frame<'t>>,
    anchors: HashMap<usize, Anchored<'t>>,
    documents: usize,
    values: usize,
    aliased: usize,
    /// Where the last event ended.
    last: usize,
    root: Option<Yaml<'t>>,
}

impl<'t> Builder<'t> {
    fn new(sheet: Sheet<'t>) -> Self {
        let text = sheet.source.text();
        Self {
            sheet,
            cursor: Cursor { text, ascii: text.is_ascii(), index: 0, offset: 0 },
            frames: Vec::new(),
            anchors: HashMap::new(),
            documents: 0,
            values: 0,
            aliased: 0,
            last: 0,
            root: None,
        }
    }

    /// Offsets at which the collections under way start.
    fn open(&self) -> Vec<usize> {
        self.frames.iter().map(|frame| frame.start.start()).collect()
    }

    /// Takes the next event; none when there is no use in going on.
    fn event(&mut self, event: Event<'t>, span: Span) -> Option<()> {
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
                    Content::Map { pairs: Vec::new(), merges: Vec::new(), keys: HashSet::new(), key: Slot::Key };
                self.start(span, anchor, bad, content)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(id) => self.alias(id, span)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        self.last = self.last.max(span.end());
        Some(())
    }

    fn start(&mut self, start: Span, anchor: usize, bad: bool, content: Content<'t>) -> Option<()> {
        if self.frames.len() >= MAX_DEPTH {
            self.too_large(start, format!("the file is nested deeper than {MAX_DEPTH} levels"));
            return None;
        }
        self.frames.push(Frame { start, anchor, before: self.values, height: 0, bad, content });
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
            Content::Map { mut pairs, merges, mut keys, .. } => {
                let last = pairs.last().map(|pair| pair.value.span);
                for merge in merges {
                    self.merge(&merge, &mut pairs, &mut keys);
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
            self.sheet.push(problem.label("this would never end"));
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
            Content::Map { pairs, merges, keys, key } => match std::mem::replace(key, Slot::Key) {
                Slot::Value(key) => pairs.push(Pair { key, value }),
                Slot::Merge => merges.push(value),
                Slot::Dropped => {}
                Slot::Key => *key = read_key(self.sheet, value, pairs, keys, &mut frame.bad),
            },
        }
    }

    /// Adds the pairs of a `<<` key that the mapping does not have itself.
    fn merge(&mut self, from: &Yaml<'t>, pairs: &mut Vec<Pair<'t>>, keys: &mut HashSet<Cow<'t, str>>) {
        match &from.data {
            Data::Map(merged) => {
                for pair in merged.iter() {
                    if keys.insert(pair.key.text.clone()) {
                        pairs.push(pair.clone());
                    }
                }
            }
            Data::List(items) if items.iter().all(|item| matches!(item.data, Data::Map(_))) => {
                for item in items.iter() {
                    self.merge(item, pairs, keys);
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
        self.sheet.push(self.sheet.problem(Code::TooLarge, span, message));
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

/// Reads the key of a mapping: a text that was not there before, or `<<`.
fn read_key<'t>(
    sheet: Sheet<'t>,
    key: Yaml<'t>,
    pairs: &[Pair<'t>],
    keys: &mut HashSet<Cow<'t, str>>,
    bad: &mut bool,
) -> Slot<'t> {
    let Data::Scalar(scalar) = key.data else {
        *bad = true;
        if matches!(key.data, Data::Bad) {
            return Slot::Dropped;
        }
        let mut problem = sheet.problem(Code::ComplexKey, key.span, "a key has to be a text").label("not a text");
        if sheet.source.text()[..key.span.start()].ends_with('{') && sheet.written(key.span).starts_with('{') {
            problem = problem.help("put the value in quotes: YAML reads `{{` as a mapping within a mapping");
        }
        sheet.push(problem);
        return Slot::Dropped;
    };
    if scalar.plain && scalar.text == "<<" {
        return Slot::Merge;
    }
    if keys.insert(scalar.text.clone()) {
        return Slot::Value(scalar);
    }
    let mut problem = sheet
        .problem(Code::DuplicateKey, scalar.span, format!("the key `{}` is given twice", scalar.text))
        .label("given again");
    if let Some(first) = pairs.iter().find(|pair| pair.key.text == scalar.text) {
        problem = problem.related(sheet.place(first.key.span), "first given here");
    }
    sheet.push(problem);
    Slot::Dropped
}
