//! The annotated function: its signature is read, its body is kept as the tokens it is.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, FnArg, Pat, PatType, Receiver, Signature, Token, Type, Visibility, token};

use super::shape;
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
    /// Something that cannot carry it, as it was, but for `#[attempt]`.
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
    let can_loop = shape::can_loop(&sig, body.is_some(), diag);
    let original = unmarked(sig.clone());
    let (sig, attempts) = take_attempts(sig, diag);
    match body {
        Some(body) if can_loop => {
            shape::can_repeat(&sig, diag);
            Target::Function(Box::new(Function { attrs, vis, sig, attempts, body }))
        }
        body => Target::Other(restore(&attrs, &vis, &original, body)),
    }
}

fn not_a_function(item: &TokenStream, error: syn::Error, diag: &mut Diag) {
    let is_braced = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    // A function of a syntax that is newer than the parser, or of none.
    let is_function = item
        .clone()
        .into_iter()
        .take_while(|token| !is_braced(token))
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
                    let message = "a second attempt: each run of the body has one; \
                                   keep one `attempt: &Attempt`";
                    diag.error(&arg, message);
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

/// The signature without `#[attempt]`, which no one else knows.
fn unmarked(mut sig: Signature) -> Signature {
    for input in &mut sig.inputs {
        let (FnArg::Typed(PatType { attrs, .. }) | FnArg::Receiver(Receiver { attrs, .. })) = input;
        attrs.retain(|attr| !attr.path().is_ident("attempt"));
    }
    sig
}

/// The item as it was.
fn restore(
    attrs: &[Attribute],
    vis: &Visibility,
    sig: &Signature,
    body: Option<Body>,
) -> TokenStream {
    let mut tokens = TokenStream::new();
    tokens.append_all(attrs);
    vis.to_tokens(&mut tokens);
    sig.to_tokens(&mut tokens);
    match body {
        Some(Body { brace, inner_attrs, rest }) => brace.surround(&mut tokens, |tokens| {
            tokens.extend(inner_attrs);
            tokens.extend(rest);
        }),
        None => <Token![;]>::default().to_tokens(&mut tokens),
    }
    tokens
}
