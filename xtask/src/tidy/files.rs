//! The files of the repository.

use std::{fs, path::Path, process::Command};

use crate::error::{Error, Result};

/// Returns all files that are in the repository or would be after `git add --all`, as paths from the root with `/`.
///
/// Without git, or outside of a checkout, returns all files but those in `.git` and in the folders that `.gitignore`
/// names.
pub(super) fn list(root: &Path) -> Result<Vec<String>> {
    if let Some(files) = ask_git(root) {
        return Ok(files);
    }
    println!("tidy: git does not answer here, so all files count that .gitignore does not name");
    let ignored = fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    let ignored: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('/')).chain([".git"]).collect();
    let mut files = Vec::new();
    walk(root, "", &ignored, &mut files)?;
    files.sort();
    Ok(files)
}

fn ask_git(root: &Path) -> Option<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let output = git.output().ok().filter(|output| output.status.success())?;
    let names = String::from_utf8(output.stdout).ok()?;
    Some(names.split_terminator('\0').map(str::to_owned).collect())
}

fn walk(root: &Path, below: &str, ignored: &[&str], files: &mut Vec<String>) -> Result<()> {
    let dir = root.join(below);
    let unreadable = |source| Error::Read { path: dir.clone(), source };
    for entry in fs::read_dir(&dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let name = if below.is_empty() {
            name.to_string_lossy().into_owned()
        } else {
            format!("{below}/{}", name.to_string_lossy())
        };
        if ignored.contains(&name.as_str()) {
            continue;
        }
        // This is the type of the entry itself. Links to folders are not followed, so none can lead in a circle.
        if entry.file_type().map_err(unreadable)?.is_dir() {
            walk(root, &name, ignored, files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_git_the_folders_in_gitignore_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        for dir in ["target/debug", "crates/target"] {
            fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        for (file, text) in [(".gitignore", "/target\n"), ("target/debug/a.rs", ""), ("crates/target/b.rs", "")] {
            fs::write(root.path().join(file), text).unwrap();
        }
        assert_eq!(list(root.path()).unwrap(), [".gitignore", "crates/target/b.rs"]);
    }
}
