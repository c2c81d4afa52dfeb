//! Fields that an ingest pipeline or winlogbeat took apart or renamed in value, and how they come back.
//!
//! Each gives nothing where the event is not of that shape. What cannot come back is said at each.

use predicate::Derived;

/// The first text at the path number `path`.
fn first(found: &[Vec<String>], path: usize) -> Option<&str> {
    found.get(path)?.first().map(String::as_str)
}

/// The first text at the path number `path`, or nothing.
fn text(found: &[Vec<String>], path: usize) -> &str {
    first(found, path).unwrap_or_default()
}

fn one(text: Option<String>) -> Vec<String> {
    text.into_iter().collect()
}

/// `Level`: the number of the word. Of level 0 winlogbeat says `information`, too.
pub(super) static LEVEL: Derived = Derived {
    name: "level of log.level",
    from: &["log.level", "level"],
    build: |found| {
        let number = |word: &str| match word.to_ascii_lowercase().as_str() {
            "critical" => Some("1"),
            "error" => Some("2"),
            "warning" => Some("3"),
            "information" => Some("4"),
            "verbose" => Some("5"),
            _ => None,
        };
        one(found
            .iter()
            .flatten()
            .find_map(|word| number(word))
            .map(str::to_owned))
    },
};

/// `Keywords`: the mask of the names, which is known for the three of the classic and the security log.
pub(super) static KEYWORDS: Derived = Derived {
    name: "keywords of winlog.keywords",
    from: &["winlog.keywords", "keywords"],
    build: |found| {
        const CLASSIC: u64 = 0x80 << 48;
        let bit = |name: &String| match name.as_str() {
            "Audit Failure" => Some(0x10 << 48),
            "Audit Success" => Some(0x20 << 48),
            "Classic" => Some(CLASSIC),
            _ => None,
        };
        let bits: Option<Vec<u64>> = found.iter().flatten().map(bit).collect();
        let mask = bits
            .unwrap_or_default()
            .into_iter()
            .fold(0, |mask, bit| mask | bit);
        // Events of a provider with a manifest have the highest bit as well.
        match mask {
            0 => Vec::new(),
            mask if mask & CLASSIC != 0 => vec![format!("{mask:#x}")],
            mask => vec![format!("{:#x}", mask | 1 << 63)],
        }
    },
};

/// `User`: `DOMAIN\name`. In winlogbeat up to 6 `user` is the account of Sysmon itself, so the channel must be there, too.
pub(super) static USER: Derived = Derived {
    name: "user.domain\\user.name",
    from: &["winlog.channel", "user.domain", "user.name"],
    build: |found| match (first(found, 0), first(found, 1), first(found, 2)) {
        (Some(_), Some(domain), Some(name)) => vec![format!("{domain}\\{name}")],
        _ => Vec::new(),
    },
};

/// `Hashes`: `SHA1=…,MD5=…,SHA256=…,IMPHASH=…` of the process or the file. The order is Sysmon's default.
pub(super) static HASHES: Derived = Derived {
    name: "hashes of process.hash, file.hash",
    from: &[
        "process.hash.sha1",
        "process.hash.md5",
        "process.hash.sha256",
        "process.pe.imphash",
        "file.hash.sha1",
        "file.hash.md5",
        "file.hash.sha256",
        "file.pe.imphash",
    ],
    build: |found| {
        let algorithms = ["SHA1", "MD5", "SHA256", "IMPHASH"].into_iter().cycle();
        let hashes = algorithms
            .zip(found)
            .filter_map(|(algorithm, hashes)| Some((algorithm, hashes.first()?)));
        let hashes: Vec<_> = hashes
            .map(|(algorithm, hash)| format!("{algorithm}={}", hash.to_ascii_uppercase()))
            .collect();
        if hashes.is_empty() {
            Vec::new()
        } else {
            vec![hashes.join(",")]
        }
    },
};

/// `Initiated`: whether the connection goes out.
pub(crate) static INITIATED: Derived = Derived {
    name: "initiated of network.direction",
    from: &["network.direction"],
    build: |found| match text(found, 0) {
        "egress" | "outbound" => vec!["true".into()],
        "ingress" | "inbound" => vec!["false".into()],
        _ => Vec::new(),
    },
};

