//! A payload opens in its own record only, and the store inside never sees it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use common::{
    LATER, Loaded, NEW, NO_KEY, NOW, OLD, Records, TAG, UNSUPPORTED, created, id, loaded, record, shown, tagged,
};
use nexios_store_core::{PrincipalTag, Record, RenameOutcome, SessionStore, StoreErrorKind, UpdateOutcome};

const PAYLOAD: &[u8] = b"what nobody else is to read";

#[tokio::test]
async fn the_store_inside_sees_the_envelope_and_no_payload() {
    let records = Records::default();
    let store = records.store(&[NEW]);
    let revision = created(&store, &id(1), &tagged(PAYLOAD)).await;
    let mut seen = vec![records.raw(&id(1)).await];
    let updated = store.update(&id(1), revision, &tagged(PAYLOAD), NOW).await.unwrap();
    let UpdateOutcome::Updated(revision) = updated else { panic!("{updated:?}") };
    seen.push(records.raw(&id(1)).await);
    let renamed = store.rename(&id(1), revision, &id(2), &tagged(PAYLOAD), NOW).await.unwrap();
    assert!(matches!(renamed, RenameOutcome::Renamed(_)));
    seen.push(records.raw(&id(2)).await);
    for Record { payload, expires_at, principal } in &seen {
        assert_eq!((payload.len(), *expires_at, *principal), (PAYLOAD.len() + 49, LATER, Some(TAG)));
        assert!(!payload.windows(4).any(|window| PAYLOAD.windows(4).any(|part| part == window)));
    }
    assert!(seen[0].payload != seen[1].payload && seen[1].payload != seen[2].payload, "a key for each write");
    assert_eq!(loaded(&store, &id(2)).await, Loaded::Record(tagged(PAYLOAD)));
}

#[tokio::test]
async fn a_record_copied_to_another_id_does_not_open() {
    let records = Records::default();
    let store = records.store(&[NEW]);
    for (number, record) in [(1, record(PAYLOAD)), (2, tagged(PAYLOAD))] {
        created(&store, &id(number), &record).await;
        records.plant(&id(9), &records.raw(&id(number)).await).await;
        assert_eq!(loaded(&store, &id(9)).await, NO_KEY);
        assert_eq!(loaded(&store, &id(number)).await, Loaded::Record(record), "and stays where it came from");
    }
}

#[tokio::test]
async fn a_record_with_another_principal_tag_does_not_open() {
    let records = Records::default();
    let store = records.store(&[NEW]);
    created(&store, &id(1), &tagged(PAYLOAD)).await;
    created(&store, &id(2), &record(PAYLOAD)).await;
    let (with_tag, without_tag) = (records.raw(&id(1)).await, records.raw(&id(2)).await);
    for other in [None, Some(PrincipalTag::from_bytes([0xa8; 32])), Some(PrincipalTag::from_bytes([0; 32]))] {
        records.plant(&id(1), &Record { principal: other, ..with_tag.clone() }).await;
        assert_eq!(loaded(&store, &id(1)).await, NO_KEY, "{other:?} instead of a tag");
    }
    for other in [TAG, PrincipalTag::from_bytes([0; 32])] {
        records.plant(&id(2), &Record { principal: Some(other), ..without_tag.clone() }).await;
        assert_eq!(loaded(&store, &id(2)).await, NO_KEY, "{other:?} instead of none");
    }
    records.plant(&id(1), &with_tag).await;
    assert_eq!(loaded(&store, &id(1)).await, Loaded::Record(tagged(PAYLOAD)), "with its own it does");
}

#[tokio::test]
async fn a_moved_expiry_is_the_wrapped_stores_business() {
    let records = Records::default();
    let store = records.store(&[NEW]);
    let revision = created(&store, &id(1), &record(PAYLOAD)).await;
    let sealed = records.raw(&id(1)).await.payload;
    let later = LATER.saturating_add(std::time::Duration::from_secs(9));
    let _ = store.touch(&id(1), revision, later, NOW).await.unwrap();
    assert_eq!(records.raw(&id(1)).await.payload, sealed, "a touch seals nothing");
    assert_eq!(loaded(&store, &id(1)).await, Loaded::Record(Record { expires_at: later, ..record(PAYLOAD) }));
}

#[tokio::test]
async fn every_flipped_bit_and_every_cut_is_an_error() {
    let records = Records::default();
    let store = records.store(&[NEW, OLD]);
    created(&store, &id(1), &tagged(b"hush")).await;
    let raw = records.raw(&id(1)).await;
    for bit in 0..raw.payload.len() * 8 {
        let mut payload = raw.payload.to_vec();
        payload[bit / 8] ^= 1 << (bit % 8);
        let expected = if (2..0x80).contains(&payload[0]) { UNSUPPORTED } else { NO_KEY };
        records.plant(&id(1), &Record { payload: payload.into(), ..raw }).await;
        assert_eq!(loaded(&store, &id(1)).await, expected, "bit {bit}");
    }
    for len in 0..raw.payload.len() {
        records.plant(&id(1), &Record { payload: raw.payload.slice(..len), ..raw }).await;
        assert_eq!(loaded(&store, &id(1)).await, NO_KEY, "the first {len} bytes");
    }
}

