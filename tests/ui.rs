//! What a mistake is told, and that what is right compiles. After a change of wording:
//! `TRYBUILD=overwrite cargo test --test ui`, and read the difference.
//!
//! `ui/rustc` holds what the compiler words itself; `rust-toolchain.toml` fixes which compiler that is.

#[test]
fn mistakes_are_told_and_what_is_right_compiles() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/*/pass_*.rs");
    cases.compile_fail("ui/*/fail_*.rs");
}
