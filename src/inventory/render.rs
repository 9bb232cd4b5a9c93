//! Diagnostics as people read them, and as JSON.

use std::borrow::Cow;
use std::fmt::Write;

use annotate_snippets::renderer::DEFAULT_TERM_WIDTH;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};
use serde::Serialize;

use super::code::Severity;
use super::diagnostic::{Diagnostic, Place, Suggestion};
use super::source::{Source, Sources};

/// The most lines of a file that are shown around one place.
const MAX_LINES: u32 = 6;
/// The longest line that is shown, in bytes; a place in a longer one is only named.
const MAX_LINE: usize = 2000;

/// The diagnostics with the lines they are about, and a last line with their number.
///
/// `prefix` is put in front of the files' names: the inventory directory as the user gave it.
#[must_use]
pub fn text(diagnostics: &[Diagnostic], sources: &Sources, prefix: &str, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(DEFAULT_TERM_WIDTH);
    let mut output = String::new();
    for diagnostic in diagnostics {
        output.push_str(&renderer.render(&groups(diagnostic, sources, prefix)));
        output.push_str("\n\n");
    }
    let count = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let errors = plural(count(Severity::Error), "error");
    let warnings = plural(count(Severity::Warning), "warning");
    // Writing to a string cannot fail.
    let _ = writeln!(output, "{errors}, {warnings} in {}", plural(sources.len(), "file"));
    output
}

fn groups<'d>(diagnostic: &'d Diagnostic, sources: &'d Sources, prefix: &str) -> Vec<Group<'d>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let mut group = Group::with_title(level.primary_title(&diagnostic.message).id(diagnostic.code.as_str()));
    let mut places: Vec<(&Place, AnnotationKind, &str)> = Vec::new();
    places.extend(diagnostic.place.as_ref().map(|place| (place, AnnotationKind::Primary, diagnostic.label.as_str())));
    places.extend(diagnostic.related.iter().map(|(place, words)| (place, AnnotationKind::Context, words.as_str())));
    while let Some((first, ..)) = places.first() {
        let file = &first.file;
        let (same, others): (Vec<_>, Vec<_>) = places.into_iter().partition(|(place, ..)| place.file == *file);
        group = add_places(group, &same, sources, prefix);
        places = others;
    }
    if diagnostic.place.is_none() {
        group = group.element(Origin::path(prefix.to_owned()));
    }
    let suggestion = diagnostic.suggestion.as_ref().and_then(|suggestion| suggested(suggestion, sources));
    if let Some(help) = diagnostic.help.as_ref().filter(|_| suggestion.is_none()) {
        group = group.element(Level::HELP.message(help));
    }
    std::iter::once(group).chain(suggestion).collect()
}

/// The line as it would be with the suggestion.
fn suggested<'d>(suggestion: &'d Suggestion, sources: &'d Sources) -> Option<Group<'d>> {
    let (window, start) = window(sources.get(&suggestion.place.file)?, &[&suggestion.place])?;
    let range = suggestion.place.start - start..suggestion.place.end - start;
    let snippet = Snippet::source(window)
        .line_start(suggestion.place.line as usize)
        .patch(Patch::new(range, suggestion.replacement.as_str()));
    Some(Group::with_title(Level::HELP.secondary_title(&suggestion.message)).element(snippet))
}

