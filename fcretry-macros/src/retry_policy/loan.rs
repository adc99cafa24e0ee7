//! What the return type borrows from an argument that the body has exclusively: the loop needs that
//! argument again for the next attempt, so it cannot be lent to the caller.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    FnArg, GenericArgument, Lifetime, Pat, Path, PathArguments, ReceiverKind, Signature, Type,
    TypeParamBound,
};

use super::shape::ungroup;
use crate::diag::Diag;

/// Refuses a return type `output` that borrows from a `&mut` argument.
pub(crate) fn check(sig: &Signature, output: &Type, diag: &mut Diag) {
    for input in &sig.inputs {
        let Some(lent) = Lent::by(input, sig) else { continue };
        if let borrow @ Some(_) = find(output, &mut |lifetime| lent.has(lifetime)) {
            diag.error(borrow, message(input));
            return;
        }
    }
}

/// An exclusive reference among the arguments.
struct Lent<'s> {
    name: Option<&'s Lifetime>,
    /// Whether what is elided in the return type borrows from it.
    is_elided: bool,
}

impl<'s> Lent<'s> {
    /// The loan of an argument; `None` if there is none, or if what is returned with its lifetime may
    /// as well be from elsewhere.
    fn by(input: &'s FnArg, sig: &'s Signature) -> Option<Self> {
        let (lifetime, mutability) = reference(input)?;
        mutability.as_ref()?;
        let name = lifetime.as_ref().filter(|name| name.ident != "_");
        if name.is_some_and(|name| name.ident == "static" || is_shared(name, input, sig)) {
            return None;
        }
        let is_elided = match input {
            FnArg::Receiver(_) => true,
            FnArg::Typed(_) => {
                sig.receiver().is_none_or(|receiver| !borrows_self(&receiver.kind))
                    && lifetimes(sig) == 1
            }
        };
        Some(Self { name, is_elided })
    }

    fn has(&self, lifetime: Option<&Lifetime>) -> bool {
        match lifetime {
            None => self.is_elided,
            Some(lifetime) => self.name.is_some_and(|name| name.ident == lifetime.ident),
        }
    }
}

fn message(input: &FnArg) -> String {
    match input {
        FnArg::Receiver(_) => "the loop needs `&mut self` again for the next attempt: \
                               return an owned value, or take `&self`"
            .to_owned(),
        FnArg::Typed(arg) => {
            let name = match &*arg.pat {
                Pat::Ident(pat) => format!("`{}`", pat.ident),
                _ => "this argument".to_owned(),
            };
            format!(
                "the loop needs {name} again for the next attempt: \
                 return an owned value, or take it by `&` instead of `&mut`"
            )
        }
    }
}

type Reference<'s> = (&'s Option<Lifetime>, &'s Option<syn::Token![mut]>);

/// What the argument is a reference by, if it is one.
fn reference(input: &FnArg) -> Option<Reference<'_>> {
    let ty = match input {
        FnArg::Receiver(receiver) => match &receiver.kind {
            ReceiverKind::Reference(_, lifetime, mutability) => {
                return Some((lifetime, mutability));
            }
            ReceiverKind::Typed(_, ty) => ty,
            _ => return None,
        },
        FnArg::Typed(arg) => &arg.ty,
    };
    match ungroup(ty) {
        Type::Reference(reference) => Some((&reference.lifetime, &reference.mutability)),
        _ => None,
    }
}

/// Whether what is elided in the return type is the receiver's.
fn borrows_self(receiver: &ReceiverKind) -> bool {
    match receiver {
        ReceiverKind::Reference(..) => true,
        ReceiverKind::Typed(_, ty) => find(ty, &mut |_| true).is_some(),
        _ => false,
    }
}

