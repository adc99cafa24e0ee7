//! Which functions can be run again: what is refused here, rustc would refuse in the expansion, in
//! words that name nothing the user wrote.

use quote::ToTokens;
use syn::{
    GenericArgument, Lifetime, Path, PathArguments, Receiver, ReceiverKind, ReturnType, Signature,
    Type, TypeParamBound,
};

use crate::diag::Diag;

/// Whether there is an async body to run; reports why not.
pub(crate) fn can_loop(sig: &Signature, has_body: bool, diag: &mut Diag) -> bool {
    let name = &sig.ident;
    if !has_body {
        diag.error(
            name,
            format!(
                "`{name}` has no body to run again; \
                 write `#[retry_policy]` on the method in the `impl`"
            ),
        );
    } else if sig.asyncness.is_none() {
        let message = if returns_boxed_future(&sig.output) {
            format!(
                "`#[async_trait]` has rewritten `{name}` before `#[retry_policy]` could see it; \
                 move the body to an inherent `async fn` that carries `#[retry_policy]`, \
                 and call that one here"
            )
        } else {
            format!("`{name}` is not async; write `async fn {name}`")
        };
        diag.error(name, message);
    } else {
        return true;
    }
    false
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
    if let Some(lent) = sig.receiver().and_then(Lent::by)
        && let borrow @ Some(_) = lent.in_type(ty)
    {
        diag.error(
            borrow,
            "the loop needs `&mut self` again for the next attempt: \
             return an owned value, or take `&self`",
        );
    }
}

/// What borrows from `&mut self`: everything elided, and the receiver's own lifetime.
struct Lent<'s> {
    name: Option<&'s Lifetime>,
}

impl<'s> Lent<'s> {
    /// The loan of a receiver; `None` if it is not exclusive.
    fn by(receiver: &'s Receiver) -> Option<Self> {
        let (lifetime, mutability) = match &receiver.kind {
            ReceiverKind::Reference(_, lifetime, mutability) => (lifetime, mutability),
            ReceiverKind::Typed(_, ty) => match ungroup(ty) {
                Type::Reference(reference) => (&reference.lifetime, &reference.mutability),
                _ => return None,
            },
            _ => return None,
        };
        mutability.is_some().then_some(Self { name: lifetime.as_ref() })
    }

    fn has(&self, lifetime: &Lifetime) -> bool {
        lifetime.ident == "_" || self.name.is_some_and(|name| name.ident == lifetime.ident)
    }

    /// The first part of the type that borrows.
    fn in_type<'t>(&self, ty: &'t Type) -> Option<&'t dyn ToTokens> {
        match ty {
            Type::Reference(reference) => match &reference.lifetime {
                Some(lifetime) if !self.has(lifetime) => self.in_type(&reference.elem),
                _ => Some(reference),
            },
            Type::Group(group) => self.in_type(&group.elem),
            Type::Paren(paren) => self.in_type(&paren.elem),
            Type::Array(array) => self.in_type(&array.elem),
            Type::Slice(slice) => self.in_type(&slice.elem),
            Type::Ptr(ptr) => self.in_type(&ptr.elem),
            Type::Tuple(tuple) => tuple.elems.iter().find_map(|elem| self.in_type(elem)),
            Type::Path(path) => {
                let in_self = path.qself.as_ref().and_then(|qself| self.in_type(&qself.ty));
                in_self.or_else(|| self.in_path(&path.path))
            }
            Type::ImplTrait(ty) => ty.bounds.iter().find_map(|bound| self.in_bound(bound)),
            Type::TraitObject(ty) => ty.bounds.iter().find_map(|bound| self.in_bound(bound)),
            // What is elided in a function pointer is the pointer's own.
            _ => None,
        }
    }

    fn in_bound<'t>(&self, bound: &'t TypeParamBound) -> Option<&'t dyn ToTokens> {
        match bound {
            TypeParamBound::Lifetime(lifetime) if self.has(lifetime) => Some(lifetime),
            TypeParamBound::Trait(bound) => self.in_path(&bound.path),
            _ => None,
        }
    }

    fn in_path<'t>(&self, path: &'t Path) -> Option<&'t dyn ToTokens> {
        path.segments.iter().find_map(|segment| match &segment.arguments {
            PathArguments::AngleBracketed(arguments) => {
                arguments.args.iter().find_map(|argument| self.in_argument(argument))
            }
            // What is elided in `Fn(&T) -> &U` is bound there.
            PathArguments::Parenthesized(_) | PathArguments::None => None,
        })
    }

    fn in_argument<'t>(&self, argument: &'t GenericArgument) -> Option<&'t dyn ToTokens> {
        match argument {
            GenericArgument::Lifetime(lifetime) if self.has(lifetime) => Some(lifetime),
            GenericArgument::Type(ty) => self.in_type(ty),
            GenericArgument::AssocType(assoc) => self.in_type(&assoc.ty),
            GenericArgument::Constraint(constraint) => {
                constraint.bounds.iter().find_map(|bound| self.in_bound(bound))
            }
            _ => None,
        }
    }
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
    argument_of(ty, "Pin").and_then(|ty| argument_of(ty, "Box")).is_some_and(|ty| {
        matches!(ungroup(ty), Type::TraitObject(object) if object.bounds.iter().any(|bound| {
            matches!(bound, TypeParamBound::Trait(bound)
                if bound.path.segments.last().is_some_and(|segment| segment.ident == "Future"))
        }))
    })
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
