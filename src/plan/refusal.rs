//! Why a plan is refused, and the ways out.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::command::CommandLine;
use super::document::{Check, Foreign, Plan};
use super::text::{fold, value};

/// How many names a refusal lists one by one where they cannot be folded.
const LISTED: usize = 10;
/// How many characters of a value a refusal shows.
const LONGEST: usize = 60;

impl Plan {
    /// Why it must not be applied, in full sentences with the ways out; none when it may.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        self.refusal_of(&CommandLine::default())
    }

    /// As [`Self::refusal`], with ways out that repeat the flags of a command.
    #[must_use]
    pub fn refusal_of(&self, command: &CommandLine) -> Option<String> {
        render(self, command)
    }
}

/// One paragraph for each rule that does not hold; none when all hold.
fn render(plan: &Plan, command: &CommandLine) -> Option<String> {
    let failed: Vec<&Check> = plan.safety.checks.iter().filter(|check| !check.ok).collect();
    let rules: BTreeSet<&str> = failed.iter().map(|check| check.rule.as_str()).collect();
    let mut paragraphs = Vec::new();
    let mut flags = Vec::new();
    for rule in in_order(&failed, &rules) {
        let checks: Vec<&Check> = failed.iter().copied().filter(|check| check.rule == rule).collect();
        let flag = flag(plan, &checks);
        let advice = flag.clone().map(|(name, value)| command.clone().with(name, value));
        let mut lines = vec![format!("refused by {rule} (exit 4): {}", reason(rule, &checks))];
        lines.extend(details(plan, rule, &checks));
        lines.extend(ways_out(plan, rule, &checks, advice.as_ref()));
        paragraphs.push(lines.join("\n") + "\n");
        flags.extend(flag);
    }
    if flags.len() > 1 {
        let all = flags.into_iter().fold(command.clone(), |command, (name, value)| command.with(name, value));
        paragraphs.push(format!("If all of it is intended:  {all}\n"));
    }
    (!paragraphs.is_empty()).then(|| paragraphs.join("\n"))
}

/// The rules in the order of the checks, each once. What another cluster owns cannot be adopted, and no number of
/// deletes makes an empty inventory acceptable: advice that could not help is left out.
fn in_order<'a>(failed: &[&'a Check], rules: &BTreeSet<&str>) -> Vec<&'a str> {
    let moot = |rule: &str| match rule {
        "limit.delete" | "missing.file" => rules.contains("empty.inventory"),
        "adopt.differs" => rules.contains("foreign.owner"),
        _ => false,
    };
    let mut order: Vec<&str> = Vec::new();
    for check in failed {
        if !moot(&check.rule) && !order.contains(&check.rule.as_str()) {
            order.push(&check.rule);
        }
    }
    order
}

/// The flag that lets the plan pass a rule, where there is one.
fn flag(plan: &Plan, checks: &[&Check]) -> Option<(&'static str, Option<String>)> {
    let first = checks.first()?;
    match first.rule.as_str() {
        // One number holds for every sort of object, so it is that of the sort of which most are deleted.
        "limit.delete" | "missing.file" => {
            let deletes =
                plan.safety.checks.iter().filter(|check| check.rule == "limit.delete").map(|check| check.value);
            Some(("--allow-delete", Some(deletes.max().unwrap_or(1).max(1).to_string())))
        }
        "limit.replace" => Some(("--allow-replace", Some(first.value.to_string()))),
        "empty.live" => Some(("--accept-empty-live", None)),
        "adopt.differs" => Some(("--adopt", Some("always".to_owned()))),
        "foreign.owner" => Some(("--take-over", Some(first.what.clone()))),
        _ => None,
    }
}

