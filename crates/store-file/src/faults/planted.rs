//! Things that somebody has put at the name of the next temporary file.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use nexios_store_core::{DeleteOutcome, UpdateOutcome};

use super::with_next_temp;
use super::world::{LARGE, NOW, OLD, SMALL, World, record, world};
use crate::Durability;

/// Does work whose temporary file gets the name at which `plant` has put something. Checks that the foreign file stays
/// as it was.
fn with_planted<T>(plant: impl FnOnce(&Path, &Path), work: impl FnOnce(&World) -> T) -> (T, World) {
    let world = world(Durability::Fast, SMALL);
    let foreign = world.root().join("foreign");
    fs::write(&foreign, b"foreign").unwrap();
    plant(&foreign, &world.root().join("aa/.tmp-cccccccccccccccccccccccccccccccc"));
    let (result, is_used) = with_next_temp([0xcc; 16], || work(&world));
    assert!(is_used, "no temporary name was needed");
    assert_eq!(fs::read(&foreign).unwrap(), b"foreign");
    (result, world)
}

/// A function that takes the path of the foreign file and that of the temporary file.
type Plant = fn(&Path, &Path);

const THINGS: [(&str, Plant); 4] = [
    ("a link", |foreign, name| symlink(foreign, name).unwrap()),
    ("a dangling link", |_, name| symlink("nowhere", name).unwrap()),
    ("a hard link", |foreign, name| fs::hard_link(foreign, name).unwrap()),
    ("a file", |_, name| fs::write(name, b"planted").unwrap()),
];

#[test]
fn nothing_is_written_through_a_planted_temporary_name() {
    for (thing, plant) in THINGS {
        let grow = |world: &World| world.records.update(&OLD, world.revision(), &record(LARGE), NOW);
        let (grown, world) = with_planted(plant, grow);
        assert!(grown.is_err(), "{thing}");
        assert_eq!(world.load(&OLD).as_ref(), Some(&world.stored), "{thing}");
        assert!(!world.root().join("aa/nowhere").exists(), "{thing}");
        let again = world.records.update(&OLD, world.revision(), &record(LARGE), NOW);
        assert!(matches!(again, Ok(UpdateOutcome::Updated(_))), "{thing}: under another name it works");
    }
}

#[test]
fn a_logout_replaces_what_is_planted_at_its_temporary_name() {
    for (thing, plant) in THINGS {
        let (deleted, world) = with_planted(plant, |world| world.records.delete(&OLD));
        assert!(matches!(deleted, Ok(DeleteOutcome::Deleted)), "{thing}");
        assert_eq!(world.load(&OLD), None, "{thing}");
    }
}
