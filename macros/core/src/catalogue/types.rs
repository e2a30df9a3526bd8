//! The type of an expression, as far as signatures, structs and literals tell. What is not certain is unknown.

use std::collections::{HashMap, HashSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{
    Attribute, BinOp, DeriveInput, Expr, ExprMethodCall, File, FnArg, GenericArgument, Ident,
    ItemConst, ItemEnum, ItemStatic, ItemStruct, Lit, Member, Pat, PathArguments, PathSegment,
    ReturnType, Signature, Type, UnOp, parse_quote,
};

use crate::derive::{Field, declared_fields};
use crate::parse::{Entry, Form, Part};
use crate::readers;

/// The types and constants that a project's source declares. Of several of one name, only that is known in which they agree.
#[derive(Default)]
pub struct Types {
    structs: HashMap<String, Vec<Struct>>,
    constants: HashMap<String, Vec<Type>>,
    /// Enums that derive `BizValue`.
    values: HashSet<String>,
}

struct Struct {
    fields: HashMap<String, Type>,
    declared: Vec<Field>,
}

impl std::fmt::Debug for Types {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Types").finish_non_exhaustive()
    }
}

impl Types {
    /// Adds what a file declares, in modules and bodies too.
    pub fn read(&mut self, file: &File) {
        self.visit_file(file);
    }

    /// The fields that the struct of that name declares as attributes; `None` if it is not known, or declares none.
    pub(super) fn fields(&self, name: &str) -> Option<&[Field]> {
        match self.structs.get(name)?.as_slice() {
            [only] if !only.declared.is_empty() => Some(&only.declared),
            _ => None,
        }
    }

    /// The name of the struct that a type is, or gives access to.
    pub(super) fn struct_name(&self, ty: &Type) -> Option<String> {
        Some(last_segment(see_through(ty))?.ident.unraw().to_string())
    }

    /// What a value of that type arrives as.
    pub(super) fn attribute_type(&self, ty: &Type) -> Option<String> {
        let element = match see_through(ty) {
            Type::Slice(slice) => &*slice.elem,
            Type::Array(array) => &*array.elem,
            ty => {
                let segment = last_segment(ty)?;
                let name = segment.ident.unraw().to_string();
                match name.as_str() {
                    "Vec" => type_arguments(segment).next()?,
                    _ => return self.plain_type(&name).map(str::to_owned),
                }
            }
        };
        let element = self.attribute_type(element)?;
        (!element.ends_with("[]")).then(|| element + "[]")
    }

    fn plain_type(&self, name: &str) -> Option<&'static str> {
        if self.structs.contains_key(name) {
            return None;
        }
        match name {
            "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64"
            | "u128" | "usize" => Some("int"),
            "f32" | "f64" => Some("double"),
            "bool" => Some("boolean"),
            "str" | "String" | "char" | "Uuid" => Some("string"),
            name => self.values.contains(name).then_some("string"),
        }
    }
}

impl<'a> Visit<'a> for Types {
    fn visit_item_struct(&mut self, item: &'a ItemStruct) {
        let fields = item.fields.iter().zip(item.fields.members());
        let fields = fields.map(|(field, member)| (member_name(&member), field.ty.clone()));
        let known = Struct {
            fields: fields.collect(),
            declared: declared_fields(&DeriveInput::from(item.clone())),
        };
        let name = item.ident.unraw().to_string();
        self.structs.entry(name).or_default().push(known);
    }

    fn visit_item_enum(&mut self, item: &'a ItemEnum) {
        if item.attrs.iter().any(|attr| derives(attr, "BizValue")) {
            self.values.insert(item.ident.unraw().to_string());
        }
    }

    fn visit_item_const(&mut self, item: &'a ItemConst) {
        self.constant(&item.ident, &item.ty);
        visit::visit_item_const(self, item);
    }

    fn visit_item_static(&mut self, item: &'a ItemStatic) {
        self.constant(&item.ident, &item.ty);
        visit::visit_item_static(self, item);
    }
}

impl Types {
    fn constant(&mut self, name: &Ident, ty: &Type) {
        let name = name.unraw().to_string();
        self.constants.entry(name).or_default().push(ty.clone());
    }
}

/// The type that all are.
fn agreed<'a>(mut types: impl Iterator<Item = &'a Type>) -> Option<Type> {
    let first = types.next()?;
    let text = |ty: &Type| ty.to_token_stream().to_string();
    types
        .all(|ty| text(ty) == text(first))
        .then(|| first.clone())
}

