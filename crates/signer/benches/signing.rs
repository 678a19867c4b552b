//! The cost of a signature and of a seal.
//!
//! ```console
//! $ cargo bench -p nexios-signer
//! ```

#![allow(clippy::unwrap_used, reason = "a measurement stops when anything fails")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use nexios_signer::{Key, KeyRing, Purpose, SignedBy};

const PURPOSE: Purpose = Purpose::new("example.org session");
const NAME: &[u8] = b"sessionid";
/// A value in the form of a session id.
const ID: &[u8] = b"00ff1234567890abcdef00112233aa55";

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    sign(&mut criterion);
    verify(&mut criterion);
    seal(&mut criterion);
    criterion.final_summary();
}

fn sign(criterion: &mut Criterion) {
    let signer = KeyRing::new(Key::generate().unwrap()).signer(PURPOSE);
    assert!(signer.verify(NAME, ID, signer.sign(NAME, ID).to_text()).is_some());
    criterion.bench_function("sign/id", |bencher| bencher.iter(|| signer.sign(NAME, black_box(ID))));
    let mut group = criterion.benchmark_group("sign/bytes");
    for len in [300, 4096, 262_144] {
        let value = vec![7; len];
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_with_input(BenchmarkId::from_parameter(len), &value, |bencher, value| {
            bencher.iter(|| signer.sign(NAME, black_box(value)));
        });
    }
}

/// A ring tries its keys in order, so a tag by the last key and a forged tag cost the most.
fn verify(criterion: &mut Criterion) {
    for count in [1, 2, 8] {
        let keys: Vec<Key> = (0..count).map(|_| Key::generate().unwrap()).collect();
        let (first, last) = (keys[0].clone(), keys[count - 1].clone());
        let by = |key: Key| KeyRing::new(key).signer(PURPOSE).sign(NAME, ID).to_text();
        let ring = keys[1..].iter().cloned().fold(KeyRing::new(first.clone()), KeyRing::with_retired).signer(PURPOSE);
        let last_is = if count == 1 { SignedBy::First } else { SignedBy::Retired };
        for (case, tag, expected) in [
            ("by the first", by(first), Some(SignedBy::First)),
            ("by the last", by(last), Some(last_is)),
            ("forged", by(Key::generate().unwrap()), None),
        ] {
            assert_eq!(ring.verify(NAME, ID, &tag), expected, "{case} of {count}");
            criterion.bench_function(&format!("verify/{count} keys/{case}"), |bencher| {
                bencher.iter(|| ring.verify(NAME, black_box(ID), &tag));
            });
        }
    }
}

fn seal(criterion: &mut Criterion) {
    let sealer = KeyRing::new(Key::generate().unwrap()).sealer(PURPOSE);
    let mut group = criterion.benchmark_group("seal");
    for len in [300, 4096, 262_144] {
        let plaintext = vec![7; len];
        let sealed = sealer.seal(NAME, &plaintext).unwrap();
        assert_eq!(sealer.open(NAME, &sealed).unwrap().plaintext, plaintext);
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_with_input(BenchmarkId::new("seal", len), &plaintext, |bencher, plaintext| {
            bencher.iter(|| sealer.seal(NAME, black_box(plaintext)).unwrap());
        });
        group.bench_with_input(BenchmarkId::new("open", len), &sealed, |bencher, sealed| {
            bencher.iter(|| sealer.open(NAME, black_box(sealed)).unwrap());
        });
    }
}
