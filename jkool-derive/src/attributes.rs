//! Parses the attributes `#[jkool(..)]` of a struct and of its fields.

use crate::value_type;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, ExprLit, ExprPath, Lit, LitStr, Path};

/// The attributes of a struct.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) name: Option<LitStr>,
    pub(crate) category: Option<LitStr>,
    /// The path of the model, if it is not `::jkool_model`.
    pub(crate) model: Option<Path>,
}

/// The attributes of a field.
#[derive(Default)]
pub(crate) struct Field {
    pub(crate) rename: Option<LitStr>,
    pub(crate) skip: bool,
    pub(crate) flatten: bool,
    pub(crate) value_type: Option<ValueType>,
    pub(crate) with: Option<ExprPath>,
    pub(crate) serde: bool,
}

/// The value type of a field: a known name, or an expression.
pub(crate) enum ValueType {
    Known(proc_macro2::Ident),
    Given(Expr),
}

impl ValueType {
    pub(crate) fn tokens(&self, model: &TokenStream) -> TokenStream {
        match self {
            Self::Known(variant) => quote!(#model::ValueType::#variant),
            Self::Given(expr) => expr.to_token_stream(),
        }
    }
}

impl Container {
    pub(crate) fn read(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut read = Self::default();
        each(attributes, |meta| match word(&meta).as_str() {
            "name" => once(&meta, &mut read.name, text),
            "category" => once(&meta, &mut read.category, text),
            "crate" => once(&meta, &mut read.model, |meta| text(meta)?.parse()),
            "rename" | "skip" | "flatten" | "value_type" | "with" | "serde" => {
                Err(meta.error("this attribute is for fields; a struct takes `name`, `category` and `crate`"))
            }
            _ => Err(meta.error("a struct takes `name = \"..\"`, `category = \"..\"` and `crate = \"..\"`")),
        })?;
        Ok(read)
    }
}

impl Field {
    pub(crate) fn read(field: &syn::Field) -> syn::Result<Self> {
        let mut read = Self::default();
        each(&field.attrs, |meta| match word(&meta).as_str() {
            "rename" => once(&meta, &mut read.rename, text),
            "skip" => flag(&meta, &mut read.skip),
            "flatten" => flag(&meta, &mut read.flatten),
            "serde" => flag(&meta, &mut read.serde),
            "value_type" => once(&meta, &mut read.value_type, measured),
            "with" => once(&meta, &mut read.with, function),
            "name" | "category" => {
                Err(meta.error("this attribute is for the struct; a field is renamed by `rename = \"..\"`"))
            }
            _ => Err(meta.error(OF_A_FIELD)),
        })?;
        read.check(field)?;
        Ok(read)
    }

    fn check(&self, field: &syn::Field) -> syn::Result<()> {
        let others =
            self.rename.is_some() || self.flatten || self.value_type.is_some() || self.with.is_some() || self.serde;
        let wrong = match self {
            Self { skip: true, .. } if others => "a field that is skipped takes no other attribute",
            Self { flatten: true, rename: Some(_), .. } => {
                "a field that is flattened has no name of its own: leave out `rename`, or `flatten`"
            }
            Self { flatten: true, with: Some(_), .. } => {
                "leave out `flatten`, or `with`: what `with` makes is one property"
            }
            Self { serde: true, with: Some(_), .. } => {
                "leave out `serde`, or `with`: each says how to convert the field"
            }
            Self { serde: true, flatten: true, .. } => {
                "leave out `flatten`, or `serde`: what serde makes of a field may be one value without a name"
            }
            Self { rename: Some(name), .. } if name.value().is_empty() => "a property needs a name: `rename` is empty",
            _ => return Ok(()),
        };
        Err(syn::Error::new_spanned(field, wrong))
    }
}

const OF_A_FIELD: &str =
    "a field takes `rename = \"..\"`, `skip`, `flatten`, `serde`, `value_type = \"..\"` and `with = \"..\"`";

fn each(attributes: &[Attribute], mut read: impl FnMut(ParseNestedMeta<'_>) -> syn::Result<()>) -> syn::Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("jkool")) {
        attribute.parse_nested_meta(&mut read)?;
    }
    Ok(())
}

fn word(meta: &ParseNestedMeta<'_>) -> String {
    meta.path.get_ident().map(ToString::to_string).unwrap_or_default()
}

fn once<T>(
    meta: &ParseNestedMeta<'_>,
    place: &mut Option<T>,
    read: impl FnOnce(&ParseNestedMeta<'_>) -> syn::Result<T>,
) -> syn::Result<()> {
    match place.replace(read(meta)?) {
        Some(_) => Err(meta.error(format!("duplicate `{}`", word(meta)))),
        None => Ok(()),
    }
}

fn flag(meta: &ParseNestedMeta<'_>, place: &mut bool) -> syn::Result<()> {
    match std::mem::replace(place, true) {
        true => Err(meta.error(format!("duplicate `{}`", word(meta)))),
        false => Ok(()),
    }
}

fn text(meta: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    let word = word(meta);
    let value = meta.value().map_err(|_| meta.error(format!("write `{word} = \"..\"`")))?;
    value.parse().map_err(|error| syn::Error::new(error.span(), format!("expected a string: `{word} = \"..\"`")))
}

/// Parses a known name, or any expression of this type.
fn measured(meta: &ParseNestedMeta<'_>) -> syn::Result<ValueType> {
    let value = meta.value().map_err(|_| meta.error("write `value_type = \"currency.usd\"`"))?;
    match value.parse()? {
        Expr::Lit(ExprLit { lit: Lit::Str(word), .. }) => value_type::variant(&word).map(ValueType::Known),
        expr => Ok(ValueType::Given(expr)),
    }
}

fn function(meta: &ParseNestedMeta<'_>) -> syn::Result<ExprPath> {
    let value = meta.value().map_err(|_| meta.error("write `with = \"function\"`"))?;
    if !value.peek(LitStr) {
        return value.parse();
    }
    let text: LitStr = value.parse()?;
    let wrong = |_| {
        let example = "`with = \"ToString::to_string\"` or a function from a reference to a value";
        syn::Error::new(text.span(), format!("`{}` is not a path of a function; write {example}", text.value()))
    };
    text.parse().map_err(wrong)
}