/// How many lifetimes the arguments have, each elided one being one of its own.
fn lifetimes(sig: &Signature) -> usize {
    let mut elided = 0;
    let mut named = BTreeSet::new();
    for input in &sig.inputs {
        if let FnArg::Typed(arg) = input {
            let _ = find(&arg.ty, &mut |lifetime| {
                match lifetime {
                    None => elided += 1,
                    Some(lifetime) => {
                        named.insert(lifetime.ident.to_string());
                    }
                }
                false
            });
        }
    }
    elided + named.len()
}

/// Whether something beside `input` has the lifetime or outlives it.
fn is_shared(name: &Lifetime, input: &FnArg, sig: &Signature) -> bool {
    let others = sig.inputs.iter().filter(|other| !std::ptr::eq(*other, input));
    let generics = &sig.generics;
    let declared = generics.lifetimes().filter(|it| it.lifetime.ident == name.ident).count();
    let bounds = mentions(&generics.params, name) + mentions(&generics.where_clause, name);
    bounds > declared || others.map(|other| mentions(other, name)).sum::<usize>() > 0
}

/// How often the tokens name the lifetime.
pub(crate) fn mentions(tokens: impl ToTokens, name: &Lifetime) -> usize {
    fn count(tokens: TokenStream, name: &Lifetime) -> usize {
        let mut after_quote = false;
        let mut found = 0;
        for token in tokens {
            match &token {
                TokenTree::Ident(ident) if after_quote && *ident == name.ident => found += 1,
                TokenTree::Group(group) => found += count(group.stream(), name),
                _ => {}
            }
            after_quote = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
        }
        found
    }
    count(tokens.into_token_stream(), name)
}

/// The first part of the type with a lifetime that is `wanted`; `None` is an elided one.
fn find<'t>(
    ty: &'t Type,
    wanted: &mut dyn FnMut(Option<&Lifetime>) -> bool,
) -> Option<&'t dyn ToTokens> {
    match ty {
        Type::Reference(reference) => {
            if is(reference.lifetime.as_ref(), wanted) {
                Some(reference)
            } else {
                find(&reference.elem, wanted)
            }
        }
        Type::Group(group) => find(&group.elem, wanted),
        Type::Paren(paren) => find(&paren.elem, wanted),
        Type::Array(array) => find(&array.elem, wanted),
        Type::Slice(slice) => find(&slice.elem, wanted),
        Type::Ptr(ptr) => find(&ptr.elem, wanted),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(|elem| find(elem, wanted)),
        Type::Path(path) => {
            let in_self = path.qself.as_ref().and_then(|qself| find(&qself.ty, wanted));
            in_self.or_else(|| in_path(&path.path, wanted))
        }
        Type::ImplTrait(ty) => ty.bounds.iter().find_map(|bound| in_bound(bound, wanted)),
        Type::TraitObject(ty) => ty.bounds.iter().find_map(|bound| in_bound(bound, wanted)),
        // What is elided in a function pointer is the pointer's own.
        _ => None,
    }
}

fn is(lifetime: Option<&Lifetime>, wanted: &mut dyn FnMut(Option<&Lifetime>) -> bool) -> bool {
    wanted(lifetime.filter(|lifetime| lifetime.ident != "_"))
}

fn in_bound<'t>(
    bound: &'t TypeParamBound,
    wanted: &mut dyn FnMut(Option<&Lifetime>) -> bool,
) -> Option<&'t dyn ToTokens> {
    match bound {
        TypeParamBound::Lifetime(lifetime) if is(Some(lifetime), wanted) => Some(lifetime),
        TypeParamBound::Trait(bound) => in_path(&bound.path, wanted),
        _ => None,
    }
}

fn in_path<'t>(
    path: &'t Path,
    wanted: &mut dyn FnMut(Option<&Lifetime>) -> bool,
) -> Option<&'t dyn ToTokens> {
    path.segments.iter().find_map(|segment| match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().find_map(|argument| in_argument(argument, wanted))
        }
        // What is elided in `Fn(&T) -> &U` is bound there.
        PathArguments::Parenthesized(_) | PathArguments::None => None,
    })
}

