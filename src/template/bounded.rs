//! What texts and templates of other people may do: three filters, and no more output than a bound.

use std::io;

use minijinja::Environment;

/// Adds the filters `lower`, `upper` and `trim`, the only ones there are.
pub(super) fn add_filters(environment: &mut Environment<'_>) {
    environment.add_filter("lower", |text: String| text.to_lowercase());
    environment.add_filter("upper", |text: String| text.to_uppercase());
    environment.add_filter("trim", |text: String| text.trim().to_owned());
}

/// Takes output up to a number of bytes and then fails.
pub(super) struct Bounded {
    /// What was taken.
    pub(super) bytes: Vec<u8>,
    most: usize,
}

impl Bounded {
    pub(super) fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), most }
    }
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
