//! The model becomes an impl. Nothing here can fail.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericParam, parse_quote};

use super::model::{Hook, Name, Target, Tool, Variant};
use crate::krate;

/// The impl.
pub(crate) fn tool(tool: &Tool<'_>) -> TokenStream {
    // Without `..`, so that a new part is not forgotten here.
    let Tool { ident: _, generics, krate, name, description, recovery, hooks, set, is_readable: _ } =
        tool;
    if let Some(variants) = set {
        return self::set(tool, variants);
    }
    let root = krate::root(krate.value());
    let private = krate::private(krate.value());
    let known = match name {
        Name::Whole(name) => Some(quote! {
            const NAME: ::core::option::Option<&'static str> = ::core::option::Option::Some(#name);
        }),
        Name::WithArguments(_) => None,
    };
    let name = match name {
        Name::Whole(name) => quote!(#private::Cow::Borrowed(#name)),
        Name::WithArguments(name) => {
            let arguments = arguments(tool, &private);
            quote!(#private::generic_name(#name, &[#(#arguments),*]))
        }
    };
    // A generic type's instances would share the place.
    let cell = generics.params.is_empty().then(|| {
        quote! {
            fn spec_cell() -> ::core::option::Option<&'static #private::SpecCell> {
                static CELL: #private::SpecCell = #private::SpecCell::new();
                ::core::option::Option::Some(&CELL)
            }
        }
    });
    let recovery = recovery.value().map(|recovery| {
        let variant = Ident::new(recovery.variant(), Span::mixed_site());
        quote! {
            fn recovery() -> ::core::option::Option<#private::Recovery> {
                ::core::option::Option::Some(#private::Recovery::#variant)
            }
        }
    });
    let description = description.as_ref().map(|text| {
        quote! {
            fn description() -> ::core::option::Option<&'static str> {
                ::core::option::Option::Some(#text)
            }
        }
    });
    let validate = (!hooks.is_empty()).then(|| validate(hooks, &root));
    let body = quote! {
        #known
        fn name() -> #private::Cow<'static, str> {
            #name
        }
        #description
        #recovery
        #cell
        #validate
    };
    with_header(tool, &body)
}

/// An impl beside the mistakes: what uses the type has none of its own, and the hooks are used.
pub(crate) fn stub(tool: &Tool<'_>) -> TokenStream {
    if !tool.is_readable {
        return TokenStream::new();
    }
    if let Some(variants) = &tool.set {
        return set(tool, variants);
    }
    let root = krate::root(tool.krate.value());
    let private = krate::private(tool.krate.value());
    let validate = (!tool.hooks.is_empty()).then(|| validate(&tool.hooks, &root));
    let body = quote! {
        fn name() -> #private::Cow<'static, str> {
            #private::Cow::Borrowed("")
        }
        #validate
    };
    with_header(tool, &body)
}

