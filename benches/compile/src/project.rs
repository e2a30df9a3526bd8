//! The crates that are compiled: the README's example, many times over, in a workspace of their own.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::ROOT;

/// The versions that this repository is tested with, and the crates are compiled with.
pub(crate) const CARGO_LOCK: &str = include_str!("../../../Cargo.lock");

/// How the handlers are annotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    Bare,
    Tracing,
    Biztrace,
}

impl Variant {
    pub(crate) const ALL: [Self; 3] = [Self::Bare, Self::Tracing, Self::Biztrace];

    /// The variant's crate.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Tracing => "tracing",
            Self::Biztrace => "biztrace",
        }
    }

    fn dependency(self) -> String {
        match self {
            Self::Bare => String::new(),
            Self::Tracing => {
                r#"tracing = { version = "0.1", default-features = false, features = ["attributes", "std"] }"#.to_owned()
            }
            Self::Biztrace => format!("biztrace = {{ path = {:?} }}", format!("{ROOT}/runtime")),
        }
    }

    fn import(self) -> &'static str {
        match self {
            Self::Bare | Self::Tracing => "",
            Self::Biztrace => "use biztrace::{biz_attrs, traced_handler};\n",
        }
    }

    fn attributes(self) -> &'static str {
        match self {
            Self::Bare => "",
            Self::Tracing => {
                "#[tracing::instrument(skip_all, fields(
    order.id = *id,
    order.sku = order.sku,
    order.quantity = order.quantity,
    order.amount = order.amount,
    order.express = order.express,
))]\n"
            }
            Self::Biztrace => {
                "#[traced_handler]
#[biz_attrs(
    order.id = *id,
    order.sku = order.sku,
    order.quantity = order.quantity,
    order.amount = order.amount,
    order.express = order.express,
)]\n"
            }
        }
    }
}

impl Display for Variant {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A workspace of one crate for each variant.
#[derive(Debug)]
pub(crate) struct Project {
    directory: PathBuf,
}

impl Project {
    /// Writes it into `directory`, with `handlers` in each crate.
    pub(crate) fn write(directory: &Path, handlers: usize) -> Result<Self> {
        let project = Self {
            directory: directory.to_owned(),
        };
        project.write_file("Cargo.toml", WORKSPACE)?;
        project.write_file("Cargo.lock", CARGO_LOCK)?;
        for variant in Variant::ALL {
            project.write_file(&format!("{variant}/Cargo.toml"), &manifest(variant))?;
            project.write_file(
                &format!("{variant}/src/main.rs"),
                &source(variant, handlers),
            )?;
        }
        Ok(project)
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Has cargo take the crate for changed.
    pub(crate) fn touch(&self, variant: Variant) -> Result<()> {
        let path = self.directory.join(format!("{variant}/src/main.rs"));
        let source = fs::read(&path)?;
        Ok(fs::write(&path, source)?)
    }

    fn write_file(&self, path: &str, content: &str) -> Result<()> {
        let path = self.directory.join(path);
        let directory = path.parent().context("a file is in a directory")?;
        fs::create_dir_all(directory)?;
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
    }
}

const WORKSPACE: &str = r#"[workspace]
resolver = "3"
members = ["bare", "tracing", "biztrace"]

[profile.release]
strip = true
"#;

fn manifest(variant: Variant) -> String {
    let dependency = variant.dependency();
    format!(
        r#"[package]
name = "{variant}-handlers"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
actix-web = {{ version = "4", default-features = false, features = ["macros"] }}
serde = {{ version = "1", features = ["derive"] }}
{dependency}
"#
    )
}

fn source(variant: Variant, handlers: usize) -> String {
    let import = variant.import();
    let attributes = variant.attributes();
    let registered: String = (0..handlers)
        .map(|i| format!("    app.service(create_{i});\n"))
        .collect();
    let handlers: String = (0..handlers)
        .map(|i| {
            format!(
                r#"
#[post("/shops/{i}/orders/{{id}}")]
{attributes}async fn create_{i}(id: web::Path<u64>, order: web::Json<NewOrder>) -> actix_web::Result<String> {{
    let left = reserve(&order).await.map_err(error::ErrorConflict)?;
    Ok(format!("order {{id}}, {{left}} left"))
}}
"#
            )
        })
        .collect();
    format!(
        r#"use actix_web::{{App, HttpServer, error, post, web}};
{import}
#[derive(serde::Deserialize)]
struct NewOrder {{
    sku: String,
    quantity: u64,
    amount: f64,
    express: bool,
}}

async fn reserve(order: &NewOrder) -> Result<u64, String> {{
    let NewOrder {{ sku, quantity, amount, express }} = order;
    quantity
        .checked_sub(u64::from(*express))
        .ok_or_else(|| format!("no {{sku}} for {{amount}}"))
}}
{handlers}
fn routes(app: &mut web::ServiceConfig) {{
{registered}}}

#[actix_web::main]
async fn main() -> std::io::Result<()> {{
    HttpServer::new(|| App::new().configure(routes))
        .bind("127.0.0.1:8080")?
        .run()
        .await
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Build, build};

    #[test]
    #[ignore = "builds actix-web once more: cargo test -p compile-bench -- --ignored"]
    fn all_variants_compile() {
        let directory = Path::new(ROOT).join("target/compile-bench-test");
        let project = Project::write(&directory, 3).unwrap();
        for variant in Variant::ALL {
            build(&project, variant, Build::Check).unwrap();
        }
    }
}
