//! Linux and macOS.
//!
//! Their processes, files and connections come from Sysmon for Linux, whose events have the shapes of Windows' events in a
//! channel of their own, and from Elastic Defend, Auditbeat and the like as ECS, where the operating system of the host
//! tells them from Windows'. Services of Linux come as auditd's records, from the journal, from Filebeat's and the
//! agent's data sets, and as lines of a file.

use super::When::{All, Any, Has, Is};
use super::{Fields, Form, Rebuilt, Row, When, dataset, form, rebuilt, row};
use crate::windows::{LINUX_SYSMON, Scope};

const LINUX: When = Any(&[
    Is(&["host.os.type"], &["linux"]),
    // Before Beats 7.12, which has no type.
    Is(&["host.os.family"], &["debian", "redhat", "suse"]),
]);

const MACOS: When = Any(&[
    Is(&["host.os.type"], &["macos"]),
    Is(&["host.os.family"], &["darwin"]),
]);

/// An event with this category and type of ECS, on a host with this system.
macro_rules! ecs {
    ($system:expr, $category:literal, $kind:literal) => {
        endpoint(All(&[
            $system,
            Is(&["event.category"], &[$category]),
            Is(&["event.type"], &[$kind]),
        ]))
    };
}

/// Events with the fields of ECS that processes, files and connections have.
const fn endpoint(when: When) -> Form {
    form(when).fields(&[ENDPOINT]).rebuilt(ENDPOINT_REBUILT)
}

#[rustfmt::skip]
const ENDPOINT: Fields = &[
    ("Image", &["process.executable"]),
    ("CommandLine", &["process.command_line"]),
    ("CurrentDirectory", &["process.working_directory"]),
    ("ProcessId", &["process.pid"]),
    ("ParentImage", &["process.parent.executable"]),
    ("ParentCommandLine", &["process.parent.command_line"]),
    ("ParentProcessId", &["process.parent.pid"]),
    ("User", &["user.name"]),
    ("TargetFilename", &["file.path"]),
    ("Protocol", &["network.transport"]),
    ("SourceIp", &["source.ip"]),
    ("SourcePort", &["source.port"]),
    ("DestinationIp", &["destination.ip"]),
    ("DestinationPort", &["destination.port"]),
    ("DestinationHostname", &["destination.domain"]),
];

const ENDPOINT_REBUILT: Rebuilt = &[
    ("CommandLine", &rebuilt::COMMAND_LINE),
    ("ParentCommandLine", &rebuilt::PARENT_COMMAND_LINE),
    ("Initiated", &rebuilt::INITIATED),
];

/// Events of Sysmon for Linux with these ids; of none: all of them.
const fn sysmon(ids: &'static [u32]) -> Scope {
    Scope::new(&[LINUX_SYSMON], ids)
}

/// What programs of Linux write into the system's log: data sets of the module `system`.
const SYSTEM_LOG: When = dataset(&["system.auth", "system.syslog"]);

/// Entries of the journal, as `journalctl --output=json` writes them.
const JOURNAL: When = Has(&["_TRANSPORT"]);

/// Lines of these programs, in the data sets of the system's log and in the journal.
macro_rules! program {
    ($($name:literal),+) => {
        form(Any(&[SYSTEM_LOG, JOURNAL]))
            .and(Is(&["process.name", "log.syslog.appname", "SYSLOG_IDENTIFIER"], &[$($name),+]))
            .fields(&[SUDO])
    };
}

/// Lines of these files.
const fn lines(files: &'static [&'static str]) -> Form {
    form(Is(&["log.file.path"], files))
}

const AUTH_FILES: &[&str] = &["/var/log/auth.log*", "/var/log/secure*"];
const SYSLOG_FILES: &[&str] = &["/var/log/syslog*", "/var/log/messages*"];
const AUDIT_FILES: &[&str] = &["/var/log/audit/audit.log*"];

#[rustfmt::skip]
const SUDO: Fields = &[("USER", &["USER", "system.auth.sudo.user", "user.effective.name"])];

/// A record of auditd, its fields at the top.
const fn audit_record() -> Form {
    form(Has(&["type"])).and(Is(&["msg"], &["audit(*"]))
}

/// A record, as Filebeat's and the agent's auditd data sets write it.
const AUDIT_LOG: When = dataset(&["auditd.log"]);

/// The records of one event together, as Auditbeat and the agent's auditd manager write them.
const AUDIT_EVENT: When = Has(&["auditd.message_type"]);

