//! What else is wrong in a file that a slip in the writing of YAML keeps from being read.
//!
//! Reading ends at the first such slip. The node in which it is, or in other files the key at the margin, is overwritten
//! with blanks, byte for byte, and what is left is read again: everything else keeps its place. What is missed only
//! because of the blanks is not told, so rather less is told than too much.

use std::ops::Range;

use super::diagnostic::Report;
use super::source::{Sheet, Source};
use super::span::Span;
use super::yaml::{self, Data, Parsed, Unread, Yaml};
use super::{Code, cluster, nodes, titles};

/// A file with more slips than this is hardly YAML at all.
const MAX_SLIPS: usize = 20;

/// Problems that one value has in itself, whatever else the file says.
const OF_VALUES: &[Code] = &[
    Code::UnknownField,
    Code::MacAddress,
    Code::Xname,
    Code::IpAddress,
    Code::Nid,
    Code::HostName,
    Code::GroupLabel,
    Code::MulticastMac,
    Code::LocalMac,
    Code::Word,
    Code::Subnet,
    Code::Number,
    Code::Pool,
];

/// Reports what else is wrong in a file of which a first slip is reported. The result is `nodes.yaml` with the nodes
/// that could be read whole; none for other files, of which a part says nothing without the rest.
pub(super) fn rest(sheet: Sheet<'_>, mut unread: Unread<'_>) -> Option<Yaml<'static>> {
    values(sheet, &unread);
    let mut text = sheet.source.text().to_owned();
    let name = sheet.source.name().clone();
    let of_nodes = &*name == "nodes.yaml";
    for _ in 0..MAX_SLIPS {
        let range = part(sheet, of_nodes, unread.slip?)?;
        // What refers to an anchor cannot be read without it.
        if text.get(range.clone())?.contains('&') || !blank(&mut text, range) {
            return None;
        }
        let (mut source, report) = (Source::new(&name, text.clone()), Report::default());
        source.outside = sheet.source.outside;
        let again = Sheet::new(&source, &report);
        let parsed = yaml::parse(again);
        let tree = match &parsed {
            Parsed::Tree(tree) => Some(tree),
            Parsed::Failed(unread) => unread.tree.as_ref(),
            Parsed::Empty => None,
        };
        titles::fill(again, tree);
        report.take().into_iter().for_each(|problem| sheet.push(problem));
        match parsed {
            Parsed::Empty => return None,
            Parsed::Tree(tree) if of_nodes => return has_nodes(&tree).then(|| tree.into_owned()),
            Parsed::Tree(tree) => {
                values(sheet, &Unread { tree: Some(tree), slip: None });
                return None;
            }
            Parsed::Failed(next) => {
                unread = Unread { tree: next.tree.map(Yaml::into_owned), slip: next.slip };
                values(sheet, &unread);
            }
        }
    }
    None
}

/// Reports the values of a part of a file that are wrong in themselves. Those that reach to the line of the slip may be
/// what they are because of it.
fn values(sheet: Sheet<'_>, unread: &Unread<'_>) {
    let Some(tree) = &unread.tree else { return };
    let report = Report::default();
    let scratch = Sheet::new(sheet.source, &report);
    match &**sheet.source.name() {
        "nodes.yaml" => drop(nodes::read(scratch, tree)),
        "cluster.yaml" => drop(cluster::read(scratch, tree)),
        _ => return,
    }
    let line = unread.slip.map(|slip| sheet.source.line_range(sheet.source.line_at(slip.start())).start);
    for problem in report.take() {
        let before = problem.place.as_ref().is_some_and(|place| line.is_none_or(|line| place.end <= line));
        if before && OF_VALUES.contains(&problem.code) {
            sheet.push(problem);
        }
    }
}

fn has_nodes(root: &Yaml<'_>) -> bool {
    let items = |data: &Data<'_>| matches!(data, Data::List(items) if !items.is_empty());
    match &root.data {
        Data::Map(pairs) => pairs.iter().any(|pair| pair.key.text == "nodes" && items(&pair.value.data)),
        data => items(data),
    }
}

/// The bytes of the nodes, or of the keys at the margin, in which a slip is.
fn part(sheet: Sheet<'_>, of_nodes: bool, slip: Span) -> Option<Range<usize>> {
    let (first, last) = (sheet.source.line_at(slip.start()), sheet.source.line_at(slip.end()));
    let count = sheet.source.line_at(sheet.source.text().len()) + 1;
    let line = |number: usize| sheet.source.line(number);
    let column = if of_nodes { Some(items(sheet)?) } else { None };
    let starts = |number: usize| match column {
        Some(column) => {
            let body = line(number).get(column..).unwrap_or("");
            line(number).bytes().take(column).all(|byte| byte == b' ') && (body == "-" || body.starts_with("- "))
        }
        None => line(number).starts_with(|c: char| !c.is_whitespace() && !matches!(c, '#' | '-')),
    };
    // A key behind the list ends its last item.
    let ends = |number: usize| {
        starts(number) || (of_nodes && line(number).starts_with(|c: char| c.is_ascii_alphabetic()) && number > last)
    };
    // A line at the margin may belong to the key above it.
    let from = if column.is_none() && starts(first) { first.saturating_sub(1) } else { first };
    let start = (0..=from).rev().find(|number| starts(*number)).or(starts(first).then_some(first))?;
    let end = (last + 1..count).find(|number| ends(*number)).unwrap_or(count);
    Some(sheet.source.line_range(start).start..sheet.source.line_range(end).start)
}

/// The column in which the nodes start, from 0.
fn items(sheet: Sheet<'_>) -> Option<usize> {
    let count = sheet.source.line_at(sheet.source.text().len()) + 1;
    let says = |text: &&str| !matches!(text.trim_start().chars().next(), None | Some('#')) && *text != "---";
    let mut lines = (0..count).map(|number| sheet.source.line(number)).filter(says);
    let first = lines.next()?;
    if first.starts_with("- ") {
        return Some(0);
    }
    let mut list = std::iter::once(first).chain(lines).skip_while(|text| !text.starts_with("nodes:"));
    list.next()?;
    let item = list.next()?;
    let body = item.trim_start_matches(' ');
    (body == "-" || body.starts_with("- ")).then(|| item.len() - body.len())
}

/// Overwrites a stretch with blanks and leaves the line ends; false when it holds nothing else already.
fn blank(text: &mut String, range: Range<usize>) -> bool {
    let Some(old) = text.get(range.clone()).filter(|old| !old.trim().is_empty()) else { return false };
    let keep = |byte: u8| if matches!(byte, b'\r' | b'\n') { char::from(byte) } else { ' ' };
    let blanks: String = old.bytes().map(keep).collect();
    text.replace_range(range, &blanks);
    true
}
