//! Infers the type of an expression from signatures, structs and literals. A type that is not certain is unknown.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{
    BinOp, Expr, ExprMethodCall, FnArg, Lit, Pat, ReturnType, Signature, Type, UnOp, parse_quote,
};

use super::types::{Placed, Types, last_segment, type_arguments};
use crate::parse::{Effect, Entry, ResultArm};
use crate::readers;

/// What names mean in an expression.
pub(super) struct Scope<'a> {
    types: &'a Types,
    module: &'a str,
    locals: HashMap<String, Type>,
}

impl<'a> Scope<'a> {
    /// The scope of a module, without arguments.
    pub(super) fn empty(types: &'a Types, module: &'a str) -> Self {
        Self {
            types,
            module,
            locals: HashMap::new(),
        }
    }

    /// The scope of an entry on a function: the arguments, or the names that the entry's pattern binds.
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
                // These don't change the attribute type.
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
                // Numbers: with operands of different types, the type of the result is uncertain.
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

    /// Methods that are known by their name, since they are the standard library's.
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

/// The type that an entry's pattern matches.
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

fn is_reader(callee: &Expr) -> bool {
    matches!(callee, Expr::Path(path) if readers::READERS.iter().any(|it| path.path.is_ident(it)))
}
