use crate::field::Need;

/// The attributes that browsers require of a cookie with this name.
///
/// RFC 6265bis, 4.1.3, defines `__Secure-` and `__Host-`. Its successor, "Cookies: HTTP State Management Mechanism"
/// (layered cookies), defines the other two. Browsers match the prefixes without regard to case, because some servers
/// do.
pub(crate) fn needs(name: &str) -> &'static [Need] {
    let starts_with = |prefix: &&(&str, _)| {
        let beginning = name.as_bytes().get(..prefix.0.len());
        beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(prefix.0.as_bytes()))
    };
    PREFIXES.iter().find(starts_with).map_or(&[], |(_, needs)| needs)
}

// In this order, because `__Host-` is also the beginning of `__Host-Http-`.
const PREFIXES: [(&str, &[Need]); 4] = [
    ("__Host-Http-", &[Need::Secure, Need::HttpOnly, Need::RootPath, Need::NoDomain]),
    ("__Http-", &[Need::Secure, Need::HttpOnly]),
    ("__Secure-", &[Need::Secure]),
    ("__Host-", &[Need::Secure, Need::RootPath, Need::NoDomain]),
];