#[rustfmt::skip]
const AUDIT_LOG_FIELDS: Fields = &[
    ("type", &["event.action", "auditd.log.record_type"]),
    ("arch", &["host.architecture"]),
    ("acct", &["user.name"]),
    ("uid", &["user.id"]),
    ("gid", &["user.group.id"]),
    ("auid", &["user.audit.id"]),
    ("euid", &["user.effective.id"]),
    ("egid", &["user.effective.group.id"]),
    ("suid", &["user.saved.id"]),
    ("comm", &["process.name"]),
    ("exe", &["process.executable"]),
    ("pid", &["process.pid"]),
    ("ppid", &["process.ppid", "process.parent.pid"]),
    ("cwd", &["process.working_directory"]),
    ("exit", &["process.exit_code"]),
    ("res", &["event.outcome"]),
];

#[rustfmt::skip]
const AUDIT_EVENT_FIELDS: Fields = &[
    ("type", &["auditd.message_type"]),
    ("SYSCALL", &["auditd.data.syscall"]),
    ("name", &["auditd.paths.name"]),
    ("nametype", &["auditd.paths.nametype"]),
    ("uid", &["user.id"]),
    ("gid", &["user.group.id"]),
    ("auid", &["user.audit.id"]),
    ("euid", &["user.effective.id"]),
    ("egid", &["user.effective.group.id"]),
    ("suid", &["user.saved.id"]),
    ("comm", &["process.name"]),
    ("exe", &["process.executable"]),
    ("pid", &["process.pid"]),
    ("ppid", &["process.parent.pid", "process.ppid"]),
    ("cwd", &["process.working_directory"]),
    // The keys of the audit rules.
    ("key", &["tags"]),
];

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    row("linux", "process_creation", "", &[ecs!(LINUX, "process", "start")]).scopes(&[sysmon(&[1])]),
    row("linux", "network_connection", "", &[ecs!(LINUX, "network", "start")]).scopes(&[sysmon(&[3])]),
    row("linux", "file_event", "", &[ecs!(LINUX, "file", "creation")]).scopes(&[sysmon(&[11])]),
    row("linux", "", "", &[
        endpoint(Any(&[
            LINUX,
            SYSTEM_LOG,
            JOURNAL,
            AUDIT_LOG,
            AUDIT_EVENT,
            Is(&["log.file.path"], AUTH_FILES),
            Is(&["log.file.path"], SYSLOG_FILES),
            Is(&["log.file.path"], AUDIT_FILES),
        ])),
        audit_record(),
    ])
    .scopes(&[sysmon(&[])]),
    row("linux", "", "auditd", &[
        audit_record(),
        form(AUDIT_LOG).fields(&[AUDIT_LOG_FIELDS]).below(&[("", &["auditd.log.", ""])]),
        form(AUDIT_EVENT)
            .fields(&[AUDIT_EVENT_FIELDS])
            .rebuilt(&[
                ("type", &rebuilt::AUDIT_TYPE),
                ("a0", &rebuilt::ARGUMENTS[0]),
                ("a1", &rebuilt::ARGUMENTS[1]),
                ("a2", &rebuilt::ARGUMENTS[2]),
                ("a3", &rebuilt::ARGUMENTS[3]),
                ("a4", &rebuilt::ARGUMENTS[4]),
                ("a5", &rebuilt::ARGUMENTS[5]),
                ("a6", &rebuilt::ARGUMENTS[6]),
                ("a7", &rebuilt::ARGUMENTS[7]),
            ])
            .below(&[("", &["auditd.data.", ""])]),
        lines(AUDIT_FILES),
    ]),
    row("linux", "", "auth", &[
        form(Any(&[
            dataset(&["system.auth"]),
            // The facilities `auth` and `authpriv`.
            All(&[JOURNAL, Is(&["SYSLOG_FACILITY"], &["4", "10"])]),
        ])),
        lines(AUTH_FILES),
    ]),
    row("linux", "", "syslog", &[form(Any(&[dataset(&["system.syslog"]), JOURNAL])), lines(SYSLOG_FILES)]),
    row("linux", "", "cron", &[program!("cron", "crond")]),
    row("linux", "", "sshd", &[program!("sshd")]),
    row("linux", "", "sudo", &[program!("sudo")]),
    row("linux", "", "vsftpd", &[program!("vsftpd"), lines(&["/var/log/vsftpd.log*"])]),
    row("linux", "", "clamav", &[program!("clamd", "freshclam"), lines(&["/var/log/clamav/*"])]),
    row("linux", "", "guacamole", &[program!("guacd")]),
    row("macos", "process_creation", "", &[ecs!(MACOS, "process", "start")]),
    row("macos", "network_connection", "", &[ecs!(MACOS, "network", "start")]),
    row("macos", "file_event", "", &[ecs!(MACOS, "file", "creation")]),
    row("macos", "", "", &[endpoint(MACOS)]),
];
