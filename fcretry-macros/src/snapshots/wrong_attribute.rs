async fn extract(email: &str) -> fcretry::Result<Order> {
    let attempt: &Attempt = ::fcretry::__private::stub_attempt();
    let _ = attempt;
    attempt.ask(email).await
}
::core::compile_error! {
    "`max_attempts = 0` never asks the model; write `max_attempts = 1` or more"
}
::core::compile_error! {
    "unknown key `timeot`; did you mean `timeout`?"
}
