//! The packages to read, found as cargo finds them.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;

/// Which packages, by the options of cargo.
#[derive(clap::Args)]
pub(crate) struct Packages {
    /// Path to Cargo.toml
    #[arg(long, global = true, value_name = "PATH")]
    manifest_path: Option<PathBuf>,
    /// Package to read (default: the package of the current directory)
    #[arg(short, long, global = true, value_name = "NAME")]
    package: Vec<String>,
    /// Read all packages of the workspace
    #[arg(long, global = true, conflicts_with = "package")]
    workspace: bool,
}

/// A workspace, with the packages that were chosen.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) packages: Vec<Package>,
    /// The other packages. The chosen ones may use their types.
    pub(crate) others: Vec<Package>,
}

/// A package, as `cargo metadata` has it.
#[derive(Deserialize)]
pub(crate) struct Package {
    name: String,
    id: String,
    manifest_path: PathBuf,
    pub(crate) targets: Vec<Target>,
}

/// A target of a package, as `cargo metadata` has it.
#[derive(Deserialize)]
pub(crate) struct Target {
    name: String,
    kind: Vec<String>,
    pub(crate) src_path: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_default_members: Vec<String>,
    workspace_root: PathBuf,
}

impl Target {
    /// The name of its crate.
    pub(crate) fn crate_name(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Whether it is a library or a binary: what runs in production.
    pub(crate) fn is_shipped(&self) -> bool {
        let others = ["example", "test", "bench", "custom-build"];
        !self.kind.iter().any(|kind| others.contains(&kind.as_str()))
    }
}

impl Packages {
    /// Asks cargo. Fails as cargo does, or if there is no such package.
    pub(crate) fn find(&self) -> anyhow::Result<Workspace> {
        let metadata = self.metadata()?;
        let all: Vec<&str> = metadata
            .packages
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        if let Some(unknown) = self
            .package
            .iter()
            .find(|name| !all.contains(&name.as_str()))
        {
            bail!(
                "there is no package `{unknown}` in this workspace: it has {}",
                all.join(", ")
            );
        }
        let here = self.manifest();
        let is_here = |it: &Package| here.is_some() && it.manifest_path.canonicalize().ok() == here;
        // As with cargo: a member's folder means that member, the root its default members.
        let member = metadata.packages.iter().find(|it| is_here(it));
        let member =
            member.filter(|it| it.manifest_path.parent() != Some(&metadata.workspace_root));
        let member = member.map(|it| it.id.clone());
        let is_chosen = |package: &Package| {
            if self.workspace {
                true
            } else if !self.package.is_empty() {
                self.package.contains(&package.name)
            } else if let Some(member) = &member {
                package.id == *member
            } else {
                metadata.workspace_default_members.contains(&package.id)
            }
        };
        let (packages, others) = metadata.packages.into_iter().partition(is_chosen);
        Ok(Workspace {
            root: metadata.workspace_root,
            packages,
            others,
        })
    }

    fn metadata(&self) -> anyhow::Result<Metadata> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(&cargo);
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        if let Some(path) = &self.manifest_path {
            command.arg("--manifest-path").arg(path);
        }
        let output = command.output();
        let output = output.with_context(|| format!("`{}` can't be run", cargo.display()))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let message = stderr.trim();
            bail!("{}", message.strip_prefix("error: ").unwrap_or(message));
        }
        serde_json::from_slice(&output.stdout).context("`cargo metadata` printed unexpected output")
    }

    /// The manifest that cargo starts from.
    fn manifest(&self) -> Option<PathBuf> {
        let found = match &self.manifest_path {
            Some(path) => path.clone(),
            None => {
                let here = env::current_dir().ok()?;
                let mut manifests = here.ancestors().map(|folder| folder.join("Cargo.toml"));
                manifests.find(|path| path.is_file())?
            }
        };
        found.canonicalize().ok()
    }
}