#[tokio::test]
async fn a_payload_sealed_in_a_newer_format_is_unsupported() {
    let records = Records::default();
    let store = records.store(&[NEW]);
    created(&store, &id(1), &record(PAYLOAD)).await;
    let raw = records.raw(&id(1)).await;
    for (version, kind) in [
        (0, StoreErrorKind::NoKey),
        (2, StoreErrorKind::Unsupported),
        (0x7f, StoreErrorKind::Unsupported),
        (0x80, StoreErrorKind::NoKey), // what sessions in the clear begin with
        (0xff, StoreErrorKind::NoKey),
    ] {
        let payload = [&[version], &raw.payload[1..]].concat();
        records.plant(&id(1), &Record { payload: payload.into(), ..raw }).await;
        assert_eq!(loaded(&store, &id(1)).await, Loaded::Failed(kind), "version {version}");
    }
    records.plant(&id(1), &record([2])).await;
    assert_eq!(loaded(&store, &id(1)).await, UNSUPPORTED, "whatever follows");
}

#[tokio::test]
async fn a_payload_that_was_not_sealed_is_not_read() {
    let records = Records::default();
    let store = records.store(&[NEW]);
    for payload in
        [&b""[..], b"\x01", b"\x01 a payload of the core begins with its version", PAYLOAD, &[1; 49], &[0; 200]]
    {
        records.plant(&id(1), &record(payload)).await;
        let Loaded::Failed(kind) = loaded(&store, &id(1)).await else { panic!("{payload:?} was read") };
        let is_newer = payload.first().is_some_and(|&version| version > 1);
        assert_eq!(kind == StoreErrorKind::Unsupported, is_newer, "{payload:?}");
    }
}

#[tokio::test]
async fn payloads_up_to_the_largest_session_size_are_sealed() {
    const MOST: usize = 16 * 1024 * 1024;
    let records = Records::default();
    let store = records.store(&[NEW]);
    let largest = record(vec![7; MOST]);
    created(&store, &id(1), &largest).await;
    assert!(loaded(&store, &id(1)).await == Loaded::Record(largest), "16 MiB come back");

    let error = store.create(&id(2), &record(vec![7; MOST + 1]), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Backend);
    assert_eq!(loaded(&store, &id(2)).await, Loaded::Absent, "what would not be read is not written");
}

#[tokio::test]
async fn an_oversized_payload_is_corrupt_without_being_opened() {
    const MOST: usize = 16 * 1024 * 1024;
    let records = Records::default();
    // Sealed by the same key for the same place, so it would open.
    let sealer = common::ring(&[NEW]).sealer(nexios_signer::Purpose::new("nexios record seal"));
    let place = [&[1; 16][..], &[0]].concat();
    for (len, expected) in [(MOST, None), (MOST + 1, Some("payload is larger than anything that was sealed"))] {
        let sealed = sealer.seal(&place, &vec![7; len]).unwrap();
        records.plant(&id(1), &record(sealed)).await;
        match expected {
            None => assert!(loaded(&records.store(&[NEW]), &id(1)).await == Loaded::Record(record(vec![7; len]))),
            Some(cause) => {
                let shown = shown(&records.store(&[NEW]), &id(1)).await;
                assert_eq!(shown, format!("session record is corrupt: {cause}"));
            }
        }
    }
}

#[tokio::test]
async fn errors_and_debug_show_neither_ids_nor_keys_nor_content() {
    let records = Records::default();
    let store = records.store(&[NEW]);
    created(&records.store(&[OLD]), &id(0xc5), &record(PAYLOAD)).await;
    let error = store.load(&id(0xc5), NOW).await.unwrap_err();
    assert_eq!(
        shown(&store, &id(0xc5)).await,
        "session record is sealed under a key that this program does not have: no key of ours opens the payload: its key \
         was removed, it was changed or moved here, or was never sealed"
    );
    records.plant(&id(0xc6), &record([9; 80])).await;
    let newer = store.load(&id(0xc6), NOW).await.unwrap_err();
    let too_long = store.create(&id(0xc7), &record(vec![7; 16 * 1024 * 1024 + 1]), NOW).await.unwrap_err();
    for shown in [
        shown(&store, &id(0xc5)).await,
        format!("{error:?} {error:#?} {newer:?} {too_long:?}"),
        shown(&store, &id(0xc6)).await,
        format!("{store:?} {store:#?}"),
    ] {
        for secret in ["c5c5", "c6c6", "197", NEW, OLD, "nobody", &NEW[..6], "09, 09", "9, 9"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
    assert_eq!(format!("{store:?}"), "EncryptedStore { store: MemoryStore { records: 2, capacity: 100000, .. }, .. }");
}
