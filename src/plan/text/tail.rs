//! The end of a plan: what is left alone, the counts, and the safety rules.

use super::super::document::{Class, Names, Plan, Severity, Subject, Verb};
use super::{TextOptions, fold};
use crate::model::Kind;

/// Names that are listed where they cannot be folded.
const LISTED: usize = 8;
/// The column in which the texts begin.
const INDENT: usize = 14;

/// Renders the end.
pub(super) fn render(plan: &Plan, options: &TextOptions) -> String {
    let mut text = String::new();
    let left = left_alone(plan, options);
    if !left.is_empty() {
        text.push_str("\nLeft alone\n");
        text.push_str(&left);
    }
    text.push('\n');
    if let Some(sentence) = sentence(plan) {
        text.push_str(&super::fitted(sentence, options));
    }
    if !plan.dhcp.is_empty() {
        let lines: Vec<String> = plan.dhcp.iter().map(|line| fold::escape(line).into_owned()).collect();
        text.push_str(&items("DHCP", &lines, options));
    }
    text.push_str(&warnings(plan, options));
    text.push_str(&notes(plan, options));
    text.push_str(&items("Summary", &summary(plan), options));
    text.push_str(&items("Safety", &safety(plan), options));
    text
}

/// What deserves a look before the plan is applied, each with its place.
pub(super) fn warnings(plan: &Plan, options: &TextOptions) -> String {
    let warnings = plan.diagnostics.iter().filter(|remark| remark.severity == Severity::Warning);
    let told = warnings.map(|remark| {
        let place = remark.origin.as_ref().map(|place| format!("{}:{}: ", place.file, place.line)).unwrap_or_default();
        row("Warning", &fold::escape(&format!("{place}{}: {}", remark.object, remark.message)), options)
    });
    told.collect()
}

/// What the target cannot tell or do.
pub(super) fn notes(plan: &Plan, options: &TextOptions) -> String {
    plan.notes.iter().map(|note| row("Note", &fold::escape(note), options)).collect()
}

fn left_alone(plan: &Plan, options: &TextOptions) -> String {
    let mut text = String::new();
    let unchanged: Vec<String> = plan.unchanged.iter().map(sort).collect();
    if !unchanged.is_empty() {
        text.push_str(&row("  unchanged", &unchanged.join("; "), options));
    }
    let kept: Vec<String> = plan.kept.iter().map(sort).collect();
    if !kept.is_empty() {
        let kept = format!("{}   no longer in the inventory, but {}", kept.join("; "), why_kept(plan));
        text.push_str(&row("  kept", &kept, options));
    }
    for members in &plan.kept_members {
        let ids: Vec<&str> = members.ids.iter().map(|id| &**id).collect();
        let count = fold::count(ids.len() as u64, "member");
        let group = fold::escape(&members.group);
        let kept = format!("{}   {count} of group {group}, no longer in the inventory, but", fold::names(&ids, LISTED));
        text.push_str(&row("  kept", &format!("{kept} {}", why_kept(plan)), options));
    }
    for objects in &plan.unmanaged {
        let ids: Vec<&str> = objects.ids.iter().map(|id| &**id).collect();
        let noun = match (&objects.group, objects.kind) {
            (Some(_), _) => "member",
            (None, Kind::Component) => "component",
            (None, Kind::RedfishEndpoint) => "Redfish endpoint",
            (None, Kind::ComponentEndpoint) => "component endpoint",
            (None, Kind::EthernetInterface) => "interface",
            (None, Kind::Group) => "group",
            (None, Kind::CloudInit) => "cloud-init entry",
            (None, Kind::CloudInitSecure) => "secure cloud-init entry",
            (None, Kind::ClusterDefaults) => "set of cloud-init defaults",
            (None, Kind::CloudInitGroup) => "cloud-init group",
            (None, Kind::InstanceInfo) => "cloud-init instance",
            (None, Kind::BootParams) => "boot entry",
        };
        let count = fold::count(ids.len() as u64, noun);
        let of = objects.group.as_ref().map_or_else(String::new, |group| format!(" of group {}", fold::escape(group)));
        let line = format!("{}   {count}{of}, not in this inventory", fold::names(&ids, LISTED));
        text.push_str(&row("  unmanaged", &line, options));
    }
    if plan.summary.forgotten > 0 {
        let count = fold::count(plan.summary.forgotten, "object");
        let line = format!("{count} already gone from the inventory and from the services");
        text.push_str(&row("  forgotten", &line, options));
    }
    text
}