/// What names mean in an expression.
pub(super) struct Scope<'a> {
    types: &'a Types,
    names: HashMap<String, Type>,
}

impl<'a> Scope<'a> {
    /// One without arguments.
    pub(super) fn empty(types: &'a Types) -> Self {
        Self {
            types,
            names: HashMap::new(),
        }
    }

    /// That of an entry on a function: the arguments, or what the entry's pattern binds of the result.
    pub(super) fn of(types: &'a Types, sig: &Signature, entry: &Entry) -> Self {
        let mut scope = Self::empty(types);
        let on_result = entry.options.iter().find_map(|option| match &option.form {
            Form::Result(part, pattern) => Some((*part, pattern)),
            _ => None,
        });
        if let Some((part, pattern)) = on_result {
            if let Some(ty) = part_of(&sig.output, part) {
                scope.bind(pattern, ty);
            }
        } else {
            for argument in &sig.inputs {
                if let FnArg::Typed(argument) = argument {
                    scope.bind(&argument.pat, &argument.ty);
                }
            }
        }
        scope
    }

    fn bind(&mut self, pattern: &Pat, ty: &Type) {
        match (pattern, ty) {
            (Pat::Ident(name), ty) => {
                self.names
                    .insert(name.ident.unraw().to_string(), ty.clone());
            }
            (Pat::Paren(pattern), ty) => self.bind(&pattern.pat, ty),
            (Pat::Reference(pattern), Type::Reference(ty)) => self.bind(&pattern.pat, &ty.elem),
            (Pat::Tuple(pattern), Type::Tuple(ty)) => {
                for (pattern, ty) in pattern.elems.iter().zip(&ty.elems) {
                    self.bind(pattern, ty);
                }
            }
            // `web::Path((id, user)): web::Path<(u64, String)>`
            (Pat::TupleStruct(pattern), ty) if pattern.elems.len() == 1 => {
                if let Some(inner) = last_segment(ty).and_then(wrapped) {
                    self.bind(&pattern.elems[0], inner);
                }
            }
            _ => {}
        }
    }

    pub(super) fn attribute_type(&self, expr: &Expr) -> Option<String> {
        self.types.attribute_type(&self.rust_type(expr)?)
    }

    /// The name of the struct that an expression's value is, or gives access to.
    pub(super) fn struct_name(&self, expr: &Expr) -> Option<String> {
        self.types.struct_name(&self.rust_type(expr)?)
    }

