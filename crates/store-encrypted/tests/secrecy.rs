//! A stolen session directory tells nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod site;

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use nexios_middleware_core::SessionManager;
use site::{NEW, Site, Visitor};

const USER: &str = "ada.lovelace@example.org";
const KEY_OF_VALUE: &str = "diagnosis-of-the-visitor";
const VALUE: &str = "the-value-that-nobody-else-is-to-read";

#[tokio::test]
async fn no_file_shows_values_keys_or_users() {
    for secret in [USER, KEY_OF_VALUE, VALUE] {
        let site = Site::new();
        lives(&site, &site.start(&[NEW])).await;
        assert_eq!(found(&site, secret), [""; 0], "{secret}");

        let clear = Site::new();
        lives(&clear, &clear.start_in_the_clear(&[NEW])).await;
        assert_ne!(found(&clear, secret), [""; 0], "without encryption this search finds {secret}");
    }
}

#[tokio::test]
async fn the_key_is_in_no_file() {
    let site = Site::new();
    lives(&site, &site.start(&[NEW])).await;
    assert_eq!(found(&site, NEW), [""; 0]);
}

/// Makes sessions, some of which are renamed, grown, destroyed, or damaged in the store.
async fn lives(site: &Site, manager: &SessionManager) {
    let mut visitors = vec![Visitor::default(); 4];
    for visitor in &mut visitors {
        visitor.visit(manager, |session| session.insert(KEY_OF_VALUE, VALUE).unwrap()).await;
        visitor.visit(manager, |session| session.login(USER).unwrap()).await;
        visitor.visit(manager, |session| session.insert("more", &VALUE.repeat(3)).unwrap()).await;
    }
    visitors[0].visit(manager, |session| session.insert("many", &vec![VALUE; 2_000]).unwrap()).await;
    visitors[1].visit(manager, nexios_middleware_core::Session::destroy).await;
    let file = site.record_of(&visitors[2]);
    let mut damaged = fs::read(&file).unwrap();
    let slot = damaged.len() / 2;
    for header in [0, slot] {
        damaged[header] ^= 1;
    }
    fs::write(&file, damaged).unwrap();
    assert_eq!(visitors[2].sees(manager, KEY_OF_VALUE).await, None);
    assert!(site.has_set_something_aside());
    assert_eq!(visitors[3].sees(manager, KEY_OF_VALUE).await.as_deref(), Some(VALUE));
}

/// Returns the files that contain a text, in any spelling, in their content or their name.
fn found(site: &Site, secret: &str) -> Vec<String> {
    let spellings = spellings(secret.as_bytes());
    assert!(site.files().len() > 4, "records, markers, locks, and what was set aside");
    let shows = |bytes: &[u8]| spellings.iter().any(|spelling| contains(bytes, spelling));
    let files = site.files().into_iter().map(|path| (path.display().to_string(), fs::read(&path).unwrap()));
    files.filter(|(path, content)| shows(path.as_bytes()) || shows(content)).map(|(path, _)| path).collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Returns a text as it is, in hexadecimal, and in base64 at each of the three offsets at which it may begin.
fn spellings(text: &[u8]) -> Vec<Vec<u8>> {
    let hex = |upper: bool| -> String {
        text.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
    };
    let mut spellings = vec![text.to_vec(), hex(false).into_bytes(), hex(true).into_bytes()];
    for before in 0..3 {
        let shifted = [&[0; 2][..before], text].concat();
        for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let encoded = alphabet.encode(&shifted).into_bytes();
            // Leaves out the digits that depend on the neighbours of the text.
            spellings.push(encoded[(before * 8).div_ceil(6)..shifted.len() * 8 / 6].to_vec());
        }
    }
    spellings
}

#[test]
fn the_search_knows_a_text_in_each_of_its_spellings() {
    let text = b"hush-hush";
    let mut hidden = vec![b"xhush-hushx".to_vec(), b"x687573682d68757368x".to_vec(), b"687573682D68757368".to_vec()];
    for before in ["", "a", "ab"] {
        for after in ["", "y", "yz"] {
            let whole = [before.as_bytes(), text, after.as_bytes()].concat();
            hidden.extend([STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|alphabet| alphabet.encode(&whole).into_bytes()));
        }
    }
    for hidden in hidden {
        assert!(spellings(text).iter().any(|spelling| contains(&hidden, spelling)), "{hidden:?}");
    }
}
