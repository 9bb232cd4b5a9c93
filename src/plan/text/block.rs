//! Blocks of a section: changes that are the same apart from each node's own values stand together.

use std::collections::HashMap;

use super::super::document::{Action, Class, Effect, FieldChange, Op, Plan, PlanChange, Subject, Verb};
use super::shape::shape;
use super::value::{self, Line};
use super::{TextOptions, fold};

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
        let names = fold::names(&names, LISTED);
        let (glyph, verb) = self.verb(first);
        let lead = self.paint(color(first, self.drift), &format!("  {glyph:<2} {verb:<9}"));
        let place = self.place(block);
        let mut detail = detail(first, block);
        if self.drift && first.kind != Subject::Node {
            // The section has all sorts of things in it, so each says what it is.
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

    fn verb(&self, change: &PlanChange) -> (&'static str, &'static str) {
        let (glyph, plain, verb) = match (change.verb, change.class) {
            (Verb::Recreate, _) if self.drift => ("!", "!", "deleted"),
            (_, Class::Drift) => ("!", "!", "drift"),
            (_, _) if change.refused => ("=~", "=~", "refused"),
            (_, Class::Conflict) => ("!~", "!~", "conflict"),
            (Verb::Create, _) => ("+", "+", "create"),
            (Verb::Recreate, _) => ("+", "+", "recreate"),
            (Verb::Update, _) => ("~", "~", "update"),
            (Verb::Replace, _) => ("±", "+-", "replace"),
            (Verb::Delete, _) => ("-", "-", "delete"),
            (Verb::Release, _) => ("-", "-", "release"),
            (Verb::Rename, _) => ("→", "->", "rename"),
            (Verb::Adopt, _) => ("=", "=", "adopt"),
            (Verb::AdoptAndChange, _) => ("=~", "=~", "adopt"),
            (Verb::Record, _) => ("=", "=", "same"),
        };
        (if self.options.ascii { plain } else { glyph }, verb)
    }

    /// Where a block comes from: one line, or the first and the last of a file.
    fn place(&self, block: &[&PlanChange]) -> String {
        if self.drift {
            return match block.first().and_then(|change| change.provenance.as_ref()) {
                Some(writer) => format!("by {}, {}", fold::escape(&writer.writer), fold::escape(&writer.at)),
                None => String::new(),
            };
        }
        let mut places: Vec<_> = block.iter().filter_map(|change| change.origin.as_ref()).collect();
        places.sort();
        let (Some(first), Some(last)) = (places.first(), places.last()) else { return String::new() };
        let was =
            if block.iter().all(|change| matches!(change.verb, Verb::Delete | Verb::Release)) { "was " } else { "" };
        let more = if first.file != last.file {
            format!(" and {}", self.options.ellipsis())
        } else if first.line != last.line {
            format!("-{}", last.line)
        } else {
            String::new()
        };
        format!("{was}{}:{}{more}", fold::escape(&first.file), first.line)
    }

    fn body(&self, first: &PlanChange, block: &[&PlanChange]) -> Vec<Line> {
        let mut lines = match first.verb {
            Verb::Create | Verb::Recreate if !self.drift && first.kind == Subject::Node => self.node(first, block),
            Verb::Delete => vec![(' ', self.parts(first, block))],
            _ => self.fields(first, block, &[]),
        };
        if let Some(why) = reason(&first.reason).filter(|_| first.kind == Subject::Node && !self.drift) {
            lines.push((' ', why.to_owned()));
        }
        if first.verb == Verb::Release {
            lines.push((' ', "others put something into it: what is ours goes, the rest stays unmanaged".to_owned()));
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
                    .then(|| format!("{} {}", &path[1..], fold::values(&values, self.options.ellipsis())))
            })
            .collect();
        let mut lines = vec![(' ', identity.join("   "))];
        if self.options.expand {
            lines.extend(self.fields(first, block, &told));
        }
        lines
    }

    fn values(&self, block: &[&PlanChange], path: &str) -> Vec<String> {
        let fields = block.iter().filter_map(|change| change.fields.iter().find(|field| field.path == path));
        fields.filter_map(|field| field.want.as_ref()).map(value::word).collect()
    }

    /// What goes with a delete: `1 component, 1 interface, 1 boot entry, member of compute`.
    fn parts(&self, first: &PlanChange, block: &[&PlanChange]) -> String {
        let mut counts: Vec<(&str, u64)> = Vec::new();
        let ops = block.iter().flat_map(|change| &change.ops).filter_map(|id| self.ops.get(id.as_str()));
        // Deletes run backwards; told forwards, the node comes before its parts.
        let ops: Vec<_> = ops.filter(|op| op.action == Action::Delete).collect();
        for op in ops.into_iter().rev() {
            let noun = match op.object.split('/').next().unwrap_or_default() {
                "component" => "component",
                "redfish-endpoint" => "Redfish endpoint",
                "component-endpoint" => "component endpoint",
                "ethernet-interface" => "interface",
                "group" => "group",
                "boot-params" => "boot entry",
                _ => "cloud-init entry",
            };
            match counts.iter_mut().find(|(known, _)| *known == noun) {
                Some((_, count)) => *count += 1,
                None => counts.push((noun, 1)),
            }
        }
        let mut parts: Vec<String> = counts.into_iter().map(|(noun, count)| fold::count(count, noun)).collect();
        if let Some(groups) = first.fields.iter().find(|field| field.path == "/groups").and_then(|f| f.last.as_ref()) {
            parts.push(format!("member of {}", value::word(groups)));
        }
        parts.join(", ")
    }

    /// The fields, without those that only follow from others.
    fn fields(&self, first: &PlanChange, block: &[&PlanChange], skipped: &[&str]) -> Vec<Line> {
        let telling = first.fields.iter().any(|field| !is_derived(&field.path));
        let mut lines = Vec::new();
        for (place, field) in first.fields.iter().enumerate() {
            let hidden = telling && is_derived(&field.path) && !self.options.expand;
            if hidden || skipped.contains(&field.path.as_str()) {
                continue;
            }
            let same: Vec<&FieldChange> = block.iter().filter_map(|change| change.fields.get(place)).collect();
            lines.extend(value::lines(&same, first.class, self.plan.correct_drift, self.options));
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

fn color(change: &PlanChange, drift: bool) -> char {
    match change.verb {
        _ if drift || change.class == Class::Conflict || change.refused => '!',
        Verb::Create | Verb::Recreate => '+',
        Verb::Delete | Verb::Release => '-',
        Verb::Update | Verb::Replace | Verb::Rename => '~',
        Verb::Adopt | Verb::AdoptAndChange | Verb::Record => '=',
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

/// What the names are.
fn detail(first: &PlanChange, block: &[&PlanChange]) -> String {
    let id = |change: &PlanChange| change.address.split_once('/').map_or_else(String::new, |(_, id)| id.to_owned());
    let of_node = matches!(first.kind, Subject::Node | Subject::Boot);
    match (first.kind, block.len()) {
        (Subject::CloudInitSecure, _) => "secure".to_owned(),
        (_, 1) if of_node => fold::escape(&id(first)).into_owned(),
        (Subject::CloudInit, 1) if id(first) != *first.name => fold::escape(&id(first)).into_owned(),
        (_, 1) => String::new(),
        (Subject::Node, count) if matches!(first.verb, Verb::Create | Verb::Recreate | Verb::Delete) => {
            let ids: Vec<String> = block.iter().map(|change| id(change)).collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            format!("{} in {}", fold::count(count as u64, "node"), fold::names(&ids, 1))
        }
        (kind, count) => {
            let noun = match kind {
                Subject::Node | Subject::Boot => "node",
                Subject::CloudInit | Subject::CloudInitSecure => "entry",
                Subject::Group => "group",
            };
            format!("{}, same change", fold::count(count as u64, noun))
        }
    }
}

/// True for fields that follow from others of the same node, such as the texts that hold its name.
fn is_derived(path: &str) -> bool {
    path.contains("redfish/") || path.ends_with("/description") || path == "/bmc/name" || path.ends_with("/key")
}
