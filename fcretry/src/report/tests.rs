use super::*;
use crate::{
    cost::{Asked, FailureRates},
    policy::Action,
};

fn attempt(number: u32, kind: Option<FailureKind>) -> AttemptReport {
    let action = kind.map(|_| Action::Repair);
    AttemptReport {
        function: "m::f",
        number,
        kind,
        action,
        cost: Some(Cost::ZERO),
        ..AttemptReport::default()
    }
}

fn priced(cost: Option<u64>, tokens: u64) -> AttemptReport {
    let cost = cost.map(Cost::from_picos);
    AttemptReport { cost, usage: Usage::new(tokens, 0), ..attempt(1, None) }
}

fn of(attempts: impl IntoIterator<Item = AttemptReport>) -> Report {
    let mut report = Report::default();
    attempts.into_iter().for_each(|attempt| report.add(attempt));
    report
}

#[test]
fn rates_are_measured_by_how_each_attempt_came_to_be_asked() {
    use FailureKind::{RateLimit, SchemaValidation};
    let at = |number, model: &str, kind: Option<FailureKind>, action| AttemptReport {
        model: Some(model.to_owned()),
        action: kind.map(|_| action),
        ..attempt(number, kind)
    };
    let report = of([
        at(1, "a", Some(SchemaValidation), Action::Repair),
        at(2, "a", Some(RateLimit), Action::Retry),
        // Still with what was wrong.
        at(3, "a", Some(SchemaValidation), Action::Fallback),
        at(4, "b", None, Action::Fail),
        // The next call.
        at(1, "a", None, Action::Fail),
        AttemptReport { action: Some(Action::Fail), ..at(2, "a", None, Action::Fail) },
    ]);
    let mut measured = FailureRates::new();
    measured.observe_report(&report);
    let rate = |model, asked, kind| measured.rate(model, asked, kind);
    assert_eq!(rate("a", Asked::First, SchemaValidation), Some(0.5));
    assert_eq!(rate("a", Asked::Repair, SchemaValidation), Some(0.5));
    assert_eq!(rate("a", Asked::Repair, RateLimit), Some(0.5));
    assert_eq!(rate("b", Asked::First, SchemaValidation), Some(0.0));
}

#[test]
fn an_unknown_price_is_never_nothing() {
    let (free, unknown) = (|| priced(Some(0), 0), || priced(None, 10));
    for (attempts, cost, is_partial) in [
        (vec![free()], Some(0), false),
        (vec![unknown()], None, true),
        (vec![free(), unknown()], None, true),
        (vec![unknown(), free()], None, true),
        (vec![unknown(), priced(Some(5), 1), unknown()], Some(5), true),
        (vec![priced(Some(5), 1), free(), priced(Some(7), 1)], Some(12), false),
    ] {
        let report = of(attempts);
        assert_eq!(report.cost, cost.map(Cost::from_picos));
        assert_eq!(report.cost_partial, is_partial);
    }
}

#[test]
fn the_decision_says_in_a_line_what_a_call_came_to_and_why() {
    use FailureKind::{CircuitOpen, RateLimit, Refusal, SchemaValidation};
    let mut report = of([attempt(1, None)]);
    assert_eq!(report.decision(), "done at attempt 1");
    // Another call before it.
    report = of([
        attempt(1, None),
        attempt(1, Some(SchemaValidation)),
        attempt(2, Some(CircuitOpen)),
        attempt(2, None),
    ]);
    assert_eq!(report.decision(), "done at attempt 2, after schema_validation, circuit_open");
    report = of([attempt(1, Some(RateLimit)), attempt(2, Some(Refusal))]);
    (report.kind, report.stopped_by) = (Some(Refusal), Some(StoppedBy::Rule));
    assert_eq!(report.decision(), "failed at attempt 2 with refusal: the rule is to fail");
    (report.stopped_by, report.degraded) = (Some(StoppedBy::MaxAttempts), true);
    assert_eq!(report.decision(), "degraded at attempt 2 with refusal: no attempt is left");
    (report.kind, report.stopped_by) = (None, Some(StoppedBy::Cancelled));
    assert_eq!(report.decision(), "dropped at attempt 2");
    assert_eq!(Report::default().decision(), "nothing was asked");
}
