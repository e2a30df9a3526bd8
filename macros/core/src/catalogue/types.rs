//! The types and constants of a project, and the attribute type of their values.

use std::collections::HashMap;

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{GenericArgument, Member, Path, PathArguments, PathSegment, Type};

use super::names::{self, Names};
use crate::derive::Field;

/// The types and constants that a project's source declares, and the imports of its modules. If a module has several items of
/// one name, only what they have in common is known.
#[derive(Default)]
pub struct Types {
    pub(super) names: Names,
    /// By their full paths.
    pub(super) items: HashMap<String, Vec<Item>>,
}

pub(super) enum Item {
    Struct(Struct),
    /// An enum that derives `BizValue`.
    Value,
    Constant(Box<Type>),
    /// Another type. Only its name is known.
    Other,
}

pub(super) struct Struct {
    pub(super) fields: HashMap<String, Type>,
    pub(super) declared: Vec<Field>,
}

/// A type as it is written, and its module, which decides what its names mean.
pub(super) struct Placed {
    pub(super) ty: Type,
    pub(super) module: String,
}

impl Placed {
    /// A type that Rust has everywhere.
    pub(super) fn builtin(ty: Type) -> Self {
        let module = String::new();
        Self { ty, module }
    }
}

impl std::fmt::Debug for Types {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Types").finish_non_exhaustive()
    }
}

impl Types {
    /// The fields that the struct of that full path declares as attributes; `None` if it is not known, or declares none.
    pub(super) fn fields(&self, full: &str) -> Option<&[Field]> {
        match self.items.get(full)?.as_slice() {
            [Item::Struct(only)] if !only.declared.is_empty() => Some(&only.declared),
            _ => None,
        }
    }

    /// The full path of the struct that a type is, or gives access to.
    pub(super) fn struct_name(&self, ty: &Type, module: &str) -> Option<String> {
        self.full_path(self.see_through(ty, module), module)
    }

    /// The attribute type of a value of that type.
    pub(super) fn attribute_type(&self, ty: &Type, module: &str) -> Option<String> {
        let ty = self.see_through(ty, module);
        let element = match ty {
            Type::Slice(slice) => &*slice.elem,
            Type::Array(array) => &*array.elem,
            ty => {
                let full = self.full_path(ty, module)?;
                match self.foreign_name(&full) {
                    Some("Vec") => type_arguments(last_segment(ty)?).next()?,
                    Some(name) => return plain_type(name).map(str::to_owned),
                    None => {
                        let items = self.items.get(&full)?;
                        let are_values = items.iter().all(|it| matches!(it, Item::Value));
                        return are_values.then(|| "string".to_owned());
                    }
                }
            }
        };
        let element = self.attribute_type(element, module)?;
        (!element.ends_with("[]")).then(|| element + "[]")
    }

    /// The type of a constant.
    pub(super) fn constant(&self, path: &Path, module: &str) -> Option<Placed> {
        let full = self.names.meaning(module, path)?;
        let constants = self.items.get(&full)?.iter().map(|item| match item {
            Item::Constant(ty) => Some(&**ty),
            _ => None,
        });
        let ty = agreed(constants)?;
        let module = names::parent(&full).to_owned();
        Some(Placed { ty, module })
    }

    /// The type of a field.
    pub(super) fn field(&self, of: &Placed, member: &Member) -> Option<Placed> {
        let (ty, module) = (&of.ty, &of.module);
        let name = member_name(member);
        let here = |ty: &Type| Placed {
            ty: ty.clone(),
            module: module.clone(),
        };
        if let (Type::Tuple(tuple), Member::Unnamed(index)) = (self.see_through(ty, module), member)
        {
            return tuple.elems.get(index.index as usize).map(here);
        }
        // `body.0` is what an extractor holds.
        if let Some(inner) = self.wrapped(ty, module).filter(|_| name == "0") {
            return Some(here(inner));
        }
        let full = self.struct_name(ty, module)?;
        let fields = self.items.get(&full)?.iter().map(|item| match item {
            Item::Struct(it) => it.fields.get(&name),
            _ => None,
        });
        let ty = agreed(fields)?;
        let module = names::parent(&full).to_owned();
        Some(Placed { ty, module })
    }

    /// A type without the references and pointers around it: they have the attribute form of their content.
    fn see_through<'t>(&self, ty: &'t Type, module: &str) -> &'t Type {
        match ty {
            Type::Reference(reference) => self.see_through(&reference.elem, module),
            Type::Paren(paren) => self.see_through(&paren.elem, module),
            Type::Group(group) => self.see_through(&group.elem, module),
            ty => match self.wrapped(ty, module) {
                Some(inner) => self.see_through(inner, module),
                None => ty,
            },
        }
    }

    /// The content of a type that has its content's attribute form.
    pub(super) fn wrapped<'t>(&self, ty: &'t Type, module: &str) -> Option<&'t Type> {
        let full = self.full_path(ty, module)?;
        let passes = [
            "Option", "Box", "Rc", "Arc", "Cow", "Json", "Path", "Query", "Form", "Data", "ReqData",
        ]
        .contains(&self.foreign_name(&full)?);
        type_arguments(last_segment(ty)?).next().filter(|_| passes)
    }

    fn full_path(&self, ty: &Type, module: &str) -> Option<String> {
        match ty {
            Type::Path(path) => self.names.meaning(module, &path.path),
            _ => None,
        }
    }

    /// The name of a type whose crate was not read.
    fn foreign_name<'f>(&self, full: &'f str) -> Option<&'f str> {
        (!self.names.knows_crate_of(full)).then(|| names::last(full))
    }
}

fn plain_type(name: &str) -> Option<&'static str> {
    match name {
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128"
        | "usize" => Some("int"),
        "f32" | "f64" => Some("double"),
        "bool" => Some("boolean"),
        "str" | "String" | "char" | "Uuid" => Some("string"),
        _ => None,
    }
}

/// The common type of all; `None` if they differ, or if one has no type.
fn agreed<'a>(types: impl Iterator<Item = Option<&'a Type>>) -> Option<Type> {
    let types: Vec<&Type> = types.collect::<Option<_>>()?;
    let text = |ty: &Type| ty.to_token_stream().to_string();
    let (first, others) = types.split_first()?;
    let agree = others.iter().all(|ty| text(ty) == text(first));
    agree.then(|| (*first).clone())
}

pub(super) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

pub(super) fn type_arguments(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments
        .into_iter()
        .flatten()
        .filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        })
}

pub(super) fn member_name(member: &Member) -> String {
    match member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}
