//! The header `Retry-After`: seconds, or a date in any of the three forms of HTTP (RFC 9110 §5.6.7 and §10.2.3).

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_SECONDS: u64 = 86_400;

/// How long to wait, in milliseconds; `None` for what is no `Retry-After`. A date that is past is no wait.
pub(crate) fn retry_after(value: &str, now_ms: u64) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has are a wait longer than any.
        return Some(value.parse::<u64>().map_or(u64::MAX, |seconds| seconds.saturating_mul(1_000)));
    }
    let until_ms = http_date(value, now_ms)?.saturating_mul(1_000);
    Some(until_ms.saturating_sub(now_ms))
}

/// Seconds since 1970 of a date: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or
/// `Sun Nov  6 08:49:37 1994`.
fn http_date(text: &str, now_ms: u64) -> Option<u64> {
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        [_, day, month, year, time, "GMT"] => seconds(year.parse().ok()?, month, day, time),
        [_, date, time, "GMT"] => {
            let parts: Vec<&str> = date.split('-').collect();
            let [day, month, year] = parts.as_slice() else { return None };
            let year: u64 = year.parse().ok().filter(|year| *year < 100)?;
            seconds(full_year(year, now_ms), month, day, time)
        }
        [_, month, day, time, year] => seconds(year.parse().ok()?, month, day, time),
        _ => None,
    }
}

/// Two digits that seem more than 50 years ahead are of the century before (RFC 9110 §5.6.7).
fn full_year(two: u64, now_ms: u64) -> u64 {
    let now = 1970 + now_ms / 1_000 / DAY_SECONDS * 400 / 146_097;
    let year = now - now % 100 + two;
    if year > now + 50 { year - 100 } else { year }
}

fn seconds(year: u64, month: &str, day: &str, time: &str) -> Option<u64> {
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let day: u64 = day.parse().ok().filter(|day| (1..=31).contains(day))?;
    let mut parts = time.split(':').map(|part| part.parse::<u64>().ok());
    let (Some(Some(hour)), Some(Some(minute)), Some(Some(second)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    // A leap second is one more.
    if !(1970..=9999).contains(&year) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(days(year, month, day) * DAY_SECONDS + hour * 3_600 + minute * 60 + second)
}

/// Days since 1970 in the Gregorian calendar, counted in years that begin in March.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year / 4 - year / 100 + year / 400 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The instant of RFC 9110 §5.6.7, in seconds.
    const RFC: u64 = 784_111_777;

    #[test]
    fn seconds_are_seconds() {
        assert_eq!(retry_after("120", 5), Some(120_000));
        assert_eq!(retry_after(" 0 ", 5), Some(0));
        assert_eq!(retry_after("99999999999999999999999", 5), Some(u64::MAX));
    }

    #[test]
    fn the_three_forms_of_a_date_are_one_instant() {
        for date in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(retry_after(date, (RFC - 10) * 1_000), Some(10_000), "{date}");
            assert_eq!(retry_after(date, (RFC + 10) * 1_000), Some(0), "{date}");
        }
    }

    #[test]
    fn dates_count_leap_days() {
        let at = |date: &str| retry_after(date, 0).map(|ms| ms / 1_000);
        assert_eq!(at("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(at("Tue, 29 Feb 2000 12:00:00 GMT"), Some(951_825_600));
        assert_eq!(at("Wed, 01 Mar 2000 00:00:00 GMT"), Some(951_868_800));
        assert_eq!(at("Sun, 22 Nov 2026 22:08:51 GMT"), Some(1_795_385_331));
    }

    #[test]
    fn two_digit_years_are_the_nearest() {
        let now = 1_795_385_331;
        let at = |date: &str| http_date(date, now * 1_000).unwrap();
        assert!(at("Sunday, 06-Nov-94 08:49:37 GMT") < now);
        assert!(at("Sunday, 06-Nov-60 08:49:37 GMT") > now);
    }

    #[test]
    fn anything_else_is_none() {
        for value in [
            "",
            "-1",
            "1.5",
            "soon",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 25:49:37 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 06 Nov 0 08:49:37 GMT",
            "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
        ] {
            assert_eq!(retry_after(value, 0), None, "{value}");
        }
    }
}
