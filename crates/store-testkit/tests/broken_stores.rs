//! The kit against stores that break the contract on purpose, and against one that keeps it.

use std::collections::HashSet;
use std::fs;

use nexios_store_testkit::broken::{BrokenStore, Model};
use nexios_store_testkit::clauses::Clause;

nexios_store_testkit::conformance!(mod the_model, Model::subject);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_broken_store_fails_the_clauses_meant_for_it() {
    let mut passed = Vec::new();
    for store in BrokenStore::all() {
        for name in store.breaks() {
            let clause = Clause::all().iter().find(|clause| clause.name() == *name);
            let clause = clause.unwrap_or_else(|| panic!("there is no clause {name}"));
            let subject = store.make();
            let Err(error) = tokio::spawn(async move { clause.check(&subject).await }).await else {
                passed.push((store.name(), name));
                continue;
            };
            let message = *error.into_panic().downcast::<String>().expect("a panic with a message");
            let letter = &name[..1];
            assert!(message.starts_with(&format!("clause ({letter}): ")), "{name}: {message}");
            assert!(message.contains("expected"), "{name} says what it expected: {message}");
            println!("{} broke {message}", store.name());
        }
    }
    assert!(passed.is_empty(), "these passed what they break: {passed:?}");
}

#[test]
fn no_clause_is_without_a_store_that_fails_it() {
    let failed: HashSet<&str> = BrokenStore::all().iter().flat_map(|store| store.breaks().iter().copied()).collect();
    let never: Vec<_> = Clause::all().iter().filter(|clause| !failed.contains(clause.name())).collect();
    assert!(never.is_empty(), "{never:?}");
}

#[test]
fn every_function_of_a_clause_is_listed() {
    let mut written = Vec::new();
    for file in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/clauses")).unwrap() {
        let source = fs::read_to_string(file.unwrap().path()).unwrap();
        let functions = source.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        written.extend(functions.map(str::to_owned));
    }
    written.sort();
    let mut listed: Vec<&str> = Clause::all().iter().map(Clause::name).collect();
    listed.sort_unstable();
    assert_eq!(written, listed);
}
