//! The expression that builds the policy at run time. Nothing here can fail.

use std::time::Duration;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::spanned::Spanned;

use super::kinds::ActionKind;
use super::model::{Action, Backoff, Budget, Policy, Rule, Strategy};

/// The call of the function `name` under the policy.
pub(crate) fn call(
    policy: &Policy,
    name: &str,
    has_attempt: bool,
    krate: &TokenStream,
) -> TokenStream {
    let here = Span::mixed_site();
    let name = quote_spanned!(here=> ::core::concat!(::core::module_path!(), "::", #name));
    let keys = keys(policy, krate);
    let Some(expression) = policy.base.value() else {
        return quote_spanned! {here=>
            #krate::Call::of(
                {
                    static __POLICY: #krate::StaticPolicy = #krate::StaticPolicy::new(|| {
                        #krate::RetryPolicy::builder() #keys .build()
                    });
                    &__POLICY
                },
                #name,
                #has_attempt,
            )
        };
    };
    let keys = if keys.is_empty() {
        quote_spanned!(here=> ::core::option::Option::None)
    } else {
        quote_spanned!(here=> ::core::option::Option::Some(|__policy| __policy #keys))
    };
    // Where the expression stands, so that one of another type is reported there.
    let policy = quote_spanned! {here.located_at(expression.span())=>
        ::core::borrow::Borrow::<#krate::RetryPolicy>::borrow(&(#expression))
    };
    quote_spanned! {here=>
        #krate::Call::with_policy(
            #policy,
            #keys,
            #name,
            #has_attempt,
        )
    }
}

