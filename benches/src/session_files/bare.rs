use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Files of the size of a session, and the system calls that every store needs: the limit of this machine.
#[derive(Debug)]
pub struct Bare {
    dir: PathBuf,
    files: usize,
}

impl Bare {
    /// Makes the directory for the files.
    pub fn new(dir: &Path) -> Self {
        fs::create_dir(dir).expect("a directory to work in");
        Self { dir: dir.to_owned(), files: 0 }
    }

    /// Creates a further file.
    pub fn create(&mut self) {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.path(self.files));
        file.as_mut().expect("a new file").write_all(&[b'x'; LEN]).expect("room on the disk");
        self.files += 1;
    }

    /// Opens a file, reads it and closes it.
    pub fn read(&self, index: usize) {
        let mut content = [0; LEN];
        self.open(index).read_exact(&mut content).expect("the content");
    }

    /// Opens a file, writes over its content and closes it.
    pub fn write(&self, index: usize) {
        self.open(index).write_all_at(&[b'y'; LEN], 0).expect("room on the disk");
    }

    /// Opens a file, writes over its content, waits until that is on the disk, and closes it.
    pub fn write_synced(&self, index: usize) {
        let file = self.open(index);
        file.write_all_at(&[b'y'; LEN], 0).expect("room on the disk");
        file.sync_data().expect("a disk");
    }

    /// Removes a file.
    pub fn unlink(&self, index: usize) {
        fs::remove_file(self.path(index)).expect("the file");
    }

    fn open(&self, index: usize) -> File {
        OpenOptions::new().read(true).write(true).open(self.path(index)).expect("the file")
    }

    fn path(&self, index: usize) -> PathBuf {
        self.dir.join(format!("{index:032x}"))
    }
}

const LEN: usize = 1009;