/// `SourceIsIpv6`.
pub(super) static SOURCE_IS_IPV6: Derived = Derived {
    name: "IPv6 of network.type",
    from: &["network.type"],
    build: |found| match text(found, 0) {
        "ipv6" => vec!["true".into()],
        "ipv4" => vec!["false".into()],
        _ => Vec::new(),
    },
};

/// `DestinationIsIpv6`: the pipeline drops it, the address tells.
pub(super) static DESTINATION_IS_IPV6: Derived = Derived {
    name: "IPv6 of destination.ip",
    from: &["destination.ip"],
    build: |found| one(first(found, 0).map(|address| address.contains(':').to_string())),
};

/// `Details` of a registry value. The pipeline adds the halves of a QWORD in a way that loses the upper one.
pub(super) static DETAILS: Derived = Derived {
    name: "details of registry.data",
    from: &["registry.data.type", "registry.data.strings"],
    build: |found| {
        let Some(data) = first(found, 1) else {
            return Vec::new();
        };
        let details = match (text(found, 0), data.parse::<u64>()) {
            ("SZ_DWORD" | "REG_DWORD", Ok(value)) => format!("DWORD (0x{value:08x})"),
            ("SZ_QWORD" | "REG_QWORD", Ok(value)) => {
                format!(
                    "QWORD (0x{:08x}-0x{:08x})",
                    value >> 32,
                    value & u64::from(u32::MAX)
                )
            }
            _ => data.to_owned(),
        };
        vec![details]
    },
};

/// `Type` of a tampering with a process: the message, if the pipeline found none there.
pub(super) static TAMPERING_TYPE: Derived = Derived {
    name: "type of message",
    from: &["winlog.channel", "winlog.event_data.Type", "message"],
    build: |found| match (first(found, 0), first(found, 1), first(found, 2)) {
        (Some(_), None, Some(message)) => vec![message.to_owned()],
        _ => Vec::new(),
    },
};

/// `UtcTime`: `2024-05-06T07:08:09.123Z` was `2024-05-06 07:08:09.123`. Elsewhere `@timestamp` is another time.
pub(super) static UTC_TIME: Derived = Derived {
    name: "UTC time of @timestamp",
    from: &["event.module", "winlog.event_data.UtcTime", "@timestamp"],
    build: |found| match (first(found, 0), first(found, 1), first(found, 2)) {
        (Some(_), None, Some(time)) => vec![time.trim_end_matches('Z').replacen('T', " ", 1)],
        _ => Vec::new(),
    },
};

/// Names of the status of a DNS query, from the list of Windows' system error codes.
static DNS_STATUS: [(&str, u32); 40] = [
    ("SUCCESS", 0),
    ("ERROR_ACCESS_DENIED", 5),
    ("ERROR_NOT_ENOUGH_MEMORY", 8),
    ("ERROR_INVALID_DATA", 13),
    ("ERROR_OUTOFMEMORY", 14),
    ("ERROR_INVALID_PARAMETER", 87),
    ("ERROR_INVALID_NAME", 123),
    ("ERROR_INVALID_NETNAME", 1214),
    ("ERROR_CANCELLED", 1223),
    ("ERROR_TIMEOUT", 1460),
    ("DNS_ERROR_RCODE_FORMAT_ERROR", 9001),
    ("DNS_ERROR_RCODE_SERVER_FAILURE", 9002),
    ("DNS_ERROR_RCODE_NAME_ERROR", 9003),
    ("DNS_ERROR_RCODE_NOT_IMPLEMENTED", 9004),
    ("DNS_ERROR_RCODE_REFUSED", 9005),
    ("DNS_ERROR_RCODE_YXDOMAIN", 9006),
    ("DNS_ERROR_RCODE_YXRRSET", 9007),
    ("DNS_ERROR_RCODE_NXRRSET", 9008),
    ("DNS_ERROR_RCODE_NOTAUTH", 9009),
    ("DNS_ERROR_RCODE_NOTZONE", 9010),
    ("DNS_ERROR_RCODE_BADSIG", 9016),
    ("DNS_ERROR_RCODE_BADKEY", 9017),
    ("DNS_ERROR_RCODE_BADTIME", 9018),
    ("DNS_INFO_NO_RECORDS", 9501),
    ("DNS_ERROR_BAD_PACKET", 9502),
    ("DNS_ERROR_NO_PACKET", 9503),
    ("DNS_ERROR_RCODE", 9504),
    ("DNS_ERROR_UNSECURE_PACKET", 9505),
    ("DNS_REQUEST_PENDING", 9506),
    ("DNS_ERROR_INVALID_TYPE", 9551),
    ("DNS_ERROR_INVALID_IP_ADDRESS", 9552),
    ("DNS_ERROR_INVALID_NAME_CHAR", 9560),
    ("DNS_ERROR_RECORD_DOES_NOT_EXIST", 9701),
    ("DNS_ERROR_RECORD_FORMAT", 9702),
    ("DNS_ERROR_RECORD_TIMED_OUT", 9705),
    ("DNS_ERROR_NO_TCPIP", 9851),
    ("DNS_ERROR_NO_DNS_SERVERS", 9852),
    ("WSAECONNRESET", 10054),
    ("WSAETIMEDOUT", 10060),
    ("WSAECONNREFUSED", 10061),
];

