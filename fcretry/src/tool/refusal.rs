//! Refusals in words. Not every server has a field for them, and no model keeps to it.

#[cfg(test)]
mod tests;
mod words;

use words::{ABOUT, APOLOGIES, CANNOT, CONDITIONS, DECLINES, DO, ELSEWHERE, HELP, IDIOMS, THAT};

/// Where a refusal is looked for, in characters: models open with it.
const OPENING: usize = 300;

/// How far behind an "I cannot" what is refused may stand, in characters; and a verb that says little by itself.
const NEAR: usize = 40;
const CLOSE: usize = 30;

/// Says whether the text of an answer is a refusal; see [`is_refusal`] for the one that is used by default.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefusalDetector(pub(crate) fn(&str) -> bool);

impl Default for RefusalDetector {
    fn default() -> Self {
        Self(is_refusal)
    }
}

impl RefusalDetector {
    pub(super) fn detects(self, text: &str) -> bool {
        (self.0)(text)
    }
}

/// Whether the text of an answer is a refusal: an "I cannot", followed closely by what it is that is refused, in
/// the first 300 characters of what the model says. Reasoning before it and JSON are not looked at.
///
/// It knows English well, and the usual formulas of Chinese, Dutch, French, German, Italian, Japanese, Korean,
/// Portuguese, Russian and Spanish. A sentence about the task ("I can't find a total in the email") or a condition ("I can't
/// help without the order number") is none: there the model can be told what to do.
///
/// It is looked for where a call or JSON was due and the answer has no call. Give a detector of your own to
/// `Chat::refusal_detector` or [`Attempt::refusal_detector`](crate::Attempt::refusal_detector).
///
/// ```
/// assert!(fcretry::is_refusal("I'm sorry, but I can't help with that."));
/// assert!(!fcretry::is_refusal("I can't find a total in the email."));
/// ```
pub fn is_refusal(text: &str) -> bool {
    let opening = opening(text);
    sentences(&opening).any(|sentence| {
        refuses(sentence, &opening)
            || ELSEWHERE.iter().any(|(first, then)| {
                let found = sentence.split_once(first);
                found.is_some_and(|(_, rest)| {
                    let is_condition = CONDITIONS.iter().any(|word| rest.contains(word));
                    !is_condition && then.iter().any(|then| rest.contains(then))
                })
            })
    })
}

/// What is said at first, in lower case and with plain apostrophes: up to the first thing that is no prose.
fn opening(text: &str) -> String {
    let said = ["</think>", "</thinking>", "</reasoning>"]
        .iter()
        .filter_map(|end| Some(text.rsplit_once(end)?.1))
        .min_by_key(|said| said.len())
        .unwrap_or(text);
    let end = ["{", "[", "```", "<tool", "<function", "<|"]
        .iter()
        .filter_map(|mark| said.find(mark))
        .min();
    let said = end.and_then(|end| said.get(..end)).unwrap_or(said);
    let plain = said.chars().take(OPENING).flat_map(char::to_lowercase);
    plain.map(|c| if matches!(c, '\u{2019}' | '\u{2bc}' | '`') { '\'' } else { c }).collect()
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '!', '?', ';', '\n', '。', '！', '？', '；'])
}

/// Whether an English sentence refuses. `opening` is the text around it.
fn refuses(sentence: &str, opening: &str) -> bool {
    if DECLINES.iter().any(|decline| sentence.contains(decline)) {
        return true;
    }
    CANNOT.iter().any(|cannot| {
        sentence.match_indices(cannot).any(|(at, _)| {
            let rest = sentence.get(at + cannot.len()..).unwrap_or_default();
            // "I can't imagine" is another word.
            if rest.starts_with(char::is_alphanumeric) {
                return false;
            }
            if rest.trim().is_empty() {
                return APOLOGIES.iter().any(|sorry| opening.contains(sorry));
            }
            let is_other = IDIOMS.iter().any(|idiom| rest.trim_start().starts_with(idiom));
            if is_other || CONDITIONS.iter().any(|word| rest.contains(word)) {
                return false;
            }
            let near: String = rest.chars().take(NEAR).collect();
            let close: String = rest.chars().take(CLOSE).collect();
            let does = |verb: &&str| {
                THAT.iter().any(|that| has_word(&close, &format!("{verb} {that}")))
                    || (has_word(&close, verb) && ABOUT.iter().any(|what| has_word(&near, what)))
            };
            HELP.iter().any(|verb| has_word(&near, verb)) || DO.iter().any(does)
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
