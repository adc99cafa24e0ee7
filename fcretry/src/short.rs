//! Names as they are kept: whoever chooses one does not choose how much memory it takes.

/// How many bytes of a name are kept.
const MAX_NAME: usize = 96;

/// A name as it is kept.
pub(crate) fn short(name: &str) -> &str {
    let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    let end = ends.take_while(|at| *at <= MAX_NAME).last().unwrap_or_default();
    name.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_between_characters() {
        assert_eq!(short(""), "");
        assert_eq!(short("gpt-4o"), "gpt-4o");
        assert_eq!(short(&"ä".repeat(500)).len(), MAX_NAME);
        assert_eq!(short(&format!("a{}", "ä".repeat(500))).len(), MAX_NAME - 1);
    }
}
