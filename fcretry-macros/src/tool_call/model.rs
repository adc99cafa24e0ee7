//! What the type and its `#[tool(..)]` attributes say, checked.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{
    Attribute, Data, DataEnum, DeriveInput, Expr, ExprLit, ExprPath, Field, Fields, GenericParam,
    Generics, Lit, Meta, MetaNameValue, Path, Type,
};

use super::name;
use super::serde_name::{self, SerdeAttrs};
use crate::diag::{self, Diag, Slot};
use crate::meta::{self, Entry, Item};
use crate::value::{self, Recovery};

const TYPE_KEYS: &[&str] = &["name", "description", "recovery", "validate", "single", "crate"];
const FIELD_KEYS: &[&str] = &["validate"];
const VALIDATE_EXAMPLE: &str = "validate(totals_add_up)";

/// The tool that the type is the arguments of.
pub(crate) struct Tool<'i> {
    pub(crate) ident: &'i Ident,
    pub(crate) generics: &'i Generics,
    pub(crate) krate: Slot<Path>,
    pub(crate) name: Name,
    pub(crate) description: Option<String>,
    pub(crate) recovery: Slot<Recovery>,
    /// Hooks of the whole type, then those of its fields, in the order written.
    pub(crate) hooks: Vec<Hook<'i>>,
    /// Of an enum that is a set of tools: its variants, each with the type it holds.
    pub(crate) set: Option<Vec<Variant<'i>>>,
    /// Whether an impl could hold at all; it cannot for a union, which serde does not read.
    pub(crate) is_readable: bool,
}

/// A variant that holds a tool.
pub(crate) struct Variant<'i> {
    pub(crate) ident: &'i Ident,
    pub(crate) holds: &'i Type,
}

/// The tool's name.
pub(crate) enum Name {
    /// Whole.
    Whole(String),
    /// To be followed by the type's arguments, which are known only where they are given.
    WithArguments(String),
}

/// A function that validates.
pub(crate) struct Hook<'i> {
    pub(crate) path: ExprPath,
    pub(crate) on: Target<'i>,
}

/// What a hook is called with.
#[derive(Clone)]
pub(crate) enum Target<'i> {
    /// The arguments as a whole.
    Whole,
    /// A field, and the JSON pointer to it; `None` where its fields are those of the whole.
    Field(&'i Ident, Option<String>),
}

#[derive(Default)]
struct Attrs {
    name: Slot<syn::LitStr>,
    description: Slot<syn::LitStr>,
    recovery: Slot<Recovery>,
    krate: Slot<Path>,
    hooks: Slot<Vec<ExprPath>>,
    single: Slot<()>,
}

/// serde reads such a struct from something else than the object that a call's arguments are.
fn no_object(input: &DeriveInput, form: &str, diag: &mut Diag) {
    let name = &input.ident;
    let message = format!(
        "`{name}` is read from `{form}`, and the arguments of a call are an object; \
         write `struct {name} {{}}`"
    );
    diag.error(name, message);
}

/// Reads the whole type.
pub(crate) fn read<'i>(input: &'i DeriveInput, diag: &mut Diag) -> Tool<'i> {
    let attrs = tool_attrs(&input.attrs, TYPE_KEYS, diag);
    let serde = serde_name::read(&input.attrs);
    for lifetime in input.generics.lifetimes() {
        diag.error(
            lifetime,
            "a tool's arguments own their data; write e.g. `String` for a borrowed `str`",
        );
    }
    let on_whole = attrs.hooks.value().into_iter().flatten();
    let mut hooks: Vec<Hook<'i>> =
        on_whole.map(|path| Hook { path: path.clone(), on: Target::Whole }).collect();
    let mut is_readable = true;
    let mut set = None;
    if let (Some(key), false) = (attrs.single.key(), matches!(input.data, Data::Enum(_))) {
        diag.error(key, format!("`{key}` is for an enum; a struct is the arguments of one tool"));
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Unit => no_object(input, "null", diag),
            Fields::Named(fields) => {
                for field in &fields.named {
                    hooks.extend(field_hooks(field, &input.ident, &serde, diag));
                }
            }
            Fields::Unnamed(fields) if fields.unnamed.is_empty() => no_object(input, "[]", diag),
            Fields::Unnamed(fields) => {
                diag.error(fields, "the arguments of a tool are named: use named fields");
            }
        },
        // The arguments of one tool, which serde reads as it reads any enum.
        Data::Enum(_) if attrs.single.is_given() => {}
        Data::Enum(data) => set = Some(variants(input, data, &attrs, diag)),
        Data::Union(data) => {
            is_readable = false;
            let message = "a union cannot be the arguments of a tool; write a struct";
            diag.error(data.union_token, message);
        }
    }
    Tool {
        ident: &input.ident,
        generics: &input.generics,
        // A set has no name of its own.
        name: if set.is_some() {
            Name::Whole(String::new())
        } else {
            tool_name(input, &attrs, diag)
        },
        description: description(input, &attrs, diag),
        recovery: attrs.recovery,
        krate: attrs.krate,
        hooks,
        set,
        is_readable,
    }
}

