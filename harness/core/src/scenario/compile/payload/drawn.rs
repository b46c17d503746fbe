//! The families whose payloads are drawn.

use crate::chance::Chance;

/// Payloads that hold no mark.
pub(super) const EXEMPT: [&str; 4] = ["{}", "[]", "null", "\"\""];

pub(super) const DEPTH: usize = 60;

pub(super) const LARGE_BYTES: (u64, u64) = (64 * 1024, 300 * 1024);

/// Numbers at the edges, as they are spelled. Integers beyond 2^53 keep their digits (contract, "Payload hashes"). A
/// fraction that lies halfway between two doubles must become the even one.
pub(crate) const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-0.0",
    "0e0",
    "1.0",
    "0.1",
    "1E5",
    "1e+5",
    "100000",
    "-1",
    "1e20",
    "1e21",
    "1e22",
    "1e-6",
    "1e-7",
    "0.000001",
    "1e23",
    "8.41e21",
    "9.5e-7",
    "333333333.33333329",
    "0.30000000000000004",
    "4.5e0",
    "1e308",
    "1.7976931348623157e308",
    "1.797693134862315807e308",
    "-1.7976931348623157e308",
    "5e-324",
    "-5e-324",
    "4.9406564584124654e-324",
    "2.2250738585072014e-308",
    "2.2250738585072011e-308",
    "2.225073858507201e-308",
    "9007199254740990",
    "9007199254740991",
    "-9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "-9007199254740993",
    "9007199254740993.0",
    "9007199254740992.5",
    "9007199254740991.5",
    "4503599627370497.5",
    "4503599627370496.5",
    "1125899906842624.125",
    "0.500000000000000166533453693773481063544750213623046875",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890",
    "-999999999999999999999999999999",
    "2147483648",
    "4294967296",
];

const STRINGS: [&str; 20] = [
    "plain",
    "\u{1F600}",
    "\\ud83d\\ude00",
    "\\uD834\\uDD1E \u{1D11E}",
    "e\u{301} \\u0065\\u0301 \u{e9}",
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{645}\u{631}\u{62d}\u{628}\u{627}",
    "\u{202e}evitagen\u{202c}",
    "\u{2028}\u{2029}",
    "\\u2028\\u2029",
    "\\u0000\\u0001\\u001f",
    "\\b\\f\\n\\r\\t",
    "\\\"\\\\\\/ / \\u002F",
    "\u{7f}\u{80}\u{feff}",
    "\u{ffff}\u{fffd}",
    "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
    "\u{4f60}\u{597d}, \u{3053}\u{3093}",
    "<script>&amp;'</script>",
    "${x} #{y} {{z}} %s %00",
    "' OR 1=1; --",
    "\\u0041\\u00e4\\u00DF",
];

/// Names, as they are spelled, that sort otherwise by code point than by UTF-16 unit, or are odd.
const NAMES: [&str; 9] =
    ["\u{e000}", "\u{1F600}k", "\\ud83d\\ude01", "\u{fb33}", "a b", "__proto__", "1", "10", "\\u0009"];

pub(super) fn small(chance: &mut Chance, key: &str) -> String {
    let state = chance.pick(&["queued", "running", "blocked", "done"]).unwrap_or("queued");
    let (step, ratio) = (chance.below(1_000), chance.below(10_000));
    format!("{{\"key\":\"{key}\",\"state\":\"{state}\",\"step\":{step},\"ratio\":0.{ratio:04},\"ok\":true}}")
}

pub(super) fn large(chance: &mut Chance, key: &str) -> String {
    let (least, most) = LARGE_BYTES;
    let bytes = usize::try_from(chance.between(least, most)).unwrap_or(0);
    let mut text = format!("{{\"key\":\"{key}\",\"lines\":[");
    while text.len() < bytes {
        // One drawn word gives a line that no compression can leave out; the rest of the line is what logs are like.
        let word = chance.word();
        text.push_str(&format!("{{\"at\":{},\"log\":\"step {word:016x} \u{2713} finished\"}},", word % 100_000));
    }
    text.push_str("null]}");
    text
}

