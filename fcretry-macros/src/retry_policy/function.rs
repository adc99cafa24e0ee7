//! The annotated function: its signature is read, its body is kept as the tokens it is.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, FnArg, GenericParam, Pat, PatType, Signature, Token, Type, Visibility,
    WherePredicate, token,
};

use super::loan;
use super::shape::{self, Shape};
use crate::diag::Diag;

/// A function that can carry the attribute, or one that is close enough to be kept.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    /// The public signature: without the attempt.
    pub(crate) sig: Signature,
    /// The parameter for the attempt. More than one is a mistake, but each is bound in the body
    /// that is kept.
    pub(crate) attempts: Vec<AttemptArg>,
    pub(crate) body: Body,
}

/// The parameter `attempt: &Attempt`.
pub(crate) struct AttemptArg {
    /// Without `#[attempt]`.
    pub(crate) arg: PatType,
    /// Whether the type is one that the attempt can be bound with.
    pub(crate) is_sound: bool,
}

/// `{ .. }`
pub(crate) struct Body {
    pub(crate) brace: token::Brace,
    /// The `#![..]` at its start, which are allowed only at the start of a function.
    pub(crate) inner_attrs: TokenStream,
    pub(crate) rest: TokenStream,
}

/// What the attribute was put on.
pub(crate) enum Target {
    Function(Box<Function>),
    /// Something that cannot carry it, as its users see it.
    Other(TokenStream),
}

/// Reads the annotated item.
pub(crate) fn read(item: TokenStream, diag: &mut Diag) -> Target {
    let raw = match syn::parse2::<Raw>(item.clone()) {
        Ok(raw) => raw,
        Err(error) => {
            not_a_function(&item, error, diag);
            return Target::Other(item);
        }
    };
    let Raw { attrs, vis, sig, body } = raw;
    let (attrs, second) = split_attrs(attrs, "retry_policy");
    for attr in &second {
        let message = "`#[retry_policy]` stands twice on this function, and its loops would \
                       multiply; keep one of them";
        diag.error(attr, message);
    }
    let shape = shape::of(&sig, body.is_some(), diag);
    let (mut sig, mut attempts) = if shape == Shape::Rewritten {
        // Its parameters are not as the user wrote them: nothing is to be said of them.
        take_attempts(sig, &mut Diag::default())
    } else {
        take_attempts(sig, diag)
    };
    match shape {
        Shape::Async => shape::can_repeat(&sig, diag),
        Shape::NotAsync => {
            shape::can_repeat(&sig, diag);
            // As it is meant: its callers await it.
            if sig.constness.is_none() {
                sig.asyncness = Some(Token![async](sig.fn_token.span));
            }
        }
        Shape::Rewritten => {
            for attempt in &mut attempts {
                forget_lifetime(&mut attempt.arg, &mut sig);
            }
        }
        Shape::MakesFuture | Shape::Bodiless => {}
    }
    match body {
        Some(body) => Target::Function(Box::new(Function { attrs, vis, sig, attempts, body })),
        None => Target::Other(quote!(#(#attrs)* #vis #sig;)),
    }
}

/// Takes from the signature the lifetime that `#[async_trait]` gave the attempt alone.
fn forget_lifetime(attempt: &mut PatType, sig: &mut Signature) {
    let Type::Reference(reference) = &mut *attempt.ty else { return };
    let Some(name) = reference.lifetime.take() else { return };
    if loan::mentions(&sig.inputs, &name) > 0 {
        return;
    }
    sig.generics
        .params
        .retain(|it| !matches!(it, GenericParam::Lifetime(it) if it.lifetime == name));
    if let Some(clause) = &mut sig.generics.where_clause {
        clause
            .predicates
            .retain(|it| !matches!(it, WherePredicate::Lifetime(it) if it.lifetime == name));
    }
}

fn not_a_function(item: &TokenStream, error: syn::Error, diag: &mut Diag) {
    // Where an item's own keyword has been: what follows may name `fn` as a type.
    let is_past_keyword = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => matches!(punct.as_char(), '=' | ':' | ';'),
        _ => false,
    };
    // A function of a syntax that is newer than the parser, or of none.
    let is_function = item
        .clone()
        .into_iter()
        .take_while(|token| !is_past_keyword(token))
        .any(|token| matches!(token, TokenTree::Ident(ident) if ident == "fn"));
    if is_function {
        diag.syntax(error);
        return;
    }
    let after_attrs = |input: ParseStream| {
        Attribute::parse_outer(input)?;
        input.parse::<Visibility>()?;
        input.parse::<TokenStream>()
    };
    let rest = syn::parse::Parser::parse2(after_attrs, item.clone()).unwrap_or_default();
    let first = rest.into_iter().next().map_or_else(|| item.clone(), TokenStream::from);
    diag.error(first, "`#[retry_policy]` goes on an `async fn`");
}

/// A function with its body unread.
struct Raw {
    attrs: Vec<Attribute>,
    vis: Visibility,
    sig: Signature,
    body: Option<Body>,
}

impl Parse for Raw {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        let body = if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            None
        } else {
            let content;
            let brace = syn::braced!(content in input);
            let inner_attrs = content.call(Attribute::parse_inner)?;
            let mut inner = TokenStream::new();
            inner.append_all(&inner_attrs);
            Some(Body { brace, inner_attrs: inner, rest: content.parse()? })
        };
        Ok(Self { attrs, vis, sig, body })
    }
}

