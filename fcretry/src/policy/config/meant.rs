/// The one of `known` that `found` was most likely meant to be.
pub(super) fn closest<'k>(found: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = plain(found);
    let near = known
        .iter()
        .map(|name| (distance(&plain, &self::plain(name)), *name))
        .min_by_key(|(distance, _)| *distance)
        // A third of the letters may be wrong; beyond that a suggestion misleads.
        .filter(|(distance, name)| *distance <= plain.len().max(name.len()) / 3);
    if let Some((_, name)) = near {
        return Some(name);
    }
    // A name of which one word was left out (`overload` for `model_overload`), if only one fits.
    let mut holding = known.iter().filter(|name| name.split('_').any(|word| word == found));
    match (holding.next(), holding.next()) {
        (Some(name), None) => Some(name),
        _ => None,
    }
}

/// The letters of a name without case and separators: `RateLimit` is a near miss of `rate_limit`.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| *c != '_' && *c != '-').flat_map(char::to_lowercase);
    // No name of ours is as long; the distance takes the product of the lengths.
    letters.take(64).collect()
}

/// The Levenshtein distance, one row at a time.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (deleted, a) in from.chars().enumerate() {
        let mut diagonal = deleted;
        let mut left = deleted + 1;
        let mut next = vec![left];
        for (b, above) in to.chars().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(a != b)).min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_far_name_is_not() {
        let known = ["max_attempts", "timeout", "model_overload", "rate_limit"];
        for (found, meant) in [
            ("maxAttempts", Some("max_attempts")),
            ("timout", Some("timeout")),
            ("RateLimit", Some("rate_limit")),
            ("overload", Some("model_overload")),
            ("foo", None),
        ] {
            assert_eq!(closest(found, &known), meant, "{found}");
        }
    }
}