/// The rule in a sentence.
fn reason(rule: &str, checks: &[&Check]) -> String {
    let Some(Check { what, value, of, limit, .. }) = checks.first() else { return String::new() };
    match rule {
        "limit.delete" | "limit.replace" => {
            let verb = if rule == "limit.delete" { "deletes" } else { "replaces parts of" };
            let share = share(*value, *of);
            format!("this plan {verb} {value} of {of} {} ({share} %); the limit is {limit}.", singular(what, *of))
        }
        "empty.inventory" => format!("the inventory has no {}, but {of} are managed.", singular(what, 2)),
        "missing.file" => "files that were applied are gone, and what they declared would be deleted.".to_owned(),
        "empty.live" => empty_live(checks),
        "incomplete.read" => "live state could not be read whole.".to_owned(),
        "adopt.differs" => {
            let noun = if *value == 1 { "object is" } else { "objects are" };
            format!("{value} {noun} there already and not managed by this inventory.")
        }
        "foreign.owner" => {
            let verb = if *value == 1 { "object belongs" } else { "objects belong" };
            format!("{value} {verb} to the cluster `{}`, whose inventory was applied here.", fold::escape(what))
        }
        _ => "objects cannot be read.".to_owned(),
    }
}

/// All services that lost everything, in one sentence.
fn empty_live(checks: &[&Check]) -> String {
    let services = words(checks.iter().map(|check| check.what.clone()).collect());
    let counts = words(checks.iter().map(|check| check.value.to_string()).collect());
    match checks {
        [only] => {
            let verb = if only.value == 1 { "is" } else { "are" };
            format!(
                "{services} lists no objects, but {counts} {verb} managed there.\n  \
                 Was it restarted with an empty database, or is it another service?"
            )
        }
        _ => format!(
            "{services} list no objects, but {counts} are managed there.\n  \
             Were they restarted with empty databases, or are they other services?"
        ),
    }
}

/// `a`, `a and b`, `a, b and c`.
fn words(mut words: Vec<String>) -> String {
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last } else { format!("{} and {last}", words.join(", ")) }
}

/// What the rule counted.
fn details(plan: &Plan, rule: &str, checks: &[&Check]) -> Vec<String> {
    let Some(first) = checks.first() else { return Vec::new() };
    let mut lines = Vec::new();
    match rule {
        "empty.live" => {}
        "incomplete.read" => lines.extend(first.names.iter().map(|reason| format!("  {}", fold::escape(reason)))),
        "object.unreadable" => lines.extend(remarks(plan, &first.names)),
        _ => {
            for (number, check) in checks.iter().enumerate() {
                if number > 0 {
                    lines.push(format!("  and {}", reason(rule, &[check])));
                }
                let names: Vec<&str> = check.names.iter().map(|name| &**name).collect();
                if !names.is_empty() {
                    lines.push(format!("  {}", fold::names(&names, LISTED)));
                }
            }
        }
    }
    if rule == "adopt.differs" {
        lines.extend(differing(plan));
    }
    lines
}

/// What a person may do about it.
fn ways_out(plan: &Plan, rule: &str, checks: &[&Check], advice: Option<&CommandLine>) -> Vec<String> {
    let command = advice.map(ToString::to_string).unwrap_or_default();
    let former = checks.first().map_or_else(Default::default, |check| fold::escape(&check.what));
    let intended = format!("  If intended:  {command}");
    let cluster = fold::escape(&plan.cluster.name);
    match rule {
        "limit.delete" => vec![intended, "  If not:       put the lines back into the inventory".to_owned()],
        "limit.replace" => vec![intended, "  If not:       look at what changed with `plan --expand`".to_owned()],
        "missing.file" => vec![intended, "  If not:       put the files back".to_owned()],
        "empty.live" => vec![intended],
        "empty.inventory" => vec![
            "  An empty inventory is never applied. Check that the directory is the right one and holds a whole \
             `nodes.yaml`."
                .to_owned(),
        ],
        "incomplete.read" => vec!["  Plan again once that is mended.".to_owned()],
        "adopt.differs" => vec![
            format!("  take over     {command}"),
            "  match         write into the inventory what is there".to_owned(),
            "  leave alone   remove them from the inventory; they stay unmanaged".to_owned(),
        ],
        "foreign.owner" => vec![
            format!("  If it was renamed:     {command}"),
            format!(
                "                         all that it owns becomes {cluster}'s; what this inventory lacks is deleted"
            ),
            format!("  If it is still it:     write `cluster_id: {former}` into cluster.yaml"),
            "  If it is another one:  remove the objects from one of the two inventories".to_owned(),
        ],
        _ => Vec::new(),
    }
}