/// The attributes without and with the name `name` at the end of their path.
fn split_attrs(attrs: Vec<Attribute>, name: &str) -> (Vec<Attribute>, Vec<Attribute>) {
    attrs
        .into_iter()
        .partition(|attr| attr.path().segments.last().is_none_or(|segment| segment.ident != name))
}

/// Takes the attempt out of the parameters: those marked `#[attempt]`, else those of that type.
fn take_attempts(mut sig: Signature, diag: &mut Diag) -> (Signature, Vec<AttemptArg>) {
    let is_marked = |attrs: &[Attribute]| attrs.iter().any(|attr| attr.path().is_ident("attempt"));
    let any_marked =
        sig.inputs.iter().any(|input| matches!(input, FnArg::Typed(arg) if is_marked(&arg.attrs)));
    let mut inputs = Punctuated::new();
    let mut attempts: Vec<AttemptArg> = Vec::new();
    for pair in sig.inputs.into_pairs() {
        let (input, comma) = pair.into_tuple();
        match input {
            FnArg::Typed(arg)
                if is_marked(&arg.attrs) || (!any_marked && shape::is_attempt(&arg.ty)) =>
            {
                if attempts.is_empty() {
                    let (arg, is_sound) = attempt_arg(arg, diag);
                    attempts.push(AttemptArg { arg, is_sound });
                } else {
                    let or_mark =
                        if any_marked { "" } else { ", or mark the right one with `#[attempt]`" };
                    diag.error(
                        &arg,
                        format!(
                            "a second attempt: each run of the body has one; \
                             keep one `attempt: &Attempt`{or_mark}"
                        ),
                    );
                    let (attrs, _) = split_attrs(arg.attrs, "attempt");
                    attempts.push(AttemptArg { arg: PatType { attrs, ..arg }, is_sound: false });
                }
            }
            FnArg::Receiver(mut receiver) if is_marked(&receiver.attrs) => {
                diag.error(
                    &receiver,
                    "`self` is not the attempt; mark a parameter of type `&Attempt`",
                );
                receiver.attrs = split_attrs(receiver.attrs, "attempt").0;
                push(&mut inputs, FnArg::Receiver(receiver), comma);
            }
            input => push(&mut inputs, input, comma),
        }
    }
    sig.inputs = inputs;
    if attempts.len() > 1 {
        // Which of them is of another type is not known.
        for attempt in &mut attempts {
            attempt.is_sound = false;
        }
    }
    (sig, attempts)
}

fn push(inputs: &mut Punctuated<FnArg, Token![,]>, input: FnArg, comma: Option<Token![,]>) {
    inputs.push_value(input);
    inputs.push_punct(comma.unwrap_or_default());
}

/// Checks the form of the parameter and takes its mark away.
fn attempt_arg(arg: PatType, diag: &mut Diag) -> (PatType, bool) {
    let (attrs, marks) = split_attrs(arg.attrs, "attempt");
    for mark in &marks {
        if mark.meta.require_path_only().is_err() {
            diag.error(mark, "`#[attempt]` takes nothing; write `#[attempt]`");
        }
    }
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("cfg")) {
        diag.error(attr, "the attempt is always there; remove the `#[cfg]`");
    }
    let before = diag.count();
    match shape::ungroup(&arg.ty) {
        Type::Reference(reference) => {
            if let Some(mutability) = &reference.mutability {
                let message = "`&mut` asks for an attempt that is shared; take `&Attempt`";
                diag.error(mutability, message);
            }
            if let Some(lifetime) = reference.lifetime.as_ref().filter(|name| name.ident != "_") {
                diag.error(
                    lifetime,
                    format!(
                        "`&{lifetime} Attempt` would outlive the attempt, which is made anew each \
                         time; write `attempt: &Attempt`"
                    ),
                );
            }
        }
        ty => {
            let name = ty.to_token_stream();
            let message = format!("`{name}` by value is not the body's to have; take `&Attempt`");
            diag.error(ty, message);
        }
    }
    match &*arg.pat {
        Pat::Ident(ident) if ident.by_ref.is_none() && ident.subpat.is_none() => {}
        Pat::Wild(_) => {}
        pat => diag.error(pat, "the attempt needs a name; write `attempt: &Attempt`"),
    }
    (PatType { attrs, ..arg }, diag.count() == before)
}
