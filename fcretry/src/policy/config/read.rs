//! Nodes become a policy.

use super::{
    node::Node,
    value::{Faults, Key, entries, flag, integer, listed, number, one_of, text, time},
};
use crate::{
    failure::FailureKind,
    parse::Recovery,
    policy::{
        Backoff, InvalidPolicy, Jitter, RetryPolicy, RetryPolicyBuilder, Rule, Step, Strategy,
        Then, keys,
    },
};

pub(super) fn policy(node: &Node) -> Result<RetryPolicy, InvalidPolicy> {
    let mut faults = Faults::default();
    let mut builder = RetryPolicy::builder();
    for (name, node) in entries("", node, keys::POLICY, belongs, &mut faults) {
        builder = set(builder, Key { within: "", name }, node, &mut faults);
    }
    builder.build_after(faults.into_vec())
}

/// Where a key belongs that is none of a policy's own.
fn belongs(name: &str) -> Option<String> {
    if keys::ATTACHED.contains(&name) {
        return Some(
            "it is no part of a policy: name it in the attribute, or attach it to the `Run`"
                .to_owned(),
        );
    }
    if keys::BACKOFF.contains(&name) {
        return Some(format!("write it in `backoff`, as `backoff.{name}`"));
    }
    if keys::BUDGET.contains(&name) {
        return Some(format!("write it in `budget`, as `budget.{name}`"));
    }
    if keys::ACTIONS.contains(&name) || keys::MODIFIERS.contains(&name) {
        return Some(format!("write it in the rule of a kind, as `on.rate_limit.{name}`"));
    }
    name.parse::<FailureKind>().ok().map(|kind| format!("write it in `on`, as `on.{kind}`"))
}

fn set(
    builder: RetryPolicyBuilder,
    key: Key<'_>,
    node: &Node,
    faults: &mut Faults,
) -> RetryPolicyBuilder {
    let unset = builder.clone();
    match key.name {
        "max_attempts" => integer(key, node, faults).map(|n| builder.max_attempts(n)),
        "timeout" => time(key, node, faults).map(|time| builder.timeout(time)),
        "first_token" => time(key, node, faults).map(|time| builder.first_token(time)),
        "idle" => time(key, node, faults).map(|time| builder.idle(time)),
        "deadline" => time(key, node, faults).map(|time| builder.deadline(time)),
        "backoff" => Some(builder.backoff(backoff("backoff.", node, faults))),
        "on" => Some(rules(builder, node, faults)),
        "fallback" => models(key, node, faults).map(|models| builder.fallbacks(models)),
        "recovery" => one_of(key, node, Recovery::ALL, Recovery::as_str, faults)
            .map(|recovery| builder.recovery(recovery)),
        "history" => integer(key, node, faults).map(|n| builder.history(n)),
        "max_feedback_chars" => integer(key, node, faults).map(|n| builder.max_feedback_chars(n)),
        "budget" => Some(budget(builder, key, node, faults)),
        "capture_content" => flag(key, node, faults).map(|is| builder.capture_content(is)),
        _ => None,
    }
    .unwrap_or(unset)
}

fn models(key: Key<'_>, node: &Node, faults: &mut Faults) -> Option<Vec<String>> {
    match node {
        Node::List(nodes) if nodes.is_empty() => {
            faults.say(format!("`{key} = []` names no model; leave it out"));
            None
        }
        Node::List(nodes) => {
            // All of them are read, so that all their faults are told.
            let models: Vec<_> =
                nodes.iter().map(|node| text(key, node, faults).map(str::to_owned)).collect();
            models.into_iter().collect()
        }
        _ => {
            faults.say(format!(
                "`{key}` is a list of models, e.g. `{key} = [\"gpt-4o-mini\"]`, not `{node}`"
            ));
            None
        }
    }
}

fn budget(
    mut builder: RetryPolicyBuilder,
    key: Key<'_>,
    node: &Node,
    faults: &mut Faults,
) -> RetryPolicyBuilder {
    if matches!(node, Node::Table(entries) if entries.is_empty()) {
        faults.say(format!("`{key}` names no limit; write `{key} = {{ usd = 0.05 }}`"));
    }
    let within = format!("{key}.");
    for (name, node) in entries(&within, node, keys::BUDGET, |_| None, faults) {
        let key = Key { within: &within, name };
        let unset = builder.clone();
        builder = match name {
            "usd" => number(key, node, faults).map(|usd| builder.budget_usd(usd)),
            _ => integer(key, node, faults).map(|tokens| builder.budget_tokens(tokens)),
        }
        .unwrap_or(unset);
    }
    builder
}

fn backoff(within: &str, node: &Node, faults: &mut Faults) -> Backoff {
    let mut backoff = Backoff::default();
    for (name, node) in entries(within, node, keys::BACKOFF, |_| None, faults) {
        let key = Key { within, name };
        match name {
            "strategy" => {
                let strategy = one_of(key, node, Strategy::ALL, Strategy::as_str, faults);
                backoff.strategy = strategy.unwrap_or(backoff.strategy);
            }
            "base" => backoff.base = time(key, node, faults),
            "max" => backoff.max = time(key, node, faults),
            "factor" => backoff.factor = number(key, node, faults),
            _ => backoff.jitter = one_of(key, node, Jitter::ALL, Jitter::as_str, faults),
        }
    }
    backoff
}

