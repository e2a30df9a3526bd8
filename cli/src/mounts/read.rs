//! Reads where handlers are mounted: the chains of calls such as `App::new().service(web::scope("/api").service(create))`.

use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, ExprCall, ExprLit, ExprMethodCall, ImplItemFn, ItemFn, ItemMod, Lit, LitStr,
    Path, Token,
};

use super::{Base, Kind, Mention, Mounts, Place, joined};
use crate::attributes::{ends_in, is_test};
use crate::modules::SourceFile;

impl Mounts {
    pub(crate) fn read(&mut self, file: &SourceFile) {
        let mut reader = Reader {
            mounts: self,
            modules: file.module.clone(),
            place: Place {
                base: Base::Function(String::new()),
                scopes: Some(String::new()),
            },
        };
        reader.visit_file(&file.syntax);
    }
}

struct Reader<'m> {
    mounts: &'m mut Mounts,
    modules: Vec<String>,
    /// Where the current expression mounts things.
    place: Place,
}

impl Reader<'_> {
    fn function(&mut self, attrs: &[Attribute], name: &syn::Ident, visit: impl FnOnce(&mut Self)) {
        if is_test(attrs) {
            return;
        }
        let full = format!("{}::{}", self.modules.join("::"), name.unraw());
        let functions = &mut self.mounts.functions;
        let of_name = functions.entry(name.unraw().to_string()).or_default();
        of_name.push(full.clone());
        let place = Place {
            base: Base::Function(full),
            scopes: Some(String::new()),
        };
        self.at(place, visit);
    }

    fn at(&mut self, place: Place, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.place, place);
        visit(self);
        self.place = outer;
    }

    fn mention(&mut self, kind: Kind, path: &Path) {
        let names = path.segments.iter().map(|it| it.ident.unraw().to_string());
        let names = names.filter(|it| !["crate", "self", "super"].contains(&it.as_str()));
        let path: Vec<String> = names.collect();
        let Some(name) = path.last().cloned() else {
            return;
        };
        let module = self.modules.join("::");
        let place = self.place.clone();
        let mentions = self.mounts.mentions.entry(name).or_default();
        mentions.push(Mention {
            kind,
            path,
            module,
            place,
        });
    }

    /// An argument of `.service(…)`.
    fn mounted(&mut self, expr: &Expr) {
        match expr {
            Expr::Path(path) => self.mention(Kind::Handler, &path.path),
            Expr::Tuple(tuple) => tuple.elems.iter().for_each(|it| self.mounted(it)),
            Expr::Macro(it) if ends_in(&it.mac.path, "services") => {
                let parse = Punctuated::<Expr, Token![,]>::parse_terminated;
                let services = it.mac.parse_body_with(parse);
                for service in services.into_iter().flatten() {
                    self.mounted(&service);
                }
            }
            _ => self.visit_expr(expr),
        }
    }

    /// The calls on a value, from the first to the last; it mounts at the current place. `resource` is the path of a resource.
    fn calls(&mut self, calls: &[&ExprMethodCall], resource: Option<&str>) {
        for call in calls {
            let arguments: Vec<&Expr> = call.args.iter().collect();
            match (call.method.to_string().as_str(), arguments.as_slice()) {
                ("service", [argument]) => self.mounted(argument),
                ("configure", [Expr::Path(function)]) => {
                    self.mention(Kind::Content, &function.path);
                }
                ("route", [path, route]) => {
                    self.route(text(path).as_deref(), route);
                }
                ("route", [route]) => self.route(resource, route),
                _ => call.args.iter().for_each(|it| self.visit_expr(it)),
            }
        }
    }

    /// `web::get().to(handler)` for a path, which is `None` if it is not known.
    fn route(&mut self, path: Option<&str>, route: &Expr) {
        if let Expr::MethodCall(to) = route
            && to.method == "to"
            && let Some(Expr::Path(handler)) = to.args.first()
            && let Some(path) = path
            && let Some(method) = method(&to.receiver)
        {
            self.mention(Kind::Route(method, path.to_owned()), &handler.path);
        } else {
            self.visit_expr(route);
        }
    }
}

