/// Extracts.
#[allow(clippy::unused_async)]
pub(crate) async unsafe fn extract<'a, T: Debug, const N: usize>(
    &mut self,
    (a, b): (u8, &'a [T; N]),
    show: impl Fn(&str) -> String,
) -> Result<(Box<dyn Display>, Vec<impl Display>), OrderError>
where
    T: 'a,
{
    #![allow(unused)]
    let mut __call = ::fcretry::__private::Call::of(
        {
            static __POLICY: ::fcretry::__private::StaticPolicy = ::fcretry::__private::StaticPolicy::new(||
            {
                ::fcretry::__private::RetryPolicy::builder()
                    .max_attempts(6u32)
                    .timeout(::core::time::Duration::new(30u64, 0u32))
                    .first_token(::core::time::Duration::new(5u64, 0u32))
                    .idle(::core::time::Duration::new(10u64, 0u32))
                    .deadline(::core::time::Duration::new(90u64, 0u32))
                    .backoff(
                        ::fcretry::__private::Backoff::exponential()
                            .base(::core::time::Duration::new(1u64, 0u32))
                            .max(::core::time::Duration::new(30u64, 0u32))
                            .factor(2f64)
                            .jitter(::fcretry::__private::Jitter::Full),
                    )
                    .on(
                        ::fcretry::__private::FailureKind::RateLimit,
                        ::fcretry::__private::Rule::new()
                            .retry(4u32)
                            .delay_scale(3f64)
                            .then(::fcretry::__private::Then::Fallback),
                    )
                    .on(
                        ::fcretry::__private::FailureKind::Truncated,
                        ::fcretry::__private::Rule::new()
                            .retry_default()
                            .max_tokens(4096u32),
                    )
                    .on(
                        ::fcretry::__private::FailureKind::SchemaValidation,
                        ::fcretry::__private::Rule::new()
                            .repair_default()
                            .retry(1u32)
                            .fallback(),
                    )
                    .on(
                        ::fcretry::__private::FailureKind::Refusal,
                        ::fcretry::__private::Rule::escalate(),
                    )
                    .on(
                        ::fcretry::__private::FailureKind::Auth,
                        ::fcretry::__private::Rule::fail(),
                    )
                    .on(
                        ::fcretry::__private::FailureKind::Timeout,
                        ::fcretry::__private::Rule::default_actions()
                            .backoff(
                                ::fcretry::__private::Backoff::linear()
                                    .base(::core::time::Duration::new(0u64, 500000000u32))
                                    .jitter(::fcretry::__private::Jitter::None),
                            ),
                    )
                    .fallbacks(["gpt-4o-mini", "deepseek-v3.2"])
                    .recovery(::fcretry::__private::Recovery::Lossless)
                    .history(2usize)
                    .max_feedback_chars(2000usize)
                    .budget_usd(0.05f64)
                    .budget_tokens(20000u64)
                    .capture_content(true)
                    .build()
            });
            &__POLICY
        },
        ::core::concat!(::core::module_path!(), "::", "extract"),
        true,
    );
    __call.route(&(self.route));
    __call.prices(&(self.prices));
    __call.adapt(&(LEARNED));
    __call.observer(&(self.observer));
    __call.breaker(&(self.breaker));
    __call.throttle(&(LIMITS));
    __call.retry_budget(&(&self.retries));
    __call
        .idempotency(
            &(
                ::fcretry::__private::part(&(email)),
                ::fcretry::__private::part(&(order.id)),
            ),
        );
    loop {
        let __wait = {
            let __round = __call.begin();
            let mut this: &Try = __round.attempt();
            let __driven = __round
                .drive(async {
                    if false {
                        fn __never<T>() -> T {
                            loop {}
                        }
                        return __never::<
                            Result<(Box<dyn Display>, Vec<_>), OrderError>,
                        >();
                    }
                    match () {
                        () => {
                            let order = this.ask(a).await?;
                            if order.is_empty() {
                                return Err(OrderError::Empty);
                            }
                            Ok((Box::new(order), vec![show("b")]))
                        }
                    }
                })
                .await;
            match ::fcretry::__private::settle_or::<
                Result<(Box<dyn Display>, Vec<_>), OrderError>,
            >(&mut __call, __driven, cached::<T>) {
                ::core::ops::ControlFlow::Break(__result) => return __result,
                ::core::ops::ControlFlow::Continue(__wait) => __wait,
            }
        };
        __call.wait(__wait).await;
    }
}
