//! The type of an expression, as far as signatures, structs and literals tell. What is not certain is unknown.

use std::collections::HashMap;
use std::mem;

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{
    Attribute, BinOp, DeriveInput, Expr, ExprMethodCall, File, FnArg, GenericArgument, Ident,
    ItemConst, ItemEnum, ItemMod, ItemStatic, ItemStruct, ItemType, ItemUnion, ItemUse, Lit,
    Member, Pat, PathArguments, PathSegment, ReturnType, Signature, Type, UnOp, Visibility,
    parse_quote,
};

use super::names::{self, Names};
use crate::derive::{Field, declared_fields};
use crate::parse::{Effect, Entry, ResultArm};
use crate::readers;

/// The types and constants that a project's source declares, and what its modules import. Of several of one name in one module,
/// only that is known in which they agree.
#[derive(Default)]
pub struct Types {
    names: Names,
    /// By their full paths.
    items: HashMap<String, Vec<Item>>,
}

enum Item {
    Struct(Struct),
    /// An enum that derives `BizValue`.
    Value,
    Constant(Box<Type>),
    /// Another type, of which no more is known.
    Other,
}

struct Struct {
    fields: HashMap<String, Type>,
    declared: Vec<Field>,
}

/// A type as it is written, and the module in which it is: that says what its names mean.
struct Placed {
    ty: Type,
    module: String,
}

impl Placed {
    /// A type that Rust has everywhere.
    fn builtin(ty: Type) -> Self {
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
    /// Adds what a file declares and imports, in modules and bodies too. `module` is that of the file, from the name of its crate:
    /// `shop::storefront`.
    pub fn read(&mut self, module: &str, file: &File) {
        self.names.add_module(module);
        let module = module.to_owned();
        let mut reader = Reader {
            types: self,
            module,
        };
        reader.visit_file(file);
    }

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

    /// What a value of that type arrives as.
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
    fn constant(&self, path: &syn::Path, module: &str) -> Option<Placed> {
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
    fn field(&self, of: &Placed, member: &Member) -> Option<Placed> {
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

    /// A type without the references and pointers around it, all of which have the attribute form of what they hold.
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

    /// What a type that passes its content through holds.
    fn wrapped<'t>(&self, ty: &'t Type, module: &str) -> Option<&'t Type> {
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

    /// The name of a type that is not of a crate that was read.
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

/// Reads a file, and knows the module that it is in.
struct Reader<'t> {
    types: &'t mut Types,
    module: String,
}

impl Reader<'_> {
    fn item(&mut self, name: &Ident, vis: &Visibility, item: Item) {
        let full = self.types.names.add_item(&self.module, name, vis);
        self.types.items.entry(full).or_default().push(item);
    }
}

impl<'a> Visit<'a> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        let names = &mut self.types.names;
        let module = names.add_item(&self.module, &item.ident, &item.vis);
        if item.content.is_some() {
            names.add_module(&module);
            let outer = mem::replace(&mut self.module, module);
            visit::visit_item_mod(self, item);
            self.module = outer;
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        self.types.names.add_imports(&self.module, item);
    }

    fn visit_item_struct(&mut self, item: &'a ItemStruct) {
        let fields = item.fields.iter().zip(item.fields.members());
        let fields = fields.map(|(field, member)| (member_name(&member), field.ty.clone()));
        let known = Struct {
            fields: fields.collect(),
            declared: declared_fields(&DeriveInput::from(item.clone())),
        };
        self.item(&item.ident, &item.vis, Item::Struct(known));
    }

    fn visit_item_enum(&mut self, item: &'a ItemEnum) {
        let is_value = item.attrs.iter().any(|attr| derives(attr, "BizValue"));
        let known = if is_value { Item::Value } else { Item::Other };
        self.item(&item.ident, &item.vis, known);
    }

    fn visit_item_type(&mut self, item: &'a ItemType) {
        self.item(&item.ident, &item.vis, Item::Other);
    }

    fn visit_item_union(&mut self, item: &'a ItemUnion) {
        self.item(&item.ident, &item.vis, Item::Other);
    }

    fn visit_item_const(&mut self, item: &'a ItemConst) {
        let known = Item::Constant(item.ty.clone());
        self.item(&item.ident, &item.vis, known);
        visit::visit_item_const(self, item);
    }

    fn visit_item_static(&mut self, item: &'a ItemStatic) {
        let known = Item::Constant(item.ty.clone());
        self.item(&item.ident, &item.vis, known);
        visit::visit_item_static(self, item);
    }
}

/// The type that all are; `None` if one has none.
fn agreed<'a>(types: impl Iterator<Item = Option<&'a Type>>) -> Option<Type> {
    let types: Vec<&Type> = types.collect::<Option<_>>()?;
    let text = |ty: &Type| ty.to_token_stream().to_string();
    let (first, others) = types.split_first()?;
    let agree = others.iter().all(|ty| text(ty) == text(first));
    agree.then(|| (*first).clone())
}

/// What names mean in an expression.
pub(super) struct Scope<'a> {
    types: &'a Types,
    module: &'a str,
    locals: HashMap<String, Type>,
}