/// What differs, object by object: only what is refused, and nothing of the other objects of a node.
fn differing(plan: &Plan) -> Vec<String> {
    let refused: Vec<_> =
        plan.changes.iter().flat_map(|change| change.foreign.iter().map(move |object| (change, object))).collect();
    let mut lines = Vec::new();
    for (change, object) in refused.iter().take(LISTED) {
        let place = change.origin.as_ref().map(|place| format!("   {}:{}", fold::escape(&place.file), place.line));
        lines.push(format!("  {}{}", difference(object), place.unwrap_or_default()));
    }
    if refused.len() > LISTED {
        lines.push(format!("  and {} more", refused.len() - LISTED));
    }
    lines
}

/// What an object is that is not ours, against what it should be: `component x1 exists and differs: nid 77 → 1`.
fn difference(object: &Foreign) -> String {
    let (kind, id) = object.object.split_once('/').unwrap_or((&object.object, ""));
    let name = format!("{} {}", kind.replace('-', " "), fold::escape(id));
    let fields = object.fields.iter().map(|field| {
        let label = fold::escape(field.path.rsplit('/').next().unwrap_or_default());
        if field.sensitive {
            return "its content".to_owned();
        }
        if !field.added.is_empty() || !field.removed.is_empty() {
            let elements = field.added.iter().map(|one| format!("+{one}"));
            let elements: Vec<String> = elements.chain(field.removed.iter().map(|one| format!("-{one}"))).collect();
            let elements: Vec<&str> = elements.iter().map(String::as_str).collect();
            return format!("{label} {}", fold::names(&elements, LISTED));
        }
        let side = |side: &Option<Value>| match side.as_ref().map(value::word).filter(|word| !word.is_empty()) {
            Some(word) if word.chars().count() > LONGEST => {
                format!("{}…", word.chars().take(LONGEST).collect::<String>())
            }
            Some(word) => word,
            None => "nothing".to_owned(),
        };
        let (live, want) = (side(&field.live), side(&field.want));
        match &*label {
            "component_id" if field.live.is_some() => format!("it belongs to {live}, not to {want}"),
            _ => format!("{label} {live} → {want}"),
        }
    });
    match fields.collect::<Vec<_>>().as_slice() {
        [] => format!("{name} exists and equals the inventory"),
        fields => format!("{name} exists and differs: {}", fields.join(", ")),
    }
}

fn remarks(plan: &Plan, names: &[Arc<str>]) -> Vec<String> {
    let named = plan.diagnostics.iter().filter(|remark| names.iter().any(|name| **name == *remark.object));
    let told = named.take(LISTED).map(|remark| {
        let place = remark.origin.as_ref().map(|place| format!("   {}:{}", fold::escape(&place.file), place.line));
        format!("  {}: {}{}", fold::escape(&remark.object), fold::escape(&remark.message), place.unwrap_or_default())
    });
    told.collect()
}

/// `nodes` for any number but one.
fn singular(what: &str, count: u64) -> String {
    match (count, what.strip_suffix("entries"), what.strip_suffix('s')) {
        (1, Some(stem), _) => format!("{stem}entry"),
        (1, None, Some(stem)) => stem.to_owned(),
        _ => what.to_owned(),
    }
}

/// Tenths of a percent, rounded; written without floating point so that it is the same everywhere.
fn share(value: u64, of: u64) -> String {
    let tenths = (value.saturating_mul(2000) + of) / (of * 2).max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}
