/// Where a refusal is looked for: models open with it.
const OPENING: usize = 300;

/// Says that the speaker will not or cannot.
const CANNOT: &[&str] = &[
    "i can't",
    "i cannot",
    "i can not",
    "i won't",
    "i will not",
    "i'm unable to",
    "i am unable to",
    "i'm not able to",
    "i am not able to",
    "i'm not allowed to",
    "i am not allowed to",
    "i must decline",
    "i have to decline",
    "i decline",
    "we cannot",
    "we can't",
];

/// What is refused, whatever it is. Without one of these the sentence is about the task ("I can't find a total in the
/// email"), which is prose where a call was due, and not a refusal.
const HELP: &[&str] = &[
    "help",
    "assist",
    "comply",
    "fulfill",
    "fulfil",
    "engage",
    "participate",
    "facilitate",
    "support",
];

/// What refuses only if it is followed by what was asked for as a whole: "I can't create the order without a total"
/// asks for a total.
const DO: &[&str] = &[
    "do",
    "create",
    "write",
    "generate",
    "provide",
    "process",
    "produce",
    "perform",
    "share",
    "complete",
    "continue with",
    "proceed with",
    "discuss",
    "answer",
];
const THAT: &[&str] = &["that", "this", "such", "content", "it", "these", "those"];

/// Whether prose is a refusal: an "I cannot" followed closely by what it is that is refused.
pub(super) fn is_refusal(text: &str) -> bool {
    let opening: String =
        text.chars()
            .take(OPENING)
            .map(|c| {
                if matches!(c, '\u{2019}' | '\u{2bc}' | '`') {
                    '\''
                } else {
                    c.to_ascii_lowercase()
                }
            })
            .collect();
    if opening.trim_start().starts_with(['{', '[']) {
        return false;
    }
    CANNOT.iter().any(|cannot| {
        opening.match_indices(cannot).any(|(at, _)| {
            let rest = opening.get(at + cannot.len()..).unwrap_or_default();
            let sentence = rest.split(['.', '!', '?', ';', '\n']).next().unwrap_or_default();
            let near: String = sentence.chars().take(40).collect();
            cannot.ends_with("decline")
                || HELP.iter().any(|verb| has_word(&near, verb))
                || DO
                    .iter()
                    .any(|verb| THAT.iter().any(|that| has_word(&near, &format!("{verb} {that}"))))
        })
    })
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let after = text.get(at + word.len()..).and_then(|rest| rest.chars().next());
        let before = text.get(..at).and_then(|rest| rest.chars().next_back());
        !after.is_some_and(char::is_alphanumeric) && !before.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_heard() {
        for text in [
            "I'm sorry, but I can't assist with that request.",
            "I cannot help with placing this order.",
            "I\u{2019}m unable to comply with this request because it is harmful.",
            "Sorry. As an AI, I won't do that.",
            "I must decline.",
            "I can't create content of this kind.",
            "I cannot process this request.",
        ] {
            assert!(is_refusal(text), "{text}");
        }
    }

    #[test]
    fn prose_about_the_task_is_no_refusal() {
        for text in [
            "I can't find a total in the email. What did the items cost?",
            "Sure! The customer is Ann and the total is 12.",
            "I cannot tell which of the two Anns ordered.",
            "I can't create the order without a total. Could you send it?",
            "I cannot find the price in the email to create it.",
            "I can't provide a total, because the email names no price.",
            "Which size would you like?",
            r#"{"note": "I cannot help with that"}"#,
            "",
        ] {
            assert!(!is_refusal(text), "{text}");
        }
    }
}
