//! Fields that have to be put together, or told by another word.
//!
//! Each gives nothing where the event is not of that shape.

use predicate::Derived;

pub(super) use crate::windows::INITIATED;

fn first(found: &[Vec<String>], path: usize) -> Option<&str> {
    found.get(path)?.first().map(String::as_str)
}

fn one(text: Option<String>) -> Vec<String> {
    text.into_iter().collect()
}

/// `CommandLine` of an event that has only the arguments.
pub(super) static COMMAND_LINE: Derived = Derived {
    name: "command line of process.args",
    from: &["process.command_line", "process.args"],
    build: joined,
};

/// `ParentCommandLine`, likewise.
pub(super) static PARENT_COMMAND_LINE: Derived = Derived {
    name: "command line of process.parent.args",
    from: &["process.parent.command_line", "process.parent.args"],
    build: joined,
};

fn joined(found: &[Vec<String>]) -> Vec<String> {
    match found {
        [line, arguments] if line.is_empty() && !arguments.is_empty() => {
            vec![arguments.join(" ")]
        }
        _ => Vec::new(),
    }
}

/// `a0` to `a7` of auditd's `EXECVE`: the arguments, one by one.
pub(super) static ARGUMENTS: [Derived; 8] = [
    argument::<0>("first of process.args"),
    argument::<1>("second of process.args"),
    argument::<2>("third of process.args"),
    argument::<3>("fourth of process.args"),
    argument::<4>("fifth of process.args"),
    argument::<5>("sixth of process.args"),
    argument::<6>("seventh of process.args"),
    argument::<7>("eighth of process.args"),
];

const fn argument<const NTH: usize>(name: &'static str) -> Derived {
    Derived {
        name,
        from: &["process.args"],
        build: |found| {
            one(found
                .first()
                .and_then(|arguments| arguments.get(NTH))
                .cloned())
        },
    }
}

/// `type` of auditd: the types of the records of one event beside the first, as far as they leave a trace.
pub(super) static AUDIT_TYPE: Derived = Derived {
    name: "records of auditd",
    from: &["process.args", "auditd.paths.name"],
    build: |found| {
        ["EXECVE", "PATH"]
            .into_iter()
            .zip(found)
            .filter(|(_, trace)| !trace.is_empty())
            .map(|(record, _)| record.to_owned())
            .collect()
    },
};

/// `cs-uri-stem`: the path.
pub(super) static URI_STEM: Derived = Derived {
    name: "path of url.original",
    from: &["url.path", "url.original"],
    build: |found| one(stem(found).map(str::to_owned)),
};

/// `c-uri-extension`: what follows the last dot of the path.
pub(super) static URI_EXTENSION: Derived = Derived {
    name: "extension of url.original",
    from: &["url.path", "url.original"],
    build: |found| one(extension(found)),
};

/// [`URI_STEM`] of Zeek's own log.
pub(super) static ZEEK_URI_STEM: Derived = Derived {
    name: "path of uri",
    from: &["uri"],
    build: |found| one(stem(found).map(str::to_owned)),
};

/// [`URI_EXTENSION`] of Zeek's own log.
pub(super) static ZEEK_URI_EXTENSION: Derived = Derived {
    name: "extension of uri",
    from: &["uri"],
    build: |found| one(extension(found)),
};

/// The path of the first address there is, without host, query and fragment.
fn stem(found: &[Vec<String>]) -> Option<&str> {
    let address = found.iter().flatten().next()?;
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => address,
    };
    path.split(['?', '#']).next()
}

fn extension(found: &[Vec<String>]) -> Option<String> {
    let file = stem(found)?.rsplit('/').next()?;
    let (_, extension) = file.rsplit_once('.')?;
    Some(extension.to_owned())
}

/// `status` of a record of Microsoft 365, as Beats' `event.outcome` tells it: alerts have none and are a success.
pub(super) static OFFICE_STATUS: Derived = Derived {
    name: "outcome of ResultStatus",
    from: &["event.outcome", "ResultStatus", "Workload"],
    build: |found| {
        let outcome = match [0, 1, 2].map(|path| first(found, path)) {
            [Some(outcome), ..] => outcome,
            [None, Some(status), _] if is_failure(status) => "failure",
            [None, None, None] => return Vec::new(),
            [None, ..] => "success",
        };
        vec![outcome.to_owned()]
    },
};

fn is_failure(status: &str) -> bool {
    status.eq_ignore_ascii_case("failed") || status.eq_ignore_ascii_case("false")
}

/// The name of a service of Google, of which Beats' `event.provider` is the beginning.
pub(super) static GOOGLE_SERVICE: Derived = Derived {
    name: "service of event.provider",
    from: &["event.provider"],
    build: |found| one(first(found, 0).map(|name| format!("{name}.googleapis.com"))),
};