/// The impl of an enum of tools: whatever a tool among them reads is the variant that holds it.
fn set(tool: &Tool<'_>, variants: &[Variant<'_>]) -> TokenStream {
    let Tool { ident, generics, krate, .. } = tool;
    let root = krate::root(krate.value());
    let private = krate::private(krate.value());
    let here = Span::mixed_site();
    let mut bounded = (*generics).clone();
    let is_generic = !generics.params.is_empty();
    if is_generic {
        let predicates = &mut bounded.make_where_clause().predicates;
        predicates.push(parse_quote!(Self: 'static));
        for Variant { ident: _, holds } in variants {
            predicates.push(parse_quote!(#holds: #root::ToolSet));
        }
    }
    let holds: Vec<_> = variants.iter().map(|variant| variant.holds).collect();
    // Reported where the type that is no tool stands.
    let specs = holds.iter().map(|holds| {
        quote_spanned!(here.located_at(holds.span())=> __specs.extend(<#holds as #root::ToolSet>::specs()?);)
    });
    let readers = variants.iter().map(|Variant { ident, holds }| {
        quote_spanned! {here.located_at(holds.span())=>
            if let ::core::option::Option::Some(__read) =
                <#holds as #root::ToolSet>::read_call(__call)
            {
                return ::core::option::Option::Some(__read.map(|__read| __read.map(Self::#ident)));
            }
        }
    });
    // Of a generic set the names are known at its first use.
    let distinct = (!is_generic).then(|| {
        quote_spanned! {here.located_at(ident.span())=>
            const _: () = #private::assert_distinct(&[#(<#holds as #root::ToolSet>::NAMES),*]);
        }
    });
    let (impl_generics, _, where_clause) = bounded.split_for_impl();
    let (_, ty_generics, _) = generics.split_for_impl();
    quote_spanned! {here=>
        #[automatically_derived]
        impl #impl_generics #root::ToolSet for #ident #ty_generics #where_clause {
            fn specs() -> ::core::result::Result<
                #private::Vec<&'static #root::ToolSpec>,
                #root::SpecError,
            > {
                let mut __specs = #private::Vec::new();
                #(#specs)*
                ::core::result::Result::Ok(__specs)
            }
            fn read_call(
                __call: &#private::RawCall<'_>,
            ) -> ::core::option::Option<
                ::core::result::Result<#private::Reading<Self>, #root::Failure>,
            > {
                #(#readers)*
                ::core::option::Option::None
            }
        }
        #distinct
    }
}

fn with_header(tool: &Tool<'_>, body: &TokenStream) -> TokenStream {
    let Tool { ident, generics, krate, name, .. } = tool;
    let root = krate::root(krate.value());
    let private = krate::private(krate.value());
    let mut bounded = (*generics).clone();
    // Only where there is a parameter: without one, rustc says of the type itself what it lacks.
    if generics.type_params().next().is_some() || generics.lifetimes().next().is_some() {
        let predicates = &mut bounded.make_where_clause().predicates;
        predicates.push(parse_quote! {
            Self: #private::DeserializeOwned + #private::JsonSchema + 'static
        });
        // They name the tool.
        let named = generics.type_params().filter(|_| matches!(name, Name::WithArguments(_)));
        for parameter in named {
            let parameter = &parameter.ident;
            predicates.push(parse_quote!(#parameter: #private::JsonSchema));
        }
    }
    let (impl_generics, _, where_clause) = bounded.split_for_impl();
    let (_, ty_generics, _) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics #root::ToolCall for #ident #ty_generics #where_clause {
            #body
        }
    }
}

/// The names of the type's arguments.
fn arguments(tool: &Tool<'_>, private: &TokenStream) -> Vec<TokenStream> {
    tool.generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => {
                let ident = &parameter.ident;
                Some(quote!(<#ident as #private::JsonSchema>::schema_name()))
            }
            GenericParam::Const(parameter) => {
                let ident = &parameter.ident;
                Some(quote!(#private::Cow::Owned(#private::ToString::to_string(&#ident))))
            }
            GenericParam::Lifetime(_) => None,
        })
        .collect()
}

fn validate(hooks: &[Hook<'_>], root: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    let calls = hooks.iter().map(|Hook { path, on }| {
        // Where the function is named, so that one of another signature is reported there.
        let at = here.located_at(path.span());
        match on {
            // A hook gives nothing back: what it would give back would be lost.
            Target::Whole => quote_spanned!(at=> let (): () = #path(__this, __found);),
            Target::Field(field, None) => {
                quote_spanned!(at=> let (): () = #path(&__this.#field, __found);)
            }
            Target::Field(field, Some(pointer)) => quote_spanned! {at=>
                let (): () = __found.at(#pointer, |__found| #path(&__this.#field, __found));
            },
        }
    });
    quote_spanned! {here=>
        fn validate(&self, __found: &mut #root::Violations) {
            // Not `self` in the calls: rustc would suggest a method for a function it cannot find.
            let __this = self;
            #(#calls)*
        }
    }
}
