async fn extract(&mut self, b: &mut Attempt) -> &str {
    let _: ::core::option::Option<fn(Attempt)> = ::core::option::Option::None;
    let a = ::fcretry::__private::stub_attempt();
    let _ = a;
    self.0
}
::core::compile_error! {
    "`extract` is not async; write `async fn extract`"
}
::core::compile_error! {
    "`Attempt` by value is not the body's to have; take `&Attempt`"
}
::core::compile_error! {
    "the loop needs `&mut self` again for the next attempt: return an owned value, or take `&self`"
}
