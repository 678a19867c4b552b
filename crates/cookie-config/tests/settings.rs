//! The `SESSION_COOKIE_*` settings, from the environment and through `serde`.

use nexios_cookie_config::{CookieConfig, SameSite};
use nexios_settings::Vars;

fn read<const N: usize>(vars: [(&str, &str); N]) -> Result<CookieConfig, String> {
    CookieConfig::from_vars(&Vars::from_iter(vars)).map_err(|error| error.to_string())
}

fn read_json(json: &str) -> Result<CookieConfig, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[test]
fn the_defaults_are_those_of_the_specification() {
    let cookie = read([]).unwrap();
    assert_eq!(cookie.name(), "sessionid");
    assert_eq!(cookie.domain(), None);
    assert_eq!(cookie.path(), "/");
    assert!(cookie.is_http_only());
    assert!(!cookie.is_secure());
    assert_eq!(cookie.same_site(), SameSite::Lax);
    assert!(!cookie.is_partitioned());
}

#[test]
fn the_default_equals_what_the_builder_makes() {
    let built = CookieConfig::builder().build().unwrap();
    assert_eq!(CookieConfig::default(), built);
    assert_eq!(read([]).unwrap(), built);
    assert_eq!(read_json("{}").unwrap(), built);
    assert_eq!(toml::from_str::<CookieConfig>("").unwrap(), built);
}

