//! Policies from configuration: the words and the rules of the attribute.

mod laws;

use std::time::Duration;

use fcretry::{
    Attempt, Backoff, FailureKind, Jitter, Recovery, RetryPolicy, Rule, Run, Then, retry_policy,
};
use serde::Deserialize;
use serde_json::json;

fn read(text: &str) -> Result<RetryPolicy, serde_json::Error> {
    serde_json::from_str(text)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn the_configuration_takes_and_refuses_what_the_attribute_does() {
    let table = include_str!("../policies.txt");
    let mut right = 0;
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (verdict, rest) = line.split_once(" | ").unwrap();
        let (_, text) = rest.split_once(" | ").unwrap();
        match (verdict.split_once(' ').unwrap_or((verdict, "")), read(text)) {
            (("ok", _), Ok(policy)) => {
                right += 1;
                assert_eq!(ends_at_once(&policy).await, None, "{line}");
                same_when_read_back(&policy);
            }
            (("unrouted", keys), Ok(policy)) => {
                let error = ends_at_once(&policy).await.unwrap_or_default();
                assert!(keys.split('|').any(|key| error.contains(key)), "{line}: {error}");
                same_when_read_back(&policy);
            }
            (("no", keys), Err(error)) => {
                let error = error.to_string();
                assert!(keys.split('|').any(|key| error.contains(key)), "{line}: {error}");
                // One mistake is told once.
                assert!(!error.contains("; `"), "{line}: {error}");
            }
            (_, found) => panic!("{line}: {found:?}"),
        }
    }
    assert!(right > 100, "{right}");
}

/// What a call without a route says is wrong with the policy, if anything.
async fn ends_at_once(policy: &RetryPolicy) -> Option<String> {
    let call = Run::new(policy).run(async |_: &Attempt| -> fcretry::Result<()> { Ok(()) });
    let error = call.await.err()?;
    assert_eq!(error.kind(), FailureKind::InvalidPolicy);
    Some(error.to_string())
}

fn same_when_read_back(policy: &RetryPolicy) {
    let text = serde_json::to_string(policy).unwrap();
    assert_eq!(read(&text).as_ref().ok(), Some(policy), "{text}");
    let value = serde_json::to_value(policy).unwrap();
    assert_eq!(serde_json::from_value::<RetryPolicy>(value).as_ref().ok(), Some(policy), "{text}");
    let toml = toml::to_string(policy).unwrap();
    assert_eq!(toml::from_str::<RetryPolicy>(&toml).as_ref().ok(), Some(policy), "{toml}");
    // What was given is written, and nothing else.
    assert_eq!(serde_json::to_string(&read(&text).unwrap()).unwrap(), text);
}

const TOML: &str = r#"
max_attempts = 6
timeout = "30s"
deadline = "1m30s"
fallback = ["gpt-4o-mini", "deepseek-v3.2"]
recovery = "lenient"

[backoff]
strategy = "exponential"
base = "1s"
max = "20s"
jitter = "equal"

[on]
refusal = "escalate"
rate_limit = { retry = 4, delay_scale = 3.0, then = "fallback" }
timeout = { retry = true, backoff = { strategy = "constant", base = "2s" } }
schema_validation = ["repair", { retry = 1 }, "fallback"]
unknown_tool = { actions = [{ repair = 2 }, "retry"], then = "escalate" }
truncated = { max_tokens = 8192 }
"#;

fn built() -> RetryPolicy {
    RetryPolicy::builder()
        .max_attempts(6)
        .timeout(seconds(30))
        .deadline(seconds(90))
        .fallbacks(["gpt-4o-mini", "deepseek-v3.2"])
        .recovery(Recovery::Lenient)
        .backoff(Backoff::exponential().base(seconds(1)).max(seconds(20)).jitter(Jitter::Equal))
        .on(FailureKind::Refusal, Rule::escalate())
        .on(FailureKind::RateLimit, Rule::new().retry(4).delay_scale(3.0).then(Then::Fallback))
        .on(
            FailureKind::Timeout,
            Rule::new().retry_default().backoff(Backoff::constant().base(seconds(2))),
        )
        .on(FailureKind::SchemaValidation, Rule::new().repair_default().retry(1).fallback())
        .on(FailureKind::UnknownTool, Rule::new().repair(2).retry_default().then(Then::Escalate))
        .on(FailureKind::Truncated, Rule::default_actions().max_tokens(8192))
        .build()
        .unwrap()
}

