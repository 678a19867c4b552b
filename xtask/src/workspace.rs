//! The part of `cargo metadata` that the tasks use.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use cargo_metadata::{
    CargoOpt, Dependency, DependencyKind, Metadata, MetadataCommand, NodeDep, PackageId, semver::Version,
};

use crate::error::Result;

/// The packages of the workspace, and all packages in their tree.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Our own packages, sorted by name.
    pub(crate) members: Vec<Member>,
    /// All packages, ours and others', with all features and for all platforms.
    pub(crate) packages: Vec<Package>,
}

/// A package of the workspace, as its manifest describes it.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Its folder, relative to the root.
    pub(crate) dir: PathBuf,
    /// The file where rustc starts: `src/lib.rs`, or `src/main.rs` if there is no library.
    pub(crate) entry: PathBuf,
    pub(crate) description: Option<String>,
    pub(crate) rust_version: Option<Version>,
    pub(crate) features: Vec<String>,
    /// The members that it depends on, normally or for its build. Optional ones and those for one platform count too.
    pub(crate) uses: BTreeSet<String>,
    /// The members that only its tests depend on.
    pub(crate) tests_use: BTreeSet<String>,
}

/// A package as cargo resolved it.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) rust_version: Option<Version>,
    /// Its normal dependencies, as positions in [`Workspace::packages`].
    ///
    /// An optional one of a package of ours is not among them: nobody has it who does not ask for its feature.
    pub(crate) uses: Vec<usize>,
}

impl Workspace {
    /// Loads the workspace with `cargo metadata`.
    ///
    /// # Errors
    ///
    /// Returns an error if `cargo metadata` fails, for instance because it cannot read a manifest.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let metadata = MetadataCommand::new().current_dir(root).features(CargoOpt::AllFeatures).exec()?;
        Ok(Self { members: members(&metadata), packages: packages(&metadata) })
    }
}

fn members(metadata: &Metadata) -> Vec<Member> {
    let packages = metadata.workspace_packages();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut members: Vec<Member> = packages.iter().map(|package| member(package, &ours, metadata)).collect();
    members.sort_by(|a, b| a.name.cmp(&b.name));
    members
}

fn member(package: &cargo_metadata::Package, ours: &BTreeSet<&str>, metadata: &Metadata) -> Member {
    let relative = |path: &Path| path.strip_prefix(&metadata.workspace_root).unwrap_or(path).to_path_buf();
    let manifest = package.manifest_path.as_std_path();
    let dir = manifest.parent().unwrap_or(manifest);
    let library = package.targets.iter().find(|target| target.is_lib() || target.is_proc_macro());
    let program = || package.targets.iter().find(|target| target.is_bin());
    let uses = |of_tests: bool| {
        let edges = package.dependencies.iter().filter(|it| (it.kind == DependencyKind::Development) == of_tests);
        edges.filter(|it| ours.contains(it.name.as_str())).map(|it| it.name.clone()).collect()
    };
    Member {
        name: package.name.to_string(),
        dir: relative(dir),
        entry: library
            .or_else(program)
            .map_or_else(|| relative(dir).join("src/lib.rs"), |it| relative(it.src_path.as_std_path())),
        description: package.description.clone(),
        rust_version: package.rust_version.clone(),
        features: package.features.keys().cloned().collect(),
        uses: uses(false),
        tests_use: uses(true),
    }
}

fn packages(metadata: &Metadata) -> Vec<Package> {
    let ours = metadata.workspace_packages();
    let is_optional = |of: &PackageId, dep: &NodeDep| {
        let package = ours.iter().find(|package| package.id == *of);
        let named = |it: &&Dependency| it.rename.as_ref().unwrap_or(&it.name).replace('-', "_") == dep.name;
        package.is_some_and(|package| package.dependencies.iter().filter(named).any(|it| it.optional))
    };
    let position: BTreeMap<_, _> = metadata.packages.iter().enumerate().map(|(i, package)| (&package.id, i)).collect();
    let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
    let edges: BTreeMap<_, Vec<usize>> = nodes
        .iter()
        .map(|node| {
            let normal = |dep: &&NodeDep| dep.dep_kinds.iter().any(|it| it.kind == DependencyKind::Normal);
            let normal = node.deps.iter().filter(normal).filter(|dep| !is_optional(&node.id, dep));
            let uses = normal.filter_map(|dep| position.get(&dep.pkg).copied());
            (&node.id, uses.collect())
        })
        .collect();
    metadata
        .packages
        .iter()
        .map(|package| Package {
            name: package.name.to_string(),
            version: package.version.clone(),
            rust_version: package.rust_version.clone(),
            uses: edges.get(&package.id).cloned().unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
impl Member {
    /// A member in `crates/` that breaks no rule and depends on nothing.
    pub(crate) fn named(name: &str) -> Self {
        let dir = Path::new("crates").join(name.trim_start_matches("nexios-"));
        Self {
            name: name.to_owned(),
            entry: dir.join("src/lib.rs"),
            dir,
            description: Some("A crate".to_owned()),
            rust_version: Some(Version::new(1, 95, 0)),
            features: Vec::new(),
            uses: BTreeSet::new(),
            tests_use: BTreeSet::new(),
        }
    }
}