    fn rust_type(&self, expr: &Expr) -> Option<Type> {
        match expr {
            Expr::Paren(expr) => self.rust_type(&expr.expr),
            Expr::Group(expr) => self.rust_type(&expr.expr),
            Expr::Reference(expr) => self.rust_type(&expr.expr),
            Expr::Unary(expr) => match expr.op {
                // Types are seen through anyway.
                UnOp::Deref(_) | UnOp::Neg(_) | UnOp::Not(_) => self.rust_type(&expr.expr),
                _ => None,
            },
            Expr::Lit(expr) => literal(&expr.lit),
            Expr::Cast(expr) => Some((*expr.ty).clone()),
            Expr::Path(expr) => {
                let name = expr.path.segments.last()?.ident.unraw().to_string();
                let local = expr.path.get_ident().and_then(|_| self.names.get(&name));
                local
                    .cloned()
                    .or_else(|| agreed(self.types.constants.get(&name)?.iter()))
            }
            Expr::Field(expr) => self.field(&self.rust_type(&expr.base)?, &expr.member),
            Expr::Array(expr) => {
                let element = self.rust_type(expr.elems.first()?)?;
                Some(parse_quote!([#element]))
            }
            Expr::Binary(expr) => match expr.op {
                BinOp::Eq(_)
                | BinOp::Ne(_)
                | BinOp::Lt(_)
                | BinOp::Le(_)
                | BinOp::Gt(_)
                | BinOp::Ge(_)
                | BinOp::And(_)
                | BinOp::Or(_) => Some(parse_quote!(bool)),
                // Numbers: an operand of another type would make the result's uncertain.
                BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Div(_) | BinOp::Rem(_) => {
                    let (left, right) = (&expr.left, &expr.right);
                    let same = self.attribute_type(left)? == self.attribute_type(right)?;
                    same.then(|| self.rust_type(left)).flatten()
                }
                _ => None,
            },
            Expr::Macro(expr) => expr
                .mac
                .path
                .is_ident("format")
                .then(|| parse_quote!(String)),
            Expr::Call(call) => {
                let reads = readers::first(expr).is_some() && is_reader(&call.func);
                reads.then(|| parse_quote!(String))
            }
            Expr::MethodCall(call) => self.method(call),
            _ => None,
        }
    }

    fn field(&self, ty: &Type, member: &Member) -> Option<Type> {
        if let (Type::Tuple(tuple), Member::Unnamed(index)) = (see_through(ty), member) {
            return tuple.elems.get(index.index as usize).cloned();
        }
        let name = member_name(member);
        // `body.0` is what an extractor holds.
        if let Some(inner) = last_segment(ty).and_then(wrapped).filter(|_| name == "0") {
            return Some(inner.clone());
        }
        let structs = self.types.structs.get(&self.types.struct_name(ty)?)?;
        let fields: Option<Vec<&Type>> = structs.iter().map(|it| it.fields.get(&name)).collect();
        agreed(fields?.into_iter())
    }

    /// Methods of the standard library that are called so everywhere.
    fn method(&self, call: &ExprMethodCall) -> Option<Type> {
        match call.method.to_string().as_str() {
            "as_deref" | "as_ref" | "as_slice" | "clone" | "cloned" | "copied" | "into_inner"
            | "or" | "to_owned" | "trim" | "unwrap_or" | "unwrap_or_default" => {
                self.rust_type(&call.receiver)
            }
            "as_str" | "to_string" | "to_lowercase" | "to_uppercase" => Some(parse_quote!(String)),
            "len" if call.args.is_empty() => Some(parse_quote!(usize)),
            "is_empty" | "is_some" | "is_none" | "is_ok" | "is_err" | "contains"
            | "starts_with" | "ends_with" => Some(parse_quote!(bool)),
            _ => None,
        }
    }
}

/// What an entry on the result sees of it.
fn part_of(output: &ReturnType, part: Part) -> Option<&Type> {
    let ReturnType::Type(_, ty) = output else {
        return None;
    };
    let mut arguments = type_arguments(last_segment(ty)?);
    match part {
        Part::Ok => arguments.next(),
        Part::Err => arguments.nth(1),
        Part::Ret => Some(ty),
    }
}

fn literal(literal: &Lit) -> Option<Type> {
    let ty: TokenStream = match literal {
        Lit::Str(_) => quote!(str),
        Lit::Char(_) => quote!(char),
        Lit::Int(literal) => match literal.suffix() {
            "" => quote!(i64),
            "f32" | "f64" => quote!(f64),
            _ => quote!(i64),
        },
        Lit::Float(_) => quote!(f64),
        Lit::Bool(_) => quote!(bool),
        _ => return None,
    };
    Some(parse_quote!(#ty))
}

/// A type without the references and pointers around it, all of which have the attribute form of what they hold.
fn see_through(ty: &Type) -> &Type {
    match ty {
        Type::Reference(reference) => see_through(&reference.elem),
        Type::Paren(paren) => see_through(&paren.elem),
        Type::Group(group) => see_through(&group.elem),
        ty => last_segment(ty).and_then(wrapped).map_or(ty, see_through),
    }
}

/// What a type that passes its content through holds.
fn wrapped(segment: &PathSegment) -> Option<&Type> {
    let passes = [
        "Option", "Box", "Rc", "Arc", "Cow", "Json", "Path", "Query", "Form", "Data", "ReqData",
    ]
    .iter()
    .any(|name| segment.ident == name);
    type_arguments(segment).next().filter(|_| passes)
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

fn type_arguments(segment: &PathSegment) -> impl Iterator<Item = &Type> {
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

fn is_reader(callee: &Expr) -> bool {
    matches!(callee, Expr::Path(path) if ["header", "query", "cookie"].iter().any(|it| path.path.is_ident(it)))
}

fn member_name(member: &Member) -> String {
    match member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

/// Whether an attribute names that derive, be it within `cfg_attr`.
fn derives(attr: &Attribute, name: &str) -> bool {
    fn mentions(tokens: TokenStream, name: &str) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == name,
            TokenTree::Group(group) => mentions(group.stream(), name),
            _ => false,
        })
    }
    mentions(attr.to_token_stream(), name)
}
