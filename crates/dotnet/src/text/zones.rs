//! Time zones by their IANA or Windows names, over the zone data that is built in.
//!
//! Source of the Windows names: Unicode CLDR, `windowsZones.xml`, territory 001.

use std::sync::{Arc, LazyLock};

use jiff::civil::DateTime as Civil;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use super::time::{DAY, MAX, SECOND, UNIX_EPOCH, date};
use super::zone_rules::{Adjustment, Rules, Transition};

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone.
#[derive(Debug, Clone)]
pub struct Zone {
    /// The name it was asked for by.
    pub id: String,
    source: Source,
}

/// Where a zone's offsets come from.
#[derive(Debug, Clone)]
enum Source {
    /// The data that are built in.
    Data(TimeZone),
    /// Rules of an expression.
    Rules(Arc<Rules>),
}

/// When the offset of a zone changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    /// The point of UTC.
    utc: i64,
    /// The offset from then on.
    offset: i64,
    /// Is it daylight saving time?
    is_daylight: bool,
}

/// How a clock's reading relates to UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// One offset, in ticks.
    One(i64),
    /// The clock skipped it: offsets before and after.
    Skipped(i64, i64),
    /// The clock showed it twice: offsets of the first and of the second time.
    Twice(i64, i64),
}

impl Zone {
    /// UTC.
    pub fn utc() -> Self {
        Self { id: "UTC".to_owned(), source: Source::Data(TimeZone::UTC) }
    }

    /// The zone of a name; `None` if it is unknown.
    pub fn find(id: &str) -> Option<Self> {
        if id.eq_ignore_ascii_case("UTC") {
            return Some(Self { id: id.to_owned(), source: Source::Data(TimeZone::UTC) });
        }
        let windows = WINDOWS.iter().find(|(name, _)| name.eq_ignore_ascii_case(id));
        let name = windows.map_or(id, |(_, name)| *name);
        let source = Source::Data(DATABASE.get(name).ok()?);
        Some(Self { id: windows.map_or(id, |(name, _)| *name).to_owned(), source })
    }

    /// A zone of rules.
    pub fn of_rules(id: &str, rules: Rules) -> Self {
        Self { id: id.to_owned(), source: Source::Rules(Arc::new(rules)) }
    }

    /// The zones that have a Windows name, and UTC.
    pub fn all() -> impl Iterator<Item = Self> {
        let named = WINDOWS.iter().filter_map(|(name, _)| Self::find(name));
        named.chain([Self::utc()])
    }

    /// Is it UTC by any name?
    pub fn is_utc(&self) -> bool {
        matches!(&self.source, Source::Data(it) if *it == TimeZone::UTC)
    }

    /// The offset in ticks at a point of UTC, and whether daylight saving time is on.
    pub fn offset_at(&self, utc_ticks: i64) -> (i64, bool) {
        match &self.source {
            Source::Data(data) => {
                let info = data.to_offset_info(timestamp(utc_ticks));
                (i64::from(info.offset().seconds()) * SECOND, info.dst().is_dst())
            }
            Source::Rules(rules) => {
                let (offset, on) = rules.offset_at(utc_ticks);
                (offset, on && rules.has_daylight())
            }
        }
    }

