//! Random sequences of everything that may happen to sessions, compared with a simple model of the results. No ended
//! session comes back, no change is lost, no session outlives its limits, and no id outlives a login.
#![allow(clippy::unwrap_used, clippy::panic)]

mod actors;
mod begin;
mod coverage;
mod outcome;
mod part;
mod play;
mod probe;
mod request;
mod settle;
mod sight;
mod site;
mod steps;
mod users;
mod world;

use std::cell::RefCell;
use std::env;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use tokio::runtime::Builder;

use crate::coverage::Coverage;
use crate::play::Play;
use crate::site::Stores;

#[test]
fn sessions_in_memory_do_as_the_model_says() {
    run(Stores::Memory, 4000);
}

#[test]
fn sessions_in_files_do_as_the_model_says() {
    run(Stores::File, 2000);
}

#[test]
fn encrypted_sessions_in_memory_do_as_the_model_says() {
    run(Stores::EncryptedMemory, 2000);
}

#[test]
fn encrypted_sessions_in_files_do_as_the_model_says() {
    run(Stores::EncryptedFile, 2000);
}

/// `MODEL_TIMES` multiplies the number of cases, and `MODEL_SEED` repeats a run.
fn run(stores: Stores, cases: u32) {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let times = number("MODEL_TIMES").map_or(1, |times| u32::try_from(times).unwrap());
    let seed = number("MODEL_SEED").unwrap_or_else(|| fastrand::u64(..));
    let config =
        Config { cases: cases * times, failure_persistence: None, max_shrink_iters: 5_000, ..Config::default() };
    let seed_bytes: Vec<u8> = seed.to_be_bytes().into_iter().cycle().take(32).collect();
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes));

    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let seen = RefCell::new(Coverage::default());
    let result = runner.run(&steps::case(), |case| {
        let mut play = Play::new(stores);
        let played = runtime.block_on(play.all(&case.0));
        seen.borrow_mut().add(&play.coverage);
        played.map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("{stores:?}, MODEL_SEED={seed}: {error}");
    }
    let seen = seen.into_inner();
    assert!(
        seen.missing().is_empty(),
        "{stores:?}, MODEL_SEED={seed}: no case came to {:?} in {seen:#?}",
        seen.missing()
    );
}
