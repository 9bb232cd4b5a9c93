//! Figures of the protocols without HTTP: counters by a word, and numbers that are read when somebody asks.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts by word. The words are those of the program's text, so there are never more than it has. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Counter {
    /// Counts one more of this.
    pub fn add(&self, word: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(word).or_default() += 1;
    }

    /// What was counted so far, by word.
    #[must_use]
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(word, count)| (*word, *count)).collect()
    }
}

/// One name on the page of figures, with what is read for it.
pub struct Figure {
    name: &'static str,
    help: &'static str,
    kind: &'static str,
    /// What the words are; empty where there is one number without a word.
    label: &'static str,
    read: Box<dyn Fn() -> Vec<(&'static str, u64)> + Send + Sync>,
}

impl Figure {
    /// A counter by word. `name` ends with `_total`, as Prometheus has it.
    #[must_use]
    pub fn by_word(name: &'static str, help: &'static str, label: &'static str, counter: &Counter) -> Self {
        let counter = counter.clone();
        Self { name, help, kind: "counter", label, read: Box::new(move || counter.counts()) }
    }

    /// A number that only grows. `name` ends with `_total`.
    #[must_use]
    pub fn total(name: &'static str, help: &'static str, read: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { name, help, kind: "counter", label: "", read: Box::new(move || vec![("", read())]) }
    }

    /// A number of things that there are at the moment.
    #[must_use]
    pub fn gauge(name: &'static str, help: &'static str, read: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { name, help, kind: "gauge", label: "", read: Box::new(move || vec![("", read())]) }
    }

    pub(super) fn write(&self, text: &mut String) -> std::fmt::Result {
        super::head(text, self.name, self.kind, self.help)?;
        for (word, count) in (self.read)() {
            match self.label {
                "" => writeln!(text, "{} {count}", self.name)?,
                label => writeln!(text, "{}{{{label}=\"{word}\"}} {count}", self.name)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use super::*;

    #[test]
    fn a_page_shows_what_is_registered_in_the_text_format() {
        let (metrics, counter) = (Metrics::default(), Counter::default());
        metrics.show([
            Figure::by_word("a_requests_total", "Requests.", "type", &counter),
            Figure::gauge("a_leases", "Leases.", || 7),
            Figure::total("a_bytes_total", "Bytes.", || 9),
        ]);
        counter.add("discover");
        counter.clone().add("discover");
        counter.add("request");
        let text = metrics.render();
        let expected = "# HELP a_requests_total Requests.\n# TYPE a_requests_total counter\n\
                        a_requests_total{type=\"discover\"} 2\na_requests_total{type=\"request\"} 1\n\
                        # HELP a_leases Leases.\n# TYPE a_leases gauge\na_leases 7\n\
                        # HELP a_bytes_total Bytes.\n# TYPE a_bytes_total counter\na_bytes_total 9\n";
        assert!(text.ends_with(expected), "{text}");
    }
}
