use std::io::{self, Write};
use std::time::Duration;

use crate::{MakeSubject, Subject, Verdict};

/// Checks one clause. This is the body of each test that [`conformance!`](crate::conformance) makes.
pub fn check<Kind>(name: &str, clause: impl AsyncFnOnce(&Subject) -> Verdict, make: impl MakeSubject<Kind>) {
    on_a_runtime(name, async {
        let subject = make.make().await;
        if let Verdict::NotApplicable(reason) = clause(&subject).await {
            // Not `eprintln!`: the test harness captures that, and shows nothing of a test that passes.
            let _ = writeln!(io::stderr(), "{name}: not applicable, because {reason}");
        }
    });
}

/// Runs a future on four threads, within the time limit.
#[expect(clippy::panic, reason = "this is how a test fails")]
pub(crate) fn on_a_runtime<T>(name: &str, work: impl Future<Output = T>) -> T {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("{name}: no runtime to test on: {error}"),
    };
    match runtime.block_on(async { tokio::time::timeout(TIME_LIMIT, work).await }) {
        Ok(result) => result,
        Err(_) => {
            // The store may wait for ever on a thread of the runtime, and the runtime would wait for that thread in
            // turn.
            runtime.shutdown_background();
            panic!("{name}: expected the store to answer, but something has waited for {TIME_LIMIT:?}")
        }
    }
}

/// The number of threads in the runtime of a test.
pub(crate) const WORKERS: usize = 4;
/// Long enough that only a call that never ends reaches it.
const TIME_LIMIT: Duration = Duration::from_secs(600);
