//! The store with a hook: it hides nothing that the hook does not hide, and the hook sees every call.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests do")]

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nexios_store_core::*;
use nexios_store_testkit::broken::Model;
use nexios_store_testkit::conformance;
use nexios_store_testkit::hook::{Call, CallKind, Hook, Hooked, Outcome, before};

/// Lets others run before and after each call.
struct Yields;

#[async_trait]
impl Hook for Yields {
    async fn before(&self, _: &Call<'_>) -> Result<()> {
        tokio::task::yield_now().await;
        Ok(())
    }

    async fn after(&self, _: &Call<'_>, _: Result<Outcome<'_>, &StoreError>) -> Result<()> {
        tokio::task::yield_now().await;
        Ok(())
    }
}

conformance!(mod a_hooked_store, || Hooked::new(Model::default(), Yields));

/// Writes down what it sees, and does as it is told.
#[derive(Debug, Default)]
struct Diary {
    lines: Mutex<Vec<String>>,
    fails_before: bool,
    fails_after: bool,
    hangs_before: bool,
}

impl Diary {
    fn note(&self, line: String) {
        self.lines.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

#[async_trait]
impl Hook for Diary {
    async fn before(&self, call: &Call<'_>) -> Result<()> {
        self.note(format!("before {:?}", call.kind()));
        if self.hangs_before {
            std::future::pending::<()>().await;
        }
        if self.fails_before { Err(StoreError::backend("no")) } else { Ok(()) }
    }

    async fn after(&self, _: &Call<'_>, answer: Result<Outcome<'_>, &StoreError>) -> Result<()> {
        self.note(format!("after {answer:?}"));
        if self.fails_after { Err(StoreError::backend("lost")) } else { Ok(()) }
    }

    fn ended(&self, call: &Call<'_>) {
        self.note(format!("{:?} has ended", call.kind()));
    }
}

const NOW: Timestamp = Timestamp::from_unix_millis(1_000);
const LATER: Timestamp = Timestamp::from_unix_millis(2_000);
const TAG: PrincipalTag = PrincipalTag::from_bytes([7; 32]);

const fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

fn record() -> Record {
    Record { payload: "hush".into(), expires_at: LATER, principal: Some(TAG) }
}

fn hooked(diary: Diary) -> (Hooked<Arc<Model>, Arc<Diary>>, Arc<Diary>) {
    let diary = Arc::new(diary);
    (Hooked::new(Arc::default(), diary.clone()), diary)
}

#[tokio::test]
async fn the_hook_sees_each_call_and_its_answer() {
    let (store, diary) = hooked(Diary::default());
    let seen = |kind: &str, answer: &str| {
        let lines = [format!("before {kind}"), format!("after Ok({answer})"), format!("{kind} has ended")];
        assert_eq!(diary.take(), lines, "{kind}");
    };

    let CreateOutcome::Created(first) = store.create(&id(1), &record(), NOW).await.unwrap() else { panic!() };
    seen("Create", &format!("Create(Created({first:?}))"));
    let stored = store.load(&id(1), NOW).await.unwrap();
    seen("Load", &format!("Load({stored:?})"));
    let UpdateOutcome::Updated(second) = store.update(&id(1), first, &record(), NOW).await.unwrap() else { panic!() };
    seen("Update", &format!("Update(Updated({second:?}))"));
    let renamed = store.rename(&id(1), second, &id(2), &record(), NOW).await.unwrap();
    seen("Rename", &format!("Rename({renamed:?})"));
    let RenameOutcome::Renamed(third) = renamed else { panic!() };
    assert_eq!(store.touch(&id(2), third, LATER, NOW).await.unwrap(), TouchOutcome::Touched);
    seen("Touch", "Touch(Touched)");
    store.set_aside(&id(2)).await.unwrap();
    seen("SetAside", "SetAside");
    assert_eq!(store.principals().unwrap().sessions_of(&TAG, NOW).await.unwrap(), [id(2)]);
    seen("SessionsOf", "SessionsOf([SessionId(..)])");
    assert_eq!(store.delete(&id(2)).await.unwrap(), DeleteOutcome::Deleted);
    seen("Delete", "Delete(Deleted)");
    let swept = store.expiry().unwrap().delete_expired(NOW, NonZeroUsize::MIN).await.unwrap();
    seen("DeleteExpired", &format!("DeleteExpired({swept:?})"));
}

#[tokio::test]
async fn an_error_before_a_call_keeps_it_from_the_store() {
    let (store, diary) = hooked(Diary { fails_before: true, ..Diary::default() });
    assert!(store.create(&id(1), &record(), NOW).await.is_err());
    assert_eq!(diary.take(), ["before Create", "Create has ended"]);
    assert_eq!(store.store().load(&id(1), NOW).await.unwrap(), None);
}

#[tokio::test]
async fn an_error_after_a_call_loses_the_answer_and_not_the_work() {
    let (store, diary) = hooked(Diary { fails_after: true, ..Diary::default() });
    assert!(store.create(&id(1), &record(), NOW).await.is_err());
    assert_eq!(diary.take().len(), 3);
    assert_eq!(store.store().load(&id(1), NOW).await.unwrap().unwrap().record, record());
}

#[tokio::test]
async fn the_hook_sees_an_error_of_the_store_and_leaves_it() {
    let broken = Hooked::new(Model::default(), before(|_| Err(StoreError::corrupt("torn"))));
    let diary = Arc::new(Diary::default());
    let store = Hooked::new(broken, diary.clone());
    assert_eq!(store.load(&id(1), NOW).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
    assert!(diary.take()[1].starts_with("after Err("));
}

#[tokio::test]
async fn a_call_whose_caller_goes_away_has_ended() {
    let (store, diary) = hooked(Diary { hangs_before: true, ..Diary::default() });
    let call = tokio::time::timeout(Duration::ZERO, store.create(&id(1), &record(), NOW)).await;
    assert!(call.is_err(), "it hangs, and is dropped");
    assert_eq!(diary.take(), ["before Create", "Create has ended"]);
    assert_eq!(store.store().load(&id(1), NOW).await.unwrap(), None);
}

#[tokio::test]
async fn a_call_knows_its_session_and_its_record() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = seen.clone();
    let inner = Hooked::new(
        Model::default(),
        before(move |call| {
            note.lock().unwrap().push((call.kind(), call.id().copied(), call.record().cloned()));
            Ok(())
        }),
    );
    let store = Hooked::new(inner, Yields); // which passes on every call
    let (revision, record) = (Revision::new(1), record());
    let _ = store.load(&id(1), NOW).await;
    let _ = store.create(&id(2), &record, NOW).await;
    let _ = store.update(&id(3), revision, &record, NOW).await;
    let _ = store.rename(&id(4), revision, &id(5), &record, NOW).await;
    let _ = store.touch(&id(6), revision, LATER, NOW).await;
    let _ = store.delete(&id(7)).await;
    let _ = store.set_aside(&id(8)).await;
    let _ = store.expiry().unwrap().delete_expired(NOW, NonZeroUsize::MIN).await;
    let _ = store.principals().unwrap().sessions_of(&TAG, NOW).await;
    let expected = [
        (CallKind::Load, Some(id(1)), None),
        (CallKind::Create, Some(id(2)), Some(record.clone())),
        (CallKind::Update, Some(id(3)), Some(record.clone())),
        (CallKind::Rename, Some(id(4)), Some(record)),
        (CallKind::Touch, Some(id(6)), None),
        (CallKind::Delete, Some(id(7)), None),
        (CallKind::SetAside, Some(id(8)), None),
        (CallKind::DeleteExpired, None, None),
        (CallKind::SessionsOf, None, None),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn a_hook_may_hide_the_sweep_and_the_index() {
    struct Hides {
        sweep: bool,
        index: bool,
    }

    impl Hook for Hides {
        fn sweeps(&self) -> bool {
            !self.sweep
        }

        fn keeps_index(&self) -> bool {
            !self.index
        }
    }

    for (sweep, index) in [(false, false), (false, true), (true, false), (true, true)] {
        let store = Hooked::new(Model::default(), Hides { sweep, index });
        assert_eq!((store.expiry().is_none(), store.principals().is_none()), (sweep, index));
        // What the store inside does not have, no hook brings back.
        let outer = Hooked::new(store, Yields);
        assert_eq!((outer.expiry().is_none(), outer.principals().is_none()), (sweep, index));
    }
}

#[test]
fn debug_shows_the_store_and_no_secret() {
    let store = Hooked::new(Model::default(), Yields);
    assert!(format!("{store:?}").starts_with("Hooked { store: Model"));
    let shown = format!("{:?}", Call::Create { id: &id(0xab), record: &record(), now: NOW });
    assert!(!shown.contains("abab") && !shown.contains("hush"), "{shown}");
}
