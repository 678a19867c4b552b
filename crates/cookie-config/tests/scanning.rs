//! The scanner of `Cookie` headers, compared with that of the `cookie` crate, and given hostile headers.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use cookie::Cookie;
use nexios_cookie_config::{CookieConfig, is_same_cookie};
use proptest::prelude::*;

fn candidates(header: &[u8]) -> Vec<&[u8]> {
    CookieConfig::builder().name("id").build().unwrap().candidates(header).collect()
}

#[test]
fn every_value_of_the_name_is_a_candidate_in_order() {
    let none: [&[u8]; 0] = [];
    for (header, expected) in [
        (&b""[..], &none[..]),
        (b"id=a", &[b"a"]),
        (b"id=a; id=b;id=a", &[b"a", b"b", b"a"]),
        (b"other=x; id=a; another=y", &[b"a"]),
        (b" \tid \t= \ta b\t ;", &[b"a b"]),
        (b"id=a=b==", &[b"a=b=="]),
        (b"id=", &[b""]),
        (b"id= ;id=a", &[b"", b"a"]),
        // Quotes are part of the value, and do not hide a semicolon.
        (b"id=\"a\"", &[b"\"a\""]),
        (b"id=\"a;id=b\"", &[b"\"a", b"b\""]),
        (b"x=\"; id=a; y=\"", &[b"a"]),
        // The whole name must match, in the same case.
        (b"ID=a; Id=b; iD=c", &none),
        (b"xid=a; idx=b; i=c; id.=d; i d=e", &none),
        (b"x=id=a", &none),
        // Broken pairs are skipped.
        (b"id; id=a; =id; =; ;;", &[b"a"]),
        (b"id\0=a; \0id=b; id=c", &[b"c"]),
        (b"id=a,id=b", &[b"a,id=b"]),
        // Only spaces and tabs are trimmed.
        (b"id=\ra\n; \nid=b; id\x0b=c", &[b"\ra\n"]),
        (b"id=\xc2\xa0a; id=\xff\xfe; \xff=\xff; id=\0", &[b"\xc2\xa0a", b"\xff\xfe", b"\0"]),
    ] {
        assert_eq!(candidates(header), expected, "{}", header.escape_ascii());
    }
}

#[test]
fn headers_of_any_size_are_scanned() {
    let mut header = b"x=y; ".repeat(10_000);
    header.extend(b"id=needle; ");
    header.extend(b"id".repeat(500_000));
    header.extend(b"; id=last");
    assert_eq!(candidates(&header), [b"needle".as_slice(), b"last"]);

    assert_eq!(candidates(&b"id=v;".repeat(10_000)).len(), 10_000);
    assert_eq!(candidates(&b";".repeat(2_000_000)).len(), 0);
    assert_eq!(candidates(&b" ".repeat(2_000_000)).len(), 0);
    assert_eq!(candidates(&[b"id=".as_slice(), &b" ".repeat(2_000_000)].concat()), [b""]);
    assert_eq!(candidates(&[b"id=".as_slice(), &b"v".repeat(2_000_000)].concat())[0].len(), 2_000_000);
    assert_eq!(candidates(&b"\0".repeat(2_000_000)).len(), 0);
}

#[test]
fn joined_header_lines_scan_like_separate_ones() {
    let lines = [&b"id=a; x=y"[..], b"id=b", b"z", b"id=c;"];
    let separately: Vec<&[u8]> = lines.iter().flat_map(|line| candidates(line)).collect();
    assert_eq!(candidates(&lines.join(&b"; "[..])), separately);
}

/// Returns whether a `Set-Cookie` line is for a cookie with this name, whatever its other attributes are.
fn is_for(name: &str, line: &[u8]) -> bool {
    let attributes = line.splitn(2, |byte| *byte == b';').nth(1).unwrap_or_default();
    is_same_cookie(&[name.as_bytes(), b"=1;", attributes].concat(), line)
}

#[test]
fn a_set_cookie_line_of_the_name_is_recognised() {
    for line in [
        &b"id=a"[..],
        b"id=",
        b" id\t=a; Path=/",
        b"id=a; Max-Age=0",
        b"id=\xff\0; Path=/x",
        b"id==",
        b"id=a;",
        b"id=\"a;b\"",
    ] {
        assert!(is_for("id", line), "{}", line.escape_ascii());
    }
    for line in [
        &b""[..],
        b"id",
        b"id; Path=/",
        b"ID=a",
        b"idx=a",
        b"xid=a",
        b"x=id=a",
        b"x=a; id=a",
        b"; id=a",
        b"=id",
        b"\0id=a",
        b"Set-Cookie: id=a",
    ] {
        assert!(!is_for("id", line), "{}", line.escape_ascii());
    }
}

proptest! {
    // The two scanners differ only on white space other than spaces and tabs, which these headers do not contain.

    #[test]
    fn candidates_match_what_the_cookie_crate_finds(name in "[a-c]{1,2}", header in "[a-c=; \t\",.é🍪]{0,60}") {
        let config = CookieConfig::builder().name(&name).build().unwrap();
        let found: Vec<_> = Cookie::split_parse(header.as_str())
            .flatten()
            .filter(|cookie| cookie.name() == name)
            .map(|cookie| cookie.value().to_owned())
            .collect();
        let scanned: Vec<_> = config.candidates(header.as_bytes()).collect();
        prop_assert_eq!(scanned, found.iter().map(String::as_bytes).collect::<Vec<_>>());
    }

    #[test]
    fn a_line_names_the_cookie_that_the_cookie_crate_finds(name in "[a-c]{1,2}", line in "[a-c=; \t\",.é🍪]{0,30}") {
        let found = Cookie::parse(line.as_str()).is_ok_and(|cookie| cookie.name() == name);
        prop_assert_eq!(is_for(&name, line.as_bytes()), found);
    }

    #[test]
    fn a_value_is_found_between_arbitrary_bytes(
        before in prop::collection::vec(any::<u8>(), 0..50),
        value in "[!#-+\\--:<-\\[\\]-~]{0,40}",
        after in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let header = [&before, &b"; id="[..], value.as_bytes(), b";", &after].concat();
        prop_assert!(candidates(&header).contains(&value.as_bytes()));
    }

    #[test]
    fn every_candidate_follows_the_name_and_holds_no_semicolon(
        header in prop::collection::vec(prop::sample::select(b"id=; \t\"\0\xff".to_vec()), 0..200),
    ) {
        for value in candidates(&header) {
            prop_assert!(!value.contains(&b';'));
            let at = value.as_ptr().addr() - header.as_ptr().addr();
            let before: Vec<u8> = header[..at].iter().copied().filter(|b| !b" \t".contains(b)).collect();
            prop_assert!(before.ends_with(b"id=") && (before.len() == 3 || before[before.len() - 4] == b';'));
        }
    }
}
