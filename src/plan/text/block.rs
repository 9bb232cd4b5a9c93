//! Blocks of a section: changes that are the same apart from each node's own values stand together.

use std::collections::HashMap;

use super::super::document::{Action, Effect, FieldChange, Op, Plan, PlanChange, Subject, Verb};
use super::shape::shape;
use super::value::{self, Line};
use super::{TextOptions, fold, places, words};

/// The column in which bodies and names begin.
const INDENT: usize = 14;
/// The width of the column of names.
const NAMES: usize = 16;
/// Names that are listed where they cannot be folded.
const LISTED: usize = 12;

/// Writes the blocks of one section.
pub(super) struct Section<'a> {
    plan: &'a Plan,
    ops: HashMap<&'a str, &'a Op>,
    options: &'a TextOptions,
    drift: bool,
}

impl<'a> Section<'a> {
    /// A section of changes.
    pub(super) fn changes(plan: &'a Plan, options: &'a TextOptions) -> Self {
        Self { plan, ops: plan.ops.iter().map(|op| (op.id.as_str(), op)).collect(), options, drift: false }
    }

    /// The section of drift.
    pub(super) fn drift(plan: &'a Plan, options: &'a TextOptions) -> Self {
        Self { drift: true, ..Self::changes(plan, options) }
    }

    /// The blocks, in the order of their first changes.
    pub(super) fn render(&self, changes: &[&PlanChange]) -> String {
        let mut blocks: Vec<Vec<&PlanChange>> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        for change in changes {
            let key = if self.options.expand { change.address.clone() } else { shape(change) };
            let place = *known.entry(key).or_insert_with(|| {
                blocks.push(Vec::new());
                blocks.len() - 1
            });
            blocks[place].push(change);
        }
        blocks.iter().map(|block| self.block(block)).collect()
    }

    fn block(&self, block: &[&PlanChange]) -> String {
        let Some(first) = block.first() else { return String::new() };
        let mut text = self.head(first, block);
        for (sign, line) in self.body(first, block) {
            let line = fold::wrap(&line, self.options.columns() - INDENT - 2);
            for (number, line) in line.iter().enumerate() {
                let sign = if number == 0 { sign } else { ' ' };
                let hanging = if number == 0 { "" } else { "  " };
                let line = format!("{}{sign} {hanging}{line}", " ".repeat(INDENT - 2));
                text.push_str(&self.paint(sign, line.trim_end()));
                text.push('\n');
            }
        }
        text
    }

