//! The cost of sealing, compared with one signature: `cargo run --release -p nexios-signer --example seal-cost`.
#![allow(clippy::print_stdout, reason = "the program exists to print a table")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use nexios_signer::{Key, KeyRing, Purpose};

const PURPOSE: Purpose = Purpose::new("example.org cost");
const NAME: &[u8] = b"an id of a value";

fn main() -> Result<(), Box<dyn Error>> {
    let [first, second, third] = [Key::generate()?, Key::generate()?, Key::generate()?];
    let last_of_three = KeyRing::new(second).with_retired(third).with_retired(first.clone()).sealer(PURPOSE);
    let ring = KeyRing::new(first);
    let (signer, sealer) = (ring.signer(PURPOSE), ring.sealer(PURPOSE));

    println!("{:>8} {:>10} {:>10} {:>10} {:>22}", "bytes", "sign, ns", "seal, ns", "open, ns", "open, third key, ns");
    for len in [32, 300, 4096, 256 * 1024] {
        let value = vec![7; len];
        let sealed = sealer.seal(NAME, &value)?;
        let sign = fastest(|| signer.sign(NAME, black_box(&value)));
        let seal = fastest(|| sealer.seal(NAME, black_box(&value)));
        let open = fastest(|| sealer.open(NAME, black_box(&sealed)));
        let open_third = fastest(|| last_of_three.open(NAME, black_box(&sealed)));
        println!("{len:>8} {sign:>10} {seal:>10} {open:>10} {open_third:>22}");
    }
    Ok(())
}

/// Returns the nanoseconds of one call in the fastest of many short rounds: other programs only make a round slower.
fn fastest<T>(call: impl Fn() -> T) -> u128 {
    const CALLS: u32 = 50;
    let round = || {
        let start = Instant::now();
        (0..CALLS).for_each(|_| drop(black_box(call())));
        start.elapsed() / CALLS
    };
    (0..200).map(|_| round()).min().unwrap_or(Duration::ZERO).as_nanos()
}
