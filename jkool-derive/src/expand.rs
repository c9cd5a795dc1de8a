//! Generates the code of the derive.

use crate::attributes::{Container, Field};
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, FieldsNamed, GenericParam, Generics, parse_quote};

/// Returns the implementations for a struct.
///
/// # Errors
/// If it is not a struct with named fields, or attributes are invalid; all errors are reported.
pub(crate) fn snapshot(input: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = named_fields(input)?;
    let container = Container::read(&input.attrs);
    let mut read = Vec::new();
    let mut errors: Option<syn::Error> = None;
    for field in &fields.named {
        match Field::read(field) {
            Ok(attributes) => read.push((field, attributes)),
            Err(error) => combine(&mut errors, error),
        }
    }
    let container = match (container, errors) {
        (Ok(container), None) => container,
        (Ok(_), Some(errors)) => return Err(errors),
        (Err(mut error), errors) => {
            errors.into_iter().for_each(|more| error.combine(more));
            return Err(error);
        }
    };
    read.retain(|(_, attributes)| !attributes.skip);

    let model = container.model.as_ref().map_or_else(|| quote!(::jkool_model), ToTokens::to_token_stream);
    let ident = &input.ident;
    let name = container.name.as_ref().map_or_else(|| ident.unraw().to_string(), syn::LitStr::value);
    let category = container.category.as_ref().map(syn::LitStr::value).unwrap_or_default();
    let count = read.len();
    let appended = read.iter().map(|(field, attributes)| append(field, attributes, &model));
    let generics = bounded(&input.generics, &read, &model);
    let (impl_generics, type_generics, bounds) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #model::ToSnapshot for #ident #type_generics #bounds {
            fn to_snapshot(&self) -> #model::Snapshot {
                #model::derived::snapshot(#name, #category, #count, self)
            }
        }

        #[automatically_derived]
        impl #impl_generics #model::ToProperties for #ident #type_generics #bounds {
            fn append_properties(
                &self,
                __whole: #model::Text,
                __properties: &mut ::std::vec::Vec<#model::Property>,
            ) {
                #(#appended)*
            }
        }

        #[automatically_derived]
        impl #impl_generics #model::PropertySet for #ident #type_generics #bounds {}
    })
}

fn named_fields(input: &DeriveInput) -> syn::Result<&FieldsNamed> {
    let wrong = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Ok(fields),
            _ => {
                "a snapshot needs names for its properties: write a struct with named fields, `struct Order { amount: f64 }`"
            }
        },
        Data::Enum(_) => {
            "`Snapshot` cannot be derived for an enum: derive it for a struct, and give a field of this enum `#[jkool(with = \"function\")]`"
        }
        Data::Union(_) => "`Snapshot` cannot be derived for a union: derive it for a struct with named fields",
    };
    Err(syn::Error::new_spanned(&input.ident, wrong))
}

fn combine(errors: &mut Option<syn::Error>, error: syn::Error) {
    match errors {
        Some(errors) => errors.combine(error),
        None => *errors = Some(error),
    }
}

/// The statement for a field. It has the span of the field's type, so that compiler errors point there.
fn append(field: &syn::Field, attributes: &Field, model: &TokenStream) -> TokenStream {
    let ident = &field.ident;
    let at = field.ty.span();
    let value_type = match &attributes.value_type {
        Some(value_type) => {
            let value_type = value_type.tokens(model);
            quote!(::std::option::Option::Some(#value_type))
        }
        None => quote!(::std::option::Option::None),
    };
    if attributes.flatten {
        return quote_spanned!(at=> #model::derived::flatten(&self.#ident, &__whole, #value_type, __properties););
    }
    let name = match (&attributes.rename, ident) {
        (Some(name), _) => name.value(),
        (None, ident) => ident.as_ref().map(|ident| ident.unraw().to_string()).unwrap_or_default(),
    };
    let value = match &attributes.with {
        Some(with) => quote_spanned!(with.span()=> &#with(&self.#ident)),
        None if attributes.serde => quote_spanned!(at=> &#model::derived::Serialized::of(&self.#ident)),
        None => quote_spanned!(at=> &self.#ident),
    };
    quote_spanned!(at=> #model::derived::field(#value, &__whole, #name, #value_type, __properties);)
}

/// Type parameters that occur in a field must implement `ToProperties`, or `Serialize` if the field is converted by serde.
fn bounded(generics: &Generics, read: &[(&syn::Field, Field)], model: &TokenStream) -> Generics {
    let mut generics = generics.clone();
    for parameter in &mut generics.params {
        let GenericParam::Type(parameter) = parameter else { continue };
        let in_a_field = |serde| {
            read.iter().any(|(field, attributes)| {
                attributes.with.is_none()
                    && attributes.serde == serde
                    && mentions(field.ty.to_token_stream(), &parameter.ident)
            })
        };
        let (direct, by_serde) = (in_a_field(false), in_a_field(true));
        if direct {
            parameter.bounds.push(parse_quote!(#model::ToProperties));
        }
        if by_serde {
            parameter.bounds.push(parse_quote!(#model::derived::Serialize));
        }
    }
    generics
}

fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}