/// Shows places of one file: close ones in one stretch of text, distant ones each on their own.
fn add_places<'d>(
    mut group: Group<'d>,
    places: &[(&'d Place, AnnotationKind, &'d str)],
    sources: &'d Sources,
    prefix: &str,
) -> Group<'d> {
    let Some((first, ..)) = places.first() else { return group };
    let path = join(prefix, &first.file);
    let source = sources.get(&first.file);
    let all: Vec<&Place> = places.iter().map(|(place, ..)| *place).collect();
    let lines = all.iter().map(|place| place.line);
    let together = lines.clone().max().unwrap_or(0) - lines.min().unwrap_or(0) < MAX_LINES;
    let stretches: Vec<&[(&Place, AnnotationKind, &str)]> =
        if together { vec![places] } else { places.chunks(1).collect() };
    for stretch in stretches {
        let of_stretch: Vec<&Place> = stretch.iter().map(|(place, ..)| *place).collect();
        let line = of_stretch.iter().map(|place| place.line).min().unwrap_or(1);
        let Some(source) = source else {
            group = group.element(Origin::path(path.clone()));
            continue;
        };
        let Some((window, start)) = window(source, &of_stretch) else {
            let column = usize::try_from(of_stretch[0].column).unwrap_or(1);
            group = group.element(Origin::path(path.clone()).line(line as usize).char_column(column));
            let labels = stretch.iter().map(|(_, _, label)| *label).filter(|label| !label.is_empty());
            group = group.elements(labels.map(|label| Level::NOTE.message(label)));
            continue;
        };
        let mut snippet = Snippet::source(window).line_start(line as usize).path(path.clone());
        for (place, kind, label) in stretch {
            let range = place.start - start..place.end.min(start + window.len()).max(place.start) - start;
            let annotation = kind.span(range);
            snippet = snippet.annotation(if label.is_empty() { annotation } else { annotation.label(*label) });
        }
        group = group.element(snippet);
    }
    group
}

/// The lines that hold some places, and the offset at which they start. The renderer gets only these, because it looks
/// at all that it gets, for every diagnostic. None for a text that must not be shown, or has lines that are too long.
fn window<'s>(source: &'s Source, places: &[&Place]) -> Option<(&'s str, usize)> {
    if source.is_private() {
        return None;
    }
    let first = places.iter().map(|place| place.line).min()?;
    let last = places.iter().map(|place| place.end_line).max()?.clamp(first, first + MAX_LINES);
    let line = |number: u32| source.line_range(number.saturating_sub(1) as usize);
    if (first..=last).any(|number| line(number).len() > MAX_LINE) {
        return None;
    }
    let (start, end) = (line(first).start, line(last).end);
    Some((source.text().get(start..end)?, start))
}

fn join(prefix: &str, file: &str) -> String {
    match prefix.trim_end_matches('/') {
        "" => file.to_owned(),
        prefix => format!("{prefix}/{file}"),
    }
}

#[derive(Serialize)]
struct Document<'d> {
    format: &'static str,
    format_version: &'static str,
    diagnostics: Vec<Row<'d>>,
}

#[derive(Serialize)]
struct Row<'d> {
    code: &'static str,
    severity: &'static str,
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
    node: Option<&'d str>,
    message: Cow<'d, str>,
    help: Option<&'d str>,
}

/// The message with the other places that explain it: the document has no field for them.
fn whole_message<'d>(diagnostic: &'d Diagnostic, prefix: &str) -> Cow<'d, str> {
    if diagnostic.related.is_empty() {
        return Cow::Borrowed(&diagnostic.message);
    }
    let others = diagnostic.related.iter().map(|(place, words)| {
        format!("{words} at {}:{}:{}", join(prefix, &place.file), place.line, place.column).trim_start().to_owned()
    });
    Cow::Owned(format!("{} ({})", diagnostic.message, others.collect::<Vec<_>>().join("; ")))
}

/// The diagnostics as a JSON document, `ochami-sync/diagnostics` version 1.0.
///
/// Lines and columns count from 1, columns in characters; the end is the place behind the last character. What is not
/// known is `null`.
#[must_use]
pub fn json(diagnostics: &[Diagnostic], prefix: &str) -> String {
    let rows = diagnostics.iter().map(|diagnostic| {
        let place = diagnostic.place.as_ref();
        Row {
            code: diagnostic.code.as_str(),
            severity: diagnostic.severity.as_str(),
            // What is about the directory as a whole names the directory.
            file: place.map_or_else(|| Some(prefix.to_owned()), |place| Some(join(prefix, &place.file))),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            end_line: place.map(|place| place.end_line),
            end_column: place.map(|place| place.end_column),
            node: diagnostic.node.as_deref(),
            message: whole_message(diagnostic, prefix),
            help: diagnostic.help.as_deref(),
        }
    });
    let document = Document { format: "ochami-sync/diagnostics", format_version: "1.0", diagnostics: rows.collect() };
    serde_json::to_string_pretty(&document).expect("the document has text keys and no values that JSON lacks")
}
