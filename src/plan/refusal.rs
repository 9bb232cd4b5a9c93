//! Why a plan is refused, and the ways out.

use std::fmt::Write as _;

use super::document::Plan;
use super::safety::Check;
use super::text::fold;

/// How many names a refusal lists one by one where they cannot be folded.
const LISTED: usize = 10;

/// One paragraph for each rule that does not hold; none when all hold.
pub(super) fn render(plan: &Plan) -> Option<String> {
    let failed = plan.safety.checks.iter().filter(|check| !check.ok);
    let paragraphs: Vec<String> = failed.map(|check| paragraph(plan, check)).collect();
    (!paragraphs.is_empty()).then(|| paragraphs.join("\n"))
}

fn paragraph(plan: &Plan, check: &Check) -> String {
    let Check { rule, what, value, of, limit, names, .. } = check;
    // Services are named, everything else is counted.
    let what = if rule == "empty.live" { what.clone() } else { singular(what, *of) };
    let mut text = format!("refused by {rule} (exit 4): ");
    // Writing to a string cannot fail.
    let _ = match rule.as_str() {
        "limit.delete" | "limit.replace" => {
            let (verb, option) =
                if rule == "limit.delete" { ("deletes", "delete") } else { ("replaces parts of", "replace") };
            let share = share(*value, *of);
            writeln!(text, "this plan {verb} {value} of {of} {what} ({share} %); the limit is {limit}.")
                .and_then(|()| list(&mut text, names))
                .and_then(|()| {
                    writeln!(text, "  If intended:  ochami-sync apply --allow-{option} {value}")?;
                    match option {
                        "delete" => writeln!(text, "  If not:       put the lines back into the inventory"),
                        _ => writeln!(text, "  If not:       look at what changed with `plan --expand`"),
                    }
                })
        }
        "empty.inventory" => writeln!(
            text,
            "the inventory has no nodes, but {of} are managed.\n  An empty inventory is never applied. \
             Check that the directory is the right one and holds a whole `nodes.yaml`."
        ),
        "missing.file" => {
            let deletes = plan.summary.delete;
            writeln!(text, "files that were applied are gone, and what they declared would be deleted.")
                .and_then(|()| list(&mut text, names))
                .and_then(|()| {
                    writeln!(text, "  If intended:  ochami-sync apply --allow-delete {deletes}")?;
                    writeln!(text, "  If not:       put the files back")
                })
        }
        "empty.live" => writeln!(
            text,
            "{what} lists no objects, but {of} of them are managed there.\n  Was it restarted with an empty \
             database, or is it another service?\n  If intended:  ochami-sync apply --accept-empty-live"
        ),
        "incomplete.read" => writeln!(text, "live state could not be read whole.").and_then(|()| {
            names.iter().try_for_each(|reason| writeln!(text, "  {}", fold::escape(reason)))?;
            writeln!(text, "  Plan again once that is mended.")
        }),
        "adopt.differs" => {
            let noun = if *value == 1 { "object is" } else { "objects are" };
            writeln!(text, "{value} {noun} there already and not managed by this inventory.")
                .and_then(|()| list(&mut text, names))
                .and_then(|()| differing(plan, &mut text))
        }
        "secret.unresolved" => writeln!(text, "secrets are missing.").and_then(|()| remarks(plan, names, &mut text)),
        _ => writeln!(text, "objects cannot be read.").and_then(|()| remarks(plan, names, &mut text)),
    };
    text
}

fn list(text: &mut String, names: &[std::sync::Arc<str>]) -> std::fmt::Result {
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    writeln!(text, "  {}", fold::names(&names, LISTED))
}

/// What differs, object by object, and the three ways out.
fn differing(plan: &Plan, text: &mut String) -> std::fmt::Result {
    let refused: Vec<_> = plan.changes.iter().filter(|change| change.refused).collect();
    for change in refused.iter().take(LISTED) {
        let fields: Vec<&str> = change.fields.iter().map(|field| field.path.trim_start_matches('/')).collect();
        let differs = match fields.as_slice() {
            [] => "equals the inventory".to_owned(),
            fields => format!("differs in {}", fields.join(", ")),
        };
        write!(text, "  {} exists and {differs}", fold::escape(&change.address))?;
        match &change.origin {
            Some(place) => writeln!(text, "   {}:{}", fold::escape(&place.file), place.line)?,
            None => writeln!(text)?,
        }
    }
    if refused.len() > LISTED {
        writeln!(text, "  and {} more", refused.len() - LISTED)?;
    }
    writeln!(text, "  take over     ochami-sync apply --adopt always")?;
    writeln!(text, "  match         write into the inventory what is there")?;
    writeln!(text, "  leave alone   remove them from the inventory; they stay unmanaged")
}

fn remarks(plan: &Plan, names: &[std::sync::Arc<str>], text: &mut String) -> std::fmt::Result {
    let named = plan.diagnostics.iter().filter(|remark| names.iter().any(|name| **name == *remark.object));
    for remark in named.take(LISTED) {
        write!(text, "  {}: {}", fold::escape(&remark.object), fold::escape(&remark.message))?;
        match &remark.origin {
            Some(place) => writeln!(text, "   {}:{}", fold::escape(&place.file), place.line)?,
            None => writeln!(text)?,
        }
    }
    Ok(())
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
