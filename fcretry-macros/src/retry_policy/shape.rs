//! Which functions can be run again: what is refused here, rustc would refuse in the expansion, in
//! words that name nothing the user wrote.

use syn::{GenericArgument, PathArguments, ReturnType, Signature, Type, TypeParamBound};

use super::loan;
use crate::diag::Diag;

/// What there is to run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An async body.
    Async,
    /// A body that is not async, and is meant to be.
    NotAsync,
    /// A body that makes a future, whose callers await what it gives already.
    MakesFuture,
    /// What `#[async_trait]` leaves of an async body.
    Rewritten,
    Bodiless,
}

/// The shape of the function; reports why it cannot be run again.
pub(crate) fn of(sig: &Signature, has_body: bool, diag: &mut Diag) -> Shape {
    let name = &sig.ident;
    let (shape, message) = if !has_body {
        let message = format!(
            "`{name}` has no body to run again; write `#[retry_policy]` on the method in the `impl`"
        );
        (Shape::Bodiless, message)
    } else if sig.asyncness.is_some() {
        return Shape::Async;
    } else if returns_boxed_future(&sig.output) {
        let message = format!(
            "`#[async_trait]` has rewritten `{name}` before `#[retry_policy]` could see it; \
             move the body to an inherent `async fn` that carries `#[retry_policy]`, \
             and call that one here"
        );
        (Shape::Rewritten, message)
    } else if returns_opaque_future(&sig.output) {
        let message = format!(
            "`{name}` is not async; write `async fn {name}`, \
             which returns the `Output` of this future"
        );
        (Shape::MakesFuture, message)
    } else {
        (Shape::NotAsync, format!("`{name}` is not async; write `async fn {name}`"))
    };
    diag.error(name, message);
    shape
}

/// Whether the signature lets the body run more than once and fail; reports why not.
pub(crate) fn can_repeat(sig: &Signature, diag: &mut Diag) {
    let name = &sig.ident;
    let message = format!("`{name}` must return a `Result`, e.g. `-> fcretry::Result<..>`");
    let ty = match &sig.output {
        ReturnType::Default => return diag.error(name, message),
        ReturnType::Type(_, ty) => ungroup(ty),
    };
    let is_no_value = match ty {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Never(_) => true,
        _ => false,
    };
    if is_no_value {
        return diag.error(ty, message);
    }
    loan::check(sig, ty, diag);
}

/// Whether a parameter of this type is the attempt: `&Attempt`, or a slip of it.
pub(crate) fn is_attempt(ty: &Type) -> bool {
    let ty = match ungroup(ty) {
        Type::Reference(reference) => ungroup(&reference.elem),
        ty => ty,
    };
    last_segment(ty).is_some_and(|segment| segment.ident == "Attempt")
}

/// Whether this is `Pin<Box<dyn Future<..>>>`, which `#[async_trait]` leaves.
fn returns_boxed_future(output: &ReturnType) -> bool {
    let ReturnType::Type(_, ty) = output else { return false };
    argument_of(ty, "Pin").and_then(|ty| argument_of(ty, "Box")).is_some_and(
        |ty| matches!(ungroup(ty), Type::TraitObject(object) if object.bounds.iter().any(is_future)),
    )
}

/// Whether this is `impl Future<..>`.
fn returns_opaque_future(output: &ReturnType) -> bool {
    let ReturnType::Type(_, ty) = output else { return false };
    matches!(ungroup(ty), Type::ImplTrait(opaque) if opaque.bounds.iter().any(is_future))
}

fn is_future(bound: &TypeParamBound) -> bool {
    matches!(bound, TypeParamBound::Trait(bound)
        if bound.path.segments.last().is_some_and(|segment| segment.ident == "Future"))
}

/// The first type argument of a path that ends in `name`.
fn argument_of<'t>(ty: &'t Type, name: &str) -> Option<&'t Type> {
    let segment = last_segment(ungroup(ty)).filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// The type without invisible groups, which `macro_rules!` puts around a `$ty`, and parentheses.
pub(crate) fn ungroup(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungroup(&group.elem),
        Type::Paren(paren) => ungroup(&paren.elem),
        ty => ty,
    }
}
