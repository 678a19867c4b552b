use std::collections::BTreeMap;
use std::ffi::OsString;

use zeroize::Zeroizing;

use crate::{Setting, SettingError};

/// The source of environment variables: the process, or a list.
///
/// Use a list in tests, or in a program that gets its variables from somewhere else. `Debug` does not show values,
/// because one of them may be a secret.
///
/// # Examples
///
/// ```
/// use nexios_settings::Vars;
///
/// let vars = Vars::from_iter([("GREETING", "hello"), ("EMPTY", "")]);
/// assert_eq!(vars.text("GREETING")?.as_deref(), Some("hello"));
/// assert_eq!(vars.text("FAREWELL")?, None);
/// assert_eq!(vars.text("EMPTY").unwrap_err().to_string(), "EMPTY is set but empty");
/// assert_eq!(format!("{vars:?}"), r#"Vars(["EMPTY", "GREETING"])"#);
/// # Ok::<(), nexios_settings::SettingError>(())
/// ```
#[derive(Clone)]
pub struct Vars(Source);

#[derive(Clone)]
enum Source {
    Process,
    List(BTreeMap<String, OsString>),
}

impl Vars {
    /// Returns the environment of this process.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_settings::Vars;
    ///
    /// assert!(Vars::process().text("PATH")?.is_some());
    /// # Ok::<(), nexios_settings::SettingError>(())
    /// ```
    pub const fn process() -> Self {
        Self(Source::Process)
    }

    /// Reads a variable with the parser of its type, or returns `None` if it is not set.
    ///
    /// # Errors
    ///
    /// Fails if the variable is set but empty, is not Unicode, or is not one of the [allowed](Setting::ALLOWED) values.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_settings::{ByteSize, Vars};
    ///
    /// let vars = Vars::from_iter([("LIMIT", "1MiB")]);
    /// let limit: Option<ByteSize> = vars.get("LIMIT")?;
    /// assert_eq!(limit, ByteSize::new(1024 * 1024));
    /// # Ok::<(), nexios_settings::SettingError>(())
    /// ```
    pub fn get<T: Setting>(&self, name: &'static str) -> Result<Option<T>, SettingError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        T::parse(&text).map_or_else(|| Err(SettingError::new(name, &text, T::ALLOWED)), |value| Ok(Some(value)))
    }

    /// Reads a variable as it is, or returns `None` if it is not set.
    ///
    /// # Errors
    ///
    /// Fails if the variable is set but empty, or is not Unicode.
    pub fn text(&self, name: &'static str) -> Result<Option<String>, SettingError> {
        let Some(value) = self.raw(name) else { return Ok(None) };
        if value.is_empty() {
            return Err(SettingError::described(name, "is set but empty"));
        }
        value.into_string().map(Some).map_err(|_| SettingError::described(name, "is not valid Unicode"))
    }

    /// Reads a variable that holds a secret, or returns `None` if it is not set.
    ///
    /// The returned text is wiped from memory when it is dropped, and is never part of an error.
    ///
    /// # Errors
    ///
    /// Fails as [`text`](Self::text) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_settings::Vars;
    ///
    /// let vars = Vars::from_iter([("PASSWORD", "correct horse")]);
    /// let password = vars.secret("PASSWORD")?.expect("it is set");
    /// assert_eq!(password.as_str(), "correct horse");
    /// # Ok::<(), nexios_settings::SettingError>(())
    /// ```
    pub fn secret(&self, name: &'static str) -> Result<Option<Zeroizing<String>>, SettingError> {
        Ok(self.text(name)?.map(Zeroizing::new))
    }

    /// Reads a variable as the operating system has it, or returns `None` if it is not set. Use it for paths.
    ///
    /// # Errors
    ///
    /// Fails if the variable is set but empty.
    ///
    /// # Examples
    ///
    /// ```
    /// use nexios_settings::Vars;
    /// use std::path::PathBuf;
    ///
    /// let vars = Vars::from_iter([("SPOOL_DIR", "/var/spool/app")]);
    /// let dir = vars.os_text("SPOOL_DIR")?.map(PathBuf::from);
    /// assert_eq!(dir, Some(PathBuf::from("/var/spool/app")));
    /// # Ok::<(), nexios_settings::SettingError>(())
    /// ```
    pub fn os_text(&self, name: &'static str) -> Result<Option<OsString>, SettingError> {
        match self.raw(name) {
            Some(value) if value.is_empty() => Err(SettingError::described(name, "is set but empty")),
            value => Ok(value),
        }
    }

    fn raw(&self, name: &str) -> Option<OsString> {
        match &self.0 {
            Source::Process => std::env::var_os(name),
            Source::List(list) => list.get(name).cloned(),
        }
    }
}

impl<K: Into<String>, V: Into<OsString>> FromIterator<(K, V)> for Vars {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(Source::List(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()))
    }
}

impl std::fmt::Debug for Vars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Source::Process => f.write_str("Vars(process)"),
            Source::List(list) => f.debug_tuple("Vars").field(&list.keys()).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn a_variable_that_is_not_set_is_none() {
        let vars = Vars::from_iter([("OTHER", "1")]);
        assert_eq!(vars.get::<bool>("SWITCH"), Ok(None));
        assert_eq!(vars.text("SWITCH"), Ok(None));
        assert_eq!(vars.os_text("SWITCH"), Ok(None));
        assert_eq!(vars.secret("SWITCH"), Ok(None));
    }

    #[test]
    fn a_variable_that_is_set_but_empty_is_an_error() {
        let vars = Vars::from_iter([("SWITCH", "")]);
        let message = "SWITCH is set but empty";
        assert_eq!(vars.get::<bool>("SWITCH").unwrap_err().to_string(), message);
        assert_eq!(vars.text("SWITCH").unwrap_err().to_string(), message);
        assert_eq!(vars.os_text("SWITCH").unwrap_err().to_string(), message);
        assert_eq!(vars.secret("SWITCH").unwrap_err().to_string(), message);
    }

    #[test]
    fn a_variable_that_is_not_unicode_is_an_error() {
        let vars = Vars::from_iter([("SWITCH", OsString::from_vec(vec![0xff]))]);
        assert_eq!(vars.text("SWITCH").unwrap_err().to_string(), "SWITCH is not valid Unicode");
        assert!(vars.os_text("SWITCH").unwrap().is_some(), "a path need not be Unicode");
    }

    #[test]
    fn the_process_environment_is_read() {
        assert!(Vars::process().text("PATH").unwrap().is_some());
    }

    #[test]
    fn debug_shows_names_but_no_values() {
        let vars = Vars::from_iter([("SECRET_KEY", "hush")]);
        let shown = format!("{vars:?}");
        assert!(shown.contains("SECRET_KEY") && !shown.contains("hush"), "{shown}");
    }
}