/// `logtype` of OpenCanary: the number of its name.
pub(super) static CANARY_LOGTYPE: Derived = Derived {
    name: "number of log.logger",
    from: &["log.logger"],
    build: |found| {
        let number = |name: &str| {
            CANARY_LOGTYPES
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, number)| number.to_string())
        };
        one(first(found, 0).map(|name| number(name).unwrap_or_else(|| name.to_owned())))
    },
};

/// From OpenCanary's list of kinds of events.
static CANARY_LOGTYPES: [(&str, u32); 39] = [
    ("LOG_BASE_BOOT", 1000),
    ("LOG_BASE_MSG", 1001),
    ("LOG_BASE_DEBUG", 1002),
    ("LOG_BASE_ERROR", 1003),
    ("LOG_BASE_PING", 1004),
    ("LOG_BASE_CONFIG_SAVE", 1005),
    ("LOG_BASE_EXAMPLE", 1006),
    ("LOG_FTP_LOGIN_ATTEMPT", 2000),
    ("LOG_HTTP_GET", 3000),
    ("LOG_HTTP_POST_LOGIN_ATTEMPT", 3001),
    ("LOG_SSH_NEW_CONNECTION", 4000),
    ("LOG_SSH_REMOTE_VERSION_SENT", 4001),
    ("LOG_SSH_LOGIN_ATTEMPT", 4002),
    ("LOG_SMB_FILE_OPEN", 5000),
    ("LOG_PORT_SYN", 5001),
    ("LOG_PORT_NMAPOS", 5002),
    ("LOG_PORT_NMAPNULL", 5003),
    ("LOG_PORT_NMAPXMAS", 5004),
    ("LOG_PORT_NMAPFIN", 5005),
    ("LOG_TELNET_LOGIN_ATTEMPT", 6001),
    ("LOG_HTTPPROXY_LOGIN_ATTEMPT", 7001),
    ("LOG_MYSQL_LOGIN_ATTEMPT", 8001),
    ("LOG_MSSQL_LOGIN_SQLAUTH", 9001),
    ("LOG_MSSQL_LOGIN_WINAUTH", 9002),
    ("LOG_TFTP", 10001),
    ("LOG_NTP_MONLIST", 11001),
    ("LOG_VNC", 12001),
    ("LOG_SNMP_CMD", 13001),
    ("LOG_RDP", 14001),
    ("LOG_SIP_REQUEST", 15001),
    ("LOG_GIT_CLONE_REQUEST", 16001),
    ("LOG_REDIS_COMMAND", 17001),
    ("LOG_TCP_BANNER_CONNECTION_MADE", 18001),
    ("LOG_TCP_BANNER_KEEP_ALIVE_CONNECTION_MADE", 18002),
    ("LOG_TCP_BANNER_KEEP_ALIVE_SECRET_RECEIVED", 18003),
    ("LOG_TCP_BANNER_KEEP_ALIVE_DATA_RECEIVED", 18004),
    ("LOG_TCP_BANNER_DATA_RECEIVED", 18005),
    ("LOG_USER_0", 99000),
    ("LOG_USER_1", 99001),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = &'static Derived> {
        [
            &COMMAND_LINE,
            &PARENT_COMMAND_LINE,
            &AUDIT_TYPE,
            &URI_STEM,
            &URI_EXTENSION,
            &ZEEK_URI_STEM,
            &ZEEK_URI_EXTENSION,
            &OFFICE_STATUS,
            &GOOGLE_SERVICE,
            &CANARY_LOGTYPE,
        ]
        .into_iter()
        .chain(&ARGUMENTS)
    }

    #[test]
    fn nothing_comes_of_nothing() {
        for derived in all() {
            let nothing = vec![Vec::new(); derived.from.len()];
            let built = (derived.build)(&nothing);
            assert_eq!(built, Vec::<String>::new(), "{}", derived.name);
        }
    }

    #[test]
    fn each_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = all().map(|derived| derived.name).collect();
        assert_eq!(names.len(), all().count());
    }

    #[test]
    fn paths_and_extensions_of_addresses() {
        for (address, path, file_extension) in [
            ("/a/b.php?c=d.e", "/a/b.php", Some("php")),
            ("http://a.example/b.exe#c", "/b.exe", Some("exe")),
            ("http://a.example", "/", None),
            ("a.example:443", "a.example:443", Some("example:443")),
            ("/a.b/c", "/a.b/c", None),
            ("", "", None),
        ] {
            let found = [vec![address.to_owned()]];
            assert_eq!(stem(&found), Some(path), "{address}");
            assert_eq!(extension(&found).as_deref(), file_extension, "{address}");
        }
    }
}
