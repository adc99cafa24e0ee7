use super::*;
use crate::policy::{Backoff, Jitter};

/// Plays a lasting failure against a policy and returns what is decided, until the call stops.
struct Lasting {
    policy: RetryPolicy,
    /// Beside the ask's own model and the policy's, which are at endpoint 0.
    route: Vec<Candidate>,
    seen: Situation,
    steerable: bool,
    time_left: Duration,
}

impl Lasting {
    fn of(kind: FailureKind, policy: RetryPolicy) -> Self {
        Self {
            policy,
            route: Vec::new(),
            seen: Situation {
                kind,
                retry_after: None,
                repeated: false,
                completion_tokens: None,
                turned_down: false,
                may_resend: true,
            },
            steerable: true,
            time_left: Duration::from_secs(180),
        }
    }

    fn run(&self) -> Vec<Decision> {
        let (mut track, mut rng) = (Track::default(), fastrand::Rng::with_seed(1));
        let mut decisions = Vec::new();
        let own = vec![Candidate::default(); 1 + self.policy.fallback().len()];
        let candidates = [own, self.route.clone()].concat();
        for attempts in 1.. {
            let now = Now {
                candidates: &candidates,
                attempts,
                time_left: self.time_left,
                steerable: self.steerable,
            };
            let decision = decide(self.seen, now, &self.policy, &mut track, &mut InOrder, &mut rng);
            decisions.push(decision);
            if decision.stopped_by.is_some() {
                break;
            }
        }
        decisions
    }

    fn actions(&self) -> Vec<Action> {
        self.run().iter().map(|d| d.action).collect()
    }

    /// Where a failure that lasts takes an ask, by the number of the candidate.
    fn way(kind: FailureKind, policy: &RetryPolicy, candidates: &[Candidate]) -> Vec<usize> {
        let (mut track, mut rng) = (Track::default(), fastrand::Rng::with_seed(1));
        let mut way = Vec::new();
        let seen = Situation {
            kind,
            retry_after: None,
            repeated: false,
            completion_tokens: None,
            turned_down: false,
            may_resend: true,
        };
        for attempts in 1.. {
            let time_left = Duration::from_secs(180);
            let now = Now { candidates, attempts, time_left, steerable: true };
            let decision = decide(seen, now, policy, &mut track, &mut InOrder, &mut rng);
            if decision.stopped_by.is_some() {
                break;
            }
            if decision.action == Action::Fallback {
                way.push(track.candidate);
            }
        }
        way
    }
}

fn at(endpoint: u64, context: impl Into<Option<u32>>) -> Candidate {
    Candidate { endpoint, context: context.into(), is_dead: false }
}

fn many_attempts() -> crate::policy::RetryPolicyBuilder {
    RetryPolicy::builder().max_attempts(100)
}

fn plain() -> RetryPolicy {
    many_attempts().build().unwrap()
}

fn with_fallback() -> RetryPolicy {
    many_attempts().fallback("b").build().unwrap()
}

#[test]
fn the_default_rules_are_those_of_the_table() {
    use Action::{Fail, Repair, Retry};
    use FailureKind as K;
    for &kind in FailureKind::ALL {
        let expected: &[Action] = match kind {
            K::StructuralParse | K::SchemaValidation | K::SemanticValidation | K::UnknownTool => {
                &[Repair, Repair, Fail]
            }
            // Fed back once, then forced by name.
            K::NoToolCall => &[Repair, Repair, Fail],
            K::Truncated | K::Timeout => &[Retry, Fail],
            K::RateLimit => &[Retry, Retry, Retry, Fail],
            K::ModelOverload | K::TransientNetwork | K::PartialStream => &[Retry, Retry, Fail],
            _ => &[Fail],
        };
        assert_eq!(Lasting::of(kind, plain()).actions(), expected, "{kind}");
    }
}

