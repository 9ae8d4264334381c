//! Calendar time for the module, always in UTC.
//!
//! The loader uses the host's time zone; every node should agree, so ours is UTC (wasm-modules §3 lists this among the
//! sources of difference).

use super::Call;
use super::guest::{Args, read_i32, write, write_i32, write_size};
use crate::engine::Stop;

/// JavaScript's dates end here, in milliseconds from 1970.
const MAX_MILLIS: i64 = 8_640_000_000_000_000;

/// A date and time of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// 0 to 11.
    pub(crate) month: i64,
    /// 1 to 31.
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    /// 0 is Sunday.
    pub(crate) weekday: i64,
    /// 0 to 365.
    pub(crate) yearday: i64,
}

/// Days from 1970-01-01 to the first day of a month; months beyond the year carry over.
fn days_to_month(year: i64, month: i64) -> i64 {
    let (year, month) = (year + month.div_euclid(12), month.rem_euclid(12));
    // Years are counted from March, so that the leap day comes last.
    let (y, m) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * m + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

impl Civil {
    /// The date of a number of seconds from 1970.
    pub(crate) fn from_seconds(seconds: i64) -> Self {
        let days = seconds.div_euclid(86_400);
        let rest = seconds.rem_euclid(86_400);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = (march_month + 2) % 12;
        let year = year_of_era + era * 400 + i64::from(month < 2);
        Self {
            year,
            month,
            day: day_of_year - (153 * march_month + 2) / 5 + 1,
            hour: rest / 3_600,
            minute: rest / 60 % 60,
            second: rest % 60,
            weekday: (days + 4).rem_euclid(7),
            yearday: days - days_to_month(year, 0),
        }
    }

    /// Seconds from 1970 of fields that may be out of range; they carry over as in JavaScript's `Date`.
    pub(crate) fn to_seconds(self) -> i64 {
        let days = days_to_month(self.year, self.month) + self.day - 1;
        days * 86_400 + self.hour * 3_600 + self.minute * 60 + self.second
    }
}

fn date(seconds: i64) -> Option<Civil> {
    let within =
        seconds.checked_mul(1_000).is_some_and(|millis| (-MAX_MILLIS..=MAX_MILLIS).contains(&millis));
    within.then(|| Civil::from_seconds(seconds))
}

#[expect(clippy::cast_possible_truncation, reason = "years stay below 300,000, the rest below 400")]
fn write_fields(call: &mut Call<'_>, tm: u64, date: &Civil) -> Result<(), Stop> {
    let fields = [
        date.second,
        date.minute,
        date.hour,
        date.day,
        date.month,
        date.year - 1_900,
        date.weekday,
        date.yearday,
    ];
    for (at, value) in (tm..).step_by(4).zip(fields) {
        write_i32(call, at, value as i32)?;
    }
    Ok(())
}

/// A date that JavaScript cannot hold: every field is NaN there, and 0 in memory.
const INVALID: Civil =
    Civil { year: 1_900, month: 0, day: 0, hour: 0, minute: 0, second: 0, weekday: 0, yearday: 0 };

/// `_gmtime_js(time, tm)`.
pub(crate) fn gmtime(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let (seconds, next) = args.long(0);
    write_fields(call, args.size(next), &date(seconds).unwrap_or(INVALID))?;
    Ok(0)
}

/// `_localtime_js(time, tm)`: the same in UTC, with the zone's offset and no summer time.
pub(crate) fn localtime(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let (seconds, next) = args.long(0);
    let tm = args.size(next);
    write_fields(call, tm, &date(seconds).unwrap_or(INVALID))?;
    let offset_at = if call.format().pointer_bytes() == 8 { 40 } else { 36 };
    write_size(call, tm.wrapping_add(offset_at), 0)?;
    write_i32(call, tm.wrapping_add(32), 0)?;
    Ok(0)
}

/// `_mktime_js(tm)`: seconds from 1970, and the fields brought into range.
pub(crate) fn mktime(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let tm = args.size(0);
    let mut fields = [0_i64; 9];
    for (at, field) in (tm..).step_by(4).zip(fields.iter_mut()) {
        *field = i64::from(read_i32(call, at)?);
    }
    let [second, minute, hour, day, month, year, _, _, summer] = fields;
    // JavaScript's `new Date(year, …)` takes 0 to 99 for 1900 to 1999.
    let year = match year + 1_900 {
        short @ 0..=99 => short + 1_900,
        full => full,
    };
    let seconds = Civil { year, month, day, hour, minute, second, weekday: 0, yearday: 0 }.to_seconds();
    if summer < 0 {
        write_i32(call, tm.wrapping_add(32), 0)?;
    }
    let Some(date) = date(seconds) else {
        write_fields(call, tm, &INVALID)?;
        return Ok(-1);
    };
    write_fields(call, tm, &date)?;
    Ok(seconds)
}

/// `_tzset_js(timezone, daylight, std_name, dst_name)`: UTC.
pub(crate) fn tzset(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    write_size(call, args.size(0), 0)?;
    write_i32(call, args.size(1), 0)?;
    // The loader writes the winter's name into the second place when summer and winter are alike, then the summer's
    // into the first; both are UTC.
    for name in [args.size(3), args.size(2)] {
        write(call, name, b"UTC\0")?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        // Values from `date -u -d @N` of GNU coreutils.
        let cases = [
            (0, (1970, 0, 1, 0, 0, 0, 4, 0)),
            (951_782_399, (2000, 1, 28, 23, 59, 59, 1, 58)),
            (951_782_400, (2000, 1, 29, 0, 0, 0, 2, 59)),
            (1_735_689_599, (2024, 11, 31, 23, 59, 59, 2, 365)),
            (-1, (1969, 11, 31, 23, 59, 59, 3, 364)),
            (-2_203_891_200, (1900, 2, 1, 0, 0, 0, 4, 59)),
        ];
        for (seconds, (year, month, day, hour, minute, second, weekday, yearday)) in cases {
            let expected = Civil { year, month, day, hour, minute, second, weekday, yearday };
            assert_eq!(Civil::from_seconds(seconds), expected, "{seconds}");
            assert_eq!(expected.to_seconds(), seconds);
        }
    }

    #[test]
    fn fields_out_of_range_carry_over() {
        let date = Civil { year: 2023, month: 14, day: 0, hour: 25, ..Civil::default() };
        assert_eq!(Civil::from_seconds(date.to_seconds()).month, 2);
        assert_eq!(Civil::from_seconds(date.to_seconds()).year, 2024);
        assert_eq!(Civil::from_seconds(date.to_seconds()).day, 1);
    }
}