    /// What a reading of the zone's clock means.
    pub fn reading(&self, clock_ticks: i64) -> Reading {
        let data = match &self.source {
            Source::Data(data) => data,
            Source::Rules(rules) => return rules.reading(clock_ticks),
        };
        let ticks = |it: jiff::tz::Offset| i64::from(it.seconds()) * SECOND;
        let ambiguous = data.to_ambiguous_timestamp(civil(clock_ticks));
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => Reading::One(ticks(offset)),
            AmbiguousOffset::Gap { before, after } => Reading::Skipped(ticks(before), ticks(after)),
            AmbiguousOffset::Fold { before, after } => Reading::Twice(ticks(before), ticks(after)),
        }
    }

    /// The offset that a reading of the zone's clock has, as .NET chooses it: that of standard time
    /// if the clock skips the reading or shows it twice.
    pub fn offset_of_clock(&self, clock_ticks: i64) -> i64 {
        if let Source::Rules(rules) = &self.source {
            return rules.offset_of_clock(clock_ticks);
        }
        match self.reading(clock_ticks) {
            Reading::One(offset) => offset,
            Reading::Skipped(before, after) | Reading::Twice(before, after) => before.min(after),
        }
    }

    /// The adjustment rules: those that it was made of, or one for each change of the zone's data
    /// until 2037 and one for all years after it, as .NET makes them of such data.
    pub fn adjustments(&self, now: i64) -> Vec<Adjustment> {
        match &self.source {
            Source::Rules(rules) => rules.adjustments().to_vec(),
            Source::Data(data) => self.of_changes(&changes(data), now),
        }
    }

    fn of_changes(&self, changes: &[Change], now: i64) -> Vec<Adjustment> {
        let Some(last) = changes.last() else { return Vec::new() };
        let base = self.standard_offset(now);
        let mut rules = Vec::with_capacity(changes.len() + 1);
        // Before the first change clocks went by the sun.
        let mut since = Change { utc: -base, offset: base, is_daylight: false };
        for next in changes {
            let delta = if since.is_daylight { since.offset - base } else { 0 };
            rules.push(adjustment(since.utc + base, next.utc - 1 + base + delta, delta));
            since = *next;
        }
        let of_year = |it: &&Change| it.is_daylight;
        let daylight = changes.iter().rev().take(2).find(of_year);
        let delta = daylight.filter(|_| last.utc > LAST_YEAR).map_or(0, |it| it.offset - base);
        rules.push(adjustment(last.utc + base, MAX, delta));
        rules
    }

    /// The offset of standard time in the year of a point of UTC.
    pub fn standard_offset(&self, utc_ticks: i64) -> i64 {
        const HALF_YEAR: i64 = 182 * 86_400 * SECOND;
        if let Source::Rules(rules) = &self.source {
            return rules.base();
        }
        let both = [self.offset_at(utc_ticks), self.offset_at(utc_ticks.saturating_add(HALF_YEAR))];
        both.iter().find(|(_, daylight)| !daylight).unwrap_or(&both[0]).0
    }

    /// Has the zone daylight saving time in the year of a point of UTC?
    pub fn has_daylight(&self, utc_ticks: i64) -> bool {
        const QUARTER: i64 = 91 * 86_400 * SECOND;
        if let Source::Rules(rules) = &self.source {
            return rules.has_daylight();
        }
        (0..4).any(|it| self.offset_at(utc_ticks.saturating_add(it * QUARTER)).1)
    }
}

/// The start of 2037, the last year whose changes zone data list.
const LAST_YEAR: i64 = 642_462_624_000_000_000;

fn changes(data: &TimeZone) -> Vec<Change> {
    let end = timestamp(LAST_YEAR + 365 * DAY);
    data.following(Timestamp::MIN)
        .take_while(|it| it.timestamp() < end)
        .map(|it| Change {
            utc: UNIX_EPOCH + it.timestamp().as_second() * SECOND,
            offset: i64::from(it.offset().seconds()) * SECOND,
            is_daylight: it.dst().is_dst(),
        })
        .collect()
}

/// A rule from a reading of the clock to another one.
fn adjustment(from: i64, to: i64, delta: i64) -> Adjustment {
    let transition = |ticks: i64| {
        let it = date(ticks);
        let time = ticks.rem_euclid(DAY) / SECOND * SECOND;
        Transition { is_fixed: true, time, month: it.month, week: 1, day: it.day, weekday: 0 }
    };
    let day = |ticks: i64| ticks - ticks.rem_euclid(DAY);
    Adjustment {
        start: day(from),
        end: day(to),
        delta,
        from: transition(from),
        to: transition(to),
        base_delta: 0,
        is_whole: false,
    }
}

