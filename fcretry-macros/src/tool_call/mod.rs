//! `#[derive(ToolCall)]`: read the type and its attributes, check them, emit the impl.

mod emit;
mod model;
pub(crate) mod name;
mod serde_name;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::diag::Diag;

/// Expands `#[derive(ToolCall)] input`.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut diag = Diag::default();
    let input = match syn::parse2::<DeriveInput>(input) {
        Ok(input) => input,
        Err(error) => {
            diag.syntax(error);
            return diag.into_compile_errors();
        }
    };
    let tool = model::read(&input, &mut diag);
    let mut tokens = if diag.is_clean() { emit::tool(&tool) } else { emit::stub(&tool) };
    tokens.extend(diag.into_compile_errors());
    tokens
}

#[cfg(test)]
mod tests;
