fn extract(&mut self, a: Attempt, b: &mut Attempt) -> &str {
    self.0
}
::core::compile_error! {
    "`extract` is not async; write `async fn extract`"
}
::core::compile_error! {
    "`Attempt` by value is not the body's to have; take `&Attempt`"
}
