/// Makes a test of each case, on each framework and each store.
macro_rules! matrix {
    (stores { $($store:ident)* } cases $cases:tt) => {
        mod on_axum {
            $(matrix! { Axum $store $cases })*
        }
        mod on_actix {
            $(matrix! { Actix $store $cases })*
        }
        mod on_hyper {
            $(matrix! { Hyper $store $cases })*
        }
    };
    ($adapter:ident $store:ident { $($theme:ident { $($case:ident)* })* }) => {
        mod $store {
            $(mod $theme {
                use crate::site::{Adapter, run, stores};
                $(#[test] fn $case() { run(Adapter::$adapter, stores::$store, crate::cases::$theme::$case) })*
            })*
        }
    };
}
