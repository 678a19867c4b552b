use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

/// Places at which requests wait for the test, and the test waits for requests. They make a race certain.
#[derive(Debug, Default)]
pub(crate) struct Gates(Mutex<HashMap<String, Arc<Gate>>>);

#[derive(Debug)]
struct Gate {
    arrived: Semaphore,
    open: Semaphore,
}

impl Gates {
    /// Arrives at a gate, and waits until it is opened for one more.
    pub(crate) async fn pass(&self, name: &str) {
        let gate = self.gate(name);
        gate.arrived.add_permits(1);
        gate.open.acquire().await.unwrap().forget();
    }

    /// Tells the test that something has happened.
    pub(crate) fn tell(&self, name: &str) {
        self.gate(name).arrived.add_permits(1);
    }

    /// Waits until this number of further requests have arrived.
    pub(crate) async fn arrivals(&self, name: &str, number: u32) {
        self.gate(name).arrived.acquire_many(number).await.unwrap().forget();
    }

    /// Lets this number of requests pass.
    pub(crate) fn open(&self, name: &str, number: usize) {
        self.gate(name).open.add_permits(number);
    }

    /// Tells the test when the returned value is dropped.
    pub(crate) fn tell_on_drop(&self, name: impl Into<String>) -> Teller<'_> {
        Teller(self, name.into())
    }

    fn gate(&self, name: &str) -> Arc<Gate> {
        let closed = || Arc::new(Gate { arrived: Semaphore::new(0), open: Semaphore::new(0) });
        Arc::clone(self.0.lock().unwrap().entry(name.to_owned()).or_insert_with(closed))
    }
}

/// See [`Gates::tell_on_drop`].
pub(crate) struct Teller<'g>(&'g Gates, String);

impl Drop for Teller<'_> {
    fn drop(&mut self) {
        self.0.tell(&self.1);
    }
}
