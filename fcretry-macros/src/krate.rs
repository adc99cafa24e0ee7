//! Where generated paths start: `::fcretry`, or what `crate = ".."` says.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Path;

/// The runtime crate.
pub(crate) fn root(given: Option<&Path>) -> TokenStream {
    given.map_or_else(|| quote_spanned!(Span::mixed_site()=> ::fcretry), Path::to_token_stream)
}

/// The part of it that only expansions name.
pub(crate) fn private(given: Option<&Path>) -> TokenStream {
    let root = root(given);
    quote_spanned!(Span::mixed_site()=> #root::__private)
}
