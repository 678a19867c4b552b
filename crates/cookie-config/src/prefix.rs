use crate::field::Need;

/// What a cookie of this name needs, for browsers not to ignore it.
///
/// RFC 6265bis, 4.1.3, has the first two prefixes and its successor, "Cookies: HTTP State Management Mechanism" (layered
/// cookies), the others. Browsers match them without regard to case, because some servers do.
pub(crate) fn needs(name: &str) -> &'static [Need] {
    let starts_with = |prefix: &&(&str, _)| {
        let beginning = name.as_bytes().get(..prefix.0.len());
        beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(prefix.0.as_bytes()))
    };
    PREFIXES.iter().find(starts_with).map_or(&[], |(_, needs)| needs)
}

// In this order, because the last one is the beginning of the first one.
const PREFIXES: [(&str, &[Need]); 4] = [
    ("__Host-Http-", &[Need::Secure, Need::HttpOnly, Need::RootPath, Need::NoDomain]),
    ("__Http-", &[Need::Secure, Need::HttpOnly]),
    ("__Secure-", &[Need::Secure]),
    ("__Host-", &[Need::Secure, Need::RootPath, Need::NoDomain]),
];
