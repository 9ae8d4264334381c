//! `strftime` as emscripten's loader has it, in English.

use super::Call;
use super::guest::{Args, charge, read_i32, read_size, text, write};
use super::time::Civil;
use crate::engine::Stop;

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What C's `struct tm` holds.
struct Fields {
    second: i64,
    minute: i64,
    hour: i64,
    day: i64,
    month: i64,
    /// Years from 1900.
    year: i64,
    weekday: i64,
    yearday: i64,
    zone: String,
}

/// `strftime(out, max, pattern, tm)`: bytes written, less one as the loader counts, or 0 if they do not fit.
pub(crate) fn strftime(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let (out, max, pattern, tm) = (args.size(0), args.size(1), args.size(2), args.size(3));
    let mut numbers = [0_i64; 8];
    for (at, number) in (tm..).step_by(4).zip(numbers.iter_mut()) {
        *number = i64::from(read_i32(call, at)?);
    }
    let [second, minute, hour, day, month, year, weekday, yearday] = numbers;
    let zone_at = if call.format().pointer_bytes() == 8 { 48 } else { 40 };
    let zone = match read_size(call, tm.wrapping_add(zone_at))? {
        0 => String::new(),
        zone => text(call, zone)?,
    };
    let fields = Fields { second, minute, hour, day, month, year, weekday, yearday, zone };
    let pattern = text(call, pattern)?;
    // The loader rejects what does not fit, NUL included, and answers the length without it.
    let mut bytes = format(&pattern, &fields, 0).into_bytes();
    bytes.push(0);
    let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    charge(call, len.saturating_mul(16))?;
    if len > max {
        return Ok(0);
    }
    write(call, out, &bytes)?;
    Ok(i64::try_from(len - 1).unwrap_or(0))
}

fn format(pattern: &str, fields: &Fields, depth: u8) -> String {
    let mut out = String::new();
    let mut rest = pattern.chars();
    while let Some(next) = rest.next() {
        if next != '%' {
            out.push(next);
            continue;
        }
        let mut conversion = rest.next();
        // E and O ask for another script; there is none.
        let mut prefix = None;
        if let Some(modifier @ ('E' | 'O')) = conversion {
            prefix = Some(modifier);
            conversion = rest.next();
        }
        match conversion.map(|letter| (letter, one(letter, fields, depth))) {
            Some((_, Some(text))) => out.push_str(&text),
            Some((letter, None)) => {
                out.push('%');
                out.extend(prefix);
                out.push(letter);
            }
            None => {
                out.push('%');
                out.extend(prefix);
            }
        }
    }
    out
}

fn one(letter: char, fields: &Fields, depth: u8) -> Option<String> {
    let composed = match letter {
        'c' => "%a %b %d %H:%M:%S %Y",
        'D' | 'x' => "%m/%d/%y",
        'F' => "%Y-%m-%d",
        'r' => "%I:%M:%S %p",
        'R' => "%H:%M",
        'T' | 'X' => "%H:%M:%S",
        _ => "",
    };
    if !composed.is_empty() && depth == 0 {
        return Some(format(composed, fields, 1));
    }
    let two = |value: i64| format!("{value:02}");
    let name = |names: &[&str], index: i64| {
        usize::try_from(index)
            .ok()
            .and_then(|index| names.get(index).copied())
            .unwrap_or("undefined")
            .to_owned()
    };
    let short = |full: String| full.chars().take(3).collect::<String>();
    let year = fields.year + 1_900;
    Some(match letter {
        'a' => short(name(&WEEKDAYS, fields.weekday)),
        'A' => name(&WEEKDAYS, fields.weekday),
        'b' | 'h' => short(name(&MONTHS, fields.month)),
        'B' => name(&MONTHS, fields.month),
        'C' => two(year / 100),
        'd' => two(fields.day),
        'e' => format!("{:2}", fields.day),
        'g' => from_third(&week_year(fields).to_string()),
        'G' => week_year(fields).to_string(),
        'H' => two(fields.hour),
        'I' => two(match fields.hour {
            0 => 12,
            afternoon @ 13.. => afternoon - 12,
            morning => morning,
        }),
        'j' => format!("{:03}", day_of_year(fields)),
        'm' => two(fields.month + 1),
        'M' => two(fields.minute),
        'n' => "\n".to_owned(),
        'p' => if (0..12).contains(&fields.hour) { "AM" } else { "PM" }.to_owned(),
        'S' => two(fields.second),
        't' => "\t".to_owned(),
        'u' => if fields.weekday == 0 { 7 } else { fields.weekday }.to_string(),
        'U' => two((fields.yearday + 7 - fields.weekday).div_euclid(7)),
        'V' => two(iso_week(fields)),
        'w' => fields.weekday.to_string(),
        'W' => two((fields.yearday + 7 - (fields.weekday + 6) % 7).div_euclid(7)),
        'y' => from_third(&year.to_string()),
        'Y' => year.to_string(),
        'z' => "+0000".to_owned(),
        'Z' => fields.zone.clone(),
        '%' => "%".to_owned(),
        _ => return None,
    })
}