/// `QueryStatus`: the number of the name; a number that the pipeline did not know is still there.
pub(super) static QUERY_STATUS: Derived = Derived {
    name: "number of sysmon.dns.status",
    from: &["sysmon.dns.status"],
    build: |found| {
        let number = |name: &str| {
            DNS_STATUS
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, number)| number.to_string())
        };
        one(first(found, 0).map(|name| number(name).unwrap_or_else(|| name.to_owned())))
    },
};

/// `QueryResults`: `type:  5 name;` for names, the address and `;` for addresses, of which `::ffff:` is lost.
pub(super) static QUERY_RESULTS: Derived = Derived {
    name: "results of dns.answers",
    from: &["dns.answers.type", "dns.answers.data", "dns.resolved_ip"],
    build: |found| {
        let [types, data, addresses] = found else {
            return Vec::new();
        };
        let answer = |(kind, data): (&String, &String)| {
            let number = match kind.as_str() {
                "NS" => 2,
                "CNAME" => 5,
                "SOA" => 6,
                "PTR" => 12,
                "MX" => 15,
                "TXT" => 16,
                "SRV" => 33,
                _ => return format!("{data};"),
            };
            format!("type:  {number} {data};")
        };
        let results: String = if types.len() == data.len() && !data.is_empty() {
            types.iter().zip(data).map(answer).collect()
        } else {
            addresses
                .iter()
                .map(|address| format!("{address};"))
                .collect()
        };
        if results.is_empty() {
            Vec::new()
        } else {
            vec![results]
        }
    },
};

/// A process id as the security log writes it: `0x1f0`.
pub(super) static HEX_PROCESS_ID: Derived = Derived {
    name: "hexadecimal process.pid",
    from: &["process.pid"],
    build: |found| {
        one(first(found, 0)
            .and_then(|id| id.parse::<u64>().ok())
            .map(|id| format!("{id:#x}")))
    },
};

/// `AccessList`: a list of `1537` was one text of `%%1537`, each followed by a line break and tabs.
pub(super) static ACCESS_LIST: Derived = Derived {
    name: "winlog.event_data.AccessList",
    from: &["winlog.event_data.AccessList"],
    build: |found| message_codes(found, |code| code, |code| format!("%%{code}\n\t\t\t\t")),
};

/// `AccessMask`: as [`ACCESS_LIST`], some of the codes replaced by a description. Those of rights that only one kind of
/// object has are not known here.
pub(super) static ACCESS_MASK: Derived = Derived {
    name: "winlog.event_data.AccessMask",
    from: &["winlog.event_data.AccessMask"],
    build: |found| {
        let code: fn(&str) -> &str = |text| match text {
            "DELETE" => "1537",
            "READ_CONTROL" => "1538",
            "WRITE_DAC" => "1539",
            "WRITE_OWNER" => "1540",
            "SYNCHRONIZE" => "1541",
            "ACCESS_SYS_SEC" => "1542",
            text => text,
        };
        message_codes(found, code, |code| format!("%%{code}\n\t\t\t\t"))
    },
};