fn timestamp(ticks: i64) -> Timestamp {
    let since = ticks.saturating_sub(UNIX_EPOCH);
    let seconds = since.div_euclid(SECOND);
    let rest = i32::try_from(since.rem_euclid(SECOND) * 100).unwrap_or(0);
    Timestamp::new(seconds, rest).unwrap_or(if ticks < UNIX_EPOCH {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

fn civil(ticks: i64) -> Civil {
    let duration = SignedDuration::from_secs(ticks / SECOND);
    jiff::civil::date(1, 1, 1).at(0, 0, 0, 0).saturating_add(duration)
}

/// Windows names and the zones that they stand for.
const WINDOWS: &[(&str, &str)] = &[
    ("Dateline Standard Time", "Etc/GMT+12"),
    ("UTC-11", "Etc/GMT+11"),
    ("Aleutian Standard Time", "America/Adak"),
    ("Hawaiian Standard Time", "Pacific/Honolulu"),
    ("Marquesas Standard Time", "Pacific/Marquesas"),
    ("Alaskan Standard Time", "America/Anchorage"),
    ("UTC-09", "Etc/GMT+9"),
    ("Pacific Standard Time (Mexico)", "America/Tijuana"),
    ("UTC-08", "Etc/GMT+8"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("US Mountain Standard Time", "America/Phoenix"),
    ("Mountain Standard Time (Mexico)", "America/Mazatlan"),
    ("Mountain Standard Time", "America/Denver"),
    ("Yukon Standard Time", "America/Whitehorse"),
    ("Central America Standard Time", "America/Guatemala"),
    ("Central Standard Time", "America/Chicago"),
    ("Easter Island Standard Time", "Pacific/Easter"),
    ("Central Standard Time (Mexico)", "America/Mexico_City"),
    ("Canada Central Standard Time", "America/Regina"),
    ("SA Pacific Standard Time", "America/Bogota"),
    ("Eastern Standard Time (Mexico)", "America/Cancun"),
    ("Eastern Standard Time", "America/New_York"),
    ("Haiti Standard Time", "America/Port-au-Prince"),
    ("Cuba Standard Time", "America/Havana"),
    ("US Eastern Standard Time", "America/Indianapolis"),
    ("Turks And Caicos Standard Time", "America/Grand_Turk"),
    ("Paraguay Standard Time", "America/Asuncion"),
    ("Atlantic Standard Time", "America/Halifax"),
    ("Venezuela Standard Time", "America/Caracas"),
    ("Central Brazilian Standard Time", "America/Cuiaba"),
    ("SA Western Standard Time", "America/La_Paz"),
    ("Pacific SA Standard Time", "America/Santiago"),
    ("Newfoundland Standard Time", "America/St_Johns"),
    ("Tocantins Standard Time", "America/Araguaina"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("SA Eastern Standard Time", "America/Cayenne"),
    ("Argentina Standard Time", "America/Buenos_Aires"),
    ("Greenland Standard Time", "America/Godthab"),
    ("Montevideo Standard Time", "America/Montevideo"),
    ("Magallanes Standard Time", "America/Punta_Arenas"),
    ("Saint Pierre Standard Time", "America/Miquelon"),
    ("Bahia Standard Time", "America/Bahia"),
    ("UTC-02", "Etc/GMT+2"),
    ("Azores Standard Time", "Atlantic/Azores"),
    ("Cape Verde Standard Time", "Atlantic/Cape_Verde"),
    ("GMT Standard Time", "Europe/London"),
    ("Greenwich Standard Time", "Atlantic/Reykjavik"),
    ("Sao Tome Standard Time", "Africa/Sao_Tome"),
    ("Morocco Standard Time", "Africa/Casablanca"),
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("W. Central Africa Standard Time", "Africa/Lagos"),
    ("Jordan Standard Time", "Asia/Amman"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("Middle East Standard Time", "Asia/Beirut"),
    ("Egypt Standard Time", "Africa/Cairo"),
    ("E. Europe Standard Time", "Europe/Chisinau"),
    ("Syria Standard Time", "Asia/Damascus"),
    ("West Bank Standard Time", "Asia/Hebron"),
    ("South Africa Standard Time", "Africa/Johannesburg"),
    ("FLE Standard Time", "Europe/Kiev"),
    ("Israel Standard Time", "Asia/Jerusalem"),
    ("South Sudan Standard Time", "Africa/Juba"),
    ("Kaliningrad Standard Time", "Europe/Kaliningrad"),
    ("Sudan Standard Time", "Africa/Khartoum"),
    ("Libya Standard Time", "Africa/Tripoli"),
    ("Namibia Standard Time", "Africa/Windhoek"),
    ("Arabic Standard Time", "Asia/Baghdad"),
    ("Turkey Standard Time", "Europe/Istanbul"),
    ("Arab Standard Time", "Asia/Riyadh"),
    ("Belarus Standard Time", "Europe/Minsk"),
    ("Russian Standard Time", "Europe/Moscow"),
    ("E. Africa Standard Time", "Africa/Nairobi"),
    ("Iran Standard Time", "Asia/Tehran"),
    ("Arabian Standard Time", "Asia/Dubai"),
    ("Astrakhan Standard Time", "Europe/Astrakhan"),
    ("Azerbaijan Standard Time", "Asia/Baku"),
    ("Russia Time Zone 3", "Europe/Samara"),
    ("Mauritius Standard Time", "Indian/Mauritius"),
    ("Saratov Standard Time", "Europe/Saratov"),
    ("Georgian Standard Time", "Asia/Tbilisi"),
    ("Volgograd Standard Time", "Europe/Volgograd"),
    ("Caucasus Standard Time", "Asia/Yerevan"),
    ("Afghanistan Standard Time", "Asia/Kabul"),
    ("West Asia Standard Time", "Asia/Tashkent"),
    ("Ekaterinburg Standard Time", "Asia/Yekaterinburg"),
    ("Pakistan Standard Time", "Asia/Karachi"),
    ("Qyzylorda Standard Time", "Asia/Qyzylorda"),
    ("India Standard Time", "Asia/Calcutta"),
    ("Sri Lanka Standard Time", "Asia/Colombo"),
    ("Nepal Standard Time", "Asia/Katmandu"),
    ("Central Asia Standard Time", "Asia/Bishkek"),
    ("Bangladesh Standard Time", "Asia/Dhaka"),
    ("Omsk Standard Time", "Asia/Omsk"),
    ("Myanmar Standard Time", "Asia/Rangoon"),
    ("SE Asia Standard Time", "Asia/Bangkok"),
    ("Altai Standard Time", "Asia/Barnaul"),
    ("W. Mongolia Standard Time", "Asia/Hovd"),
    ("North Asia Standard Time", "Asia/Krasnoyarsk"),
    ("N. Central Asia Standard Time", "Asia/Novosibirsk"),
    ("Tomsk Standard Time", "Asia/Tomsk"),
    ("China Standard Time", "Asia/Shanghai"),
    ("North Asia East Standard Time", "Asia/Irkutsk"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("W. Australia Standard Time", "Australia/Perth"),
    ("Taipei Standard Time", "Asia/Taipei"),
    ("Ulaanbaatar Standard Time", "Asia/Ulaanbaatar"),
    ("Aus Central W. Standard Time", "Australia/Eucla"),
    ("Transbaikal Standard Time", "Asia/Chita"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("North Korea Standard Time", "Asia/Pyongyang"),
    ("Korea Standard Time", "Asia/Seoul"),
    ("Yakutsk Standard Time", "Asia/Yakutsk"),
    ("Cen. Australia Standard Time", "Australia/Adelaide"),
    ("AUS Central Standard Time", "Australia/Darwin"),
    ("E. Australia Standard Time", "Australia/Brisbane"),
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("West Pacific Standard Time", "Pacific/Port_Moresby"),
    ("Tasmania Standard Time", "Australia/Hobart"),
    ("Vladivostok Standard Time", "Asia/Vladivostok"),
    ("Lord Howe Standard Time", "Australia/Lord_Howe"),
    ("Bougainville Standard Time", "Pacific/Bougainville"),
    ("Russia Time Zone 10", "Asia/Srednekolymsk"),
    ("Magadan Standard Time", "Asia/Magadan"),
    ("Norfolk Standard Time", "Pacific/Norfolk"),
    ("Sakhalin Standard Time", "Asia/Sakhalin"),
    ("Central Pacific Standard Time", "Pacific/Guadalcanal"),
    ("Russia Time Zone 11", "Asia/Kamchatka"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("UTC+12", "Etc/GMT-12"),
    ("Fiji Standard Time", "Pacific/Fiji"),
    ("Chatham Islands Standard Time", "Pacific/Chatham"),
    ("UTC+13", "Etc/GMT-13"),
    ("Tonga Standard Time", "Pacific/Tongatapu"),
    ("Samoa Standard Time", "Pacific/Apia"),
    ("Line Islands Standard Time", "Pacific/Kiritimati"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::time::{HOUR, from_date};

    #[test]
    fn every_windows_name_has_a_zone() {
        for (name, _) in WINDOWS {
            assert!(Zone::find(name).is_some(), "{name}");
        }
        assert!(Zone::find("Nowhere/Nothing").is_none());
    }

    #[test]
    fn daylight_saving_time_follows_the_rules() {
        let berlin = Zone::find("W. Europe Standard Time").unwrap();
        let at = |year, month, day| from_date(year, month, day).unwrap();
        assert_eq!(berlin.offset_at(at(2024, 7, 1)), (2 * HOUR, true));
        assert_eq!(berlin.offset_at(at(2024, 1, 1)), (HOUR, false));
        assert_eq!(berlin.standard_offset(at(2024, 7, 1)), HOUR);
        assert!(berlin.has_daylight(at(2024, 1, 1)));
        assert_eq!(berlin.reading(at(2024, 7, 1)), Reading::One(2 * HOUR));
        let skipped = at(2024, 3, 31) + 2 * HOUR + HOUR / 2;
        assert_eq!(berlin.reading(skipped), Reading::Skipped(HOUR, 2 * HOUR));
        let twice = at(2024, 10, 27) + 2 * HOUR + HOUR / 2;
        assert_eq!(berlin.reading(twice), Reading::Twice(2 * HOUR, HOUR));
        assert!(!Zone::utc().has_daylight(0) && Zone::utc().is_utc());
    }
}
