//! The word that was probably meant.

/// The known word that an unknown one was probably meant to be.
pub(super) fn did_you_mean<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    if word.chars().count() > 64 {
        return None;
    }
    let bare = |word: &str| word.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let (wanted, limit) = (bare(word), (word.chars().count() / 3).clamp(1, 2));
    known
        .filter_map(|candidate| {
            let distance = if bare(candidate) == wanted { 0 } else { strsim::osa_distance(word, candidate) };
            (distance <= limit).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}
