use crate::command::Output;
use crate::error::Result;
use crate::spread::Spread;
use crate::table::Table;

/// Times that programs have printed round by round, of each operation on each store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rounds(Vec<Row>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    store: String,
    operation: String,
    nanos: Vec<u64>,
}

impl Rounds {
    /// Adds an output with lines of a store, an operation and its nanoseconds, with tabs between them.
    pub(crate) fn read(&mut self, output: &Output) -> Result<()> {
        for line in output.stdout.lines() {
            let mut words = line.split('\t');
            let row = || Some((words.next()?, words.next()?, words.next()?.parse().ok()?));
            let (store, operation, nanos) = { row }().ok_or_else(|| output.unexpected("no times"))?;
            self.add(store, operation, &[nanos]);
        }
        Ok(())
    }

    /// Puts the times of several programs together.
    pub(crate) fn of_all(all: &[Self]) -> Self {
        let mut together = Self::default();
        for row in all.iter().flat_map(|rounds| &rounds.0) {
            together.add(&row.store, &row.operation, &row.nanos);
        }
        together
    }

    fn add(&mut self, store: &str, operation: &str, nanos: &[u64]) {
        match self.0.iter_mut().find(|row| row.store == store && row.operation == operation) {
            Some(row) => row.nanos.extend(nanos),
            None => {
                self.0.push(Row { store: store.to_owned(), operation: operation.to_owned(), nanos: nanos.to_vec() });
            }
        }
    }

    /// Removes one store and returns its times.
    pub(crate) fn take(&mut self, store: &str) -> Self {
        Self(self.0.extract_if(.., |row| row.store == store).collect())
    }

    /// Returns store, operation and times of each row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str, Spread)> {
        self.0.iter().map(|row| (row.store.as_str(), row.operation.as_str(), Spread::of(&row.nanos)))
    }

    /// Returns the stores, in the order in which they were printed first.
    pub(crate) fn stores(&self) -> Vec<String> {
        self.names(|row| &row.store)
    }

    /// Returns the operations, in the order in which they were printed first.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.names(|row| &row.operation)
    }

    pub(crate) fn of(&self, store: &str, operation: &str) -> Option<Spread> {
        self.iter().find_map(|(of, it, spread)| (of == store && it == operation).then_some(spread))
    }

    /// Makes a table with a row for each store and a column for each operation.
    pub(crate) fn micros(&self) -> Table {
        let operations = self.operations();
        let mut table = Table::new(["store".to_owned()].into_iter().chain(operations.iter().cloned()));
        for store in self.stores() {
            let cells = operations.iter().map(|operation| self.of(&store, operation));
            let cells: Vec<String> = cells.map(|spread| spread.map(|it| it.micros()).unwrap_or_default()).collect();
            table.row([store].into_iter().chain(cells));
        }
        table
    }

    fn names(&self, name: impl Fn(&Row) -> &String) -> Vec<String> {
        let mut names = Vec::new();
        for row in &self.0 {
            if !names.contains(name(row)) {
                names.push(name(row).clone());
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::time::Duration;

    use crate::command::output;
    use crate::error::Error;

    fn printed(printed: &str) -> Result<Rounds> {
        let mut rounds = Rounds::default();
        rounds.read(&output(Command::new("printf").arg(printed))?)?;
        Ok(rounds)
    }

    #[test]
    fn rounds_are_joined_by_store_and_operation() {
        let mut rounds = Rounds::of_all(&[
            printed("ours\tload\t7000\nlimit\tread\t5000\nours\tcreate\t40000\n").unwrap(),
            printed("ours\tload\t6000\ntheirs\tload\t9000\n").unwrap(),
        ]);
        let limit = rounds.take("limit");
        assert_eq!(limit.operations(), ["read"]);
        assert_eq!(
            (rounds.stores(), rounds.operations()),
            (["ours", "theirs"].map(str::to_owned).to_vec(), ["load", "create"].map(str::to_owned).to_vec(),)
        );
        assert_eq!(rounds.of("ours", "load").unwrap().least, Duration::from_micros(6));
        assert_eq!(rounds.of("theirs", "create"), None);
        assert_eq!(
            rounds.micros().text(),
            "| store | load | create |\n| --- | --: | --: |\n| ours | 6.0 / 7.0 | 40.0 / 40.0 |\n| theirs | 9.0 / 9.0 |  |\n"
        );
    }

    #[test]
    fn a_line_that_is_no_time_is_an_error() {
        assert!(matches!(printed("ours\tload\tfast\n"), Err(Error::Output { .. })));
    }
}
