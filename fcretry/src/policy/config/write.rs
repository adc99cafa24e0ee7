//! A policy becomes nodes: what was given, in the order of the reference.

use std::time::Duration;

use super::node::Node;
use crate::{
    cost::Cost,
    duration,
    policy::{Backoff, Rule, Step, data::Data},
};

/// The keys that have a value.
#[derive(Default)]
struct Table(Vec<(String, Node)>);

impl Table {
    fn put(&mut self, key: &str, node: Option<Node>) {
        self.0.extend(node.map(|node| (key.to_owned(), node)));
    }
}

pub(super) fn policy(data: &Data) -> Node {
    // Without `..`, so that a new key is not forgotten here.
    let Data {
        max_attempts,
        timeout,
        first_token,
        idle,
        deadline,
        backoff,
        fallback,
        recovery,
        history,
        max_feedback_chars,
        budget_tokens,
        budget_usd,
        capture_content,
        rules: _,
        unrouted: _,
    } = data;
    let mut table = Table::default();
    table.put("max_attempts", max_attempts.map(|n| Node::Int(n.into())));
    table.put("timeout", timeout.map(time));
    table.put("first_token", first_token.map(time));
    table.put("idle", idle.map(time));
    table.put("deadline", deadline.map(time));
    table.put("backoff", backoff.as_ref().map(self::backoff));
    let mut rules = Table::default();
    for (kind, rule) in data.given_rules() {
        rules.put(kind.as_str(), Some(self::rule(rule)));
    }
    table.put("on", (!rules.0.is_empty()).then_some(Node::Table(rules.0)));
    let models = fallback.iter().map(|model| Node::from(model.as_str())).collect();
    table.put("fallback", (!fallback.is_empty()).then_some(Node::List(models)));
    table.put("recovery", recovery.map(|recovery| recovery.as_str().into()));
    table.put("history", history.map(size));
    table.put("max_feedback_chars", max_feedback_chars.map(size));
    let mut budget = Table::default();
    let usd = budget_usd.and_then(Result::ok).map(Cost::as_usd);
    budget.put("usd", usd.map(Node::Float));
    budget.put("tokens", budget_tokens.map(|n| Node::Int(n.into())));
    table.put("budget", (!budget.0.is_empty()).then_some(Node::Table(budget.0)));
    table.put("capture_content", capture_content.then_some(Node::Bool(true)));
    Node::Table(table.0)
}

fn time(time: Duration) -> Node {
    Node::Text(duration::text(time))
}

fn size(n: usize) -> Node {
    Node::Int(i128::try_from(n).unwrap_or(i128::MAX))
}

fn backoff(backoff: &Backoff) -> Node {
    let Backoff { strategy, base, max, factor, jitter } = *backoff;
    let mut table = Table::default();
    table.put("strategy", Some(strategy.as_str().into()));
    table.put("base", base.map(time));
    table.put("max", max.map(time));
    table.put("factor", factor.map(Node::Float));
    table.put("jitter", jitter.map(|jitter| jitter.as_str().into()));
    Node::Table(table.0)
}

fn rule(rule: &Rule) -> Node {
    let Rule { steps, then, delay_scale, max_tokens, backoff, keep_steps } = rule;
    let mut table = Table::default();
    table.put("delay_scale", delay_scale.map(Node::Float));
    table.put("max_tokens", max_tokens.map(|n| Node::Int(n.into())));
    table.put("backoff", backoff.as_ref().map(self::backoff));
    table.put("then", then.map(|then| then.as_str().into()));
    let modifiers = table.0;
    let mut table = Table::default();
    match steps.as_slice() {
        _ if *keep_steps => {}
        // A rule with no step fails.
        [] => return Step::Fail.as_str().into(),
        [step] if modifiers.is_empty() => return action(*step),
        steps if modifiers.is_empty() => {
            return Node::List(steps.iter().copied().map(action).collect());
        }
        [step] => table.put(step.as_str(), Some(count(*step).unwrap_or(Node::Bool(true)))),
        steps => {
            let actions = steps.iter().copied().map(action).collect();
            table.put("actions", Some(Node::List(actions)));
        }
    }
    table.0.extend(modifiers);
    Node::Table(table.0)
}

fn action(step: Step) -> Node {
    match count(step) {
        None => step.as_str().into(),
        Some(count) => Node::Table(vec![(step.as_str().to_owned(), count)]),
    }
}

fn count(step: Step) -> Option<Node> {
    match step {
        Step::Retry(count) | Step::Resume(count) | Step::Repair(count) => {
            count.map(|n| Node::Int(n.into()))
        }
        Step::Constrain | Step::Fallback | Step::Fail | Step::Escalate => None,
    }
}
