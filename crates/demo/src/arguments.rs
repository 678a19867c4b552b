/// The arguments of the demo programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arguments {
    /// `--dev`: where no key is set, make one for this run.
    pub dev: bool,
}

impl Arguments {
    /// Reads the arguments, without the program's name.
    ///
    /// # Errors
    ///
    /// A line that names the first argument that is not known, and those that are.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "--dev" => parsed.dev = true,
                other => return Err(format!("unknown argument `{}`; the only one is --dev", other.escape_debug())),
            }
        }
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_argument_is_named() {
        let parse = |arguments: &[&str]| Arguments::parse(arguments.iter().map(ToString::to_string));
        assert_eq!(parse(&[]), Ok(Arguments { dev: false }));
        assert_eq!(parse(&["--dev"]), Ok(Arguments { dev: true }));
        assert_eq!(parse(&["--prod"]).unwrap_err(), "unknown argument `--prod`; the only one is --dev");
    }
}