#[test]
fn toml_json_and_the_builder_say_the_same() {
    let policy: RetryPolicy = toml::from_str(TOML).unwrap();
    assert_eq!(policy, built());
    same_when_read_back(&policy);
    assert_eq!(
        serde_json::to_value(&policy).unwrap(),
        json!({
            "max_attempts": 6,
            "timeout": "30s",
            "deadline": "1m30s",
            "fallback": ["gpt-4o-mini", "deepseek-v3.2"],
            "recovery": "lenient",
            "backoff": {"strategy": "exponential", "base": "1s", "max": "20s", "jitter": "equal"},
            "on": {
                "refusal": "escalate",
                "rate_limit": {"retry": 4, "delay_scale": 3.0, "then": "fallback"},
                "timeout": {"retry": true, "backoff": {"strategy": "constant", "base": "2s"}},
                "schema_validation": ["repair", {"retry": 1}, "fallback"],
                "unknown_tool": {"actions": [{"repair": 2}, "retry"], "then": "escalate"},
                "truncated": {"max_tokens": 8192},
            },
        })
    );
}

#[test]
fn a_policy_is_a_part_of_a_program_s_configuration() {
    #[derive(Deserialize)]
    struct Config {
        retry: RetryPolicy,
        #[serde(flatten)]
        rest: std::collections::BTreeMap<String, RetryPolicy>,
    }
    let config: Config =
        toml::from_str("[retry]\nmax_attempts = 2\n[orders]\n[invoices]\nhistory = 3").unwrap();
    assert_eq!(config.retry.max_attempts(), 2);
    assert_eq!(config.rest["orders"], RetryPolicy::default());
    assert_eq!(config.rest["invoices"].history(), 3);
}

#[test]
fn the_order_of_actions_is_kept_and_never_guessed() {
    let policy =
        |text: &str| toml::from_str::<RetryPolicy>(text).map_err(|error| error.to_string());
    let first = policy("on.unknown_tool = [{ retry = 1 }, \"repair\"]").unwrap();
    let last = policy("on.unknown_tool = [\"repair\", { retry = 1 }]").unwrap();
    assert_ne!(first, last);
    let error = policy("on.unknown_tool = { retry = 1, repair = 2 }").unwrap_err();
    assert!(error.contains("have no order in a table"), "{error}");
    assert!(error.contains("on.unknown_tool.actions = ["), "{error}");
}

#[test]
fn every_fault_is_told_at_once_with_its_key() {
    let error = read(
        r#"{
            "max_attempt": 3,
            "timeout": 30,
            "deadline": "1 minute",
            "history": 99,
            "recovery": "losless",
            "backoff": {"strategy": "linear", "factor": 3.0, "bas": "1s"},
            "fallback": ["a", 7, "a", 8],
            "observer": "PAGER",
            "delay_scale": 2.0,
            "rate_limit": "retry",
            "on": {
                "rate_limt": "retry",
                "refusal": {"retry": 2},
                "timeout": {"rety": 2, "delay_scale": "2", "then": "fallbak"},
                "unknown_tool": ["repeat", {"retry": "three"}, 5, {}],
                "no_tool_call": {"repair": 2, "retry": 2},
                "auth": {"fail": false}
            }
        }"#,
    )
    .unwrap_err()
    .to_string();
    let faults: Vec<_> = error.split("; ").collect();
    for fault in [
        "unknown key `max_attempt`",
        "did you mean `max_attempts`?",
        "`timeout = 30` has no unit",
        "write `\"30s\"` for seconds",
        "`deadline = \"1 minute\"` is not a duration",
        "`history = 99` is not in the range 1 to 20",
        "`recovery = \"losless\"` is unknown",
        "did you mean `recovery = \"lossless\"`?",
        "unknown key `backoff.bas`",
        "did you mean `base`?",
        "`factor` has no effect on `linear`",
        "`fallback = 7` is not a string",
        "`fallback = 8` is not a string",
        "unknown key `observer`",
        "it is no part of a policy: name it in the attribute, or attach it to the `Run`",
        "unknown key `delay_scale`",
        "write it in the rule of a kind, as `on.rate_limit.delay_scale`",
        "unknown key `rate_limit`",
        "write it in `on`, as `on.rate_limit`",
        "unknown key `on.rate_limt`",
        "did you mean `rate_limit`?",
        "`on(refusal)`: `retry` cannot help `refusal`: the same request would only fail again",
        "unknown key `on.timeout.rety`",
        "did you mean `retry`?",
        "`on.timeout.delay_scale = \"2\"` is not a number",
        "`on.timeout.then = \"fallbak\"` is unknown",
        "`on.unknown_tool`: \"repeat\" is no action",
        "`on.unknown_tool.retry = \"three\"` is not an integer",
        "`on.unknown_tool`: `5` is no action",
        "`on.unknown_tool`: an empty table is no action",
        "`repair`, `retry` of `on.no_tool_call` have no order in a table",
        "`on.auth.fail` takes no value",
    ] {
        assert!(faults.iter().any(|found| found.starts_with(fault)), "{fault}\n{faults:#?}");
    }
}

