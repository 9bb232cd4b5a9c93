//! Which node a problem with the YAML of `nodes.yaml` is in.
//!
//! Such a problem is found before anybody knows what a node is, and often ends the reading. What was read until then is
//! enough to tell: the item of the list that the place lies in, if its name or xname was read.

use std::sync::Arc;

use super::source::Sheet;
use super::yaml::{Data, Yaml};

/// Names the node in the problems of `nodes.yaml` that name none; nothing in other files. `root` is the file as far as it
/// was read.
pub(super) fn fill(sheet: Sheet<'_>, root: Option<&Yaml<'_>>) {
    let Some(root) = root.filter(|_| &**sheet.source.name() == "nodes.yaml") else { return };
    let list = match &root.data {
        Data::Map(pairs) => pairs.iter().find(|pair| pair.key.text == "nodes").map(|pair| &pair.value.data),
        data => Some(data),
    };
    if let Some(Data::List(items)) = list {
        sheet.name_nodes(|at| node_at(sheet, items, at));
    }
}

/// What a node is called: its name, or its xname.
pub(super) fn title(sheet: Sheet<'_>, item: &Yaml<'_>) -> Option<Arc<str>> {
    let Data::Map(pairs) = &item.data else { return None };
    let scalar = |key| match &pairs.iter().find(|pair| pair.key.text == key)?.value.data {
        // A line that is too deep goes on with the text above it, and no part of a name is meant by it.
        Data::Scalar(scalar) if scalar.plain => {
            let first = sheet.written(scalar.span).lines().next().map_or("", str::trim);
            (!first.is_empty()).then(|| Arc::<str>::from(first))
        }
        Data::Scalar(scalar) if !scalar.text.trim().is_empty() => Some(Arc::<str>::from(scalar.text.trim())),
        _ => None,
    };
    scalar("name").or_else(|| scalar("xname"))
}

/// The node in which an offset lies.
fn node_at(sheet: Sheet<'_>, items: &[Yaml<'_>], at: usize) -> Option<Arc<str>> {
    let item = items.get(items.partition_point(|item| item.span.start() <= at).checked_sub(1)?)?;
    let (first, line) = (sheet.source.line_at(item.span.start()), sheet.source.line_at(at));
    let text = sheet.source.line(line);
    // Of a value that goes on below its line, nothing was read when reading ends there; its line says it all the same.
    let called = || title(sheet, item).or_else(|| written(sheet.source.line(first)));
    if first == line {
        return called();
    }
    let starts_item = text.trim_start().starts_with("- ");
    if text.starts_with('\t') {
        // How deep a tab stands nobody knows.
        return called().filter(|_| !starts_item);
    }
    // A line may be one column off: that is what is wrong with it then.
    if starts_item && depth(text).abs_diff(depth(sheet.source.line(first))) <= 1 {
        return written(text);
    }
    let column = item.span.start() - sheet.source.line_range(first).start;
    called().filter(|_| depth(text) + 1 >= column)
}

fn depth(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// What a node is called whose first line this is, where that line says it.
fn written(line: &str) -> Option<Arc<str>> {
    let body = line.trim_start().strip_prefix("- ")?.trim_start();
    let value = ["name:", "xname:"].iter().find_map(|key| body.strip_prefix(key))?;
    let word = value.trim_start().trim_start_matches(['"', '\'']);
    let end = word.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))).unwrap_or(word.len());
    (end > 0).then(|| word[..end].into())
}