fn rules(mut builder: RetryPolicyBuilder, node: &Node, faults: &mut Faults) -> RetryPolicyBuilder {
    let kinds: Vec<_> = FailureKind::ALL.iter().map(|kind| kind.as_str()).collect();
    for (name, node) in entries("on.", node, &kinds, |_| None, faults) {
        if let (Ok(kind), Some(rule)) =
            (name.parse(), rule(Key { within: "on.", name }, node, faults))
        {
            builder = builder.on(kind, rule);
        }
    }
    builder
}

/// An action, a list of actions in their order, or a table of one action and what modifies it.
fn rule(key: Key<'_>, node: &Node, faults: &mut Faults) -> Option<Rule> {
    if !matches!(node, Node::Table(_)) {
        return Some(Rule::of_steps(steps(key, node, faults)?));
    }
    let within = format!("{key}.");
    let known = [&["actions"], keys::ACTIONS, keys::MODIFIERS].concat();
    let entries = entries(&within, node, &known, |_| None, faults);
    let is_action = |name: &str| name == "actions" || keys::ACTIONS.contains(&name);
    let acting: Vec<_> = entries.iter().filter(|(name, _)| is_action(name)).collect();
    let rule = match acting.as_slice() {
        [] => {
            if matches!(node, Node::Table(entries) if entries.is_empty()) {
                faults.say(format!(
                    "`{key}` says nothing to do; write e.g. `{key} = {{ retry = 4 }}`"
                ));
            }
            Some(Rule::default_actions())
        }
        [(name, node)] => {
            let key = Key { within: &within, name };
            let steps = match *name {
                "actions" => steps(key, node, faults),
                _ => step(key, Some(node), faults).map(|step| vec![step]),
            };
            steps.map(Rule::of_steps)
        }
        several => {
            let names: Vec<_> = several.iter().map(|(name, _)| *name).collect();
            faults.say(format!(
                "{} of `{key}` have no order in a table; write them as a list, \
                 `{within}actions = [{{ repair = 2 }}, \"retry\"]`",
                listed(&names)
            ));
            None
        }
    };
    // Read also where there is no rule to modify, so that all faults are told.
    let mut modified = rule.clone().unwrap_or_default();
    for (name, node) in entries.iter().filter(|(name, _)| !is_action(name)) {
        modified = modify(modified, Key { within: &within, name }, node, faults);
    }
    rule.map(|_| modified)
}

fn modify(mut rule: Rule, key: Key<'_>, node: &Node, faults: &mut Faults) -> Rule {
    match key.name {
        "delay_scale" => rule.delay_scale = number(key, node, faults),
        "max_tokens" => rule.max_tokens = integer(key, node, faults),
        "backoff" => rule.backoff = Some(backoff(&format!("{key}."), node, faults)),
        _ => rule.then = one_of(key, node, Then::ALL, Then::as_str, faults),
    }
    rule
}

/// The actions of a list, or the one that stands for a list of one.
fn steps(key: Key<'_>, node: &Node, faults: &mut Faults) -> Option<Vec<Step>> {
    let nodes = match node {
        Node::List(nodes) if nodes.is_empty() => {
            faults.say(format!("`{key} = []` says nothing to do; write e.g. `{key} = \"fail\"`"));
            return None;
        }
        Node::List(nodes) => nodes.as_slice(),
        node => std::slice::from_ref(node),
    };
    // All of them are read, so that all their faults are told.
    let steps: Vec<_> = nodes.iter().map(|node| listed_step(key, node, faults)).collect();
    steps.into_iter().collect()
}

/// `"retry"`, or `{ retry = 4 }`.
fn listed_step(key: Key<'_>, node: &Node, faults: &mut Faults) -> Option<Step> {
    let within = format!("{key}.");
    match node {
        Node::Text(name) if keys::ACTIONS.contains(&name.as_str()) => {
            step(Key { within: &within, name }, None, faults)
        }
        Node::Text(name) => {
            let line = match super::meant::closest(name, keys::ACTIONS) {
                Some(meant) => format!("did you mean {meant:?}?"),
                None => format!("the actions are {}", listed(keys::ACTIONS)),
            };
            faults.say(format!("`{key}`: {name:?} is no action; {line}"));
            None
        }
        Node::Table(_) => {
            match entries(&within, node, keys::ACTIONS, |_| None, faults).as_slice() {
                [(name, node)] => step(Key { within: &within, name }, Some(node), faults),
                [] => {
                    if matches!(node, Node::Table(entries) if entries.is_empty()) {
                        faults
                            .say(format!("`{key}`: an empty table is no action; write \"retry\""));
                    }
                    None
                }
                _ => {
                    faults.say(format!(
                        "`{key}`: one action in a table, `{{ retry = 4 }}`, not several"
                    ));
                    None
                }
            }
        }
        _ => {
            faults
                .say(format!("`{key}`: `{node}` is no action; write \"retry\" or {{ retry = 4 }}"));
            None
        }
    }
}

/// The action of this name; `true` is as good as no value.
fn step(key: Key<'_>, node: Option<&Node>, faults: &mut Faults) -> Option<Step> {
    let bare = matches!(node, None | Some(Node::Bool(true)));
    let mut count = |node: Option<&Node>| match node {
        Some(node) if !bare => integer(key, node, faults).map(Some),
        _ => Some(None),
    };
    match key.name {
        "retry" => count(node).map(Step::Retry),
        "resume" => count(node).map(Step::Resume),
        "repair" => count(node).map(Step::Repair),
        _ if !bare => {
            let name = key.name;
            faults.say(format!("`{key}` takes no value; write `{key} = true` or \"{name}\""));
            None
        }
        "fallback" => Some(Step::Fallback),
        "fail" => Some(Step::Fail),
        _ => Some(Step::Escalate),
    }
}
