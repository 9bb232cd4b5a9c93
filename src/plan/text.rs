//! The plan as people read it.
//!
//! Changes that are the same for many nodes are one block with a folded node set; whatever is different falls out by
//! itself. A verb in words stands beside every glyph, colour repeats what is written, and the counts at the end are
//! those of the lines above.

mod block;
mod diff;
pub(super) mod fold;
mod places;
mod series;
mod shape;
mod tail;
#[cfg(test)]
mod tests;
mod tree;
pub(super) mod value;
mod words;

use super::document::{Plan, PlanChange, Subject};
use block::Section;
pub use fold::names as folded;

/// How to write.
#[derive(Debug, Clone, Copy)]
pub struct TextOptions {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether to add ANSI colours.
    pub color: bool,
    /// Whether to show every field of every change, unfolded.
    pub expand: bool,
    /// Whether glyphs must be ASCII.
    pub ascii: bool,
}

impl Default for TextOptions {
    /// 100 columns, no colours, folded, all glyphs.
    fn default() -> Self {
        Self { width: 100, color: false, expand: false, ascii: false }
    }
}

impl TextOptions {
    /// What stands for left-out text.
    fn ellipsis(&self) -> &'static str {
        if self.ascii { "..." } else { "…" }
    }

    /// What stands between an old and a new value.
    fn arrow(&self) -> &'static str {
        if self.ascii { "->" } else { "→" }
    }

    fn dash(&self) -> &'static str {
        if self.ascii { "-" } else { "—" }
    }

    /// The columns there are, never less than what a line needs to be readable.
    fn columns(&self) -> usize {
        self.width.max(60)
    }
}

/// Renders a plan. The text ends with a line break and holds no control character of any name or value.
#[must_use]
pub fn render(plan: &Plan, options: &TextOptions) -> String {
    if is_in_sync(plan) {
        return in_sync(plan) + &tail::warnings(plan, options) + &tail::notes(plan, options);
    }
    let mut text = fitted(&head(plan), options);
    for (title, subjects) in SECTIONS {
        let changes: Vec<&PlanChange> = plan.changes.iter().filter(|change| subjects.contains(&change.kind)).collect();
        if !changes.is_empty() {
            text.push_str(&format!("\n{title}\n"));
            text.push_str(&Section::changes(plan, options).render(&changes));
        }
    }
    if !plan.drift.is_empty() {
        text.push('\n');
        text.push_str(&fitted(&drift_title(plan, options), options));
        let drift: Vec<&PlanChange> = plan.drift.iter().collect();
        text.push_str(&Section::drift(plan, options).render(&drift));
    }
    text.push_str(&tail::render(plan, options));
    text
}

const SECTIONS: [(&str, &[Subject]); 4] = [
    ("Nodes", &[Subject::Node]),
    ("Boot", &[Subject::Boot]),
    (
        "cloud-init",
        &[
            Subject::ClusterDefaults,
            Subject::CloudInitGroup,
            Subject::InstanceInfo,
            Subject::CloudInit,
            Subject::CloudInitSecure,
        ],
    ),
    ("Groups", &[Subject::Group]),
];

fn is_in_sync(plan: &Plan) -> bool {
    let kept = !plan.kept.is_empty() || !plan.kept_members.is_empty();
    !plan.has_changes() && plan.drift.is_empty() && !kept && plan.safety.ok && !plan.lacks_secrets()
}

fn in_sync(plan: &Plan) -> String {
    let unmanaged = match plan.summary.unmanaged {
        0 => String::new(),
        count => format!(", {} unmanaged", fold::grouped(count)),
    };
    format!("{} is in sync with the inventory ({}){unmanaged}.\n", fold::escape(&plan.cluster.name), size(plan))
}

fn size(plan: &Plan) -> String {
    let source = &plan.source;
    let parts = [(source.nodes, "node"), (source.groups, "group"), (source.files, "file")];
    parts.map(|(count, noun)| fold::count(count, noun)).join(", ")
}

/// Sentences on lines that fit the terminal.
fn fitted(text: &str, options: &TextOptions) -> String {
    let lines = text.lines().flat_map(|line| fold::wrap(line, options.columns()));
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

fn head(plan: &Plan) -> String {
    let hash: String = plan.source.inventory.chars().take(8).collect();
    let target = plan.cluster.target.as_str();
    let services =
        match target.strip_prefix(&*plan.cluster.id).and_then(|rest| rest.strip_prefix('/')).unwrap_or(target) {
            "builtin" => "the built-in services".to_owned(),
            target => fold::escape(target).into_owned(),
        };
    let mut text = format!(
        "Plan {}   {}   inventory {}\nCompared {} with {services}.\n",
        fold::escape(&plan.id),
        fold::escape(&plan.cluster.name),
        fold::escape(&hash),
        size(plan)
    );
    if let Some(taken) = &plan.taken_over {
        let (count, cluster) = (fold::count(taken.objects, "object"), fold::escape(&taken.cluster));
        text.push_str(&format!("Takes the place of cluster {cluster}: what it owns ({count}) becomes ours.\n"));
    } else if plan.base.apply.is_none() {
        text.push_str("Nothing was applied here before: nothing is owned, and nothing can be deleted.\n");
    }
    if !plan.complete {
        text.push_str("Live state could not be read whole; nothing is deleted.\n");
    }
    text
}

fn drift_title(plan: &Plan, options: &TextOptions) -> String {
    let since = match (&plan.base.apply, &plan.base.at) {
        (Some(apply), Some(at)) => format!(" since apply #{apply} ({})", fold::escape(at)),
        _ => String::new(),
    };
    let fate = if plan.correct_drift { "will be put back" } else { "left as it is" };
    format!("Drift{since} {} {fate}\n", options.dash())
}