    /// Glyph, verb, names, what they are, and the line that causes it.
    fn head(&self, first: &PlanChange, block: &[&PlanChange]) -> String {
        let names: Vec<&str> = block.iter().map(|change| &*change.name).collect();
        let mut names = format!("{}{}", words::sort(first.kind), fold::names(&names, LISTED));
        let (glyph, plain, verb) = words::verb(first, self.drift, self.plan.correct_drift);
        let glyph = if self.options.ascii { plain } else { glyph };
        let lead = self.paint(words::color(first, self.drift), &format!("  {glyph:<2} {verb:<9}"));
        let place = self.place(block);
        let mut detail = words::detail(first, block);
        // The section of drift has all sorts of things in it, so each says what it is.
        if self.drift && words::is_todays(first.kind) {
            names.insert_str(0, "cloud-init ");
        } else if self.drift && first.kind == Subject::CloudInitSecure {
            detail = first.kind.as_str().to_owned();
        } else if self.drift && first.kind != Subject::Node {
            detail = format!("{} {detail}", first.kind.as_str());
        }
        let mut lines = fold::wrap(&names, self.options.columns() - INDENT);
        let last = lines.pop().unwrap_or_default();
        let mut text = String::new();
        for (number, line) in lines.iter().enumerate() {
            let lead = if number == 0 { lead.clone() } else { " ".repeat(INDENT) };
            text.push_str(&format!("{lead}{line}\n"));
        }
        let lead = if lines.is_empty() { lead } else { " ".repeat(INDENT) };
        let row = format!("{last:<NAMES$}  {detail}");
        let row = row.trim_end();
        let used = INDENT + row.chars().count();
        let room = self.options.columns().saturating_sub(used + place.chars().count());
        let below: Vec<String> = if used > self.options.columns() {
            text.push_str(&format!("{lead}{last}\n"));
            fold::wrap(&detail, self.options.columns() - INDENT)
        } else if room < 2 {
            text.push_str(&format!("{lead}{row}\n"));
            Vec::new()
        } else {
            text.push_str(&format!("{lead}{row}{}{place}\n", " ".repeat(room)));
            return text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        };
        for line in below.iter().chain([&place]) {
            text.push_str(&format!("{}{line}\n", " ".repeat(INDENT)));
        }
        text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// Where a block comes from; of drift, who wrote it.
    fn place(&self, block: &[&PlanChange]) -> String {
        if self.drift {
            return match block.first().and_then(|change| change.provenance.as_ref()) {
                Some(writer) => format!("by {}, {}", fold::escape(&writer.writer), fold::escape(&writer.at)),
                None => String::new(),
            };
        }
        places::told(block, self.options)
    }

    fn body(&self, first: &PlanChange, block: &[&PlanChange]) -> Vec<Line> {
        let mut lines = match first.verb {
            Verb::Create | Verb::Recreate if !self.drift && first.kind == Subject::Node => self.node(first, block),
            Verb::Delete => self.packed(&self.parts(first, block), ", "),
            _ if self.drift => self.drifted(first, block),
            _ => self.fields(first, block, &[]),
        };
        if let Some(why) = reason(&first.reason).filter(|_| first.kind == Subject::Node && !self.drift) {
            lines.push((' ', why.to_owned()));
        }
        if first.verb == Verb::Release {
            lines.push((' ', "others put something into it: what is ours goes, the rest stays unmanaged".to_owned()));
        }
        if !first.missing_secrets.is_empty() {
            let names: Vec<String> = first.missing_secrets.iter().map(|name| fold::escape(name).into_owned()).collect();
            let (noun, them) = if names.len() == 1 { ("secret", "it") } else { ("secrets", "them") };
            // Whether one is missing or cannot be used is told by its warning.
            lines.push((' ', format!("{noun} {} cannot be had; apply needs {them}", names.join(", "))));
        }
        if first.refused {
            lines.push((' ', "it is not managed by this inventory and is left as it is".to_owned()));
        }
        let new = matches!(first.verb, Verb::Create | Verb::Recreate | Verb::Delete);
        if first.effect == Effect::NextBoot && !new && !self.drift {
            lines.push((' ', "takes effect at each node's next boot".to_owned()));
        }
        lines.retain(|(_, line)| !line.is_empty());
        lines
    }

    /// A new node: the fields that identify it in one line, the rest when asked for.
    fn node(&self, first: &PlanChange, block: &[&PlanChange]) -> Vec<Line> {
        let told = ["/mac", "/ip", "/groups"];
        let identity: Vec<String> = told
            .iter()
            .filter_map(|path| {
                let values = self.values(block, path);
                (!values.is_empty())
                    .then(|| format!("{} {}", words::label(path), fold::values(&values, self.options.ellipsis())))
            })
            .collect();
        let mut lines = self.packed(&identity, "   ");
        if self.options.expand {
            lines.extend(self.fields(first, block, &told));
        }
        lines
    }

    /// What somebody else deleted, and the fields that somebody else changed.
    fn drifted(&self, first: &PlanChange, block: &[&PlanChange]) -> Vec<Line> {
        let all: Vec<&FieldChange> = block.iter().flat_map(|change| &change.fields).collect();
        let mut counts: Vec<(&str, u64)> = Vec::new();
        for kind in all.iter().filter_map(|field| words::deleted(field)) {
            match counts.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += 1,
                None => counts.push((kind, 1)),
            }
        }
        let mut gone: Vec<String> = counts.iter().map(|(kind, count)| fold::count(*count, words::noun(kind))).collect();
        let whole = words::is_gone(first);
        if whole && first.kind != Subject::Node {
            gone.clear();
        }
        if let Some(item) = gone.first_mut() {
            item.insert_str(0, "deleted by somebody else: ");
        } else if whole {
            gone.push("deleted by somebody else".to_owned());
        }
        let mut lines = self.packed(&gone, ", ");
        lines.extend(self.fields(first, block, &[]));
        lines
    }