/// `UserAccountControl`: as [`ACCESS_LIST`], the white space in front.
pub(super) static USER_ACCOUNT_CONTROL: Derived = Derived {
    name: "winlog.event_data.UserAccountControl",
    from: &["winlog.event_data.UserAccountControl"],
    build: |found| message_codes(found, |code| code, |code| format!("\n\t\t%%{code}")),
};

/// The text of a list of message codes; anything else is as it was.
fn message_codes(
    found: &[Vec<String>],
    code: fn(&str) -> &str,
    write: fn(&str) -> String,
) -> Vec<String> {
    let codes: Vec<&str> = found.iter().flatten().map(|text| code(text)).collect();
    let are_numbers = codes
        .iter()
        .all(|code| !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit()));
    if codes.is_empty() || !are_numbers {
        found.concat()
    } else {
        vec![codes.into_iter().map(write).collect()]
    }
}

/// `PrivilegeList`: a list was one text.
pub(super) static PRIVILEGE_LIST: Derived = Derived {
    name: "winlog.event_data.PrivilegeList",
    from: &["winlog.event_data.PrivilegeList"],
    build: |found| match found.first() {
        Some(list) if list.len() > 1 => vec![list.join("\n\t\t\t")],
        _ => found.concat(),
    },
};

/// `ContextInfo` of PowerShell's 4103: a line for each setting. Its first, the severity, is lost.
pub(super) static CONTEXT_INFO: Derived = Derived {
    name: "context of powershell",
    from: &[
        "process.title",
        "powershell.process.executable_version",
        "process.entity_id",
        "process.command_line",
        "powershell.engine.version",
        "powershell.runspace_id",
        "powershell.pipeline_id",
        "powershell.command.name",
        "powershell.command.type",
        "file.path",
        "powershell.command.path",
        "event.sequence",
        "user.domain",
        "user.name",
        "powershell.id",
    ],
    build: |found| {
        const SETTINGS: [(&str, usize); 12] = [
            ("Host Name", 0),
            ("Host Version", 1),
            ("Host ID", 2),
            ("Host Application", 3),
            ("Engine Version", 4),
            ("Runspace ID", 5),
            ("Pipeline ID", 6),
            ("Command Name", 7),
            ("Command Type", 8),
            ("Script Name", 9),
            ("Command Path", 10),
            ("Sequence Number", 11),
        ];
        let is_ingested = [1, 4, 5, 6, 7, 14]
            .into_iter()
            .any(|path| first(found, path).is_some());
        if !is_ingested {
            return Vec::new();
        }
        let user = account(found, 12, 13);
        let settings = SETTINGS
            .into_iter()
            .map(|(name, path)| (name, text(found, path)));
        let rest = [
            ("User", user.as_str()),
            ("Connected User", ""),
            ("Shell ID", text(found, 14)),
        ];
        vec![
            settings
                .chain(rest)
                .map(|(name, value)| format!("        {name} = {value}\n"))
                .collect(),
        ]
    },
};

/// The account with the domain and the name at these paths; nothing if there is no name.
fn account(found: &[Vec<String>], domain: usize, name: usize) -> String {
    match (first(found, domain), first(found, name)) {
        (Some(domain), Some(name)) => format!("{domain}\\{name}"),
        (_, name) => name.unwrap_or_default().to_owned(),
    }
}

/// Where the pipeline puts the lines of a trace of commands.
const INVOCATION: [&str; 4] = [
    "powershell.command.invocation_details.type",
    "powershell.command.invocation_details.related_command",
    "powershell.command.invocation_details.name",
    "powershell.command.invocation_details.value",
];

/// `Payload` of PowerShell's 4103.
pub(super) static PAYLOAD: Derived = Derived {
    name: "payload of powershell.command.invocation_details",
    from: &INVOCATION,
    build: |found| one(invocation(found)),
};

