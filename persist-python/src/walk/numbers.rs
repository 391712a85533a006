//! Floats as Python's `repr` writes them: the shortest digits that give the same float
//! again, of several the ones that are nearest, of two the even ones.

/// Exponents from here on are written as such; below, the digits are filled up with zeros.
const LARGEST: i32 = 16;
const SMALLEST: i32 = -4;

/// The text of a finite float.
pub(super) fn float(value: f64) -> Vec<u8> {
    let mut shortest = zmij::Buffer::new();
    let text = shortest.format_finite(value);
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (digits, exponent) = digits_of(text);
    let mut made = String::with_capacity(32);
    made.push_str(sign);
    if (SMALLEST..LARGEST).contains(&exponent) {
        positional(&mut made, &digits, exponent);
    } else {
        scientific(&mut made, &digits, exponent);
    }
    made.into_bytes()
}

/// The digits that count, and the exponent of the first, of a decimal number.
fn digits_of(text: &str) -> (String, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.parse().unwrap_or(0);
    let all = format!("{whole}{part}");
    let digits = all.trim_start_matches('0');
    let zeros = all.len() - digits.len();
    match digits.trim_end_matches('0') {
        "" => ("0".to_owned(), 0),
        digits => (
            digits.to_owned(),
            exponent + i32::try_from(whole.len()).unwrap_or(i32::MAX)
                - 1
                - i32::try_from(zeros).unwrap_or(i32::MAX),
        ),
    }
}

fn positional(made: &mut String, digits: &str, exponent: i32) {
    let Ok(before) = usize::try_from(exponent + 1) else {
        made.push_str("0.");
        (0..-exponent - 1).for_each(|_| made.push('0'));
        return made.push_str(digits);
    };
    if before == 0 {
        made.push_str("0.");
        return made.push_str(digits);
    }
    let (whole, part) = digits.split_at(before.min(digits.len()));
    made.push_str(whole);
    (whole.len()..before).for_each(|_| made.push('0'));
    made.push('.');
    made.push_str(if part.is_empty() { "0" } else { part });
}

fn scientific(made: &mut String, digits: &str, exponent: i32) {
    let (first, rest) = digits.split_at(1.min(digits.len()));
    made.push_str(first);
    if !rest.is_empty() {
        made.push('.');
        made.push_str(rest);
    }
    let sign = if exponent < 0 { "-" } else { "+" };
    made.extend(["e", sign, if exponent.abs() < 10 { "0" } else { "" }]);
    made.push_str(&exponent.abs().to_string());
}