#[test]
fn counts_start_again_on_each_model_and_the_last_one_fails() {
    use Action::{Fail, Fallback, Repair, Retry};
    let lasting = |kind| Lasting::of(kind, with_fallback()).actions();
    assert_eq!(
        lasting(FailureKind::SchemaValidation),
        [Repair, Repair, Fallback, Repair, Repair, Fail]
    );
    assert_eq!(lasting(FailureKind::ModelOverload), [Retry, Retry, Fallback, Retry, Retry, Fail]);
    for kind in [FailureKind::Refusal, FailureKind::QuotaExhausted, FailureKind::Application] {
        assert_eq!(lasting(kind), [Fail], "{kind}");
    }
}

#[test]
fn the_last_attempt_goes_to_an_untried_fallback() {
    use Action::{Fail, Fallback, Retry};
    let policy = RetryPolicy::builder().max_attempts(3).fallback("b").build().unwrap();
    assert_eq!(Lasting::of(FailureKind::RateLimit, policy).actions(), [Retry, Fallback, Fail]);

    let stays = RetryPolicy::builder()
        .max_attempts(3)
        .fallback("b")
        .on(FailureKind::RateLimit, Rule::new().retry(2).then(Then::Fail))
        .build()
        .unwrap();
    assert_eq!(Lasting::of(FailureKind::RateLimit, stays).actions(), [Retry, Retry, Fail]);
}

#[test]
fn what_ended_the_call_is_told_apart() {
    let by = |lasting: &Lasting| lasting.run().last().and_then(|d| d.stopped_by);
    let policy = |attempts| RetryPolicy::builder().max_attempts(attempts).build().unwrap();
    let overload = |attempts| Lasting::of(FailureKind::ModelOverload, policy(attempts));
    assert_eq!(by(&overload(2)), Some(StoppedBy::MaxAttempts));
    assert_eq!(by(&overload(9)), Some(StoppedBy::Count));
    assert_eq!(by(&Lasting::of(FailureKind::Auth, plain())), Some(StoppedBy::Rule));
    let late = Lasting { time_left: Duration::ZERO, ..overload(9) };
    assert_eq!(by(&late), Some(StoppedBy::Deadline));
}

#[test]
fn a_repair_does_not_wait_unless_told_to() {
    let waits = |policy| -> Vec<Duration> {
        let lasting = Lasting::of(FailureKind::StructuralParse, policy);
        lasting.run().iter().map(|d| d.delay).collect()
    };
    assert_eq!(waits(plain()), [Duration::ZERO; 3]);
    let told = many_attempts()
        .backoff(Backoff::constant().jitter(Jitter::None))
        .on(FailureKind::StructuralParse, Rule::default_actions().delay_scale(0.5))
        .build()
        .unwrap();
    assert_eq!(waits(told)[..2], [Duration::from_millis(500); 2]);
}

#[test]
fn a_rate_limit_waits_three_times_as_long() {
    let policy =
        many_attempts().backoff(Backoff::exponential().jitter(Jitter::None)).build().unwrap();
    let waits: Vec<_> = Lasting::of(FailureKind::RateLimit, policy)
        .run()
        .iter()
        .map(|d| d.delay.as_secs())
        .collect();
    assert_eq!(waits, [3, 6, 12, 0]);
}

