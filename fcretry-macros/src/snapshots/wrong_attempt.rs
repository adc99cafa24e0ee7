async fn extract(email: &str) -> fcretry::Result<Order> {
    let _: ::core::option::Option<fn(Attempt)> = ::core::option::Option::None;
    let attempt = ::fcretry::__private::stub_attempt();
    let _ = attempt;
    attempt.ask(email).await
}
::core::compile_error! {
    "`Attempt` by value is not the body's to have; take `&Attempt`"
}