fn why_kept(plan: &Plan) -> &'static str {
    if plan.complete { "pruning is off" } else { "the read was incomplete" }
}

/// Names of one sort with the word for it; nodes need none.
fn sort(names: &Names) -> String {
    let list: Vec<&str> = names.names.iter().map(|name| &**name).collect();
    let folded = fold::names(&list, LISTED);
    let many = list.len() > 1;
    match names.kind {
        Subject::Node => folded,
        Subject::Boot => format!("boot of {folded}"),
        Subject::CloudInit => format!("cloud-init {folded}"),
        Subject::CloudInitSecure => format!("secure cloud-init {folded}"),
        Subject::ClusterDefaults => "cloud-init defaults".to_owned(),
        Subject::CloudInitGroup => format!("cloud-init group {folded}"),
        Subject::InstanceInfo => format!("cloud-init node {folded}"),
        Subject::Group if many => format!("groups {folded}"),
        Subject::Group => format!("group {folded}"),
    }
}

/// What is not obvious from the lines.
fn sentence(plan: &Plan) -> Option<&'static str> {
    let all = |verb| !plan.changes.is_empty() && plan.changes.iter().all(|change| change.verb == verb);
    let quiet = plan.summary.writes == 0 && plan.dhcp.is_empty() && plan.safety.ok && !plan.lacks_secrets();
    if quiet && all(Verb::Adopt) {
        return Some("Nothing is written: what is there equals the inventory and becomes managed.");
    }
    if quiet && plan.changes.is_empty() && !plan.drift.is_empty() {
        return Some("Nothing is written: the inventory is applied, drift is only reported.");
    }
    if quiet {
        return Some("Nothing is written.");
    }
    None
}

fn summary(plan: &Plan) -> Vec<String> {
    let summary = &plan.summary;
    let refused = plan.changes.iter().filter(|change| change.refused && change.class != Class::Conflict).count() as u64;
    let counts = [
        (summary.create, "create"),
        (summary.update, "update"),
        (summary.replace, "replace"),
        (summary.delete, "delete"),
        (summary.release, "release"),
        (summary.rename, "rename"),
        (summary.adopt - refused.min(summary.adopt), "adopt"),
        (refused, "refused"),
        (summary.conflict, "conflict"),
        (summary.record, "same"),
        (summary.drift, "drift"),
        (summary.unmanaged, "unmanaged"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts = counts.map(|(count, word)| format!("{} {word}", fold::grouped(count)));
    counts.chain(std::iter::once(fold::count(summary.writes, "write"))).collect()
}

fn safety(plan: &Plan) -> Vec<String> {
    let mut parts = Vec::new();
    for check in &plan.safety.checks {
        let word = match check.rule.as_str() {
            "limit.delete" => "delete",
            "limit.replace" => "replace",
            rule if !check.ok => {
                // A rule with one check for each service or cluster is told once.
                let refused = format!("refused by {rule}");
                if !parts.contains(&refused) {
                    parts.push(refused);
                }
                continue;
            }
            _ => continue,
        };
        let refused = if check.ok { "" } else { ", refused" };
        let [value, of, limit] = [check.value, check.of, check.limit].map(fold::grouped);
        parts.push(format!("{word} {value} of {of} {} (limit {limit}{refused})", check.what));
    }
    parts
}

/// A word and items beside each other, as many on a line as fit.
fn items(word: &str, items: &[String], options: &TextOptions) -> String {
    rows(word, &fold::pack(items, "   ", options.columns() - INDENT))
}

/// A word and a text that begins in one column and is wrapped in it.
fn row(word: &str, text: &str, options: &TextOptions) -> String {
    rows(word, &fold::wrap(text, options.columns() - INDENT))
}

fn rows(word: &str, lines: &[String]) -> String {
    let mut rows = String::new();
    for (number, line) in lines.iter().enumerate() {
        let word = if number == 0 { word } else { "" };
        rows.push_str(format!("{word:<INDENT$}{}", line.trim_end()).trim_end());
        rows.push('\n');
    }
    rows
}
