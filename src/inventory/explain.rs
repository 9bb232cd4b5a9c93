//! The long form of every code: what it means, and an inventory that shows it beside one that does not.
//!
//! The pages are data under `explain/`. An example gives the files that differ from the base example, and a test loads
//! every one of them.

use std::sync::LazyLock;

use super::code::Code;
use super::code::Severity;

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The code.
    pub code: Code,
    /// What it says in a few words.
    pub title: &'static str,
    /// Its severity.
    pub level: Severity,
    /// What it means and what to do.
    pub text: &'static str,
    /// Files that have the problem.
    pub wrong: Vec<File>,
    /// The same files without it.
    pub right: Vec<File>,
}

/// A file of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Path below the inventory directory.
    pub path: &'static str,
    /// What it is.
    pub content: Content,
}

/// What a file of an example is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A text. In it `�` stands for a byte that is not UTF-8, and `→` for a tab.
    Text(&'static str),
    /// The file is not there.
    Absent,
    /// A directory has the name.
    Directory,
    /// A link to a file that is not in the inventory directory has the name.
    Link,
}

/// The files that an example does not mention.
pub const BASE: &str = include_str!("explain/base.txt");

const PAGES: &[&str] = &[
    include_str!("explain/syntax.txt"),
    include_str!("explain/shape.txt"),
    include_str!("explain/value.txt"),
    include_str!("explain/reference.txt"),
    include_str!("explain/uniqueness.txt"),
    include_str!("explain/network.txt"),
    include_str!("explain/boot.txt"),
    include_str!("explain/cloud-init.txt"),
    include_str!("explain/policy.txt"),
];

static ALL: LazyLock<Vec<Explanation>> = LazyLock::new(|| PAGES.iter().flat_map(|page| parse(page)).collect());

/// The page of a code, in any case; none for a text that is no code.
#[must_use]
pub fn page(code: &str) -> Option<&'static Explanation> {
    let code: Code = code.parse().ok()?;
    ALL.iter().find(|page| page.code == code)
}

/// All pages, in the order of the codes.
#[must_use]
pub fn all() -> &'static [Explanation] {
    &ALL
}

/// Pages start with `# CODE`; examples with `@ wrong` and `@ right`, their files with `--- PATH`.
fn parse(text: &'static str) -> impl Iterator<Item = Explanation> {
    text.split("\n# OS").filter_map(|page| {
        let (number, rest) = page.trim_start_matches("# OS").split_once('\n')?;
        let code: Code = format!("OS{number}").parse().ok()?;
        let (text, examples) = rest.split_once("\n@ wrong\n")?;
        let (wrong, right) = examples.split_once("\n@ right\n")?;
        Some(Explanation {
            code,
            title: code.title(),
            level: code.severity(),
            text: text.trim(),
            wrong: files(wrong),
            right: files(right),
        })
    })
}

/// The files of an example or of the base.
pub(super) fn files(text: &'static str) -> Vec<File> {
    let text = text.strip_prefix("--- ").unwrap_or(text);
    text.split("\n--- ")
        .filter(|file| !file.trim().is_empty())
        .map(|file| {
            let (path, content) = file.split_once('\n').unwrap_or((file, ""));
            match path.split_once(' ') {
                Some((path, "(absent)")) => File { path, content: Content::Absent },
                Some((path, "(directory)")) => File { path, content: Content::Directory },
                Some((path, "(link)")) => File { path, content: Content::Link },
                _ => File { path, content: Content::Text(content) },
            }
        })
        .collect()
}
