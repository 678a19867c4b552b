//! The cost of finding a cookie in a header, and of writing one.
//!
//! ```console
//! $ cargo bench -p nexios-cookie-config
//! ```

#![allow(clippy::unwrap_used, reason = "a measurement stops when anything fails")]

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use nexios_cookie_config::{CookieConfig, Lifetime};

/// As long as the value of a session cookie.
const VALUE: &str = "00ff1234567890abcdef00112233aa55.22pNV8mWiXbuKKXDT6JxiRXXQBFtcfJpS7JMb5EyjPk";

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    scan(&mut criterion);
    render(&mut criterion);
    criterion.final_summary();
}

fn scan(criterion: &mut Criterion) {
    let cookie = CookieConfig::default();
    let others = |count| (0..count).map(|number| format!("other{number}=some-value-of-{number}; ")).collect::<String>();
    let hostile = "sessionid=; ".repeat(64 * 1024 / 12);
    for (name, header, count) in [
        ("one cookie", format!("sessionid={VALUE}"), 1),
        ("the last of 20", format!("{}sessionid={VALUE}", others(19)), 1),
        ("none of 20", others(20), 0),
        ("64 KiB of empty ones", hostile, 64 * 1024 / 12),
    ] {
        let header = header.as_bytes();
        assert_eq!(cookie.candidates(header).count(), count, "{name}");
        criterion.bench_function(&format!("scan/{name}"), |bencher| {
            bencher.iter(|| cookie.candidates(black_box(header)).count());
        });
    }
}

fn render(criterion: &mut Criterion) {
    let cookie = CookieConfig::strict().build().unwrap();
    let lifetime = Lifetime::new(Duration::from_secs(1_209_600), 1_800_000_000);
    for (name, lifetime) in [("until the browser is closed", None), ("with a lifetime", Some(lifetime))] {
        let line = cookie.set_cookie(VALUE, lifetime).unwrap();
        assert_eq!(line.contains("Max-Age="), lifetime.is_some(), "{line}");
        criterion.bench_function(&format!("render/{name}"), |bencher| {
            bencher.iter(|| cookie.set_cookie(black_box(VALUE), lifetime).unwrap());
        });
    }
    assert!(cookie.removal_cookie().contains("Max-Age=0"));
    criterion.bench_function("render/a removal", |bencher| bencher.iter(|| cookie.removal_cookie()));
}
