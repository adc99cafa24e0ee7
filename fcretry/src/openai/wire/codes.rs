//! What codes, statuses and, where there is neither, words say.

use crate::failure::FailureKind;

/// Codes that say no more than the status, so that words may. In the form of [`plain`].
const GENERIC: &[&str] = &[
    "invalidrequesterror",
    "invalidrequest",
    "invalidargument",
    "invalidprompt",
    "badrequest",
    "badrequesterror",
    "notfound",
    "notfounderror",
    "failedprecondition",
    "forbidden",
    "error",
    "apierror",
    "failed",
    "unknown",
    "unknownerror",
    "none",
    "null",
];

/// The letters and digits of a code in lower case: `DeploymentNotFound` and `deployment_not_found` are one.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether this is a code, and one that says more than a status: no number, no sentence, nothing generic.
pub(super) fn is_specific(code: &str) -> bool {
    !code.contains(char::is_whitespace)
        && code.parse::<u32>().is_err()
        && !GENERIC.contains(&plain(code).as_str())
}

/// Codes and types that say more than the status. Generic ones (`invalid_request_error`, `api_error`) are left
/// to it: OpenAI sends the first with 400, 401, 403 and 404 alike.
pub(super) fn kind_of_code(code: &str) -> Option<FailureKind> {
    use FailureKind as K;
    Some(match plain(code).as_str() {
        "insufficientquota"
        | "billinghardlimitreached"
        | "billingnotactive"
        | "billingerror"
        | "quotaexceeded"
        | "budgetexceeded"
        | "insufficientbalance"
        | "insufficientcredits"
        | "insufficientuserquota"
        | "exceededcurrentquotaerror"
        | "paymentrequired"
        | "arrearage" => K::QuotaExhausted,
        "ratelimitexceeded"
        | "ratelimiterror"
        | "ratelimitreachederror"
        | "ratelimited"
        | "ratelimit"
        | "toomanyrequests"
        | "resourceexhausted"
        | "throttling"
        | "throttlingexception"
        | "throttlingerror" => K::RateLimit,
        "contentfilter"
        | "contentfiltered"
        | "contentpolicyviolation"
        | "contentpolicyviolationerror"
        | "responsibleaipolicyviolation"
        | "datainspectionfailed" => K::ContentFilter,
        "contextlengthexceeded"
        | "exceedcontextsizeerror"
        | "contextwindowexceeded"
        | "contextwindowexceedederror"
        | "stringabovemaxlength"
        | "requesttoolarge"
        | "payloadtoolarge" => K::ContextOverflow,
        "invalidapikey"
        | "apikeyinvalid"
        | "incorrectapikey"
        | "authenticationerror"
        | "invalidauthenticationerror"
        | "invalidauthentication"
        | "permissionerror"
        | "permissiondenied"
        | "accessdenied"
        | "accessdeniedexception"
        | "unauthenticated"
        | "unauthorized"
        | "accountdeactivated" => K::Auth,
        "modelnotfound" | "modelnotfounderror" | "modelnotexist" | "modelnotavailable"
        | "invalidmodel" | "deploymentnotfound" => K::ModelNotFound,
        "overloadederror"
        | "overloaded"
        | "serveroverloaded"
        | "serverisoverloaded"
        | "engineoverloaded"
        | "engineoverloadederror"
        | "provideroverloaded"
        | "providerunavailable"
        | "servererror"
        | "internalservererror"
        | "internalerror"
        | "serviceunavailable"
        | "serviceunavailableerror"
        | "unavailable"
        | "unavailableerror"
        | "slowdown" => K::ModelOverload,
        "timeouterror" | "deadlineexceeded" => K::Timeout,
        // The server has judged the call itself: what is wrong is what the model wrote.
        "toolusefailed" => K::StructuralParse,
        "jsonvalidatefailed" => K::SchemaValidation,
        _ => return None,
    })
}

/// Where a gateway says in a field of its own what an error is, short words have one meaning.
/// Source: `APIErrorType` and `limit_source` of `OpenRouter`.
pub(super) fn kind_of_gateway_code(code: &str) -> Option<FailureKind> {
    use FailureKind as K;
    Some(match plain(code).as_str() {
        // Requests under way hold the money; it comes back when they end.
        "openrouterinflightbudget" => K::RateLimit,
        "openrouterguardrailbudget"
        | "openrouterworkspacebudget"
        | "openrouterkeylimit"
        | "openroutercredits"
        | "tokenlimitexceeded" => K::QuotaExhausted,
        "authentication" => K::Auth,
        "refusal" => K::Refusal,
        "maxtokensexceeded" => K::Truncated,
        "stringtoolong" => K::ContextOverflow,
        "server" => K::ModelOverload,
        "timeout" => K::Timeout,
        _ => return kind_of_code(code),
    })
}

pub(super) fn kind_of_status(status: u16) -> FailureKind {
    use FailureKind as K;
    match status {
        401 | 403 => K::Auth,
        402 => K::QuotaExhausted,
        408 | 409 | 425 => K::TransientNetwork,
        413 => K::ContextOverflow,
        429 => K::RateLimit,
        501 => K::InvalidRequest,
        500..=599 => K::ModelOverload,
        _ => K::InvalidRequest,
    }
}

/// Where there is no code, a message is all there is. A `status` of `None` was lost, or says that all is well.
pub(super) fn kind_of_words(status: Option<u16>, message: &str) -> Option<FailureKind> {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let kinds: &[(&[u16], &[&str], FailureKind)] = &[
        (&[400, 403, 429], QUOTA, FailureKind::QuotaExhausted),
        (&[400, 403, 422], FILTER, FailureKind::ContentFilter),
        (&[400, 422, 500], OVERFLOW, FailureKind::ContextOverflow),
        (&[400], NO_MODEL, FailureKind::ModelNotFound),
        (&[404], &["model", "no endpoints found"], FailureKind::ModelNotFound),
        (&[400], NO_KEY, FailureKind::Auth),
    ];
    let may_be = |statuses: &[u16]| match status {
        Some(status) => statuses.contains(&status),
        // "Model" alone says nothing without its 404.
        None => statuses.contains(&400),
    };
    kinds
        .iter()
        .find(|(statuses, words, _)| may_be(statuses) && says(words))
        .map(|(_, _, kind)| *kind)
}

/// Links to a billing page are in messages about rates, too: the bare word says nothing.
const QUOTA: &[&str] = &[
    "insufficient balance",
    "insufficient credit",
    "insufficient quota",
    "exceeded your current quota",
    "credit balance is too low",
    "check your plan and billing",
    "used all available credits",
    "spending limit",
    "out of credits",
    "余额不足",
];

const FILTER: &[&str] = &[
    "content management policy",
    "content filter",
    "content_filter",
    "contentpolicyviolation",
    "usage policy",
    "content exists risk",
    "敏感内容",
];

const OVERFLOW: &[&str] = &[
    "context length",
    "context window",
    "contextwindow",
    "context size",
    "maximum context",
    "maximum prompt length",
    "prompt is too long",
    "prompt too long",
    "input is too long",
    "`inputs` tokens",
];

const NO_MODEL: &[&str] = &[
    "model not exist",
    "model does not exist",
    "model not found",
    "no such model",
    "not a valid model",
    "invalid model",
    "unknown model",
];

const NO_KEY: &[&str] =
    &["incorrect api key", "invalid api key", "api key not valid", "no api key"];
