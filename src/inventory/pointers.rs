//! Which value of a file a line says, as a JSON pointer into the file: `/boot/groups/gpu/kernel`.
//!
//! Of several values that begin on one line it is the outermost. `nodes.yaml` is not among the files: what its lines say
//! follows from the nodes, of which there are many.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::places::step;
use super::source::Sheet;
use super::yaml::{Data, Yaml};

/// The values of each file by the lines on which they begin, both in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pointers(BTreeMap<Arc<str>, Vec<(u32, String)>>);

/// The documents of an entry. Somebody may have written a secret into one of a private file, as a key, too.
const DOCUMENTS: [&str; 3] = ["userdata", "metadata", "vendordata"];

impl Pointers {
    /// The value that a line of a file says; on a line within a value, that value.
    #[must_use]
    pub fn find(&self, file: &str, line: u32) -> Option<&str> {
        let lines = self.0.get(file)?;
        let place = lines.partition_point(|(first, _)| *first <= line).checked_sub(1)?;
        lines.get(place).map(|(_, pointer)| pointer.as_str())
    }

    /// Adds a file.
    pub(super) fn add(&mut self, sheet: Sheet<'_>, root: &Yaml<'_>) {
        let mut lines = BTreeMap::new();
        below(sheet, root, "", &mut lines);
        self.0.insert(sheet.source.name().clone(), lines.into_iter().collect());
    }
}

/// The depth of the recursion is the depth of the tree, which is bounded.
fn below(sheet: Sheet<'_>, yaml: &Yaml<'_>, pointer: &str, lines: &mut BTreeMap<u32, String>) {
    let mut add = |key: &str, begins, value: &Yaml<'_>| {
        let pointer = step(pointer, key);
        lines.entry(sheet.origin(begins).line).or_insert_with(|| pointer.clone());
        if !(sheet.source.is_private() && DOCUMENTS.contains(&key)) {
            below(sheet, value, &pointer, lines);
        }
    };
    match &yaml.data {
        Data::Map(pairs) => pairs.iter().for_each(|pair| add(&pair.key.text, pair.key.span, &pair.value)),
        Data::List(items) => {
            items.iter().enumerate().for_each(|(place, item)| add(&place.to_string(), item.span, item));
        }
        Data::Scalar(_) | Data::Bad => {}
    }
}
