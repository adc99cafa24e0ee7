//! The words of refusals.

/// Says that the speaker will not or cannot.
pub(super) const CANNOT: &[&str] = &[
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
    "i'm not going to",
    "i am not going to",
    "not something i can",
    "not something i'm able to",
    "not something i am able to",
    "we cannot",
    "we can't",
    "we are unable to",
];

/// Refuses by itself, whatever it is.
pub(super) const DECLINES: &[&str] = &[
    "i must decline",
    "i have to decline",
    "i will decline",
    "i'll have to decline",
    "i decline to",
    "i respectfully decline",
    "i must refuse",
    "i have to refuse",
    "i refuse to",
    "i'm not comfortable",
    "i am not comfortable",
    "i don't feel comfortable",
    "against my guidelines",
    "against my programming",
    "against my safety",
    "violates my guidelines",
    "violates our usage polic",
    "violates the usage polic",
    "violates openai",
];

/// What is refused, whatever it is. Without one of these the sentence is about the task ("I can't find a total in the
/// email"), which is prose where a call was due, and not a refusal.
pub(super) const HELP: &[&str] = &[
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

/// What refuses only if it is followed by what was asked for as a whole, or by what is refused on principle: "I can't create
/// the order without a total" asks for a total.
pub(super) const DO: &[&str] = &[
    "do",
    "create",
    "write",
    "generate",
    "provide",
    "process",
    "produce",
    "perform",
    "share",
    "give",
    "disclose",
    "complete",
    "continue with",
    "proceed with",
    "discuss",
    "answer",
];
pub(super) const THAT: &[&str] = &["that", "this", "such", "content", "it", "these", "those"];

/// What is refused on principle.
pub(super) const ABOUT: &[&str] = &[
    "harmful",
    "illegal",
    "explicit",
    "dangerous",
    "personal information",
    "private information",
    "confidential",
    "medical advice",
    "legal advice",
    "instructions for",
    "instructions on",
];

/// An "I cannot" at the end of its sentence refuses only beside one of these: "Can you see the total? I can't."
pub(super) const APOLOGIES: &[&str] = &["sorry", "apolog", "unfortunately", "i'm afraid"];

/// Behind an "I cannot" these say something else.
pub(super) const IDIOMS: &[&str] =
    &["help but", "help noticing", "help thinking", "support more than"];

/// Who names what is missing does not refuse. Languages share the list.
pub(super) const CONDITIONS: &[&str] = &[
    "without the",
    "without a",
    "without more",
    "without your",
    "without knowing",
    "unless",
    "until",
    "before i",
    " ohne ",
    "bevor",
    " sans ",
    "avant ",
    " sin ",
    "hasta ",
    " senza ",
    " sem ",
    " zonder ",
    " без ",
    "之前",
];

/// Formulas of other languages: what a sentence says first, and one of what it says behind that.
pub(super) const ELSEWHERE: &[(&str, &[&str])] = &[
    // German.
    (
        "kann ",
        &[
            "nicht helfen",
            "nicht weiterhelfen",
            "nicht behilflich",
            "nicht nachkommen",
            "nicht unterstützen",
        ],
    ),
    ("darf ", &["nicht helfen", "nicht weiterhelfen", "nicht unterstützen"]),
    // French.
    (
        "je ne peux",
        &["aider", "assister", "répondre à cette demande", "donner suite", "faire cela"],
    ),
    (
        "je ne suis pas en mesure",
        &["aider", "assister", "répondre à cette demande", "donner suite"],
    ),
    // Spanish.
    (
        "no puedo",
        &["ayudar", "asistir", "cumplir con", "hacer eso", "proporcionar ese", "con esa solicitud"],
    ),
    // Italian.
    ("non posso", &["aiutar", "assister", "soddisfare", "farlo", "fornire questo"]),
    // Portuguese.
    ("não posso", &["ajudar", "auxiliar", "atender", "fazer isso", "fornecer esse"]),
    ("não consigo", &["ajudar", "auxiliar", "atender a"]),
    // Dutch.
    ("kan ", &["niet helpen", "niet mee helpen", "niet bij helpen", "niet aan voldoen"]),
    // Russian.
    ("не могу", &["помочь", "выполнить эт", "выполнить ваш", "предоставить так"]),
    // Chinese.
    ("无法", &["协助", "帮助", "帮您", "帮你", "满足", "提供此类", "提供这类"]),
    ("不能", &["协助", "帮助您", "帮助你", "帮您", "帮你", "提供此类", "提供这类"]),
    // Japanese.
    ("お手伝い", &["できません", "できかねます", "することはできません"]),
    ("お応え", &["できません", "できかねます"]),
    ("ご要望", &["応じられません", "応じることはできません", "添えません"]),
    // Korean.
    ("도와", &["드릴 수 없", "줄 수 없"]),
    ("도움을", &["드릴 수 없"]),
];