#[test]
fn every_variable_is_read() {
    let longest_name = "n".repeat(256);
    assert_eq!(read([("SESSION_COOKIE_NAME", "shop.id")]).unwrap().name(), "shop.id");
    assert_eq!(read([("SESSION_COOKIE_NAME", &longest_name)]).unwrap().name(), longest_name);
    for (value, domain) in [
        ("example.org", "example.org"),
        (".example.org", "example.org"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("1.2.3.example4", "1.2.3.example4"),
        ("example.0xyz", "example.0xyz"),
    ] {
        assert_eq!(read([("SESSION_COOKIE_DOMAIN", value)]).unwrap().domain(), Some(domain));
    }
    let longest_label = format!("{}.org", "a".repeat(63));
    assert!(read([("SESSION_COOKIE_DOMAIN", &longest_label)]).is_ok());
    let longest_domain = format!("{}abc", "a.".repeat(125));
    assert_eq!(longest_domain.len(), 253);
    assert!(read([("SESSION_COOKIE_DOMAIN", &format!(".{longest_domain}"))]).is_ok());
    let longest_path = format!("/{}", "p".repeat(1023));
    for path in ["/", "/app", "/a%20b/~c?d=e,f\"g\\", &longest_path] {
        assert_eq!(read([("SESSION_COOKIE_PATH", path)]).unwrap().path(), path);
    }
    for (text, value) in [("true", true), ("1", true), ("false", false), ("0", false)] {
        assert_eq!(read([("SESSION_COOKIE_HTTPONLY", text)]).unwrap().is_http_only(), value);
        assert_eq!(read([("SESSION_COOKIE_SECURE", text)]).unwrap().is_secure(), value);
        let partitioned = read([("SESSION_COOKIE_PARTITIONED", text), ("SESSION_COOKIE_SECURE", "true")]);
        assert_eq!(partitioned.unwrap().is_partitioned(), value);
    }
    for (text, value) in [
        ("Lax", SameSite::Lax),
        ("lax", SameSite::Lax),
        ("STRICT", SameSite::Strict),
        ("strict", SameSite::Strict),
        ("None", SameSite::None),
        ("nOnE", SameSite::None),
    ] {
        let cookie = read([("SESSION_COOKIE_SAMESITE", text), ("SESSION_COOKIE_SECURE", "1")]).unwrap();
        assert_eq!(cookie.same_site(), value);
        assert_eq!(value.as_str().to_lowercase(), text.to_lowercase());
    }
}

#[test]
fn a_variable_that_is_set_but_empty_is_an_error() {
    for variable in ["NAME", "DOMAIN", "PATH", "HTTPONLY", "SECURE", "SAMESITE", "PARTITIONED"] {
        let variable = format!("SESSION_COOKIE_{variable}");
        assert_eq!(read([(&variable, "")]).unwrap_err(), format!("{variable} is set but empty"));
    }
}

#[test]
#[cfg(feature = "public-suffix")]
fn a_domain_with_sites_of_others_below_it_is_refused() {
    for domain in ["co.uk", "CO.UK", ".github.io", "com.au"] {
        let bare = domain.trim_start_matches('.');
        let problem = format!("is `{bare}`, a public suffix, below which sites of different owners lie");
        let error = read([("SESSION_COOKIE_DOMAIN", domain)]).unwrap_err();
        assert_eq!(error, format!("SESSION_COOKIE_DOMAIN {problem}"));
        let error = CookieConfig::builder().domain(domain).build().unwrap_err();
        assert_eq!(error.to_string(), format!("cookie domain {problem}"));
    }
    for domain in ["example.co.uk", "nexios.github.io", "example.org", "intranet.example", "shop.internal"] {
        assert!(read([("SESSION_COOKIE_DOMAIN", domain)]).is_ok(), "{domain}");
    }
}

#[test]
fn a_refused_value_names_the_variable_the_value_and_the_rule() {
    let name = "an RFC 6265 token of 1 to 256 letters, digits and any of !#$%&'*+-.^_`|~";
    let domain =
        "a host name of at most 253 letters, digits and hyphens in two or more labels of 1 to 63, and no IP address";
    let path = "at most 1024 printable ASCII characters without `;`, of which the first is `/`";
    let switch = "true, false, 1 or 0";
    let same_site = "Lax, Strict, None or omit";
    for (variable, value, allowed) in [
        ("SESSION_COOKIE_NAME", "session id", name),
        ("SESSION_COOKIE_NAME", " sessionid", name),
        ("SESSION_COOKIE_NAME", "a=b", name),
        ("SESSION_COOKIE_NAME", "a;b", name),
        ("SESSION_COOKIE_NAME", "a,b", name),
        ("SESSION_COOKIE_NAME", "[a]", name),
        ("SESSION_COOKIE_NAME", "(a)", name),
        ("SESSION_COOKIE_NAME", "sitzung_für", name),
        ("SESSION_COOKIE_DOMAIN", ".", domain),
        ("SESSION_COOKIE_DOMAIN", "localhost", domain),
        ("SESSION_COOKIE_DOMAIN", ".org", domain),
        ("SESSION_COOKIE_DOMAIN", "..example.org", domain),
        ("SESSION_COOKIE_DOMAIN", "example.org.", domain),
        ("SESSION_COOKIE_DOMAIN", "example..org", domain),
        ("SESSION_COOKIE_DOMAIN", "-example.org", domain),
        ("SESSION_COOKIE_DOMAIN", "example-.org", domain),
        ("SESSION_COOKIE_DOMAIN", "exam_ple.org", domain),
        ("SESSION_COOKIE_DOMAIN", "bücher.example", domain),
        ("SESSION_COOKIE_DOMAIN", "example.org:8000", domain),
        ("SESSION_COOKIE_DOMAIN", "https://example.org", domain),
        ("SESSION_COOKIE_DOMAIN", "example.org/app", domain),
        ("SESSION_COOKIE_DOMAIN", "*.example.org", domain),
        ("SESSION_COOKIE_DOMAIN", " example.org", domain),
        ("SESSION_COOKIE_DOMAIN", "127.0.0.1", domain),
        ("SESSION_COOKIE_DOMAIN", ".127.0.0.1", domain),
        ("SESSION_COOKIE_DOMAIN", "127.1", domain),
        ("SESSION_COOKIE_DOMAIN", "2130706433", domain),
        ("SESSION_COOKIE_DOMAIN", "0x7f.0X1", domain),
        ("SESSION_COOKIE_DOMAIN", "example.123", domain),
        ("SESSION_COOKIE_DOMAIN", "::1", domain),
        ("SESSION_COOKIE_DOMAIN", "[::1]", domain),
        ("SESSION_COOKIE_PATH", "app", path),
        ("SESSION_COOKIE_PATH", " /app", path),
        ("SESSION_COOKIE_PATH", "/app; Domain=evil.example", path),
        ("SESSION_COOKIE_PATH", "/bücher", path),
        ("SESSION_COOKIE_HTTPONLY", "yes", switch),
        ("SESSION_COOKIE_HTTPONLY", "True", switch),
        ("SESSION_COOKIE_SECURE", "on", switch),
        ("SESSION_COOKIE_SECURE", " true", switch),
        ("SESSION_COOKIE_PARTITIONED", "2", switch),
        ("SESSION_COOKIE_SAMESITE", "loose", same_site),
        ("SESSION_COOKIE_SAMESITE", "Lax ", same_site),
        ("SESSION_COOKIE_SAMESITE", "Lax; Secure", same_site),
    ] {
        assert_eq!(read([(variable, value)]).unwrap_err(), format!("{variable} is `{value}`, but must be {allowed}"));
    }
}

#[test]
fn a_value_that_is_too_long_is_an_error() {
    for (variable, value) in [
        ("SESSION_COOKIE_NAME", "n".repeat(257)),
        ("SESSION_COOKIE_DOMAIN", format!("{}.org", "a".repeat(64))),
        ("SESSION_COOKIE_DOMAIN", format!("{}abcd", "a.".repeat(125))),
        ("SESSION_COOKIE_PATH", format!("/{}", "p".repeat(1024))),
    ] {
        let message = read([(variable, &value)]).unwrap_err();
        assert!(
            message.starts_with(&format!("{variable} is `{}`, but must be ", &value[..value.len().min(80)])),
            "{message}"
        );
    }
}

#[test]
fn serde_reads_the_same_settings() {
    let json = r#"{"name": "id", "domain": ".example.org", "path": "/app", "http_only": false, "secure": 1,
                   "same_site": "none", "partitioned": "true"}"#;
    let toml = "name = 'id'\ndomain = '.example.org'\npath = '/app'\nhttp_only = false\nsecure = true\n\
                same_site = 'NONE'\npartitioned = 1";
    let variables = read([
        ("SESSION_COOKIE_NAME", "id"),
        ("SESSION_COOKIE_DOMAIN", ".example.org"),
        ("SESSION_COOKIE_PATH", "/app"),
        ("SESSION_COOKIE_HTTPONLY", "false"),
        ("SESSION_COOKIE_SECURE", "true"),
        ("SESSION_COOKIE_SAMESITE", "None"),
        ("SESSION_COOKIE_PARTITIONED", "1"),
    ])
    .unwrap();
    assert_eq!(read_json(json).unwrap(), variables);
    assert_eq!(toml::from_str::<CookieConfig>(toml).unwrap(), variables);
}

