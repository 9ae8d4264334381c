//! Dates, for `os.date`: in universal time.

/// A moment, as Erlang's calendar has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct DateTime {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    /// Days since 1970.
    pub(super) days: i64,
}

/// Why a count of seconds is no date in Erlang.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateError {
    /// `badarg`: before 1902 or after the year 2147483646.
    Range,
    /// `function_clause`: before the year 0.
    Negative,
}

/// Seconds since 1970 of the first and last moments that are dates, and of the year 0.
const FIRST: i64 = -2_145_916_800;
const LAST: i64 = 67_767_976_201_996_799;
const YEAR_0: i64 = -62_167_219_200;

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
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
/// The conversions, in the order in which Luerl replaces them one after the other.
const CONVERSIONS: &[u8] = b"AaBbcDdeFHIMmnPpSTtuVWwXxYyZ%";

impl DateTime {
    /// The moment so many seconds after 1970.
    pub(super) fn new(seconds: i64) -> Result<Self, DateError> {
        if seconds < YEAR_0 {
            return Err(DateError::Negative);
        }
        if !(FIRST..=LAST).contains(&seconds) {
            return Err(DateError::Range);
        }
        let (days, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        Ok(Self { year, month, day, hour: time / 3600, minute: time / 60 % 60, second: time % 60, days })
    }

    /// The day of the week: 0 is Sunday.
    pub(super) fn weekday(&self) -> i64 {
        (self.days + 4).rem_euclid(7)
    }

    /// The week's number as ISO 8601 counts them: week 1 has the year's first Thursday.
    fn week(&self) -> i64 {
        let from_monday = (self.weekday() + 6) % 7;
        let thursday = self.days - from_monday + 3;
        let (year, ..) = civil(thursday);
        (thursday - first_day(year)) / 7 + 1
    }

    /// The text of a format.
    pub(super) fn format(&self, format: &[u8]) -> Vec<u8> {
        let mut text = format.to_vec();
        for conversion in CONVERSIONS {
            let pattern = [b'%', *conversion];
            if memchr::memmem::find(&text, &pattern).is_some() {
                text = replace(&text, &pattern, self.part(*conversion).as_bytes());
            }
        }
        text
    }

    fn part(&self, conversion: u8) -> String {
        let name = |names: &[&'static str], at: i64| {
            usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
        };
        let short = |name: &'static str| name.get(..3).unwrap_or_default();
        let (day, month) = (name(&DAYS, self.weekday()), name(&MONTHS, self.month - 1));
        let date = || format!("{}/{}/{}", two(self.month), two(self.day), two(self.year % 100));
        let time = || format!("{}:{}:{}", two(self.hour), two(self.minute), two(self.second));
        match conversion {
            b'A' => day.to_owned(),
            b'a' => short(day).to_owned(),
            b'B' => month.to_owned(),
            b'b' => short(month).to_owned(),
            b'c' => format!("{} {} {:2} {} {}", short(day), short(month), self.day, time(), four(self.year)),
            b'D' | b'x' => date(),
            b'd' => two(self.day),
            b'e' => format!("{:2}", self.day),
            b'F' => format!("{}-{}-{}", four(self.year), two(self.month), two(self.day)),
            b'H' => two(self.hour),
            b'I' => two((self.hour + 11) % 12 + 1),
            b'M' => two(self.minute),
            b'm' => two(self.month),
            b'n' => "\n".to_owned(),
            b'P' => if self.hour < 12 { "am" } else { "pm" }.to_owned(),
            b'p' => if self.hour < 12 { "AM" } else { "PM" }.to_owned(),
            b'S' => two(self.second),
            b'T' | b'X' => time(),
            b't' => "\t".to_owned(),
            b'u' => ((self.weekday() + 6) % 7 + 1).to_string(),
            b'V' | b'W' => two(self.week()),
            b'w' => self.weekday().to_string(),
            b'Y' => four(self.year),
            b'y' => two(self.year % 100),
            b'%' => "%".to_owned(),
            _ => String::new(),
        }
    }
}

/// Two digits.
fn two(n: i64) -> String {
    format!("{n:02}")
}

/// Four digits; a year that has more is stars.
fn four(year: i64) -> String {
    if year > 9999 { "****".to_owned() } else { format!("{year:04}") }
}

fn replace(text: &[u8], pattern: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut copied = 0;
    for at in memchr::memmem::find_iter(text, pattern) {
        out.extend_from_slice(text.get(copied..at).unwrap_or_default());
        out.extend_from_slice(with);
        copied = at + pattern.len();
    }
    out.extend_from_slice(text.get(copied..).unwrap_or_default());
    out
}

/// The year, month and day so many days after 1970: counted in eras of 400 years that begin with March.
fn civil(days: i64) -> (i64, i64, i64) {
    let from_era = days + 719_468;
    let (era, day) = (from_era.div_euclid(146_097), from_era.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + next, month, day)
}

/// The first of January, in days after 1970.
fn first_day(year: i64) -> i64 {
    let before = year - 1;
    before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 719_162
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Erlang answered for `os.date("%F %T %a %V", n)`.
    #[test]
    fn dates_are_erlangs() {
        let text = |n| DateTime::new(n).map(|date| String::from_utf8(date.format(b"%F %T %a %V")).unwrap());
        assert_eq!(text(0).unwrap(), "1970-01-01 00:00:00 Thu 01");
        assert_eq!(text(-1).unwrap(), "1969-12-31 23:59:59 Wed 01");
        assert_eq!(text(951_782_400).unwrap(), "2000-02-29 00:00:00 Tue 09");
        assert_eq!(text(1_104_537_600).unwrap(), "2005-01-01 00:00:00 Sat 53");
        assert_eq!(text(1_609_459_200).unwrap(), "2021-01-01 00:00:00 Fri 53");
        assert_eq!(text(253_402_300_799).unwrap(), "9999-12-31 23:59:59 Fri 52");
        assert_eq!(text(253_402_300_800).unwrap(), "****-01-01 00:00:00 Sat 52");
        assert_eq!(text(FIRST - 1), Err(DateError::Range));
        assert_eq!(text(LAST + 1), Err(DateError::Range));
        assert_eq!(text(YEAR_0 - 1), Err(DateError::Negative));
    }

    #[test]
    fn every_conversion_is_luerls() {
        let all = b"%A %a %B %b %c %D %d %e %H %I %M %m %P %p %S %u %W %w %X %x %Y %y %Z %%Y %j %U \xe9";
        let text = DateTime::new(1_700_000_000).map(|date| date.format(all)).unwrap();
        let expected =
            b"Tuesday Tue November Nov Tue Nov 14 22:13:20 2023 11/14/23 14 14 22 10 13 11 pm PM 20 2 46 2 \
            22:13:20 11/14/23 2023 23  %2023 %j %U \xe9";
        assert_eq!(text, expected);
    }
}