/// The lines `Type(command): value` and `Type(command): name=name; value=value`, and those that go on with a value.
///
/// Each was an object of its own; here the four lists lie side by side, and only that of the values is complete. Which
/// values begin a line with a type shows in them: they are quoted.
fn invocation(found: &[Vec<String>]) -> Option<String> {
    let [types, commands, names, values] = found else {
        return None;
    };
    let mut heads = types.iter().zip(commands).peekable();
    let mut names = names.iter();
    let lines = values.iter().map(|value| {
        let head = heads.next_if(|(kind, command)| match kind.as_str() {
            "CommandInvocation" => value.trim_matches('"') == **command,
            "ParameterBinding" | "TerminatingError" | "NonTerminatingError" => {
                value.starts_with('"')
            }
            _ => true,
        });
        match head {
            Some((kind, command)) if kind == "ParameterBinding" => match names.next() {
                Some(name) => format!("{kind}({command}): name={name}; value={value}\n"),
                None => format!("{kind}({command}): {value}\n"),
            },
            Some((kind, command)) => format!("{kind}({command}): {value}\n"),
            None => format!("{value}\n"),
        }
    });
    (!values.is_empty()).then(|| lines.collect())
}

/// `Data` of the log `Windows PowerShell`: the three texts of an event, of which one has all the settings.
pub(super) static CLASSIC_DATA: Derived = Derived {
    name: "data of powershell",
    from: &[
        INVOCATION[0],
        INVOCATION[1],
        INVOCATION[2],
        INVOCATION[3],
        "powershell.provider.name",
        "powershell.provider.new_state",
        "powershell.engine.new_state",
        "powershell.engine.previous_state",
        "powershell.sequence",
        "powershell.total",
        "event.sequence",
        "user.domain",
        "user.name",
        "process.title",
        "powershell.process.executable_version",
        "process.entity_id",
        "process.command_line",
        "powershell.engine.version",
        "powershell.runspace_id",
        "powershell.pipeline_id",
        "powershell.command.name",
        "powershell.command.type",
        "file.path",
        "powershell.command.path",
        "powershell.command.value",
    ],
    build: classic_data,
};

fn classic_data(found: &[Vec<String>]) -> Vec<String> {
    const PROVIDER: [(&str, usize); 2] = [("ProviderName", 4), ("NewProviderState", 5)];
    const ENGINE: [(&str, usize); 2] = [("NewEngineState", 6), ("PreviousEngineState", 7)];
    const DETAIL: [(&str, usize); 2] = [("DetailSequence", 8), ("DetailTotal", 9)];
    const HOST: [(&str, usize); 7] = [
        ("HostName", 13),
        ("HostVersion", 14),
        ("HostId", 15),
        (HOST_APPLICATION, 16),
        ("EngineVersion", 17),
        ("RunspaceId", 18),
        ("PipelineId", 19),
    ];
    const SCRIPT: usize = 22;
    const COMMAND_LINE: usize = 24;
    let sequence = settings(found, &[("SequenceNumber", 10)]);
    let host = settings(found, &HOST);
    let states = if first(found, PROVIDER[0].1).is_some() {
        PROVIDER
    } else if first(found, ENGINE[0].1).is_some() {
        ENGINE
    } else if first(found, DETAIL[1].1).is_some() {
        let detail = settings(found, &DETAIL);
        let user = account(found, 11, 12);
        let script = settings(
            found,
            &[("ScriptName", SCRIPT), ("CommandLine", COMMAND_LINE)],
        );
        let all = format!("{detail}\n{sequence}\n\tUserId={user}\n{host}{script}");
        return vec![
            text(found, COMMAND_LINE).to_owned(),
            all,
            invocation(&found[..INVOCATION.len()]).unwrap_or_default(),
        ];
    } else {
        return Vec::new();
    };
    let command = [
        ("CommandName", 20),
        ("CommandType", 21),
        ("ScriptName", SCRIPT),
        ("CommandPath", 23),
        ("CommandLine", COMMAND_LINE),
    ];
    let all = format!(
        "{}\n{sequence}\n{host}{}",
        settings(found, &states),
        settings(found, &command).trim_end_matches('\n')
    );
    states
        .map(|(_, path)| text(found, path).to_owned())
        .into_iter()
        .chain([all])
        .collect()
}

/// A host that does not tell its command line has no such setting; all others are there, if only empty.
const HOST_APPLICATION: &str = "HostApplication";

