//! The traits that the public types have, and those that they must not have.

use std::error::Error;
use std::fmt::Display;
use std::panic::{RefUnwindSafe, UnwindSafe};

use nexios_signer::*;

const fn is_shareable<T: Send + Sync + UnwindSafe + RefUnwindSafe + 'static>() {}

#[test]
fn public_types_are_send_and_sync() {
    is_shareable::<Key>();
    is_shareable::<KeyError>();
    is_shareable::<KeyRing>();
    is_shareable::<Opened>();
    is_shareable::<Purpose>();
    is_shareable::<SealError>();
    is_shareable::<Sealer>();
    is_shareable::<SignedBy>();
    is_shareable::<Signer>();
    is_shareable::<Tag>();
}

#[test]
fn the_errors_are_errors() {
    const fn is_error<T: Error>() {}
    is_error::<KeyError>();
    is_error::<SealError>();
}

/// Compiles only if the type does not implement the trait. If it does, two implementations of `Unless` apply, and the
/// compiler cannot choose between them.
macro_rules! assert_not_implemented {
    ($type:ty: $bound:path) => {
        const _: fn() = || {
            trait Unless<A> {
                fn check() {}
            }
            impl<T: ?Sized> Unless<()> for T {}
            impl<T: ?Sized + $bound> Unless<u8> for T {}
            let _ = <$type as Unless<_>>::check;
        };
    };
}

assert_not_implemented!(Key: Display);
assert_not_implemented!(Key: serde::Serialize);
assert_not_implemented!(Key: AsRef<[u8]>);
assert_not_implemented!(KeyRing: Display);
assert_not_implemented!(KeyRing: serde::Serialize);
assert_not_implemented!(Signer: Display);
assert_not_implemented!(Signer: serde::Serialize);
assert_not_implemented!(Sealer: Display);
assert_not_implemented!(Sealer: serde::Serialize);
assert_not_implemented!(Opened: Display);
assert_not_implemented!(Opened: serde::Serialize);
// Keys are never compared, and only `verify` compares tags: `==` takes longer the more of the beginning is right.
assert_not_implemented!(Key: PartialEq);
assert_not_implemented!(Tag: PartialEq);

#[test]
fn public_types_have_their_known_size() {
    let sizes = [
        ("KeyError", size_of::<KeyError>(), 32),
        ("SealError", size_of::<SealError>(), 1),
        ("Key", size_of::<Key>(), 24),
        ("KeyRing", size_of::<KeyRing>(), 8),
        ("Purpose", size_of::<Purpose>(), 16),
        ("Opened", size_of::<Opened>(), 32),
        ("Sealer", size_of::<Sealer>(), 8),
        ("SignedBy", size_of::<SignedBy>(), 1),
        ("Signer", size_of::<Signer>(), 8),
        ("Tag", size_of::<Tag>(), 32),
    ];
    let changed: Vec<_> = sizes.iter().filter(|(_, size, known)| size != known).collect();
    assert!(changed.is_empty(), "{changed:?}");
}