#[test]
fn serde_refuses_what_the_builder_refuses_and_unknown_keys() {
    for (json, message) in [
        (r#"{"httponly": true}"#, "unknown field `httponly`"),
        (r#"{"cookie_path": "/"}"#, "unknown field `cookie_path`"),
        (r#"{"name": ""}"#, "cookie name is ``, but must be an RFC 6265 token"),
        (r#"{"name": "a b"}"#, "cookie name is `a b`, but must be an RFC 6265 token"),
        (r#"{"domain": ""}"#, "cookie domain is ``, but must be a host name"),
        (r#"{"path": ""}"#, "cookie path is ``, but must be at most 1024"),
        (r#"{"path": "/\r\nX: y"}"#, r"cookie path is `/\r\nX: y`, but must be at most 1024"),
        (r#"{"secure": "yes"}"#, r#"invalid value: string "yes", expected true, false, 1 or 0"#),
        (r#"{"same_site": "loose"}"#, r#"invalid value: string "loose", expected Lax, Strict, None or omit"#),
        (r#"{"same_site": true}"#, "invalid value: boolean `true`, expected Lax, Strict, None or omit"),
        (
            r#"{"same_site": "None"}"#,
            "cookie same_site is `None`, which needs cookie secure to be true, but it is false",
        ),
        (r#"{"secure": true, "secure": true}"#, "duplicate field `secure`"),
    ] {
        let shown = read_json(json).unwrap_err();
        assert!(shown.starts_with(message), "{json}: {shown}");
    }
}