/// An object of these members, spelled, in an order and with spacing that are drawn.
pub(super) fn object(chance: &mut Chance, mut members: Vec<(String, String)>) -> String {
    chance.shuffle(&mut members);
    let spacing = |chance: &mut Chance| chance.pick(&["", "", " ", "\n\t", "\r\n  "]).unwrap_or("");
    let mut text = String::from("{");
    for (index, (name, value)) in members.iter().enumerate() {
        text.push_str(if index > 0 { "," } else { "" });
        text.push_str(spacing(chance));
        text.push_str(&format!("\"{name}\"{}:{}{value}", spacing(chance), spacing(chance)));
    }
    text.push_str(spacing(chance));
    text.push('}');
    text
}

pub(super) fn keyed(key: &str) -> (String, String) {
    ("key".to_owned(), format!("\"{key}\""))
}

pub(super) fn unicode(chance: &mut Chance, key: &str) -> String {
    let mut members = vec![keyed(key)];
    let mut names = NAMES.to_vec();
    chance.shuffle(&mut names);
    for name in names {
        let string = chance.pick(&STRINGS).unwrap_or("");
        members.push((name.to_owned(), format!("\"{string}\"")));
    }
    let all: Vec<_> = STRINGS.iter().map(|string| format!("\"{string}\"")).collect();
    members.push(("all".to_owned(), format!("[ {} ]", all.join(" , "))));
    let long = "n\u{e4}me".repeat(50 + chance.index(150));
    members.push((long, "\"long\"".to_owned()));
    object(chance, members)
}

pub(super) fn numbers(chance: &mut Chance, key: &str) -> String {
    let mut list = NUMBERS.to_vec();
    chance.shuffle(&mut list);
    let drawn = f64::from_bits(chance.word());
    let drawn = if drawn.is_finite() { format!("{drawn:e}") } else { "1.5e300".to_owned() };
    let digits = format!("{}{:018}", 1 + chance.below(9), chance.below(1_000_000_000_000_000_000));
    let members = vec![
        keyed(key),
        ("edges".to_owned(), format!("[{}]", list.join(", "))),
        ("drawn".to_owned(), drawn),
        ("negative".to_owned(), format!("-{digits}")),
        ("big".to_owned(), format!("{digits}{digits}")),
    ];
    object(chance, members)
}

pub(super) fn nested(chance: &mut Chance, key: &str, depth: usize) -> String {
    let mut text = format!("{{\"key\":\"{key}\"}}");
    for level in 0..depth {
        text = match chance.below(3) {
            0 => format!("[{text}]"),
            1 => format!("{{\"down\":{text}}}"),
            _ => format!("[{level}, {text} ,null]"),
        };
    }
    format!("{{\"down\":{text}}}")
}

pub(super) fn empty(key: &str, nth: u64) -> String {
    match nth % 8 {
        1 => EXEMPT[0].to_owned(),
        2 => format!("{{\"\":\"{key}\"}}"),
        3 => EXEMPT[1].to_owned(),
        4 => format!("{{\"a\":{{}},\"b\":[],\"c\":\"\",\"d\":null,\"\":{{\"\":[{{}}]}},\"key\":\"{key}\"}}"),
        5 => EXEMPT[2].to_owned(),
        6 => format!("[[],{{}},\"\",null,false,0,\"{key}\"]"),
        7 => EXEMPT[3].to_owned(),
        _ => format!("\"{key}\""),
    }
}

pub(super) fn awkward(chance: &mut Chance, key: &str) -> String {
    let members = vec![
        keyed(key),
        ("unicode".to_owned(), unicode(chance, key)),
        ("numbers".to_owned(), numbers(chance, key)),
        ("nested".to_owned(), nested(chance, key, DEPTH / 3)),
        ("\\u0065mpty".to_owned(), format!("[ {} , [ ] ,{{\t}}]", EXEMPT.join(" ,\n"))),
        (String::new(), "{\"\" : \"\"}".to_owned()),
    ];
    object(chance, members)
}
