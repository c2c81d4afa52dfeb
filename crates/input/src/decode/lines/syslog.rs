//! The prefix that syslog daemons put before a message: the old one of BSD (RFC 3164), the same with the time as rsyslog
//! writes it, and that of RFC 5424.

/// A line, taken apart as far as it has a prefix.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Whether it has one.
    pub(super) has_prefix: bool,
    /// The host that wrote it; empty when it is not named, as is the program.
    pub(super) host: &'a str,
    pub(super) program: &'a str,
    /// What the program wrote.
    pub(super) message: &'a str,
}

impl<'a> Line<'a> {
    /// Takes a line apart. One without a prefix is all message.
    pub(super) fn of(text: &'a str) -> Line<'a> {
        prefixed(text).unwrap_or(Line {
            message: text,
            ..Line::default()
        })
    }
}

fn prefixed(text: &str) -> Option<Line<'_>> {
    let after_priority = priority(text);
    if let Some(rest) = after_priority.and_then(|rest| rest.strip_prefix("1 ")) {
        return rfc5424(rest);
    }
    let rest = time(after_priority.unwrap_or(text))?;
    let (host, rest) = rest.trim_start_matches(' ').split_once(' ')?;
    let (program, message) = match rest.split_once(':') {
        Some((tag, message)) if !tag.contains(' ') => (tag, message.trim_start_matches(' ')),
        _ => ("", rest),
    };
    Some(Line {
        has_prefix: true,
        host,
        program: program.split('[').next().unwrap_or(program),
        message,
    })
}

/// What follows `<134>`.
fn priority(text: &str) -> Option<&str> {
    let (digits, rest) = text.strip_prefix('<')?.split_once('>')?;
    let is_number =
        matches!(digits.len(), 1..=3) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(rest)
}

/// Host, program, process id, message id, structured data and message; `-` stands for none.
fn rfc5424(text: &str) -> Option<Line<'_>> {
    let rest = time(text).or(text.strip_prefix("- "))?;
    let mut parts = rest.splitn(5, ' ');
    let mut part = || parts.next();
    let (host, program, _process, _kind, rest) = (part()?, part()?, part()?, part()?, part()?);
    let message = match rest.strip_prefix('[') {
        Some(data) => data.split_once("] ").map_or("", |(_, message)| message),
        None => rest.split_once(' ').map_or("", |(_, message)| message),
    };
    Some(Line {
        has_prefix: true,
        host: if host == "-" { "" } else { host },
        program: if program == "-" { "" } else { program },
        message: message.trim_start_matches('\u{FEFF}'),
    })
}

/// What follows the time: `Jan  2 03:04:05 ` or `2024-01-02T03:04:05.678+01:00 `.
fn time(text: &str) -> Option<&str> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let digits_as = |text: &str, pattern: &str| {
        text.len() == pattern.len()
            && text
                .bytes()
                .zip(pattern.bytes())
                .all(|(byte, wanted)| match wanted {
                    b'0' => byte.is_ascii_digit(),
                    b'_' => byte.is_ascii_digit() || byte == b' ',
                    _ => byte == wanted,
                })
    };
    if let (Some(month), Some(rest)) = (text.get(..3), text.get(3..16)) {
        let is_month = MONTHS.find(month).is_some_and(|at| at % 3 == 0);
        if is_month && digits_as(rest, " __ 00:00:00 ") {
            return text.get(16..);
        }
    }
    let (time, rest) = text.split_once(' ')?;
    let seconds = time.get(..19)?;
    let zone = time.get(19..)?;
    let is_time = digits_as(seconds, "0000-00-00T00:00:00")
        && zone
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".:+-Z".contains(&byte));
    is_time.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_taken_off() {
        for (text, host, program) in [
            ("Jan  2 03:04:05 web1 sysmon: it", "web1", "sysmon"),
            ("Jan 12 03:04:05 web1 sysmon[12]: it", "web1", "sysmon"),
            ("<134>Jan 12 03:04:05 web1 sysmon:it", "web1", "sysmon"),
            (
                "2024-01-02T03:04:05.678901+01:00 web1 sysmon: it",
                "web1",
                "sysmon",
            ),
            ("2024-01-02T03:04:05Z web1 it", "web1", ""),
            ("Jan  2 03:04:05 web1 it", "web1", ""),
            (
                "<14>1 2024-01-02T03:04:05.678Z web1 sysmon 12 - - it",
                "web1",
                "sysmon",
            ),
            (
                "<14>1 - - sysmon - - [a b=\"c d\"][e f=\"]\"] it",
                "",
                "sysmon",
            ),
        ] {
            let expected = Line {
                has_prefix: true,
                host,
                program,
                message: "it",
            };
            assert_eq!(Line::of(text), expected, "{text}");
        }
        let message = "Jan  2 03:04:05 web1 kernel: [ 1.0] a: b";
        assert_eq!(Line::of(message).message, "[ 1.0] a: b");
    }

    #[test]
    fn other_lines_are_all_message() {
        for text in [
            "",
            "it",
            "<134>",
            "<134>it",
            "<1345>Jan  2 03:04:05 a b: c",
            "Jan  2 03:04:05",
            "Jan  2 03:04:05 ",
            "Jan  2 03:04:05 host",
            "anF  2 03:04:05 web1 sysmon: it",
            "Jan 2 03:04:05 web1 sysmon: it",
            "2024-01-02 03:04:05 web1 sysmon: it",
            "2024-01-02T03:04:05,678 web1 sysmon: it",
            "<14>1 2024-01-02T03:04:05Z web1 sysmon",
            "ä  ä ö",
        ] {
            let line = Line::of(text);
            assert_eq!((line.has_prefix, line.message), (false, text), "{text}");
        }
    }
}
