//! The paths in Rust code that begin at the root of its crate.
//!
//! The text is read as tokens. That is enough for code that compiles and that rustfmt has formatted. Macros are not
//! expanded, so a path that a macro puts together is not seen.

/// The paths of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Imports {
    /// All paths outside of test code, in the order of the text.
    pub(super) paths: Vec<Path>,
    /// The modules that the file declares for tests only, and that have files of their own.
    pub(super) test_modules: Vec<String>,
}

/// The beginning of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) line: usize,
    /// The first name below the root: of a module or an item, or `*` or `self` for the root itself.
    pub(super) name: String,
}

impl Imports {
    /// Reads the file of a module. `level` counts the levels below the root: 1 for `crate::a`, 2 for `crate::a::b`.
    pub(super) fn read(source: &str, level: usize) -> Self {
        let mut imports = Self::default();
        let tokens = imports.without_tests(&tokens(source));
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
        let mut braces = 0_usize;
        // The number of braces around each inline module that is open here. Each of them needs one more `super`.
        let mut modules = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match token.text {
                "{" => {
                    if at >= 2 && text(at - 2) == "mod" {
                        modules.push(braces);
                    }
                    braces += 1;
                }
                "}" => {
                    braces = braces.saturating_sub(1);
                    modules.pop_if(|around| *around == braces);
                }
                "crate" => imports.add(&tokens, at),
                "super" if at == 0 || text(at - 1) != "::" => {
                    let up = (0..).take_while(|more| text(at + 2 * more) == "super").count();
                    if up >= level + modules.len() {
                        imports.add(&tokens, at + 2 * (up - 1));
                    }
                }
                _ => {}
            }
        }
        imports
    }

    /// Adds the paths that follow the token at `root`, which stands for the root.
    fn add(&mut self, tokens: &[Token<'_>], root: usize) {
        let after = |by: usize| tokens.get(root + by).map_or("", |token| token.text);
        match (after(1), after(2)) {
            ("::", "{") => {
                let mut depth = 0_usize;
                let mut is_first = false;
                for token in &tokens[root + 2..] {
                    match token.text {
                        "{" => {
                            is_first = depth == 0;
                            depth += 1;
                        }
                        "}" if depth == 1 => break,
                        "}" => depth -= 1,
                        "," => is_first = depth == 1,
                        _ if is_first => {
                            self.paths.push(token.path());
                            is_first = false;
                        }
                        _ => {}
                    }
                }
            }
            ("::", _) => self.paths.extend(tokens.get(root + 2).map(Token::path)),
            ("as", _) => self.paths.push(Path { line: tokens[root].line, name: "self".to_owned() }),
            // `pub(crate)`
            _ => {}
        }
    }

    /// Removes the items that are compiled for tests only.
    fn without_tests<'a>(&mut self, tokens: &[Token<'a>]) -> Vec<Token<'a>> {
        let mut kept = Vec::new();
        let mut rest = tokens;
        while let Some(token) = rest.first() {
            let Some(attribute) = attribute(rest).filter(|attribute| is_for_tests(attribute)) else {
                kept.push(*token);
                rest = &rest[1..];
                continue;
            };
            let item = &rest[attribute.len()..];
            let is_of_the_file = attribute.iter().any(|token| token.text == "!");
            let item = if is_of_the_file { item } else { &item[..item_len(item)] };
            if let [.., keyword, name, end] = item
                && (keyword.text, end.text) == ("mod", ";")
            {
                self.test_modules.push(name.text.to_owned());
            }
            rest = &rest[attribute.len() + item.len()..];
        }
        kept
    }
}