#[test]
fn what_is_no_policy_is_told_so() {
    for (text, fault) in [
        ("[]", "`a policy` is a table of keys, not `[..]`"),
        ("3", "`a policy` is a table of keys, not `3`"),
        (r#"{"on": []}"#, "`on` is a table of keys, not `[..]`"),
        (r#"{"backoff": "linear"}"#, "`backoff` is a table of keys, not `\"linear\"`"),
        (r#"{"timeout": null}"#, "`timeout = null` is not a duration"),
        (r#"{"timeout": "1s", "timeout": "2s"}"#, "`timeout` is given twice; keep one of them"),
        (r#"{"on": {"timeout": 3}}"#, "`on.timeout`: `3` is no action"),
        (r#"{"on": {"timeout": []}}"#, "`on.timeout = []` says nothing to do"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.starts_with(fault), "{text}: {error}");
    }
}

#[tokio::test]
async fn the_attribute_takes_a_policy_that_was_read_and_keys_beside_it() {
    #[retry_policy(policy(policy), max_attempts = 2)]
    async fn fails(attempt: &Attempt, policy: &RetryPolicy) -> fcretry::Result<u32> {
        assert_eq!(attempt.policy().timeout(), seconds(9));
        assert_eq!(attempt.policy().max_attempts(), 2);
        Err(FailureKind::ContentFilter.into())
    }
    let policy = toml::from_str("timeout = \"9s\"\nmax_attempts = 7").unwrap();
    let error = fails(&policy).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::ContentFilter);
    // What was read is all right, and what both say is not.
    let policy = toml::from_str("max_attempts = 7\non.timeout = { retry = 5 }").unwrap();
    let error = fails(&policy).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::InvalidPolicy);
    assert!(error.to_string().contains("`retry = 5`"), "{error}");
}

#[test]
fn the_builder_is_held_to_what_only_it_can_say() {
    let fault = |builder: fcretry::RetryPolicyBuilder| builder.build().unwrap_err().to_string();
    let error = fault(RetryPolicy::builder().timeout(Duration::ZERO).idle(Duration::MAX));
    assert!(error.contains("`timeout = \"0s\"`") && error.contains("`idle = \"720h\"`"), "{error}");
    let nan =
        Rule::new().retry(1).delay_scale(f64::NAN).backoff(Backoff::exponential().factor(f64::NAN));
    let error = fault(RetryPolicy::builder().on(FailureKind::Timeout, nan));
    assert!(error.contains("`delay_scale = NaN`") && error.contains("`factor = NaN`"), "{error}");
    let both = Rule::default_actions().retry(1);
    assert!(fault(RetryPolicy::builder().on(FailureKind::Timeout, both)).contains("Rule::new()"));
    // A rule without a step fails, and is written as one that does.
    let none = RetryPolicy::builder().on(FailureKind::Timeout, Rule::new()).build().unwrap();
    assert_eq!(serde_json::to_string(&none).unwrap(), r#"{"on":{"timeout":"fail"}}"#);
    same_when_read_back(&none);
}

#[test]
fn a_policy_built_from_another_is_held_to_the_same_rules() {
    let base = built();
    let error = base.to_builder().max_attempts(4).build().unwrap_err();
    // 2 repairs, and then the retry of a `retry` that is as good as two.
    assert_eq!(
        error.faults(),
        ["`on(rate_limit)`: `retry = 4` is more than can follow the first of `max_attempts = 4`; \
          write `retry = 3` or less"]
    );
    let error = base.to_builder().deadline(seconds(20)).build().unwrap_err();
    assert!(error.faults()[0].starts_with("`timeout = \"30s\"` of one attempt"), "{error}");
    // The default actions take a rule back.
    let plain = base.to_builder().on(FailureKind::RateLimit, Rule::default_actions());
    let plain = plain.max_attempts(4).build().unwrap();
    assert!(!serde_json::to_string(&plain).unwrap().contains("rate_limit"));
    // What is a default is none given: a shorter deadline takes it along.
    assert!(RetryPolicy::builder().deadline(seconds(20)).build().is_ok());
    assert_eq!(
        RetryPolicy::builder().timeout(seconds(60)).build().unwrap(),
        RetryPolicy::default()
    );
}