/// What JavaScript's `substring(2)` leaves of a year.
fn from_third(year: &str) -> String {
    year.chars().skip(2).collect()
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn day_of_year(fields: &Fields) -> i64 {
    let february = if is_leap(fields.year + 1_900) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(fields.month).unwrap_or(0);
    fields.day + months.iter().take(before).sum::<i64>()
}

/// The year that the ISO week of this day belongs to.
fn week_year(fields: &Fields) -> i64 {
    let year = fields.year + 1_900;
    let start = Civil { year, month: 0, day: 1, ..Civil::default() }.to_seconds();
    let today = Civil::from_seconds(start + fields.yearday.clamp(0, 366) * 86_400);
    let first_week = |year: i64| {
        let fourth = Civil { year, month: 0, day: 4, ..Civil::default() }.to_seconds();
        let weekday = Civil::from_seconds(fourth).weekday;
        fourth - (weekday + 6) % 7 * 86_400
    };
    if today.to_seconds() < first_week(today.year) {
        today.year - 1
    } else if today.to_seconds() >= first_week(today.year + 1) {
        today.year + 1
    } else {
        today.year
    }
}

/// The ISO week number, by the same steps as the loader's.
fn iso_week(fields: &Fields) -> i64 {
    let mut week = (fields.yearday + 7 - (fields.weekday + 6) % 7).div_euclid(7);
    if (fields.weekday + 371 - fields.yearday - 2) % 7 <= 2 {
        week += 1;
    }
    if week == 0 {
        let last_december = (fields.weekday + 7 - fields.yearday - 1) % 7;
        let last_year_leap = is_leap(fields.year % 400 - 1);
        return if last_december == 4 || (last_december == 5 && last_year_leap) { 53 } else { 52 };
    }
    let first_january = (fields.weekday + 371 - fields.yearday) % 7;
    if week == 53 && first_january != 4 && (first_january != 3 || !is_leap(fields.year)) {
        return 1;
    }
    week
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(seconds: i64) -> Fields {
        let Civil { year, month, day, hour, minute, second, weekday, yearday } = Civil::from_seconds(seconds);
        let year = year - 1_900;
        Fields { second, minute, hour, day, month, year, weekday, yearday, zone: "UTC".to_owned() }
    }

    #[test]
    fn follows_c() {
        // Values from `date -u -d @N +PATTERN` of GNU coreutils in the C locale.
        let pattern =
            "%a %A %b %B %C %d %e %g %G %H %I %j %m %M %p %S %u %U %V %w %W %y %Y %Z %% %D %F %T %r %R";
        let cases = [
            (
                10,
                "Thu Thursday Jan January 19 01  1 70 1970 00 12 001 01 00 AM 10 4 00 01 4 00 70 1970 UTC % 01/01/70 1970-01-01 00:00:10 12:00:10 AM 00:00",
            ),
            (
                1_735_689_599,
                "Tue Tuesday Dec December 20 31 31 25 2025 23 11 366 12 59 PM 59 2 52 01 2 53 24 2024 UTC % 12/31/24 2024-12-31 23:59:59 11:59:59 PM 23:59",
            ),
            (
                1_609_459_200,
                "Fri Friday Jan January 20 01  1 20 2020 00 12 001 01 00 AM 00 5 00 53 5 00 21 2021 UTC % 01/01/21 2021-01-01 00:00:00 12:00:00 AM 00:00",
            ),
        ];
        for (seconds, expected) in cases {
            assert_eq!(format(pattern, &fields(seconds), 0), expected, "{seconds}");
        }
        assert_eq!(format("%Ey %Od %Q %E", &fields(10), 0), "70 01 %Q %E");
    }
}