/// Returns the attribute at the beginning of the tokens: `#[..]` or `#![..]`.
fn attribute<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<&'t [Token<'a>]> {
    let open = match tokens {
        [hash, open, ..] if (hash.text, open.text) == ("#", "[") => 1,
        [hash, bang, open, ..] if (hash.text, bang.text, open.text) == ("#", "!", "[") => 2,
        _ => return None,
    };
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "[" => depth += 1,
            "]" if depth == 1 => return Some(&tokens[..=at]),
            "]" => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Returns whether an attribute is `#[cfg(test)]`, `#![cfg(test)]`, or one of these with further conditions.
fn is_for_tests(attribute: &[Token<'_>]) -> bool {
    let text: String = attribute.iter().map(|token| token.text).collect();
    let condition = text.trim_start_matches(['#', '!', '[']);
    condition.starts_with("cfg(test)") || condition.starts_with("cfg(all(test,")
}

/// Returns the number of tokens of an item, which ends with a `;`, with its closing brace, or with what is around it.
fn item_len(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            // The item is the last one of what is around it.
            ")" | "]" | "}" if depth == 0 => return at,
            "}" if depth == 1 => return at + 1,
            ")" | "]" | "}" => depth -= 1,
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// A word, `::`, or one other character.
#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    line: usize,
    text: &'a str,
}

impl Token<'_> {
    fn path(&self) -> Path {
        Path { line: self.line, name: self.text.to_owned() }
    }
}

/// Splits a text into tokens, without white space, comments, and literals with quotes.
fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (len, is_token) = if first.is_whitespace() {
            (first.len_utf8(), false)
        } else if let Some(len) = comment_len(rest).or_else(|| literal_len(rest)) {
            (len, false)
        } else {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let other = if rest.starts_with("::") { 2 } else { first.len_utf8() };
            (if word > 0 { word } else { other }, true)
        };
        let (text, after) = rest.split_at(len);
        if is_token {
            tokens.push(Token { line, text });
        }
        line += text.matches('\n').count();
        rest = after;
    }
    tokens
}

/// Returns the length of the comment at the beginning of the text. A block comment may contain others.
fn comment_len(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    text.strip_prefix("/*")?;
    let (mut at, mut depth) = (2, 1);
    while depth > 0 {
        let Some(next) = text[at..].find(['/', '*']).map(|by| at + by) else { return Some(text.len()) };
        let pair = text.get(next..next + 2);
        depth += usize::from(pair == Some("/*"));
        depth -= usize::from(pair == Some("*/"));
        at = next + if matches!(pair, Some("/*" | "*/")) { 2 } else { 1 };
    }
    Some(at)
}

