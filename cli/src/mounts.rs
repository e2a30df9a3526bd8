//! Where handlers are mounted: the scopes around their routes, as far as source shows them.
//!
//! ```text
//! App::new().configure(api)                            at the root of an `App`
//! fn api(config) {
//!     config.service(web::scope("/v1").service(create))  below "/v1", where `api` is mounted
//! }
//! ```

mod read;

use std::collections::{BTreeSet, HashMap};

/// The mounts of all handlers in a project.
#[derive(Default)]
pub(crate) struct Mounts {
    /// The full paths of all functions, by their last names.
    functions: HashMap<String, Vec<String>>,
    /// By the last names of their paths.
    mentions: HashMap<String, Vec<Mention>>,
    /// The prefixes that `#[scope("…")]` on modules gives to the routes of their functions.
    module_scopes: HashMap<String, String>,
    /// Whether there is any other scope. Without one, a route does not depend on its mount.
    has_scopes: bool,
    /// The scopes around the content of functions, as far as they have been asked for.
    around: HashMap<String, Scopes>,
}

/// All paths of scopes that something is in, with `None` for a path that is not known. Empty if it is nowhere.
type Scopes = BTreeSet<Option<String>>;

/// A mention of a function that mounts it.
#[derive(Clone)]
struct Mention {
    kind: Kind,
    /// The names of its path, without `crate`, `self` and `super`.
    path: Vec<String>,
    /// The module that it is in.
    module: String,
    place: Place,
}

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    /// `.service(handler)`
    Handler,
    /// `.route("/path", web::get().to(handler))`: with the method and the path.
    Route(String, String),
    /// `.configure(function)`, or a call of a function: what it mounts is mounted here.
    Content,
}

/// Where something is mounted.
#[derive(Clone)]
struct Place {
    base: Base,
    /// The paths of the scopes below that; `None` if one is not a literal.
    scopes: Option<String>,
}

#[derive(Clone)]
enum Base {
    /// The root of an `App`.
    App,
    /// Where the content of that function is mounted.
    Function(String),
}

/// More functions of one name, or mounts of one function, than this are not told apart.
const MAX_ALIKE: usize = 16;

/// A longer path of scopes counts as unknown.
const MAX_SCOPES_BYTES: usize = 1024;

impl Mounts {
    /// The name of a handler's span, whose attributes declare `name` and `route`. If its scopes are not known, the name starts with
    /// the function's path, and the path of the route with `…`.
    pub(crate) fn span_name(
        &mut self,
        function: &str,
        name: &str,
        route: Option<&(String, String)>,
    ) -> String {
        let Some((method, path)) = route else {
            return self.route_name(function).unwrap_or_else(|| name.to_owned());
        };
        let module = function.rsplit_once("::").map_or("", |(module, _)| module);
        let of_module = self.module_scopes.get(module);
        let path = joined(of_module.map_or("", String::as_str), path);
        if !self.has_scopes {
            return format!("{method} {path}");
        }
        let mounts = self.mounts(function, |kind| *kind == Kind::Handler);
        match only(mounts) {
            Some(scopes) => format!("{method} {}", joined(&scopes, &path)),
            None => format!("{function}: {method} …{path}"),
        }
    }

    /// The name of the span of a handler without a route attribute, if it has one route.
    fn route_name(&mut self, function: &str) -> Option<String> {
        let routes = self.meant_by(function).into_iter();
        let mut routes = routes.filter_map(|(mention, _)| match mention.kind {
            Kind::Route(method, path) => Some((method, path)),
            _ => None,
        });
        let (method, path) = routes.next().filter(|_| routes.next().is_none())?;
        let mounts = self.mounts(function, |kind| matches!(kind, Kind::Route(..)));
        Some(format!("{method} {}", joined(&only(mounts)?, &path)))
    }

    /// The scopes around a function, where mentions of that kind mount it.
    fn mounts(&mut self, function: &str, is_kind: fn(&Kind) -> bool) -> Scopes {
        let mentions = self.meant_by(function).into_iter();
        let mut mounts = Scopes::new();
        for (mention, is_certain) in mentions.filter(|(it, _)| is_kind(&it.kind)) {
            if is_certain && mounts.len() < MAX_ALIKE {
                mounts.extend(self.scopes(&mention.place));
            } else {
                mounts.insert(None);
            }
        }
        mounts
    }

    /// The scopes at a place.
    fn scopes(&mut self, place: &Place) -> Scopes {
        let outer = match &place.base {
            Base::App => Scopes::from([Some(String::new())]),
            Base::Function(function) => self.around(function),
        };
        let below = |outer: Option<String>| {
            let path = outer? + place.scopes.as_ref()?;
            (path.len() <= MAX_SCOPES_BYTES).then_some(path)
        };
        outer.into_iter().map(below).collect()
    }

    /// The scopes around what a function mounts.
    fn around(&mut self, function: &str) -> Scopes {
        if let Some(known) = self.around.get(function) {
            return known.clone();
        }
        let unknown = Scopes::from([None]);
        // The answer within a circle.
        self.around.insert(function.to_owned(), unknown.clone());
        let mut scopes = self.mounts(function, |kind| *kind == Kind::Content);
        if scopes.is_empty() {
            scopes = unknown;
        }
        self.around.insert(function.to_owned(), scopes.clone());
        scopes
    }

    /// The mentions that may mean a function, and whether each certainly does.
    fn meant_by(&self, function: &str) -> Vec<(Mention, bool)> {
        let name = function.rsplit("::").next().unwrap_or(function);
        let mentions = self.mentions.get(name).into_iter().flatten();
        let functions = self.functions.get(name).map_or(&[][..], Vec::as_slice);
        if functions.len() > MAX_ALIKE {
            return Vec::new();
        }
        let meant = mentions.filter_map(|mention| {
            let suffix = format!("::{}", mention.path.join("::"));
            if !function.ends_with(&suffix) {
                return None;
            }
            let here = mention.module.clone() + &suffix;
            if functions.contains(&here) {
                return (here == function).then(|| (mention.clone(), true));
            }
            let like = functions.iter().filter(|it| it.ends_with(&suffix));
            Some((mention.clone(), like.count() == 1))
        });
        meant.collect()
    }
}

/// The path of scopes, if there is one and it is known.
fn only(scopes: Scopes) -> Option<String> {
    let mut scopes = scopes.into_iter();
    let first = scopes.next()?;
    first.filter(|_| scopes.next().is_none())
}

/// The path of a route in scopes. actix-web puts a slash before a path that has none.
fn joined(scopes: &str, path: &str) -> String {
    let has_slash = path.is_empty() || path.starts_with('/');
    format!("{scopes}{}{path}", if has_slash { "" } else { "/" })
}
