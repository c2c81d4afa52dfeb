//! Events to fill a store with, made up: as many as one likes, always the same, and nobody's.
//!
//! They have the shape of Windows events as winlogbeat sends them, and what a store costs depends on: a kilobyte and some
//! thirty values each, some seven hundred fields in all, of which most events have few; values that each event has alone
//! (times, numbers of records, identifiers of processes), values that come often (programs, users, hosts), and long ones
//! (command lines, checksums).

use std::{
    error::Error,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use serde_json::{Value, json};
use testkit::Random;

/// Of so many events one is marked: [`RULE`] hits it.
pub const MARKED: usize = 20;

/// A rule that hits the marked events.
pub const RULE: &str = r"title: Marked
id: 4b1c7e5a-6d0f-4e0c-9c55-2f7a3c1d9e11
logsource:
    product: windows
    category: process_creation
detection:
    selection:
        CommandLine|contains: ' /marked '
    condition: selection
level: high
tags:
    - attack.execution
    - attack.t1059
";

/// The first event is of this second, the last of the end of a month.
const START: u64 = 1_764_547_200;
const SECONDS: u64 = 30 * 86_400;

/// How many hosts there are for a million events.
const HOSTS: usize = 15_000;

const PROGRAMS: [&str; 12] = [
    "System32\\svchost.exe",
    "System32\\cmd.exe",
    "System32\\WindowsPowerShell\\v1.0\\powershell.exe",
    "System32\\lsass.exe",
    "System32\\taskhostw.exe",
    "explorer.exe",
    "System32\\wbem\\WmiPrvSE.exe",
    "System32\\rundll32.exe",
    "System32\\conhost.exe",
    "SysWOW64\\msiexec.exe",
    "System32\\services.exe",
    "System32\\net.exe",
];

const WORDS: [&str; 16] = [
    "report",
    "update",
    "backup",
    "inventory",
    "printer",
    "session",
    "policy",
    "archive",
    "agent",
    "cache",
    "profile",
    "metrics",
    "journal",
    "desktop",
    "service",
    "driver",
];

/// Makes events, one a line.
pub fn write(path: &Path, count: usize) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::new(File::create(path)?);
    let mut numbers = Numbers(Random(1));
    for number in 0..count {
        serde_json::to_writer(&mut out, &event(number, count, &mut numbers))?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// Numbers of which the low ones come more often.
struct Numbers(Random);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0.next()
    }

    /// One of the numbers below this one; the low ones come more often.
    fn below(&mut self, end: usize) -> usize {
        let (a, b) = (self.next() as usize % end, self.next() as usize % end);
        a.min(b)
    }

    fn pick(&mut self, list: &[&'static str]) -> &'static str {
        list[self.below(list.len())]
    }

    fn guid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{{{:08X}-{:04X}-{:04X}-{:04X}-{:012X}}}",
            a as u32,
            a >> 32 & 0xffff,
            a >> 48,
            b & 0xffff,
            b >> 16
        )
    }

    fn program(&mut self) -> String {
        format!("C:\\Windows\\{}", self.pick(&PROGRAMS))
    }

    fn user(&mut self) -> String {
        format!("user{:03}", self.below(400))
    }

    fn address(&mut self) -> String {
        let parts = [20, 256, 256].map(|end| self.below(end));
        format!("10.{}.{}.{}", parts[0], parts[1], parts[2])
    }

    fn words(&mut self, count: usize) -> String {
        let words: Vec<_> = (0..count).map(|_| self.pick(&WORDS)).collect();
        words.join("-")
    }
}

const SYSMON: [&str; 2] = [
    "Microsoft-Windows-Sysmon/Operational",
    "Microsoft-Windows-Sysmon",
];
const SECURITY: [&str; 2] = ["Security", "Microsoft-Windows-Security-Auditing"];
const POWERSHELL: [&str; 2] = [
    "Microsoft-Windows-PowerShell/Operational",
    "Microsoft-Windows-PowerShell",
];

