//! From the parser's places, which count characters, to bytes.

use saphyr_parser::Marker;

/// Turns the parser's character counts into byte offsets, walking from one to the next.
pub(super) struct Cursor<'t> {
    text: &'t str,
    ascii: bool,
    index: usize,
    offset: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, ascii: text.is_ascii(), index: 0, offset: 0 }
    }

    /// The offset of a mark.
    pub(super) fn offset(&mut self, mark: Marker) -> usize {
        if self.ascii {
            return mark.index().min(self.text.len());
        }
        let (before, after) = self.text.split_at(self.offset);
        if let Some(ahead) = mark.index().checked_sub(self.index) {
            let step = after.char_indices().nth(ahead).map_or(after.len(), |(at, _)| at);
            self.index += after[..step].chars().count();
            self.offset += step;
        } else {
            let back = self.index - mark.index();
            let at = before.char_indices().rev().nth(back - 1).map_or(0, |(at, _)| at);
            self.index = mark.index();
            self.offset = at;
        }
        self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_forwards_and_backwards() {
        for text in ["plain text", "a€b\u{1f600}c\r\né"] {
            let offsets: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let mut cursor = Cursor::new(text);
            for index in [0, 3, 1, 5, 5, 0, 6, 99] {
                let expected = offsets.get(index).copied().unwrap_or(text.len());
                assert_eq!(cursor.offset(Marker::new(index, 1, 0)), expected, "{text:?} {index}");
            }
        }
    }
}
