//! The command that advice repeats, so that it can be copied: `ochami-sync apply` with the flags that were given.

use std::fmt;

/// `ochami-sync apply` and flags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandLine {
    flags: Vec<(String, Option<String>)>,
}

impl CommandLine {
    /// The same with one more flag. A flag that is there already gets the new value.
    #[must_use]
    pub fn with(mut self, flag: &str, value: Option<String>) -> Self {
        match self.flags.iter_mut().find(|(known, _)| known == flag) {
            Some((_, known)) => *known = value,
            None => self.flags.push((flag.to_owned(), value)),
        }
        self
    }

    /// The same with a flag where there is a value for it.
    #[must_use]
    pub fn with_some(self, flag: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(flag, Some(value.to_string())),
            None => self,
        }
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ochami-sync apply")?;
        for (flag, value) in &self.flags {
            write!(f, " {flag}")?;
            if let Some(value) = value {
                write!(f, " {}", quoted(value))?;
            }
        }
        Ok(())
    }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_stand_in_the_order_in_which_they_were_given_and_once() {
        let command = CommandLine::default().with("-i", Some("lab".into())).with("--accept-empty-live", None);
        let command = command.with_some("--allow-delete", Some(3)).with_some("--adopt", None::<&str>);
        let command = command.with("--allow-delete", Some("5".into()));
        assert_eq!(command.to_string(), "ochami-sync apply -i lab --accept-empty-live --allow-delete 5");
    }

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        let command = CommandLine::default().with("-i", Some("my cluster's".into())).with("--state", Some("".into()));
        assert_eq!(command.to_string(), r"ochami-sync apply -i 'my cluster'\''s' --state ''");
    }
}
