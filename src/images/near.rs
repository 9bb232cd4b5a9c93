//! The file that was probably meant.

use std::path::Path;

/// The name below a directory that looks most like one that is not there: the first part of it that is missing is
/// replaced by its nearest neighbour.
pub(super) fn near(directory: &Path, name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
    let mut place = directory.to_path_buf();
    for (at, part) in parts.iter().enumerate() {
        if *part == ".." {
            return None;
        }
        let next = place.join(part);
        if !next.exists() {
            let there = std::fs::read_dir(&place).ok()?;
            let names = there.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            // Versions differ in many characters and have the same beginning; a rootfs of the right version is no initrd.
            let beginning = part.split('-').next().unwrap_or(part);
            let distance =
                |name: &String| (!name.starts_with(beginning), strsim::damerau_levenshtein(name, part), name.clone());
            let nearest = names.min_by_key(distance)?;
            let alike = strsim::normalized_damerau_levenshtein(&nearest, part) >= 0.6
                || (beginning.len() >= 4 && nearest.starts_with(beginning));
            return alike.then(|| [&parts[..at], &[&*nearest], &[][..]].concat().join("/"));
        }
        place = next;
    }
    None
}