impl<'a> Scope<'a> {
    /// One in a module, without arguments.
    pub(super) fn empty(types: &'a Types, module: &'a str) -> Self {
        Self {
            types,
            module,
            locals: HashMap::new(),
        }
    }

    /// That of an entry on a function: the arguments, or what the entry's pattern binds of the result.
    pub(super) fn of(types: &'a Types, module: &'a str, sig: &Signature, entry: &Entry) -> Self {
        let mut scope = Self::empty(types, module);
        let on_result = entry
            .options
            .iter()
            .find_map(|option| match &option.effect {
                Effect::OnResult(arm, pattern) => Some((*arm, pattern)),
                _ => None,
            });
        if let Some((arm, pattern)) = on_result {
            if let Some(ty) = arm_type(&sig.output, arm) {
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
                self.locals
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
                if let Some(inner) = self.types.wrapped(ty, self.module) {
                    self.bind(&pattern.elems[0], inner);
                }
            }
            _ => {}
        }
    }

    pub(super) fn attribute_type(&self, expr: &Expr) -> Option<String> {
        let known = self.rust_type(expr)?;
        self.types.attribute_type(&known.ty, &known.module)
    }

    /// The full path of the struct that an expression's value is, or gives access to.
    pub(super) fn struct_name(&self, expr: &Expr) -> Option<String> {
        let known = self.rust_type(expr)?;
        self.types.struct_name(&known.ty, &known.module)
    }

    /// A type of the function's signature or of the entry itself.
    fn placed(&self, ty: &Type) -> Placed {
        Placed {
            ty: ty.clone(),
            module: self.module.to_owned(),
        }
    }

    fn rust_type(&self, expr: &Expr) -> Option<Placed> {
        match expr {
            Expr::Paren(expr) => self.rust_type(&expr.expr),
            Expr::Group(expr) => self.rust_type(&expr.expr),
            Expr::Reference(expr) => self.rust_type(&expr.expr),
            Expr::Unary(expr) => match expr.op {
                // Types are seen through anyway.
                UnOp::Deref(_) | UnOp::Neg(_) | UnOp::Not(_) => self.rust_type(&expr.expr),
                _ => None,
            },
            Expr::Lit(expr) => literal(&expr.lit).map(Placed::builtin),
            Expr::Cast(expr) => Some(self.placed(&expr.ty)),
            Expr::Path(expr) => {
                let name = expr.path.get_ident().map(|name| name.unraw().to_string());
                let local = name.and_then(|name| self.locals.get(&name));
                local
                    .map(|ty| self.placed(ty))
                    .or_else(|| self.types.constant(&expr.path, self.module))
            }
            Expr::Field(expr) => self.types.field(&self.rust_type(&expr.base)?, &expr.member),
            Expr::Array(expr) => {
                let Placed { ty, module } = self.rust_type(expr.elems.first()?)?;
                let ty = parse_quote!([#ty]);
                Some(Placed { ty, module })
            }
            Expr::Binary(expr) => match expr.op {
                BinOp::Eq(_)
                | BinOp::Ne(_)
                | BinOp::Lt(_)
                | BinOp::Le(_)
                | BinOp::Gt(_)
                | BinOp::Ge(_)
                | BinOp::And(_)
                | BinOp::Or(_) => Some(Placed::builtin(parse_quote!(bool))),
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
                .then(|| Placed::builtin(parse_quote!(String))),
            Expr::Call(call) => {
                let reads = readers::first(expr).is_some() && is_reader(&call.func);
                reads.then(|| Placed::builtin(parse_quote!(String)))
            }
            Expr::MethodCall(call) => self.method(call),
            _ => None,
        }
    }

    /// Methods of the standard library that are called so everywhere.
    fn method(&self, call: &ExprMethodCall) -> Option<Placed> {
        match call.method.to_string().as_str() {
            "as_deref" | "as_ref" | "as_slice" | "clone" | "cloned" | "copied" | "into_inner"
            | "or" | "to_owned" | "trim" | "unwrap_or" | "unwrap_or_default" => {
                self.rust_type(&call.receiver)
            }
            "as_str" | "to_string" | "to_lowercase" | "to_uppercase" => {
                Some(Placed::builtin(parse_quote!(String)))
            }
            "len" if call.args.is_empty() => Some(Placed::builtin(parse_quote!(usize))),
            "is_empty" | "is_some" | "is_none" | "is_ok" | "is_err" | "contains"
            | "starts_with" | "ends_with" => Some(Placed::builtin(parse_quote!(bool))),
            _ => None,
        }
    }
}

/// The type of what an entry's pattern is for.
fn arm_type(output: &ReturnType, arm: ResultArm) -> Option<&Type> {
    let ReturnType::Type(_, ty) = output else {
        return None;
    };
    let mut arguments = type_arguments(last_segment(ty)?);
    match arm {
        ResultArm::Ok => arguments.next(),
        ResultArm::Err => arguments.nth(1),
        ResultArm::Ret => Some(ty),
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
    matches!(callee, Expr::Path(path) if readers::READERS.iter().any(|it| path.path.is_ident(it)))
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