impl<'a> Visit<'a> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        if is_test(&item.attrs) {
            return;
        }
        self.modules.push(item.ident.unraw().to_string());
        let scopes = item.attrs.iter().filter(|it| ends_in(it.path(), "scope"));
        for scope in scopes.filter_map(|it| it.parse_args::<LitStr>().ok()) {
            let module = self.modules.join("::");
            let scope = joined("", &scope.value());
            self.mounts.module_scopes.insert(module, scope);
        }
        visit::visit_item_mod(self, item);
        self.modules.pop();
    }

    fn visit_item_fn(&mut self, item: &'a ItemFn) {
        self.function(&item.attrs, &item.sig.ident, |reader| {
            visit::visit_item_fn(reader, item);
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'a ImplItemFn) {
        self.function(&item.attrs, &item.sig.ident, |reader| {
            visit::visit_impl_item_fn(reader, item);
        });
    }

    fn visit_expr_call(&mut self, call: &'a ExprCall) {
        let start = start(call);
        self.mounts.has_scopes |= matches!(start, Some(Start::Scope(_)));
        // A function may be called to mount something. Names of variants and types start with a capital.
        if let (None, Expr::Path(function)) = (start, &*call.func)
            && let Some(last) = function.path.segments.last()
            && !last.ident.to_string().starts_with(char::is_uppercase)
        {
            self.mention(Kind::Content, &function.path);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'a ExprMethodCall) {
        let (mut calls, mut value) = (vec![call], &*call.receiver);
        while let Expr::MethodCall(call) = value {
            calls.push(call);
            value = &call.receiver;
        }
        calls.reverse();
        self.visit_expr(value);
        let start = match value {
            Expr::Call(call) => start(call),
            _ => None,
        };
        let mut place = self.place.clone();
        let mut resource = None;
        match start {
            Some(Start::App) => {
                place = Place {
                    base: Base::App,
                    scopes: Some(String::new()),
                };
            }
            Some(Start::Scope(path)) => {
                place.scopes = (place.scopes.zip(path)).map(|(outer, path)| joined(&outer, &path));
            }
            Some(Start::Resource(path)) => resource = path,
            None => {}
        }
        self.at(place, |reader| reader.calls(&calls, resource.as_deref()));
    }
}

/// The call that a chain starts with. The path is `None` if it is not a literal.
enum Start {
    App,
    Scope(Option<String>),
    Resource(Option<String>),
}

fn start(call: &ExprCall) -> Option<Start> {
    let Expr::Path(path) = &*call.func else {
        return None;
    };
    let names = path.path.segments.iter().rev();
    let names: Vec<String> = names.take(2).map(|it| it.ident.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let path = || call.args.first().and_then(text);
    match names.as_slice() {
        ["new", "App"] => Some(Start::App),
        // Those of actix-web take a path, and `thread::scope` takes a closure.
        ["scope", ..] if call.args.len() != 1 => None,
        ["scope", ..] if matches!(call.args.first(), Some(Expr::Closure(_))) => None,
        ["scope", ..] | ["new", "Scope"] => Some(Start::Scope(path())),
        ["resource", ..] | ["new", "Resource"] => Some(Start::Resource(path())),
        _ => None,
    }
}

/// `web::get()` → `GET`
fn method(expr: &Expr) -> Option<String> {
    let Expr::Call(call) = expr else { return None };
    let Expr::Path(path) = &*call.func else {
        return None;
    };
    let name = path.path.segments.last()?.ident.to_string();
    ["get", "post", "put", "patch", "delete", "head", "trace"]
        .contains(&name.as_str())
        .then(|| name.to_uppercase())
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}