/// The events that come often. Of each their code, their channel and provider, what they tell, and how it is made up.
type Kind = (
    usize,
    [&'static str; 2],
    &'static str,
    fn(&mut Numbers) -> Value,
);
const KINDS: [Kind; 10] = [
    (
        1,
        SYSMON,
        "Process Create (rule: ProcessCreate)",
        |numbers| process(numbers, "quiet"),
    ),
    (4688, SECURITY, "Process Creation", |numbers| {
        process(numbers, "quiet")
    }),
    (
        13,
        SYSMON,
        "Registry value set (rule: RegistryEvent)",
        change,
    ),
    (11, SYSMON, "File created (rule: FileCreate)", change),
    (7, SYSMON, "Image loaded (rule: ImageLoad)", change),
    (4104, POWERSHELL, "Execute a Remote Command", script),
    (10, SYSMON, "Process accessed (rule: ProcessAccess)", change),
    (
        3,
        SYSMON,
        "Network connection detected (rule: NetworkConnect)",
        change,
    ),
    (4624, SECURITY, "Logon", logon),
    (5145, SECURITY, "Detailed File Share", logon),
];

fn event(number: usize, count: usize, numbers: &mut Numbers) -> Value {
    let millis = SECONDS * 1_000 * number as u64 / count as u64 + numbers.next() % 1_000;
    // A batch of events comes from one host.
    let host = number / 61 % HOSTS;
    let host = format!("{}-{host:05}.corp.example", ["ws", "srv", "dc"][host % 3]);
    let is_marked = number % MARKED == 7;
    let (code, [channel, provider], action, data) = match numbers.below(KINDS.len() + 3) {
        _ if is_marked => (1, SYSMON, KINDS[0].2, process(numbers, "marked")),
        kind if kind < KINDS.len() => {
            let (code, source, action, data) = KINDS[kind];
            (code, source, action, data(numbers))
        }
        _ => {
            let code = 5_000 + numbers.below(300);
            (
                code,
                ["System", "Service Control Manager"],
                "None",
                rare(numbers, code),
            )
        }
    };
    json!({
        "@timestamp": time(START * 1_000 + millis),
        "event": {
            "code": code.to_string(),
            "kind": "event",
            "provider": provider,
            "action": action,
            "outcome": if numbers.below(9) == 8 { "failure" } else { "success" },
        },
        "host": {"name": host},
        "log": {"level": "information"},
        "winlog": {
            "api": "wineventlog",
            "channel": channel,
            "computer_name": host,
            "event_id": code.to_string(),
            "provider_name": provider,
            "provider_guid": format!("{{54849625-5478-4994-A5BA-{:012X}}}", provider.len()),
            "record_id": number + 10_000,
            "opcode": "Info",
            "process": {"pid": numbers.below(900), "thread": {"id": numbers.below(3_000)}},
            "event_data": data,
        },
    })
}

fn process(numbers: &mut Numbers, flag: &str) -> Value {
    let (program, parent, user) = (numbers.program(), numbers.program(), numbers.user());
    let target = format!("C:\\Users\\{user}\\AppData\\Local\\{}", numbers.words(3));
    let pid = numbers.below(2_000) * 4;
    json!({
        "CommandLine": format!("\"{program}\" /{flag} /c \"{target}\" -n {pid}"),
        "Image": program,
        "NewProcessName": program,
        "ParentImage": parent,
        "ParentCommandLine": format!("\"{parent}\" -k {}", numbers.words(1)),
        "ProcessGuid": numbers.guid(),
        "ParentProcessGuid": numbers.guid(),
        "LogonGuid": numbers.guid(),
        "ProcessId": pid.to_string(),
        "User": format!("CORP\\{user}"),
        "CurrentDirectory": "C:\\Windows\\system32\\",
        "IntegrityLevel": numbers.pick(&["Medium", "High", "System"]),
        "Hashes": hashes(numbers),
    })
}

fn change(numbers: &mut Numbers) -> Value {
    let key = "HKLM\\System\\CurrentControlSet\\Services";
    json!({
        "RuleName": numbers.pick(&["-", "technique_id=T1112", "technique_id=T1059"]),
        "ProcessGuid": numbers.guid(),
        "ProcessId": (numbers.below(2_000) * 4).to_string(),
        "Image": numbers.program(),
        "TargetObject": format!("{key}\\{}\\{}", numbers.words(1), numbers.words(2)),
        "TargetFilename": format!("C:\\ProgramData\\{}.dat", numbers.words(3)),
        "Details": format!("DWORD (0x{:08x})", numbers.below(5_000)),
        "User": format!("CORP\\{}", numbers.user()),
        "DestinationIp": numbers.address(),
        "DestinationPort": numbers.below(1_000).to_string(),
        "Hashes": hashes(numbers),
    })
}

fn script(numbers: &mut Numbers) -> Value {
    let lines = (0..8).map(|line| format!("$x{line} = Get-Item '{}'\n", numbers.words(4)));
    json!({
        "ScriptBlockText": lines.collect::<String>(),
        "ScriptBlockId": numbers.guid(),
        "MessageNumber": "1",
        "MessageTotal": "1",
        "Path": format!("C:\\Scripts\\{}.ps1", numbers.words(2)),
    })
}

fn logon(numbers: &mut Numbers) -> Value {
    let domain = "S-1-5-21-2634088540-571122920-1382659128";
    json!({
        "SubjectUserSid": format!("{domain}-{}", 1_000 + numbers.below(400)),
        "SubjectUserName": numbers.user(),
        "SubjectDomainName": "CORP",
        "SubjectLogonId": format!("0x{:x}", numbers.below(90_000)),
        "TargetUserName": numbers.user(),
        "TargetDomainName": "CORP",
        "TargetLogonId": format!("0x{:x}", numbers.next() as u32),
        "LogonType": numbers.pick(&["3", "2", "5", "10"]),
        "LogonGuid": numbers.guid(),
        "IpAddress": numbers.address(),
        "IpPort": (49_152 + numbers.below(16_000)).to_string(),
        "ProcessName": numbers.program(),
        "ProcessId": (numbers.below(2_000) * 4).to_string(),
        "ShareName": "\\\\*\\IPC$",
        "RelativeTargetName": numbers.words(2),
        "AccessMask": "0x120089",
    })
}

/// One of the many kinds that are rare, each with fields of its own.
fn rare(numbers: &mut Numbers, code: usize) -> Value {
    let fields = (0..9).map(|place| {
        let name = ["Object", "Param", "Value"][place % 3];
        let name = format!("{name}{:03}", (code * 7 + place * 11) % 230);
        (name, Value::from(numbers.words(place % 4 + 1)))
    });
    Value::Object(fields.collect())
}

fn hashes(numbers: &mut Numbers) -> String {
    // A program has always the same.
    let mut own = Numbers(Random(numbers.below(600) as u64));
    let mut hex = |digits: usize| -> String {
        (0..digits)
            .map(|_| format!("{:X}", own.next() & 15))
            .collect()
    };
    format!("SHA1={},MD5={},SHA256={}", hex(40), hex(32), hex(64))
}

/// A time of December 2025, given in milliseconds since 1970.
fn time(millis: u64) -> String {
    let seconds = millis / 1_000 - START;
    let (day, hour, minute) = (
        seconds / 86_400 + 1,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
    );
    format!(
        "2025-12-{day:02}T{hour:02}:{minute:02}:{:02}.{:03}Z",
        seconds % 60,
        millis % 1_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn events_are_as_they_are_said_to_be() {
        const COUNT: usize = 20_000;
        let mut numbers = Numbers(Random(1));
        let (mut bytes, mut marked) = (0, 0);
        let (mut fields, mut times) = (BTreeSet::new(), Vec::new());
        for number in 0..COUNT {
            let event = event(number, COUNT, &mut numbers);
            let text = event.to_string();
            bytes += text.len();
            marked += usize::from(text.contains(" /marked "));
            let data = event["winlog"]["event_data"].as_object().unwrap();
            fields.extend(data.keys().cloned());
            times.push(event["@timestamp"].as_str().unwrap().to_owned());
        }
        assert_eq!(marked, COUNT / MARKED);
        assert!((900..1_300).contains(&(bytes / COUNT)), "{}", bytes / COUNT);
        assert!((600..800).contains(&fields.len()), "{}", fields.len());
        assert!(times.is_sorted() && times[0].starts_with("2025-12-01T00:00:00"));
        assert!(
            times[COUNT - 1].starts_with("2025-12-30T23:"),
            "{}",
            times[COUNT - 1]
        );
        let mut again = Numbers(Random(1));
        assert_eq!(
            event(0, COUNT, &mut again),
            event(0, COUNT, &mut Numbers(Random(1)))
        );
    }
}