#[test]
fn retry_after_is_never_undercut_and_never_waited_for_in_vain() {
    let told = |secs, time_left, policy| Lasting {
        seen: Situation {
            kind: FailureKind::RateLimit,
            retry_after: Some(Duration::from_secs(secs)),
            repeated: false,
            completion_tokens: None,
            turned_down: false,
            may_resend: true,
        },
        steerable: true,
        time_left: Duration::from_secs(time_left),
        policy,
        route: Vec::new(),
    };
    for decision in &told(40, 180, plain()).run()[..3] {
        assert!((40.0..=44.0).contains(&decision.delay.as_secs_f64()), "{decision:?}");
    }
    let vain = told(300, 90, plain()).run();
    assert_eq!(vain.len(), 1);
    assert_eq!(vain[0].stopped_by, Some(StoppedBy::RetryAfter));
    assert_eq!(told(300, 90, with_fallback()).run()[0].action, Action::Fallback);
    // Longer than anyone waits by default, though the deadline would allow it.
    assert_eq!(told(100, 180, plain()).run()[0].stopped_by, Some(StoppedBy::RetryAfter));
    let patient = many_attempts().backoff(Backoff::default().max(Duration::from_secs(120)));
    assert_eq!(told(100, 180, patient.build().unwrap()).run()[0].action, Action::Retry);
}

#[test]
fn a_wait_past_the_deadline_is_not_begun() {
    let mut lasting = Lasting::of(
        FailureKind::ModelOverload,
        many_attempts().backoff(Backoff::constant().jitter(Jitter::None)).build().unwrap(),
    );
    lasting.time_left = Duration::from_secs(2);
    assert_eq!(lasting.run()[0].stopped_by, Some(StoppedBy::Deadline));
}

#[test]
fn an_answer_that_repeats_itself_is_constrained_and_then_given_up() {
    use Action::{Fail, Repair};
    let mut lasting = Lasting::of(
        FailureKind::SchemaValidation,
        many_attempts().on(FailureKind::SchemaValidation, Rule::new().repair(9)).build().unwrap(),
    );
    assert_eq!(lasting.run().len(), 10);
    lasting.seen.repeated = true;
    assert_eq!(lasting.actions(), [Repair, Fail]);
    assert!(lasting.run()[0].forget);
}

#[test]
fn a_cut_answer_gets_twice_the_limit_and_at_most_four_times_the_first() {
    let limits = |first, came, rule: Rule| -> Vec<Option<u32>> {
        let policy = many_attempts().on(FailureKind::Truncated, rule).build().unwrap();
        let mut track = Track { first_limit: first, ..Track::default() };
        let mut rng = fastrand::Rng::with_seed(1);
        let seen = Situation {
            kind: FailureKind::Truncated,
            retry_after: None,
            repeated: false,
            completion_tokens: came,
            turned_down: false,
            may_resend: true,
        };
        let mut limits = Vec::new();
        for attempts in 1.. {
            let time_left = Duration::from_secs(9);
            let now = Now { candidates: &[], attempts, time_left, steerable: true };
            if decide(seen, now, &policy, &mut track, &mut InOrder, &mut rng).stopped_by.is_some() {
                break;
            }
            limits.push(track.raised_limit);
        }
        limits
    };
    assert_eq!(limits(Some(100), None, Rule::default_actions()), [Some(200)]);
    assert_eq!(limits(Some(100), None, Rule::new().retry(5)), [Some(200), Some(400)]);
    assert_eq!(
        limits(Some(100), None, Rule::new().retry(5).max_tokens(300)),
        [Some(200), Some(300)]
    );
    assert_eq!(limits(None, Some(10), Rule::default_actions()), [Some(4096)]);
    assert_eq!(limits(None, Some(5000), Rule::default_actions()), [Some(10_000)]);
}

#[test]
fn a_function_that_cannot_be_told_is_neither_repaired_nor_moved() {
    let mut lasting = Lasting::of(FailureKind::SchemaValidation, with_fallback());
    lasting.steerable = false;
    assert_eq!(lasting.actions(), [Action::Fail]);
}

