//! Which row of a price list a model's name means.

/// The name without the provider before it, one part at a time: `a/b/c`, `b/c`, `c`.
pub(super) fn with_less_and_less_provider(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('/').map(|(_, rest)| rest))
}

/// The name without its release: `gpt-4o` of `gpt-4o-2024-08-06`. `None` if it has none, or is nothing else.
pub(super) fn without_release(name: &str) -> Option<&str> {
    let is_separator = |(_, byte): &(usize, u8)| matches!(byte, b'-' | b'@');
    let separators = name.bytes().enumerate().filter(is_separator);
    let mut halves = separators.filter_map(|(at, _)| name.split_at_checked(at));
    let (base, _) =
        halves.find(|(base, rest)| !base.is_empty() && rest.get(1..).is_some_and(is_release))?;
    Some(base)
}

/// A date, a number of three or four digits, or `latest`. A shorter number makes another model: `claude-sonnet-4-5` is no
/// release of `claude-sonnet-4`.
fn is_release(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let lengths: Vec<_> =
        text.split('-').map(|part| is_number(part).then_some(part.len())).collect();
    // 20240806, 0613 or 002; 08-2024; 2024-08-06
    text == "latest"
        || matches!(
            lengths.as_slice(),
            [Some(3 | 4 | 8)] | [Some(2), Some(4)] | [Some(4), Some(2), Some(2)]
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_told_from_another_model() {
        for (name, base) in [
            ("gpt-4o-2024-08-06", Some("gpt-4o")),
            ("gpt-4-0613", Some("gpt-4")),
            ("claude-sonnet-4-5-20250929", Some("claude-sonnet-4-5")),
            ("claude-3-5-sonnet@20240620", Some("claude-3-5-sonnet")),
            ("gemini-1.5-pro-002", Some("gemini-1.5-pro")),
            ("command-r-08-2024", Some("command-r")),
            ("claude-3-5-haiku-latest", Some("claude-3-5-haiku")),
            ("gpt-4o", None),
            ("gpt-4o-mini", None),
            ("gpt-4-32k", None),
            ("gpt-4-1106-preview", None),
            ("claude-sonnet-4-5", None),
            ("gpt-4o-2024-08", None),
            ("gpt-4o-2024-08-06-1", None),
            ("gpt-4o-latest-1", None),
            ("ft:gpt-4o-mini-2024-07-18:acme::id", None),
            ("deepseek-v3.2:free", None),
            ("-2024-08-06", None),
            ("2024-08-06", None),
            ("", None),
            ("é-002", Some("é")),
        ] {
            assert_eq!(without_release(name), base, "{name}");
        }
    }
}
