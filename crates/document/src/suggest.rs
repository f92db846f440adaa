//! Did-you-mean: the known name that is nearest to an unknown one.

/// Longest name that is compared, in characters; longer ones get no suggestion.
const MAX_CHARS: usize = 64;

/// Returns the candidate closest to `name`: one that differs in letter case only, else the one
/// with the fewest edits if those are at most a third of the name, rounded up.
pub fn closest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted: Vec<char> = name.to_lowercase().chars().take(MAX_CHARS + 1).collect();
    if wanted.is_empty() || wanted.len() > MAX_CHARS {
        return None;
    }
    let limit = wanted.len().div_ceil(3);
    candidates
        .into_iter()
        .filter(|it| *it != name && it.chars().count() <= MAX_CHARS)
        .map(|it| (distance(&wanted, &it.to_lowercase().chars().collect::<Vec<_>>()), it))
        .filter(|(edits, _)| *edits <= limit)
        .min()
        .map(|(_, it)| it)
}

/// Edits (insert, remove, replace, swap neighbours) that turn `a` into `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&row, j) + usize::from(x != y);
            let mut best = replaced.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let left = j.checked_sub(1).and_then(|it| b.get(it));
            if previous == Some(y) && left == Some(x) {
                best = best.min(at(&before, j.saturating_sub(1)) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(x);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        let known = ["backend-uri", "tenant-id", "ApiKey"];
        for (name, suggestion) in [
            ("backend-url", Some("backend-uri")),
            ("tennant-id", Some("tenant-id")),
            ("apikey", Some("ApiKey")),
            ("ApiKye", Some("ApiKey")),
            ("something-else", None),
            ("", None),
        ] {
            assert_eq!(closest(name, known), suggestion, "{name}");
        }
    }

    #[test]
    fn distance_counts_edits_and_swaps() {
        let of = |a: &str, b: &str| {
            distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
        };
        assert_eq!(
            [of("kitten", "sitting"), of("ab", "ba"), of("", "abc"), of("abc", "")],
            [3, 1, 3, 3]
        );
    }
}
