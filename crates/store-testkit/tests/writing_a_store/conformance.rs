use nexios_store_testkit::{Subject, conformance, conformance_across_processes};
use one_file_store::OneFileStore;
use tempfile::TempDir;

fn make_place() -> (String, TempDir) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    (dir.path().display().to_string(), dir)
}

fn open(location: String) -> OneFileStore {
    OneFileStore::open(location).expect("a store in a directory that exists")
}

fn make_store() -> Subject {
    let (location, dir) = make_place();
    Subject::new(open(location)).keep(dir)
}

conformance!(make_store);
conformance_across_processes!(make_place, open);
