//! `sync` in `cluster.yaml`: how plans treat what they find.

use super::Code;
use super::source::Sheet;
use super::types::{Adopt, Drift, Limit, SyncPolicy};
use super::values::Values;
use super::walker::Fields;
use super::yaml::Yaml;

/// Reads the mapping; what it leaves out has its default.
pub(super) fn read<'y>(sheet: Sheet<'y>, yaml: &'y Yaml<'y>) -> SyncPolicy {
    let mut policy = SyncPolicy::default();
    let Some(fields) = Fields::read(sheet, yaml, "sync", None) else { return policy };
    fields.known(&["prune", "adopt", "drift", "limits"], |_| None);
    let values = Values { sheet, node: None };
    let prune = |word: &str| match word {
        "owned" => Some(true),
        "none" => Some(false),
        _ => None,
    };
    let adopt = |word: &str| match word {
        "matching" => Some(Adopt::Matching),
        "always" => Some(Adopt::Always),
        "never" => Some(Adopt::Never),
        _ => None,
    };
    let drift = |word: &str| match word {
        "report" => Some(Drift::Report),
        "correct" => Some(Drift::Correct),
        _ => None,
    };
    if let Some(text) = fields.text("drift") {
        let value = values.word(Code::Policy, "drift", text, &["report", "correct"], drift);
        policy.drift = value.unwrap_or(policy.drift);
    }
    if let Some(text) = fields.text("prune") {
        let value = values.word(Code::Policy, "prune", text, &["owned", "none"], prune);
        policy.prune = value.unwrap_or(policy.prune);
    }
    if let Some(text) = fields.text("adopt") {
        let value = values.word(Code::Policy, "adopt", text, &["matching", "always", "never"], adopt);
        policy.adopt = value.unwrap_or(policy.adopt);
    }
    if let Some(limits) = fields.get("limits").and_then(|yaml| Fields::read(sheet, yaml, "limits", None)) {
        limits.known(&["delete", "replace"], |_| None);
        for (key, limit) in [("delete", &mut policy.delete), ("replace", &mut policy.replace)] {
            if let Some(fields) = limits.get(key).and_then(|yaml| Fields::read(sheet, yaml, "a limit", None)) {
                *limit = read_limit(&fields, *limit);
            }
        }
    }
    policy
}

fn read_limit(fields: &Fields<'_>, default: Limit) -> Limit {
    fields.known(&["max", "percent"], |_| None);
    let values = Values { sheet: fields.sheet, node: None };
    let number = |key: &str, most: u64| values.number(Code::Limit, key, fields.text(key)?, 0..=most);
    Limit {
        max: number("max", u64::from(u32::MAX)).unwrap_or(default.max),
        percent: number("percent", 100).unwrap_or(default.percent),
    }
}
