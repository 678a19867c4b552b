/// The arguments of the demo programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arguments {
    /// `--dev`: if no key is set, make one for this run.
    pub dev: bool,
}

impl Arguments {
    /// Reads the arguments, without the program's name.
    ///
    /// # Errors
    ///
    /// Fails at the first unknown argument, with a line that names it and the known ones.
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