/// Returns the length of the string or character at the beginning of the text. A lifetime is neither.
fn literal_len(text: &str) -> Option<usize> {
    for prefix in ["r", "br", "cr"] {
        let Some(after) = text.strip_prefix(prefix) else { continue };
        let hashes = after.len() - after.trim_start_matches('#').len();
        if after[hashes..].starts_with('"') {
            let (body, end) = (prefix.len() + hashes + 1, format!("\"{}", "#".repeat(hashes)));
            return Some(text[body..].find(&end).map_or(text.len(), |at| body + at + end.len()));
        }
    }
    let mut chars = text.chars();
    let quote = chars.next().filter(|c| matches!(c, '"' | '\''))?;
    let (first, second) = (chars.next(), chars.next());
    if quote == '\'' && first != Some('\\') && second != Some('\'') {
        return None;
    }
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return Some(at + 1);
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    Some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str, level: usize) -> Vec<String> {
        Imports::read(source, level).paths.into_iter().map(|path| path.name).collect()
    }

    #[test]
    fn paths_from_the_root_are_read_wherever_they_stand() {
        let cases: &[(&str, &[&str])] = &[
            ("use crate::a::A;", &["a"]),
            ("use crate::a;", &["a"]),
            ("pub(crate) use crate::a::A;\npub use crate::b::{B, C};", &["a", "b"]),
            ("use crate::{a::A, b, c::{d::{D, E}, F}, g::*};", &["a", "b", "c", "g"]),
            ("use crate::{\n    a::A,\n    b::{\n        B,\n        C,\n    },\n};", &["a", "b"]),
            ("use crate::{a::{A, B}};", &["a"]),
            ("use crate::{self, a as b};", &["self", "a"]),
            ("use crate::*;", &["*"]),
            ("use crate as root;", &["self"]),
            ("fn f(x: &crate::a::A) -> Vec<crate::b::B> { crate::c::f(x)? }", &["a", "b", "c"]),
            ("impl crate::a::A for B {}", &["a"]),
            ("macro_rules! m { () => { $crate::a::f() } }", &["a"]),
            ("pub(crate) fn f() {}\npub(super) mod a;", &[]),
            ("use other::a; use self::b; use ::c::d;", &[]),
            ("let krate = my_crate::a; let crates::b = c;", &[]),
        ];
        for (source, expected) in cases {
            assert_eq!(names(source, 1), *expected, "{source}");
        }
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        let cases: &[(&str, &[&str])] = &[
            ("// crate::a\n/// [A](crate::a::A)\n//! crate::a\nuse crate::b;", &["b"]),
            ("/* crate::a /* crate::b */ crate::c */ use crate::d;", &["d"]),
            (r#"let x = "crate::a"; let y = b"\" crate::b"; let z = "\\"; crate::c::f();"#, &["c"]),
            ("let x = r\"\\\"; crate::a::f(); let y = br#\"\" crate::b \"#; crate::c::f();", &["a", "c"]),
            (
                r#"let x = '\''; crate::a::f('\\', '/', '*', '{', '\u{7d}'); let y = '"'; crate::b::f(b'"');"#,
                &["a", "b"],
            ),
            ("fn f<'a>(x: &'a crate::a::A, y: &'static str) -> crate::b::B<'_> {}", &["a", "b"]),
            ("#[doc = \"// \"]\nuse crate::a; // \" crate::b\nuse crate::c; /* \" */ use crate::d;", &["a", "c", "d"]),
            ("let r#crate_of = crate::a::x / 2 * 3;", &["a"]),
        ];
        for (source, expected) in cases {
            assert_eq!(names(source, 1), *expected, "{source}");
        }
    }

    #[test]
    fn test_code_is_left_out() {
        let cases: &[(&str, &[&str])] = &[
            (
                "use crate::a;\n#[cfg(test)]\nmod tests { use crate::b; fn f() { x[0] = {1}; } }\nuse crate::c;",
                &["a", "c"],
            ),
            ("#[cfg(test)]\nuse crate::a::{A, B};\nuse crate::b;", &["b"]),
            (
                "#[cfg(test)]\n#[allow(x)]\nimpl A { fn f(x: [crate::a::A; 2]) { crate::b::f(); } }\nuse crate::c;",
                &["c"],
            ),
            ("#[cfg(all(test, unix))]\nmod tests { use crate::a; }\nuse crate::b;", &["b"]),
            ("struct A {\n    #[cfg(test)]\n    a: crate::a::A,\n}\nuse crate::b;", &["b"]),
            ("#![cfg(test)]\nuse crate::a;", &[]),
            ("#[cfg(not(test))]\nuse crate::a;", &["a"]),
            ("#[cfg(feature = \"test\")]\nuse crate::a;", &["a"]),
            ("#[test_helper]\nuse crate::a;", &["a"]),
        ];
        for (source, expected) in cases {
            assert_eq!(names(source, 1), *expected, "{source}");
        }
    }

    #[test]
    fn a_test_module_with_a_file_of_its_own_is_named() {
        let source = "mod a;\n#[cfg(test)]\nmod b;\n#[cfg(test)]\npub(crate) mod c;\n#[cfg(test)]\nmod d {}\n";
        assert_eq!(Imports::read(source, 0).test_modules, ["b", "c"]);
    }

    #[test]
    fn super_counts_where_it_reaches_the_root() {
        let cases: &[(&str, usize, &[&str])] = &[
            ("use super::a::A;", 1, &["a"]),
            ("use super::{a::A, b};", 1, &["a", "b"]),
            ("use super::a::A;", 2, &[]),
            ("use super::super::a::A;", 2, &["a"]),
            ("mod inner { use super::a; use super::super::b; }\nuse super::c;", 1, &["b", "c"]),
            (
                "fn f() { loop {} }\nmod a { mod b { use super::super::super::c; } use super::super::d; }",
                1,
                &["c", "d"],
            ),
        ];
        for (source, level, expected) in cases {
            assert_eq!(names(source, *level), *expected, "{source}");
        }
    }

    #[test]
    fn a_path_has_the_line_of_its_name() {
        let source = "//! Doc.\nuse crate::{\n    a::A,\n    /* two\n    lines */ b::B,\n};\n\"a\n\"; crate::c::f();\n";
        let lines: Vec<usize> = Imports::read(source, 1).paths.iter().map(|path| path.line).collect();
        assert_eq!(lines, [3, 5, 8]);
    }

    #[test]
    fn a_text_that_ends_early_is_read_to_its_end() {
        let open =
            ["use crate::", "use crate::{a", "/* a", "/* *", "\"a", "r#\"a", "'\\", "#[cfg(test)]", "#[a", "super"];
        for source in open {
            assert!(names(source, 1).len() <= 1, "{source}");
        }
    }
}