/// The variants of an enum of tools.
fn variants<'i>(
    input: &'i DeriveInput,
    data: &'i DataEnum,
    attrs: &Attrs,
    diag: &mut Diag,
) -> Vec<Variant<'i>> {
    let of_a_tool =
        [attrs.name.key(), attrs.description.key(), attrs.recovery.key(), attrs.hooks.key()];
    for key in of_a_tool.into_iter().flatten() {
        diag.error(
            key,
            format!(
                "`{key}` belongs on the tools that the variants hold; \
                 for an enum that is the arguments of one tool write `#[tool(single, ..)]`"
            ),
        );
    }
    if data.variants.is_empty() {
        diag.error(&input.ident, "an enum without variants offers no tool");
    }
    let mut found = Vec::new();
    for variant in &data.variants {
        match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                let holds = fields.unnamed.iter().map(|field| &field.ty);
                found.extend(holds.map(|holds| Variant { ident: &variant.ident, holds }));
            }
            _ => {
                let name = &variant.ident;
                diag.error(
                    name,
                    format!(
                        "a variant holds the arguments of a tool; write `{name}(TheTool)`, or \
                         `#[tool(single)]` on an enum that is the arguments of one tool"
                    ),
                );
            }
        }
    }
    found
}

fn tool_name(input: &DeriveInput, attrs: &Attrs, diag: &mut Diag) -> Name {
    match &attrs.name {
        Slot::Set(_, given) => Name::Whole(name::given(given, diag)),
        Slot::Bad => Name::Whole(String::new()),
        Slot::Empty => {
            let name = name::derived(&input.ident, diag);
            let is_generic =
                input.generics.params.iter().any(|it| !matches!(it, GenericParam::Lifetime(_)));
            if is_generic { Name::WithArguments(name) } else { Name::Whole(name) }
        }
    }
}

fn description(input: &DeriveInput, attrs: &Attrs, diag: &mut Diag) -> Option<String> {
    match &attrs.description {
        Slot::Set(key, given) => {
            let text = given.value();
            if text.trim().is_empty() {
                diag.error(
                    given,
                    format!("`{key}` is empty; say what the tool does, or leave it out"),
                );
            }
            Some(text)
        }
        Slot::Bad => None,
        Slot::Empty => doc_text(&input.attrs),
    }
}

/// The doc comment, a line of it being a line here.
fn doc_text(attrs: &[Attribute]) -> Option<String> {
    let mut lines: Vec<String> = Vec::new();
    for attr in attrs {
        // `#[doc = include_str!(..)]` is not known here, and not worth an error.
        if let Meta::NameValue(MetaNameValue { path, value, .. }) = &attr.meta
            && path.is_ident("doc")
            && let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value
        {
            let text = text.value();
            // In `/** .. */` each line may start with a star.
            let is_block = text.contains('\n');
            lines.extend(text.split('\n').map(|line| {
                let line = if is_block { line.trim_start() } else { line };
                let line = line.strip_prefix('*').filter(|_| is_block).unwrap_or(line);
                line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()
            }));
        }
    }
    let text = lines.join("\n");
    let text = text.trim_matches('\n');
    (!text.is_empty()).then(|| text.to_owned())
}