    fn values(&self, block: &[&PlanChange], path: &str) -> Vec<String> {
        let fields = block.iter().filter_map(|change| change.fields.iter().find(|field| field.path == path));
        fields.filter_map(|field| field.want.as_ref()).map(value::word).collect()
    }

    /// What goes with a delete: `1 component, 1 interface, 1 boot entry, member of compute`.
    fn parts(&self, first: &PlanChange, block: &[&PlanChange]) -> Vec<String> {
        let mut counts: Vec<(&str, u64)> = Vec::new();
        let ops = block.iter().flat_map(|change| &change.ops).filter_map(|id| self.ops.get(id.as_str()));
        // Deletes run backwards; told forwards, the node comes before its parts.
        let ops: Vec<_> = ops.filter(|op| op.action == Action::Delete).collect();
        for op in ops.into_iter().rev() {
            let noun = words::noun(op.object.split('/').next().unwrap_or_default());
            match counts.iter_mut().find(|(known, _)| *known == noun) {
                Some((_, count)) => *count += 1,
                None => counts.push((noun, 1)),
            }
        }
        let mut parts: Vec<String> = counts.into_iter().map(|(noun, count)| fold::count(count, noun)).collect();
        if let Some(groups) = first.fields.iter().find(|field| field.path == "/groups").and_then(|f| f.last.as_ref()) {
            parts.push(format!("member of {}", value::word(groups)));
        }
        parts
    }

    /// Items beside each other, each kept whole.
    fn packed(&self, items: &[String], separator: &str) -> Vec<Line> {
        let lines = fold::pack(items, separator, self.options.columns() - INDENT - 2);
        lines.into_iter().map(|line| (' ', line)).collect()
    }

    /// The fields, without those that only follow from others. What two objects say in the same words, as both the
    /// endpoint of a BMC and its interface tell its address, is told once.
    fn fields(&self, first: &PlanChange, block: &[&PlanChange], skipped: &[&str]) -> Vec<Line> {
        let telling = first.fields.iter().any(|field| !words::is_derived(&field.path));
        let mut lines: Vec<Line> = Vec::new();
        for (place, field) in first.fields.iter().enumerate() {
            let hidden = telling && words::is_derived(&field.path) && !self.options.expand;
            if hidden || skipped.contains(&field.path.as_str()) || words::deleted(field).is_some() {
                continue;
            }
            let same = block.iter().filter_map(|change| Some((&*change.name, change.fields.get(place)?)));
            let told = value::lines(&same.collect::<Vec<_>>(), first.class, self.options);
            if !lines.windows(told.len().max(1)).any(|known| known == told) {
                lines.extend(told);
            }
        }
        lines
    }

    /// Repeats a sign in colour.
    fn paint(&self, sign: char, text: &str) -> String {
        let code = match sign {
            '+' => "32",
            '-' => "31",
            '~' => "33",
            '!' => "35",
            '=' => "36",
            _ => return text.to_owned(),
        };
        if self.options.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Why a node counts as replaced, in a sentence.
fn reason(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "key_changed" => "an interface is keyed by its MAC address: the old one goes, a new one comes",
        "interface_moved" => "an interface moves here from another node, with its MAC address",
        "node_moved" => "a node is keyed by its xname: the old one goes, a new one comes",
        _ => return None,
    })
}
