use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use nexios_settings::{SettingError, Vars};
use zeroize::Zeroizing;

use crate::KeyRing;
use crate::key_ring::Application;

impl KeyRing {
    /// Reads the keys from the environment of this process: from `SECRET_KEY`, or from the file that
    /// `SECRET_KEY_FILE` names.
    ///
    /// `SESSION_APPLICATION`, if it is set, is the name that [`for_application`](Self::for_application) gives the ring.
    ///
    /// The value of the variable, or the content of the file, is read by [`from_text`](Self::from_text): one or more
    /// keys, separated by commas. The first key signs.
    ///
    /// # Errors
    ///
    /// The error names the variable. Reading the keys fails if
    ///
    /// * neither variable is set, or both are;
    /// * a variable is set but empty;
    /// * a key is too short or has too few different characters, or is printed in our documentation;
    /// * the name of the application is not allowed;
    /// * the file cannot be read, is not UTF-8, or is larger than 64 KiB.
    ///
    /// The error shows the name of a file only where the file or its directory is there. Otherwise what
    /// `SECRET_KEY_FILE` has may be a key by mistake.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// let keys = nexios_signer::KeyRing::from_env()?;
    /// # Ok::<(), nexios_settings::SettingError>(())
    /// ```
    pub fn from_env() -> Result<Self, SettingError> {
        Self::from_vars(&Vars::process())
    }

    /// Reads the keys from a source of your choice, in the way of [`from_env`](Self::from_env).
    ///
    /// # Errors
    ///
    /// Fails as [`from_env`](Self::from_env) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_settings::Vars;
    /// use nexios_signer::KeyRing;
    ///
    /// # let secret = nexios_signer::Key::generate().unwrap().to_text().unwrap();
    /// let vars = Vars::from_iter([("SECRET_KEY", &**secret)]);
    /// assert_eq!(KeyRing::from_vars(&vars)?.len(), 1);
    /// # Ok::<(), nexios_settings::SettingError>(())
    /// ```
    pub fn from_vars(vars: &Vars) -> Result<Self, SettingError> {
        let application = vars.get::<Application>("SESSION_APPLICATION")?;
        Ok(Self::keys_from_vars(vars)?.of(application))
    }

    fn keys_from_vars(vars: &Vars) -> Result<Self, SettingError> {
        match (vars.secret(KEY)?, vars.os_text(KEY_FILE)?) {
            (Some(text), None) => {
                Self::from_text(&text).map_err(|error| SettingError::described(KEY, format!("is not usable: {error}")))
            }
            (None, Some(path)) => Self::from_file(Path::new(&path)),
            (Some(_), Some(_)) => {
                Err(SettingError::described(KEY, "is set and so is SECRET_KEY_FILE, but only one of them may be"))
            }
            (None, None) => Err(SettingError::described(
                KEY,
                "is not set and neither is SECRET_KEY_FILE; one of them must give at least 32 random bytes as text",
            )),
        }
    }

    fn from_file(path: &Path) -> Result<Self, SettingError> {
        if !can_be_shown(path) {
            let problem = "names a file that does not exist; its name is not shown, because it may be a key";
            return Err(SettingError::described(KEY_FILE, problem));
        }
        let problem = |problem: &str| {
            let path = path.display().to_string();
            SettingError::described(KEY_FILE, format!("names `{}`, {problem}", path.escape_debug()))
        };
        let content = read(path).map_err(|error| problem(&format!("which cannot be read: {error}")))?;
        if content.len() > MAX_FILE_LEN {
            return Err(problem("which is larger than 64 KiB"));
        }
        let text = std::str::from_utf8(&content).map_err(|_| problem("which is not valid UTF-8"))?;
        Self::from_text(text).map_err(|error| problem(&format!("which is not usable: {error}")))
    }
}

/// Returns whether a path is surely none of a key: it leads to something, or into a directory that has a name.
fn can_be_shown(path: &Path) -> bool {
    let directory = path.parent().filter(|directory| directory.file_name().is_some());
    path.symlink_metadata().is_ok() || directory.is_some_and(Path::is_dir)
}

/// Reads the file, but at most one byte more than is allowed: the path may lead to a device that never ends.
fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // The buffer has its full capacity from the start, so it never moves and leaves no copy of a key behind.
    let mut content = Zeroizing::new(Vec::with_capacity(MAX_FILE_LEN + 1));
    File::open(path)?.take(MAX_FILE_LEN as u64 + 1).read_to_end(&mut content)?;
    Ok(content)
}

const KEY: &str = "SECRET_KEY";
const KEY_FILE: &str = "SECRET_KEY_FILE";
const MAX_FILE_LEN: usize = 64 * 1024;