fn field_hooks<'i>(
    field: &'i Field,
    of: &Ident,
    of_type: &SerdeAttrs,
    diag: &mut Diag,
) -> Vec<Hook<'i>> {
    let attrs = tool_attrs(&field.attrs, FIELD_KEYS, diag);
    let (Some((key, paths)), Some(ident)) = (attrs.hooks.both(), &field.ident) else {
        return Vec::new();
    };
    let serde = serde_name::read(&field.attrs);
    if let Some(raw) = &of_type.from {
        diag.error(
            key,
            format!(
                "`{of}` is read from `{raw}`, whose fields have names of their own; \
                 put `validate(..)` on the type"
            ),
        );
    } else if serde.is_skipped {
        diag.error(
            key,
            format!(
                "`{ident}` is skipped by serde, so nothing that a model wrote is there to \
                 validate; remove `validate` or the skip"
            ),
        );
    }
    let is_the_whole = serde.is_flattened || of_type.is_transparent;
    let pointer = (!is_the_whole).then(|| {
        let name = of_type.name_of(&ident.unraw().to_string(), &serde);
        format!("/{}", name.replace('~', "~0").replace('/', "~1"))
    });
    let on = Target::Field(ident, pointer);
    paths.iter().map(|path| Hook { path: path.clone(), on: on.clone() }).collect()
}

/// Reads the `#[tool(..)]` of a type or a field; several are as one.
fn tool_attrs(attrs: &[Attribute], keys: &[&str], diag: &mut Diag) -> Attrs {
    let mut found = Attrs::default();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("tool")) {
        let tokens = match &attr.meta {
            Meta::List(list) => list.tokens.clone(),
            Meta::Path(_) | Meta::NameValue(_) => {
                let line = format!("#[tool({VALIDATE_EXAMPLE})]");
                diag.error(attr, format!("`#[tool]` takes a list; write e.g. `{line}`"));
                continue;
            }
        };
        for entry in meta::entries(tokens, diag) {
            match entry {
                Entry::Keyed(item) => tool_item(&mut found, &item, keys, diag),
                Entry::Bare(lit) => {
                    let text = lit.to_token_stream();
                    let keys = diag::list(keys);
                    diag.error(&lit, format!("`{text}` stands without a key; the keys are {keys}"));
                }
            }
        }
    }
    found
}

fn tool_item(found: &mut Attrs, item: &Item, keys: &[&str], diag: &mut Diag) {
    let key = &item.key;
    let name = key.to_string();
    match name.as_str() {
        name if !keys.contains(&name) => {
            let message = if TYPE_KEYS.contains(&name) {
                format!("`{name}` belongs on the type, and a field takes only {}", diag::list(keys))
            } else {
                diag::unknown("key", "keys", name, keys)
            };
            diag.error(key, message);
        }
        "single" => {
            let value = value::bare(item, diag).then_some(());
            found.single.fill(key, value, diag);
        }
        "name" => {
            let value = value::text(item, r#"name = "place_order""#, diag);
            found.name.fill(key, value, diag);
        }
        "description" => {
            let value =
                value::text(item, r#"description = "Place an order for a customer.""#, diag);
            found.description.fill(key, value, diag);
        }
        "recovery" => found.recovery.fill(key, value::recovery(item, diag), diag),
        "crate" => {
            let value = value::path(item, r#"crate = "::fcretry""#, diag);
            found.krate.fill(key, value, diag);
        }
        _ => {
            let value = hooks(item, diag);
            found.hooks.fill(key, value, diag);
        }
    }
}

/// The functions of `validate(path, ..)`.
fn hooks(item: &Item, diag: &mut Diag) -> Option<Vec<ExprPath>> {
    let group = value::list(item, VALIDATE_EXAMPLE, diag)?;
    let before = diag.count();
    let mut paths = Vec::new();
    for segment in meta::segments(group.stream(), diag) {
        paths.extend(hook(segment, diag));
    }
    if diag.count() > before {
        return None;
    }
    if paths.is_empty() {
        diag.error(
            &item.key,
            format!("`validate()` names no function; write `{VALIDATE_EXAMPLE}`, or leave it out"),
        );
        return None;
    }
    Some(paths)
}

fn hook(segment: Vec<TokenTree>, diag: &mut Diag) -> Option<ExprPath> {
    let text = diag::text(&segment);
    let tokens: TokenStream = segment.into_iter().collect();
    let path = syn::parse2::<ExprPath>(tokens.clone());
    if path.is_err() {
        diag.error(
            &tokens,
            format!("`{text}` is not the path of a function; write e.g. `{VALIDATE_EXAMPLE}`"),
        );
    }
    path.ok()
}
