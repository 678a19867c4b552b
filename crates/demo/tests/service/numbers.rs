//! Numbers, which come back as they went in.

use std::iter;

use super::program::{Browser, Framework, Program, sessions};

on_both! {
    floats_come_back_to_the_bit
    integers_come_back_as_they_are
    a_number_that_does_not_fit_is_refused
}

fn floats_come_back_to_the_bit(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let mut visitor = Browser::new(&program);
    let mut spellings: Vec<String> = SPELLINGS.iter().map(ToString::to_string).collect();
    // And floats of all sizes, in the fewest digits that tell them apart.
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    let floats = iter::repeat_with(|| {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        f64::from_bits(bits)
    });
    spellings.extend(floats.filter(|float| float.is_finite()).take(2000).map(|float| format!("{float:e}")));

    assert_eq!(visitor.post("/session/n", &format!("[{}]", spellings.join(","))).status, 200);
    let answer = visitor.get("/session/n").body;
    let answers: Vec<_> = answer.trim_matches(['[', ']']).split(',').collect();
    assert_eq!(answers.len(), spellings.len());
    for (answer, spelling) in answers.iter().zip(&spellings) {
        let [came_back, went_in] = [answer, spelling.as_str()].map(|number| number.parse::<f64>().unwrap());
        assert_eq!(came_back.to_bits(), went_in.to_bits(), "{spelling} came back as {answer}");
        assert!(answer.contains(['.', 'e']), "{spelling} is an integer now: {answer}");
    }
}

fn integers_come_back_as_they_are(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let mut visitor = Browser::new(&program);
    for number in [
        "0",
        "-1",
        "127",
        "-129",
        "4294967296",
        "9007199254740993",
        "-9223372036854775808",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
    ] {
        for value in [number.to_owned(), format!(r#"{{"a":[{number},{{"b":{number}}}]}}"#)] {
            assert_eq!(visitor.post("/session/n", &value).status, 200, "{value}");
            assert_eq!(visitor.get("/session/n").body, value);
            assert_eq!(visitor.get("/session").body, format!(r#"{{"n":{value}}}"#));
        }
    }
}

fn a_number_that_does_not_fit_is_refused(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let mut visitor = Browser::new(&program);
    visitor.post("/session/n", "7");
    for number in [
        "18446744073709551616",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "-123456789012345678901234567890",
        "1e400",
        "-1e400",
        "1.7976931348623159e308",
        "1e99999999999999999999",
        "1e-400",
        "2e-324",
    ] {
        for value in [number.to_owned(), format!(r#"{{"a":[0, {number}]}}"#)] {
            let answer = visitor.post("/session/n", &value);
            assert_eq!(answer.status, 400, "{value}");
            assert_eq!(answer.body, r#"{"error":"a number in the body does not fit"}"#);
        }
        let text = format!(r#""the number {number}""#);
        assert_eq!(visitor.post("/session/text", &text).status, 200);
        assert_eq!(visitor.get("/session/text").body, text);
    }
    assert_eq!(visitor.get("/session/n").body, "7");
}

const SPELLINGS: [&str; 21] = [
    "0.1",
    "-0.1",
    "0.30000000000000004",
    "1.0",
    "-0.0",
    "-0",
    "0e400",
    "1e23",
    "1E+23",
    "8.5e-1",
    "5e-324",
    "-5e-324",
    "3e-324",
    "2.2250738585072011e-308",
    "2.2250738585072014e-308",
    "1.7976931348623157e308",
    "179769313486231580793728971405301e276",
    "9007199254740993.0",
    "9007199254740993.00000000000000000000000000001",
    "123456789012345678901234567890.0",
    "0.1000000000000000055511151231257827021181583404541015625",
];