#[test]
fn what_is_of_the_account_goes_to_another_endpoint_and_to_no_model_of_this_one() {
    let candidates = [at(1, None), at(1, None), at(1, 9), at(2, None), at(2, None), at(3, None)];
    let told = |kind| many_attempts().on(kind, Rule::new().fallback()).build().unwrap();
    for kind in [FailureKind::Auth, FailureKind::QuotaExhausted] {
        // The last of endpoint 2 is passed over when that one fails in the same way.
        assert_eq!(Lasting::way(kind, &plain(), &candidates), [3, 5], "{kind}");
        assert_eq!(Lasting::way(kind, &told(kind), &candidates), [3, 5], "{kind}");
        assert!(Lasting::way(kind, &plain(), &candidates[..3]).is_empty(), "{kind}");
    }
    // A name that is wrong goes to another model of the endpoint only if the policy says so.
    let kind = FailureKind::ModelNotFound;
    assert_eq!(Lasting::way(kind, &plain(), &candidates), [3, 5]);
    assert_eq!(Lasting::way(kind, &told(kind), &candidates), [1, 2, 3, 4, 5]);
}

#[test]
fn what_is_dead_is_passed_over_whatever_the_failure() {
    let dead = Candidate { is_dead: true, ..at(2, None) };
    let candidates = [at(1, None), dead, at(3, None), dead];
    assert_eq!(Lasting::way(FailureKind::Timeout, &plain(), &candidates), [2]);
}

#[test]
fn a_request_that_is_too_long_goes_where_the_context_is_known_to_be_larger() {
    let kind = FailureKind::ContextOverflow;
    let way = |policy, candidates: &[Candidate]| Lasting::way(kind, &policy, candidates);
    assert_eq!(way(plain(), &[at(1, None), at(1, None), at(2, 8), at(2, 8), at(1, 32)]), [2, 4]);
    assert_eq!(way(plain(), &[at(1, 16), at(2, None), at(2, 8), at(2, 16), at(1, 17)]), [4]);
    // A rule that says so goes where it is not known to be in vain.
    let told = many_attempts().on(kind, Rule::new().fallback()).build().unwrap();
    assert_eq!(way(told, &[at(1, 16), at(2, None), at(2, 8), at(2, 32)]), [1, 3]);
}

#[test]
fn what_did_not_fit_is_remembered_on_the_way() {
    let candidates = [at(1, 16), at(2, 32), at(3, 8), at(4, 64)];
    let (mut track, mut rng) = (Track::default(), fastrand::Rng::with_seed(1));
    let mut next = |kind| {
        let seen = Situation {
            kind,
            retry_after: None,
            repeated: false,
            completion_tokens: None,
            turned_down: false,
            may_resend: true,
        };
        let time_left = Duration::from_secs(180);
        let now = Now { candidates: &candidates, attempts: 1, time_left, steerable: true };
        decide(seen, now, &plain(), &mut track, &mut InOrder, &mut rng);
        track.candidate
    };
    assert_eq!(next(FailureKind::ContextOverflow), 1);
    // The third is at another endpoint, but 8 are not more than 16.
    assert_eq!(next(FailureKind::Auth), 3);
}

#[test]
fn a_route_is_a_fallback_as_the_policy_s_models_are() {
    use Action::{Fail, Fallback, Retry};
    let route = vec![at(2, None)];
    let overload = Lasting { route, ..Lasting::of(FailureKind::ModelOverload, plain()) };
    assert_eq!(overload.actions(), [Retry, Retry, Fallback, Retry, Retry, Fail]);
    let policy = RetryPolicy::builder().max_attempts(3).build().unwrap();
    let limited =
        Lasting { route: vec![at(2, None)], ..Lasting::of(FailureKind::RateLimit, policy) };
    assert_eq!(limited.actions(), [Retry, Fallback, Fail]);
    for kind in [FailureKind::Refusal, FailureKind::InvalidRequest, FailureKind::Application] {
        assert!(Lasting::way(kind, &plain(), &[at(1, None), at(2, None)]).is_empty(), "{kind}");
    }
    for kind in [FailureKind::CircuitOpen, FailureKind::BudgetExhausted] {
        assert_eq!(Lasting::way(kind, &plain(), &[at(1, None), at(1, None)]), [1], "{kind}");
    }
}
