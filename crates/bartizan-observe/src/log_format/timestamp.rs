//! RFC 3339 timestamps in UTC.

use std::time::{Duration, SystemTime};

use super::text::push_padded;

const SECONDS_A_DAY: u64 = 86_400;

/// The last microsecond that a year of four digits can say, as RFC 3339 asks for.
const LATEST: Duration = Duration::from_micros(253_402_300_799_999_999);

/// How finely a time is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    Millis,
    Micros,
}

/// Writes timestamps; keeps the text of the day it wrote last, which hardly ever changes.
pub(crate) struct Timestamps {
    day: u64,
    date: Vec<u8>,
}

impl Timestamps {
    pub(crate) const fn new() -> Self {
        Self {
            day: 0,
            date: Vec::new(),
        }
    }

    /// Times before 1970 are written as its first moment, those after 9999 as its last.
    pub(crate) fn push(&mut self, out: &mut Vec<u8>, time: SystemTime, precision: Precision) {
        let since = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .min(LATEST);
        let seconds = since.as_secs();
        let day = seconds / SECONDS_A_DAY;
        if self.date.is_empty() || self.day != day {
            self.day = day;
            self.date.clear();
            push_date(&mut self.date, day);
        }
        out.extend_from_slice(&self.date);
        let of_day = seconds % SECONDS_A_DAY;
        for (before, part) in [
            (b'T', of_day / 3600),
            (b':', of_day / 60 % 60),
            (b':', of_day % 60),
        ] {
            out.push(before);
            push_padded(out, part, 2);
        }
        out.push(b'.');
        match precision {
            Precision::Millis => push_padded(out, since.subsec_millis().into(), 3),
            Precision::Micros => push_padded(out, since.subsec_micros().into(), 6),
        }
        out.push(b'Z');
    }
}

/// The civil date of a day counted from 1970-01-01.
///
/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`, without the
/// branch for days before the epoch: years start in March, so that the leap day is the last one,
/// and an era of 400 years has 146,097 days.
fn push_date(out: &mut Vec<u8>, day: u64) {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    push_padded(out, year, 4);
    out.push(b'-');
    push_padded(out, month, 2);
    out.push(b'-');
    push_padded(out, of_month, 2);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::OffsetDateTime;

    use super::*;

    fn written(time: SystemTime, precision: Precision) -> String {
        let mut out = Vec::new();
        Timestamps::new().push(&mut out, time, precision);
        String::from_utf8(out).unwrap()
    }

    fn expected(time: SystemTime) -> String {
        let time = OffsetDateTime::from(time);
        let (hour, minute, second, micro) = time.to_hms_micro();
        let (year, month, day) = time.to_calendar_date();
        let month = u8::from(month);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micro:06}Z")
    }

    #[test]
    fn what_a_year_of_four_digits_cannot_say_is_clamped() {
        let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(
            written(early, Precision::Millis),
            "1970-01-01T00:00:00.000Z"
        );
        let late = SystemTime::UNIX_EPOCH + LATEST + Duration::from_secs(1);
        assert_eq!(
            written(late, Precision::Micros),
            "9999-12-31T23:59:59.999999Z"
        );
    }

    #[test]
    fn the_kept_day_is_given_up_when_the_day_changes() {
        let mut stamps = Timestamps::new();
        for seconds in [951_782_399, 951_782_400, 951_868_800, 951_782_399] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            let mut out = Vec::new();
            stamps.push(&mut out, time, Precision::Micros);
            assert_eq!(String::from_utf8(out).unwrap(), expected(time));
        }
    }

    proptest! {
        #[test]
        fn every_time_is_written_as_the_time_crate_has_it(micros in 0..=LATEST.as_micros() as u64) {
            let time = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
            prop_assert_eq!(written(time, Precision::Micros), expected(time));
        }
    }
}
