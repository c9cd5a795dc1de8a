#![doc = include_str!("../README.md")]

mod attributes;
mod expand;
mod value_type;

use proc_macro::TokenStream;

/// Implements `ToSnapshot` for a struct with named fields, and `ToProperties` so that it can be a field of another such struct.
/// The documentation of this crate describes the attributes.
#[proc_macro_derive(Snapshot, attributes(jkool))]
pub fn derive_snapshot(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    expand::snapshot(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
