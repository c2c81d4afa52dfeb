//! The workspace as cargo sees it.

use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// A call of the cargo that runs this program, from the root of the workspace.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(arguments)
        .current_dir(testkit::workspace_root());
    command
}

/// What `cargo metadata` says of the workspace, without the crates of others.
pub struct Workspace {
    /// Its packages.
    pub crates: Vec<Crate>,
    /// Where cargo builds.
    pub target: PathBuf,
}

/// One package of the workspace.
#[derive(Debug, Clone)]
pub struct Crate {
    pub name: String,
    /// Its folder, from the root of the workspace.
    pub folder: PathBuf,
    /// The packages of the workspace that it builds upon; dev-dependencies are not among them.
    pub uses: Vec<String>,
}

impl Workspace {
    /// Asks cargo.
    pub fn load() -> Result<Workspace, Box<dyn Error>> {
        let output = cargo(&[
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let crates: Option<Vec<Crate>> = array(&metadata["packages"])
            .map(Crate::from_metadata)
            .collect();
        let target = metadata["target_directory"].as_str().map(PathBuf::from);
        match (crates, target) {
            (Some(crates), Some(target)) => Ok(Workspace { crates, target }),
            _ => Err("cargo metadata is not in its format 1".into()),
        }
    }
}

impl Crate {
    fn from_metadata(package: &Value) -> Option<Crate> {
        let manifest = Path::new(package["manifest_path"].as_str()?);
        let uses = array(&package["dependencies"])
            // Only a dependency of the workspace has a path; a normal one has no kind.
            .filter(|dependency| dependency["path"].is_string() && dependency["kind"] != "dev")
            .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned));
        Some(Crate {
            name: package["name"].as_str()?.to_owned(),
            folder: manifest
                .parent()?
                .strip_prefix(testkit::workspace_root())
                .ok()?
                .to_owned(),
            uses: uses.collect(),
        })
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
