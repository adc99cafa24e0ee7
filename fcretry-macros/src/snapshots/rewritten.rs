fn extract<'life0, 'async_trait>(
    email: &'life0 str,
) -> Pin<Box<dyn Future<Output = fcretry::Result<u32>> + Send + 'async_trait>>
where
    'life0: 'async_trait,
{
    let _: ::core::option::Option<fn(&Attempt)> = ::core::option::Option::None;
    let attempt = ::fcretry::__private::stub_attempt();
    let _ = attempt;
    Box::pin(async move { attempt.ask(email).await })
}
::core::compile_error! {
    "`#[async_trait]` has rewritten `extract` before `#[retry_policy]` could see it; move the body to an inherent `async fn` that carries `#[retry_policy]`, and call that one here"
}
