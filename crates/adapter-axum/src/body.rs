use axum_core::BoxError;
use bytes::Bytes;
use http_body::Body;

/// The body of a response that a [`SessionLayer`](crate::SessionLayer) can pass on.
///
/// Any `http_body::Body` is one whose data are [`Bytes`], and that is `Send` and `'static`: axum's own, `Full<Bytes>`
/// of `http_body_util`, and those of tower-http's layers. There is nothing to implement; the trait has a name so that
/// the compiler can say which body does not fit.
///
/// # Examples
///
/// ```
/// use nexios_adapter_axum::ResponseBody;
///
/// fn fits<B: ResponseBody>() {}
///
/// fits::<axum::body::Body>();
/// fits::<http_body_util::Full<bytes::Bytes>>();
/// fits::<String>();
/// ```
///
/// A `Vec<u8>` has to become one first, with `axum::body::Body::from`:
///
/// ```compile_fail
/// # fn fits<B: nexios_adapter_axum::ResponseBody>() {}
/// fits::<Vec<u8>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "a `SessionLayer` cannot pass on a response whose body is `{Self}`",
    label = "this service answers with a body that is not an `http_body::Body` of `Bytes`, `Send` and `'static`",
    note = "`axum::body::Body::from` makes a fitting body of text and bytes, `axum::body::Body::new` of other bodies"
)]
pub trait ResponseBody: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<B> ResponseBody for B where B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static {}