/// A statement for each handle that is attached to the call. The expressions are evaluated here, once.
pub(crate) fn attached(policy: &Policy, krate: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    let mut tokens = TokenStream::new();
    for (key, expression) in policy.attached() {
        let method = Ident::new(&key.to_string(), here);
        // Where the expression stands, so that one of another type is reported there.
        let argument = quote_spanned!(here.located_at(expression.span())=> &(#expression));
        tokens.extend(quote_spanned!(here=> __call.#method(#argument);));
    }
    if let Some(parts) = policy.idempotency.value() {
        // Each where it stands, so that one that cannot be serialized is reported there.
        let parts = parts
            .iter()
            .map(|part| quote_spanned!(here.located_at(part.span())=> #krate::part(&(#part))));
        tokens.extend(quote_spanned!(here=> __call.idempotency(&(#(#parts,)*));));
    }
    tokens
}

/// A method of the builder for each key that was given.
fn keys(policy: &Policy, krate: &TokenStream) -> TokenStream {
    // Without `..`, so that a new key is not forgotten here.
    let Policy {
        max_attempts,
        timeout,
        first_token,
        idle,
        deadline,
        backoff,
        rules,
        fallback,
        route: _,
        recovery,
        history,
        max_feedback_chars,
        budget,
        prices: _,
        capture_content,
        adapt: _,
        degrade: _,
        observer: _,
        breaker: _,
        throttle: _,
        retry_budget: _,
        idempotency: _,
        base: _,
        krate: _,
        is_partial: _,
    } = policy;
    let here = Span::mixed_site();
    let mut tokens = TokenStream::new();
    let mut call = |method: &str, argument: TokenStream| {
        let method = Ident::new(method, here);
        tokens.extend(quote_spanned!(here=> .#method(#argument)));
    };
    if let Some(max) = max_attempts.value() {
        call("max_attempts", Literal::u32_suffixed(max.value).into_token_stream());
    }
    if let Some(time) = timeout.value() {
        call("timeout", duration(time.value));
    }
    if let Some(time) = first_token.value() {
        call("first_token", duration(time.value));
    }
    if let Some(time) = idle.value() {
        call("idle", duration(time.value));
    }
    if let Some(time) = deadline.value() {
        call("deadline", duration(time.value));
    }
    if let Some(backoff) = backoff.value() {
        call("backoff", self::backoff(backoff, krate));
    }
    for rule in rules {
        if let Some((_, kind)) = &rule.kind {
            let variant = Ident::new(kind.variant, here);
            let rule = self::rule(rule, krate);
            call("on", quote_spanned!(here=> #krate::FailureKind::#variant, #rule));
        }
    }
    if let Some(models) = fallback.value() {
        call("fallbacks", quote_spanned!(here=> [#(#models),*]));
    }
    if let Some(recovery) = recovery.value() {
        call("recovery", variant(krate, "Recovery", recovery.variant()));
    }
    if let Some(history) = history.value() {
        call("history", usize_of(history.value));
    }
    if let Some(chars) = max_feedback_chars.value() {
        call("max_feedback_chars", usize_of(chars.value));
    }
    if let Some(Budget { usd, tokens }) = budget.value() {
        if let Some(usd) = usd.value() {
            call("budget_usd", Literal::f64_suffixed(usd.value).into_token_stream());
        }
        if let Some(tokens) = tokens.value() {
            call("budget_tokens", Literal::u64_suffixed(tokens.value.into()).into_token_stream());
        }
    }
    if capture_content.is_given() {
        call("capture_content", quote_spanned!(here=> true));
    }
    tokens
}

fn backoff(backoff: &Backoff, krate: &TokenStream) -> TokenStream {
    let Backoff { strategy, base, max, factor, jitter } = backoff;
    let here = Span::mixed_site();
    let strategy = strategy.value().copied().unwrap_or(Strategy::Exponential);
    let strategy = Ident::new(&strategy.variant().to_ascii_lowercase(), here);
    let base = base.value().map(|time| duration(time.value)).into_iter();
    let max = max.value().map(|time| duration(time.value)).into_iter();
    let factor = factor.value().map(|factor| Literal::f64_suffixed(factor.value)).into_iter();
    let jitter =
        jitter.value().map(|jitter| variant(krate, "Jitter", jitter.variant())).into_iter();
    quote_spanned! {here=>
        #krate::Backoff::#strategy()
            #(.base(#base))*
            #(.max(#max))*
            #(.factor(#factor))*
            #(.jitter(#jitter))*
    }
}

fn rule(rule: &Rule, krate: &TokenStream) -> TokenStream {
    let Rule { key: _, kind: _, actions, delay_scale, max_tokens, backoff, then, is_partial: _ } =
        rule;
    let here = Span::mixed_site();
    let start = match actions.as_slice() {
        [] => quote_spanned!(here=> #krate::Rule::default_actions()),
        [Action { what: ActionKind::Fail, .. }] => quote_spanned!(here=> #krate::Rule::fail()),
        [Action { what: ActionKind::Escalate, .. }] => {
            quote_spanned!(here=> #krate::Rule::escalate())
        }
        actions => {
            let actions = actions.iter().map(|Action { key: _, what, count }| match count {
                Some(count) => {
                    let method = Ident::new(what.name(), here);
                    let count = Literal::u32_suffixed(count.value);
                    quote_spanned!(here=> .#method(#count))
                }
                None if what.asks_again() => {
                    let method = format_ident!("{}_default", what.name(), span = here);
                    quote_spanned!(here=> .#method())
                }
                None => {
                    let method = Ident::new(what.name(), here);
                    quote_spanned!(here=> .#method())
                }
            });
            quote_spanned!(here=> #krate::Rule::new() #(#actions)*)
        }
    };
    let scale = delay_scale.value().map(|scale| Literal::f64_suffixed(scale.value)).into_iter();
    let tokens = max_tokens.value().map(|max| Literal::u32_suffixed(max.value)).into_iter();
    let backoff = backoff.value().map(|backoff| self::backoff(backoff, krate)).into_iter();
    let then = then.value().map(|then| variant(krate, "Then", then.variant())).into_iter();
    quote_spanned! {here=>
        #start
            #(.delay_scale(#scale))*
            #(.max_tokens(#tokens))*
            #(.backoff(#backoff))*
            #(.then(#then))*
    }
}

fn variant(krate: &TokenStream, ty: &str, variant: &str) -> TokenStream {
    let here = Span::mixed_site();
    let (ty, variant) = (Ident::new(ty, here), Ident::new(variant, here));
    quote_spanned!(here=> #krate::#ty::#variant)
}

fn duration(time: Duration) -> TokenStream {
    let seconds = Literal::u64_suffixed(time.as_secs());
    let nanos = Literal::u32_suffixed(time.subsec_nanos());
    quote_spanned!(Span::mixed_site()=> ::core::time::Duration::new(#seconds, #nanos))
}

fn usize_of(value: u32) -> TokenStream {
    // The ranges of the attribute fit an usize everywhere.
    Literal::usize_suffixed(usize::try_from(value).unwrap_or(usize::MAX)).into_token_stream()
}