fn in_argument<'t>(
    argument: &'t GenericArgument,
    wanted: &mut dyn FnMut(Option<&Lifetime>) -> bool,
) -> Option<&'t dyn ToTokens> {
    match argument {
        GenericArgument::Lifetime(lifetime) if is(Some(lifetime), wanted) => Some(lifetime),
        GenericArgument::Type(ty) => find(ty, wanted),
        GenericArgument::AssocType(assoc) => find(&assoc.ty, wanted),
        GenericArgument::Constraint(constraint) => {
            constraint.bounds.iter().find_map(|bound| in_bound(bound, wanted))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;

    use crate::retry_policy::expand;
    use crate::testing::{mistakes, tokens};

    fn mistakes_of(item: &str) -> Vec<String> {
        mistakes(expand(TokenStream::new(), tokens(item)))
    }

    #[test]
    fn a_return_type_may_hold_references_that_are_not_the_receivers() {
        for output in [
            "&'static str",
            "&'b str",
            "Box<dyn Fn(&str) -> &str>",
            "fn(&u8) -> &u8",
            "Order",
            "impl Iterator<Item = &'b u8> + 'b",
        ] {
            let item = format!(
                "async fn extract<'a, 'b>(&'a mut self, b: &'b str) -> Result<{output}> {{ x }}"
            );
            assert_eq!(mistakes_of(&item), Vec::<String>::new(), "{output}");
            let item = item.replace("&'a mut self", "self: &'a mut Self");
            assert_eq!(mistakes_of(&item), Vec::<String>::new(), "{output}");
        }
        for output in ["&str", "&'a str", "Guard<'_>", "Vec<(u8, &[u8])>", "impl Display + '_"] {
            for receiver in ["&'a mut self", "self: &'a mut Self"] {
                let item = format!("async fn extract<'a>({receiver}) -> Result<{output}> {{ x }}");
                assert_eq!(mistakes_of(&item).len(), 1, "{item}");
                let shared = item.replace(" mut", "");
                assert_eq!(mistakes_of(&shared).len(), 0, "{shared}");
            }
        }
        // What may be borrowed from another argument.
        for item in [
            "async fn extract<'a>(&'a mut self, text: &'a str) -> Result<&'a str> { x }",
            "async fn extract<'a, 'b: 'a>(&'a mut self, text: &'b str) -> Result<&'a str> { x }",
            "async fn extract<'a, T: Show + 'a>(&'a mut self, it: T) -> Result<Box<dyn Show + 'a>> { x }",
            "async fn extract(&self, buffer: &mut String) -> Result<&str> { x }",
            "async fn extract<'a>(buffer: &mut String, text: &'a str) -> Result<&'a str> { x }",
            "async fn extract<'a>(all: &mut Vec<&'a str>) -> Result<&'a str> { x }",
            "async fn extract(buffer: &mut String) -> Result<Box<dyn Fn(&str) -> &str>> { x }",
        ] {
            assert_eq!(mistakes_of(item), Vec::<String>::new(), "{item}");
        }
    }

    #[test]
    fn what_an_exclusive_argument_lends_is_refused_by_its_name() {
        let message = "the loop needs `buffer` again for the next attempt: \
                       return an owned value, or take it by `&` instead of `&mut`";
        for item in [
            "async fn extract(buffer: &mut String) -> Result<&str> { x }",
            "async fn extract(n: u8, buffer: &mut String, attempt: &Attempt) -> Result<&str> { x }",
            "async fn extract<'a>(buffer: &'a mut String, text: &str) -> Result<&'a str> { x }",
            "async fn extract<'a>(buffer: &'a mut String) -> Result<Guard<'_>> { x }",
            "async fn extract(self, buffer: &mut String) -> Result<impl Show + '_> { x }",
        ] {
            assert_eq!(mistakes_of(item), [message], "{item}");
        }
    }
}