fn settings(found: &[Vec<String>], names: &[(&str, usize)]) -> String {
    let is_there =
        |(name, path): &&(&str, usize)| *name != HOST_APPLICATION || first(found, *path).is_some();
    names
        .iter()
        .filter(is_there)
        .map(|(name, path)| format!("\t{name}={}\n", text(found, *path)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is built from these texts, one path each; an empty one is not there.
    fn built<const N: usize>(derived: &Derived, texts: [&str; N]) -> Vec<String> {
        assert_eq!(derived.from.len(), N, "{}", derived.name);
        let found = texts.map(|text| {
            if text.is_empty() {
                Vec::new()
            } else {
                vec![text.to_owned()]
            }
        });
        (derived.build)(&found)
    }

    fn list(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[rustfmt::skip]
    static ALL: [&Derived; 20] = [
        &LEVEL, &KEYWORDS, &USER, &HASHES, &INITIATED, &SOURCE_IS_IPV6, &DESTINATION_IS_IPV6, &DETAILS, &TAMPERING_TYPE,
        &UTC_TIME, &QUERY_STATUS, &QUERY_RESULTS, &HEX_PROCESS_ID, &ACCESS_LIST, &ACCESS_MASK, &USER_ACCOUNT_CONTROL,
        &PRIVILEGE_LIST, &CONTEXT_INFO, &PAYLOAD, &CLASSIC_DATA,
    ];

    #[test]
    fn nothing_comes_of_nothing() {
        for derived in ALL {
            let nothing = vec![Vec::new(); derived.from.len()];
            assert_eq!(
                (derived.build)(&nothing),
                Vec::<String>::new(),
                "{}",
                derived.name
            );
        }
    }

    #[test]
    fn each_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|derived| derived.name).collect();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn details_of_registry_values() {
        for (kind, data, details) in [
            ("SZ_DWORD", "16", "DWORD (0x00000010)"),
            ("SZ_QWORD", "16", "QWORD (0x00000000-0x00000010)"),
            ("REG_SZ", "16", "16"),
            ("REG_BINARY", "Binary Data", "Binary Data"),
            ("SZ_DWORD", "no number", "no number"),
        ] {
            assert_eq!(built(&DETAILS, [kind, data]), [details]);
        }
    }

    #[test]
    fn values_in_the_wording_of_windows() {
        assert_eq!(
            built(&UTC_TIME, ["sysmon", "", "2024-05-06T07:08:09.123Z"]),
            ["2024-05-06 07:08:09.123"]
        );
        assert!(
            built(
                &UTC_TIME,
                [
                    "sysmon",
                    "2024-05-06 07:08:09.100",
                    "2024-05-06T07:08:09.123Z"
                ]
            )
            .is_empty()
        );
        assert_eq!(built(&LEVEL, ["error", ""]), ["2"]);
        assert_eq!(built(&QUERY_STATUS, ["12345"]), ["12345"]);
        assert_eq!(built(&HEX_PROCESS_ID, ["496"]), ["0x1f0"]);
        assert_eq!(built(&USER, ["Security", "LAB", "eve"]), [r"LAB\eve"]);
        assert_eq!(
            (KEYWORDS.build)(&[list(&["Audit Success", "Classic"]), list(&[])]),
            ["0xa0000000000000"]
        );
        assert_eq!(
            (KEYWORDS.build)(&[list(&["Audit Success"]), list(&[])]),
            ["0x8020000000000000"]
        );
        assert!((KEYWORDS.build)(&[list(&["Audit Success", "Erfolg"]), list(&[])]).is_empty());
        let answers = [
            list(&["CNAME", "A"]),
            list(&["b.example", "192.0.2.1"]),
            list(&["192.0.2.1"]),
        ];
        assert_eq!(
            (QUERY_RESULTS.build)(&answers),
            ["type:  5 b.example;192.0.2.1;"]
        );
    }

    #[test]
    fn lists_of_codes() {
        assert_eq!(
            (ACCESS_LIST.build)(&[list(&["1537", "4416"])]),
            ["%%1537\n\t\t\t\t%%4416\n\t\t\t\t"]
        );
        assert_eq!(
            (ACCESS_MASK.build)(&[list(&["READ_CONTROL", "4432"])]),
            ["%%1538\n\t\t\t\t%%4432\n\t\t\t\t"]
        );
        assert_eq!(
            (USER_ACCOUNT_CONTROL.build)(&[list(&["2080"])]),
            ["\n\t\t%%2080"]
        );
        assert_eq!(
            (PRIVILEGE_LIST.build)(&[list(&["SeTcbPrivilege", "SeDebugPrivilege"])]),
            ["SeTcbPrivilege\n\t\t\tSeDebugPrivilege"]
        );
        // As Windows wrote them, or no codes at all: they are found as they are.
        for texts in [["%%1537\n\t\t\t\t"], ["0x1"], ["-"]] {
            assert_eq!((ACCESS_LIST.build)(&[list(&texts)]), texts);
            assert_eq!((ACCESS_MASK.build)(&[list(&texts)]), texts);
            assert_eq!((PRIVILEGE_LIST.build)(&[list(&texts)]), texts);
        }
    }

    #[test]
    fn traces_of_commands_with_values_of_many_lines() {
        let found = [
            list(&["CommandInvocation", "ParameterBinding", "ParameterBinding"]),
            list(&["iex", "iex", "iex"]),
            list(&["\"Command\"", "\"Depth\""]),
            list(&["\"iex\"", "\"function f {", "  1", "}\"", "\"2\""]),
        ];
        let payload = "CommandInvocation(iex): \"iex\"\n\
            ParameterBinding(iex): name=\"Command\"; value=\"function f {\n  1\n}\"\n\
            ParameterBinding(iex): name=\"Depth\"; value=\"2\"\n";
        assert_eq!((PAYLOAD.build)(&found), [payload]);
    }

    #[test]
    fn data_of_the_classic_log() {
        let mut found = vec![Vec::new(); CLASSIC_DATA.from.len()];
        let mut set = |path: &str, text: &str| {
            found[CLASSIC_DATA
                .from
                .iter()
                .position(|known| *known == path)
                .unwrap()] = list(&[text]);
            (CLASSIC_DATA.build)(&found)
        };
        set("powershell.engine.previous_state", "None");
        set("event.sequence", "13");
        set("process.title", "ConsoleHost");
        set("powershell.engine.version", "5.1");
        let data = set("powershell.engine.new_state", "Available");
        let settings = "\tNewEngineState=Available\n\tPreviousEngineState=None\n\n\tSequenceNumber=13\n\n\tHostName=ConsoleHost\n\
            \tHostVersion=\n\tHostId=\n\tEngineVersion=5.1\n\tRunspaceId=\n\tPipelineId=\n\
            \tCommandName=\n\tCommandType=\n\tScriptName=\n\tCommandPath=\n\tCommandLine=";
        assert_eq!(data, ["Available", "None", settings]);
        let with_application = set("process.command_line", "powershell -nop");
        assert!(
            with_application[2]
                .contains("HostId=\n\tHostApplication=powershell -nop\n\tEngineVersion=")
        );
    }

    #[test]
    fn data_of_a_pipeline_in_the_classic_log() {
        let mut found = vec![Vec::new(); CLASSIC_DATA.from.len()];
        for (path, text) in [
            ("powershell.sequence", "1"),
            ("powershell.total", "1"),
            ("user.domain", "LAB"),
            ("user.name", "eve"),
            ("powershell.command.value", "whoami"),
            (INVOCATION[0], "CommandInvocation"),
            (INVOCATION[1], "whoami"),
            (INVOCATION[3], "\"whoami\""),
        ] {
            found[CLASSIC_DATA
                .from
                .iter()
                .position(|known| *known == path)
                .unwrap()] = list(&[text]);
        }
        let data = (CLASSIC_DATA.build)(&found);
        assert_eq!(
            [&data[0], &data[2]],
            ["whoami", "CommandInvocation(whoami): \"whoami\"\n"]
        );
        assert!(data[1].starts_with("\tDetailSequence=1\n\tDetailTotal=1\n\n\tSequenceNumber=\n\n\tUserId=LAB\\eve\n\tHostName=\n"));
        assert!(data[1].ends_with("\tScriptName=\n\tCommandLine=whoami\n"));
    }
}
