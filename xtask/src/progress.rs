//! The printed steps of a longer task.

use std::time::{Duration, Instant};

use crate::error::{Error, Result, seconds};

/// Runs steps one after the other and remembers how long each took.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    done: Vec<(String, Duration)>,
}

impl Progress {
    /// Starts the clock.
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), done: Vec::new() }
    }

    /// Runs one step.
    ///
    /// # Errors
    ///
    /// Returns the step's error, with the name of the step in front.
    pub(crate) fn step(&mut self, name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("\n==> {name}");
        let started = Instant::now();
        let result = run();
        let took = started.elapsed();
        result.map_err(|source| Error::Step { step: name.to_owned(), after: took, source: Box::new(source) })?;
        println!("<== {name}: ok, {}", seconds(took));
        self.done.push((name.to_owned(), took));
        Ok(())
    }

    /// Returns a line for each step that passed, and the total.
    pub(crate) fn summary(&self) -> String {
        let widest = self.done.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let mut text = String::new();
        for (name, took) in &self.done {
            text += &format!("    {name:<widest$}  {:>9}\n", seconds(*took));
        }
        text += &format!("{} steps passed in {}", self.done.len(), seconds(self.started.elapsed()));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_named_and_counts_as_not_done() {
        let mut progress = Progress::start();
        progress.step("fmt", || Ok(())).unwrap();
        let error = progress.step("clippy", || Err(Error::Untidy(3))).unwrap_err();

        assert!(error.to_string().starts_with("FAILED at step `clippy` after "), "{error}");
        assert!(error.to_string().contains("3 finding(s)"), "{error}");
        assert!(progress.summary().contains("1 steps passed"));
    }
}
