//! `#[retry_policy(..)]`: read the attribute and the function, check them together, emit the loop.

mod builder;
mod check;
mod emit;
mod function;
pub(crate) mod kinds;
mod loan;
mod model;
mod shape;
mod syntax;

use proc_macro2::TokenStream;

use self::function::Target;
use crate::diag::Diag;

/// Expands `#[retry_policy(attr)] item`.
pub(crate) fn expand(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::default();
    let policy = syntax::read(attr, &mut diag);
    let target = function::read(item, &mut diag);
    let function = match &target {
        Target::Function(function) => Some(&**function),
        Target::Other(_) => None,
    };
    check::check(&policy, function, &mut diag);
    let mut tokens = match target {
        Target::Function(function) if diag.is_clean() => emit::retried(&policy, &function),
        // The function first, so that no mistake here makes a second one where it is used.
        Target::Function(function) => emit::plain(&policy, &function),
        Target::Other(tokens) => tokens,
    };
    tokens.extend(diag.into_compile_errors());
    tokens
}

#[cfg(test)]
mod tests;
