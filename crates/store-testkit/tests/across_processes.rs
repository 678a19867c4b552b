//! The races between processes, on a store that each process has for itself. Every race must notice.

use nexios_store_testkit::broken::Model;
use nexios_store_testkit::{__private::lead, __private::take_part, Subject};

mod each_for_itself {
    use super::*;

    async fn open(_: String) -> Subject {
        Model::subject()
    }

    #[test]
    fn a_process_that_takes_part() {
        take_part(open);
    }

    macro_rules! fails {
        ([] $($race:ident)*) => {
            $(#[test]
            #[should_panic(expected = "clause (")]
            fn $race() {
                lead(stringify!($race), module_path!(), || ("nowhere".to_owned(), ()), open);
            })*
        };
    }
    nexios_store_testkit::__each_race!(fails,);
}
