//! The function with its body in the loop. Nothing here can fail.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    GenericArgument, Pat, PatIdent, PatType, Path, PathArguments, ReturnType, Signature, Type,
    TypeParamBound,
};

use super::builder;
use super::function::{AttemptArg, Body, Function};
use super::model::Policy;
use crate::krate;

/// The function with its body in the loop.
pub(crate) fn retried(policy: &Policy, function: &Function) -> TokenStream {
    let krate = krate::private(policy.krate.value());
    let Function { attrs, vis, sig, attempts, body } = function;
    let Body { brace, inner_attrs, rest } = body;
    let here = Span::mixed_site();

    let call = builder::call(policy, &sig.ident.unraw().to_string(), !attempts.is_empty(), &krate);
    let attached = builder::attached(policy, &krate);
    // Outside the block, as a parameter would be: what the body's tail borrows outlives the block.
    let attempt = attempts.iter().map(|AttemptArg { arg, is_sound: _ }| {
        let PatType { attrs, pat, colon_token, ty } = arg;
        // Where the type is named, so that another type of that name is reported there.
        let attempt = quote_spanned!(here.located_at(ty.span())=> __round.attempt());
        quote_spanned!(here=> #(#attrs)* let #pat #colon_token #ty = #attempt;)
    });
    let r#async = &sig.asyncness;
    let fake_return = output(sig).map(fake_return);
    // The body in braces of its own: its items, its `use`s and its tail stand as in a function.
    let mut block = TokenStream::new();
    brace.surround(&mut block, |tokens| tokens.extend(rest.clone()));
    // Only as an arm are they not superfluous to rustc, and a label would be one the body could name.
    let block = quote_spanned!(here=> match () { () => #block });
    // The type is written out, so that what it lacks is reported where the user wrote it.
    let output = output(sig).map(erased);

    let settle = match policy.degrade.value() {
        None => quote_spanned!(here=> #krate::settle::<#output>(&mut __call, __driven)),
        Some(path) => {
            quote_spanned!(here=> #krate::settle_or::<#output>(&mut __call, __driven, #path))
        }
    };

    let looped = quote_spanned! {here=>
        let mut __call = #call;
        #attached
        loop {
            let __wait = {
                let __round = __call.begin();
                #(#attempt)*
                let __driven = __round
                    .drive(#r#async {
                        #fake_return
                        #block
                    })
                    .await;
                match #settle {
                    ::core::ops::ControlFlow::Break(__result) => return __result,
                    ::core::ops::ControlFlow::Continue(__wait) => __wait,
                }
            };
            __call.wait(__wait).await;
        }
    };

    let mut tokens = quote!(#(#attrs)* #vis #sig);
    brace.surround(&mut tokens, |tokens| {
        tokens.extend(inner_attrs.clone());
        tokens.extend(looped);
    });
    tokens
}

/// The function as its callers see it, run once: what is emitted beside the mistakes.
pub(crate) fn plain(policy: &Policy, function: &Function) -> TokenStream {
    let krate = krate::private(policy.krate.value());
    let Function { attrs, vis, sig, attempts, body } = function;
    let Body { brace, inner_attrs, rest } = body;
    let attempts = attempts.iter().map(|AttemptArg { arg, is_sound }| {
        let PatType { attrs: _, pat, colon_token: _, ty } = arg;
        // Everything is used, and without an `#[allow]`: a warning would be a second complaint, and
        // an `#[allow]` is one under the user's `#![forbid]`.
        let used = match &**pat {
            Pat::Ident(PatIdent { ident, .. }) => Some(quote!(let _ = #ident;)),
            _ => None,
        };
        let bound = if *is_sound {
            let here = Span::mixed_site().located_at(ty.span());
            let attempt = quote_spanned!(here=> #krate::stub_attempt());
            quote!(let #pat: #ty = #attempt;)
        } else {
            quote! {
                let _: ::core::option::Option<fn(#ty)> = ::core::option::Option::None;
                let #pat = #krate::stub_attempt();
            }
        };
        quote!(#bound #used)
    });
    // The arguments that the policy and the handles are made from are used. It may `.await`.
    let expressions = policy.base.value().into_iter().cloned();
    let expressions = expressions.chain(policy.attached().map(|(_, handle)| handle.clone()));
    let parts = policy.idempotency.value().into_iter().flatten();
    let expressions = expressions.chain(parts.map(ToTokens::to_token_stream));
    let expressions = expressions
        .filter(|_| sig.asyncness.is_some())
        .map(|expression| quote!(let _ = &(#expression);));
    let mut tokens = quote!(#(#attrs)* #vis #sig);
    brace.surround(&mut tokens, |tokens| {
        tokens.extend(inner_attrs.clone());
        tokens.extend(expressions);
        tokens.extend(attempts);
        tokens.extend(rest.clone());
    });
    tokens
}

fn output(sig: &Signature) -> Option<&Type> {
    match &sig.output {
        ReturnType::Type(_, ty) => Some(ty),
        ReturnType::Default => None,
    }
}

/// A statement that returns a value of the declared type but never runs: from it, rustc knows the
/// type that `?`, `return` and the tail of the body are to be coerced to. It is written so that no
/// lint objects: an `#[allow]` would itself be an error under the user's `#![forbid]`.
fn fake_return(output: &Type) -> TokenStream {
    let here = Span::mixed_site().located_at(output.span());
    let output = erased(output);
    quote_spanned! {here=>
        if false {
            fn __never<T>() -> T {
                loop {}
            }
            return __never::<#output>();
        }
    }
}

/// The type with `_` for each `impl Trait`, which cannot stand in an expression.
fn erased(ty: &Type) -> Type {
    let mut ty = ty.clone();
    erase(&mut ty);
    ty
}

fn erase(ty: &mut Type) {
    match ty {
        Type::ImplTrait(_) => {
            *ty = Type::Infer(syn::TypeInfer {
                attrs: Vec::new(),
                underscore_token: syn::Token![_](ty.span()),
            });
        }
        Type::Array(array) => erase(&mut array.elem),
        Type::Group(group) => erase(&mut group.elem),
        Type::Paren(paren) => erase(&mut paren.elem),
        Type::Ptr(ptr) => erase(&mut ptr.elem),
        Type::Reference(reference) => erase(&mut reference.elem),
        Type::Slice(slice) => erase(&mut slice.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(erase),
        Type::Path(path) => erase_arguments(&mut path.path),
        Type::TraitObject(object) => {
            for bound in &mut object.bounds {
                if let TypeParamBound::Trait(bound) = bound {
                    erase_arguments(&mut bound.path);
                }
            }
        }
        // `impl Trait` cannot stand in the others.
        _ => {}
    }
}

fn erase_arguments(path: &mut Path) {
    for segment in &mut path.segments {
        let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else { continue };
        for argument in &mut arguments.args {
            match argument {
                GenericArgument::Type(ty) => erase(ty),
                GenericArgument::AssocType(assoc) => erase(&mut assoc.ty),
                _ => {}
            }
        }
    }
}
