//! No public type and no error shows any part of a key or of a sealed value.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::error::Error;

use nexios_settings::Vars;
use nexios_signer::{Key, KeyRing, Purpose};

const FIRST: &str = "gH7uJ4kL9zXcVbN2mQwErTyUiOpAsDfG";
const RETIRED: &str = "Zt6rEw5qAyXsW3dCfVgB8hNjMkI0lOp1";

fn assert_hidden(shown: &str, secrets: &[&str]) {
    for secret in secrets {
        for part in secret.as_bytes().windows(4) {
            assert!(!shown.contains(std::str::from_utf8(part).unwrap()), "`{shown}` shows a part of `{secret}`");
        }
    }
}

#[test]
fn debug_shows_no_part_of_a_key() {
    let ring = KeyRing::from_text(&format!("{FIRST},{RETIRED}")).unwrap();
    let signer = ring.signer(Purpose::new("test"));
    let tag = signer.sign(b"name", b"value");
    let sealer = ring.sealer(Purpose::new("test"));
    let opened = sealer.open(b"name", &sealer.seal(b"name", b"hush-hush").unwrap()).unwrap();
    assert_eq!(format!("{:?}", Key::from_text(FIRST).unwrap()), "Key(..)");
    assert_eq!(format!("{ring:?}"), "KeyRing(number of keys: 2)");
    assert_eq!(format!("{signer:?}"), "Signer(..)");
    assert_eq!(format!("{tag:?}"), "Tag(..)");
    assert_eq!(format!("{sealer:?}"), "Sealer(..)");
    assert_eq!(format!("{opened:?}"), "Opened { sealed_by: First, .. }");
    for shown in [format!("{ring:#?}"), format!("{signer:#?}"), format!("{tag:#?}"), format!("{sealer:#?}")] {
        assert_hidden(&shown, &[FIRST, RETIRED, &tag.to_text()]);
    }
}

#[test]
fn errors_show_no_part_of_a_key() {
    let (short, uniform) = (&FIRST[..31], "qwertz".repeat(8));
    for text in
        [short, &uniform, &format!("{FIRST},{short}"), &format!("{FIRST},,{RETIRED}"), &format!("{uniform},{FIRST}")]
    {
        let secrets = [FIRST, RETIRED, &uniform];
        let error = KeyRing::from_text(text).unwrap_err();
        assert_hidden(&format!("{error} {error:?} {error:#?} {:?}", error.source()), &secrets);

        let error = KeyRing::from_vars(&Vars::from_iter([("SECRET_KEY", text)])).unwrap_err();
        assert_hidden(&format!("{error} {error:?} {:?}", error.source()), &secrets);

        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let error = KeyRing::from_vars(&Vars::from_iter([("SECRET_KEY_FILE", file.path())])).unwrap_err();
        let shown = format!("{error} {error:?} {:?}", error.source());
        assert_hidden(&shown.replace(file.path().to_str().unwrap(), ""), &secrets);

        let error = serde_json::from_value::<KeyRing>(text.into()).unwrap_err();
        assert_hidden(&format!("{error} {error:?} {:?}", error.source()), &secrets);
    }
}
