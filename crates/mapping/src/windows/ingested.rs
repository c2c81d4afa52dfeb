//! Where Elastic's ingest pipelines for winlogbeat (modules sysmon, security and powershell) put the fields of an event.
//!
//! What they leave in `winlog.event_data` is found there, see `fields`; this is the way back for what they move. The
//! same target holds different fields for different event ids, so most rows name ids. Lost for good are: values that are
//! `-` or a GUID of zeros, a `User` without domain, the hashes of Sysmon's 27 and 28, the contexts of PowerShell's 4100.

use super::log_sources::{LINUX_SYSMON, POWERSHELL, POWERSHELL_CLASSIC, SECURITY, SYSMON};
use super::rebuilt;
use event::FieldPath;
use predicate::{Derived, Source};
use std::ops::RangeInclusive;

/// What one module of winlogbeat does.
pub(super) struct Module {
    /// The channels it works on.
    pub channels: &'static [&'static str],
    /// Channels of other products for which an integration does the same.
    pub alike: &'static [&'static str],
    /// What it moves.
    pub rows: &'static [Row],
}

/// One field, and where it is in events with some ids.
#[derive(Debug)]
pub(super) struct Row {
    /// The name of the field.
    pub field: &'static str,
    /// The events for which that holds.
    pub ids: Ids,
    target: Target,
}

/// A set of event ids.
#[derive(Debug)]
pub(super) enum Ids {
    All,
    Only(&'static [RangeInclusive<u32>]),
    AllBut(&'static [u32]),
}

#[derive(Debug)]
enum Target {
    Path(&'static str),
    Rebuilt(&'static Derived),
}

use Ids::{All, AllBut, Only};
use Target::{Path, Rebuilt};

const fn row(field: &'static str, ids: Ids, target: Target) -> Row {
    Row { field, ids, target }
}

/// The security events whose process, address, port and workstation are moved.
const RENAMED: Ids = Only(&[
    1100..=1100,
    1102..=1102,
    1104..=1105,
    1108..=1108,
    4624..=4625,
    4648..=4648,
    4670..=4670,
    4673..=4674,
    4689..=4689,
    4697..=4697,
    4719..=4720,
    4722..=4735,
    4737..=4738,
    4740..=4764,
    4767..=4771,
    4798..=4799,
    4817..=4817,
    4904..=4905,
    4907..=4907,
    4912..=4912,
    5140..=5140,
    5145..=5145,
]);

/// The modules.
#[rustfmt::skip]
pub(super) static MODULES: [Module; 4] = [
    Module { channels: &[SYSMON], alike: &[LINUX_SYSMON], rows: &[
        row("ProcessGuid", AllBut(&[8, 10]), Path("process.entity_id")),
        row("ProcessId", AllBut(&[8, 10]), Path("process.pid")),
        row("Image", AllBut(&[8, 10, 20]), Path("process.executable")),
        row("SourceProcessGuid", Only(&[8..=8]), Path("process.entity_id")),
        row("SourceProcessGUID", Only(&[10..=10]), Path("process.entity_id")),
        row("SourceProcessId", Only(&[8..=8, 10..=10]), Path("process.pid")),
        row("SourceImage", Only(&[8..=8, 10..=10]), Path("process.executable")),
        row("SourceThreadId", All, Path("process.thread.id")),
        row("TargetProcessGuid", Only(&[8..=8]), Path("winlog.event_data.TargetProcessGUID")),
        row("Destination", Only(&[20..=20]), Path("process.executable")),
        row("CommandLine", All, Path("process.command_line")),
        row("CurrentDirectory", All, Path("process.working_directory")),
        row("ParentProcessGuid", All, Path("process.parent.entity_id")),
        row("ParentProcessId", All, Path("process.parent.pid")),
        row("ParentImage", All, Path("process.parent.executable")),
        row("ParentCommandLine", All, Path("process.parent.command_line")),
        row("OriginalFileName", AllBut(&[7]), Path("process.pe.original_file_name")),
        row("OriginalFileName", Only(&[7..=7]), Path("file.pe.original_file_name")),
        row("RuleName", All, Path("rule.name")),
        row("User", All, Rebuilt(&rebuilt::USER)),
        row("Hashes", AllBut(&[15]), Rebuilt(&rebuilt::HASHES)),
        row("Hash", Only(&[15..=15]), Rebuilt(&rebuilt::HASHES)),
        row("ImageLoaded", Only(&[6..=7]), Path("file.path")),
        row("Device", Only(&[9..=9]), Path("file.path")),
        row("TargetFilename", AllBut(&[6, 7, 9]), Path("file.path")),
        row("PipeName", Only(&[17..=18]), Path("file.name")),
        row("Archived", All, Path("sysmon.file.archived")),
        row("IsExecutable", All, Path("sysmon.file.is_executable")),
        row("Protocol", All, Path("network.transport")),
        row("Initiated", All, Rebuilt(&rebuilt::INITIATED)),
        row("SourceIsIpv6", All, Rebuilt(&rebuilt::SOURCE_IS_IPV6)),
        row("SourceIp", All, Path("source.ip")),
        row("SourcePort", All, Path("source.port")),
        row("SourceHostname", All, Path("source.domain")),
        row("DestinationIsIpv6", All, Rebuilt(&rebuilt::DESTINATION_IS_IPV6)),
        row("DestinationIp", All, Path("destination.ip")),
        row("DestinationPort", All, Path("destination.port")),
        row("DestinationHostname", All, Path("destination.domain")),
        row("DestinationPortName", Only(&[3..=3]), Path("network.protocol")),
        row("QueryName", All, Path("dns.question.name")),
        row("QueryStatus", All, Rebuilt(&rebuilt::QUERY_STATUS)),
        row("QueryResults", All, Rebuilt(&rebuilt::QUERY_RESULTS)),
        row("TargetObject", All, Path("registry.path")),
        row("Details", All, Rebuilt(&rebuilt::DETAILS)),
        row("Type", Only(&[25..=25]), Rebuilt(&rebuilt::TAMPERING_TYPE)),
        row("ID", Only(&[255..=255]), Path("error.code")),
        row("UtcTime", All, Rebuilt(&rebuilt::UTC_TIME)),
    ]},
    Module { channels: &[SECURITY], alike: &[], rows: &[
        row("ProcessName", RENAMED, Path("process.executable")),
        row("ProcessId", RENAMED, Path("process.pid")),
        row("ProcessId", RENAMED, Rebuilt(&rebuilt::HEX_PROCESS_ID)),
        row("IpAddress", RENAMED, Path("source.ip")),
        row("IpPort", RENAMED, Path("source.port")),
        row("WorkstationName", RENAMED, Path("source.domain")),
        row("NewProcessName", Only(&[4688..=4688]), Path("process.executable")),
        row("NewProcessId", Only(&[4688..=4688]), Path("process.pid")),
        row("NewProcessId", Only(&[4688..=4688]), Rebuilt(&rebuilt::HEX_PROCESS_ID)),
        row("ParentProcessName", Only(&[4688..=4688]), Path("process.parent.executable")),
        row("CommandLine", Only(&[4688..=4688]), Path("process.command_line")),
        row("AccessList", All, Rebuilt(&rebuilt::ACCESS_LIST)),
        row("AccessMask", All, Rebuilt(&rebuilt::ACCESS_MASK)),
        row("UserAccountControl", All, Rebuilt(&rebuilt::USER_ACCOUNT_CONTROL)),
        row("PrivilegeList", All, Rebuilt(&rebuilt::PRIVILEGE_LIST)),
    ]},
    Module { channels: POWERSHELL, alike: &[], rows: &[
        row("ContextInfo", Only(&[4103..=4103]), Rebuilt(&rebuilt::CONTEXT_INFO)),
        row("Payload", Only(&[4103..=4103]), Rebuilt(&rebuilt::PAYLOAD)),
        row("ScriptBlockText", All, Path("powershell.file.script_block_text")),
        row("ScriptBlockId", All, Path("powershell.file.script_block_id")),
        row("MessageNumber", All, Path("powershell.sequence")),
        row("MessageTotal", All, Path("powershell.total")),
        row("RunspaceId", Only(&[4104..=4106]), Path("powershell.runspace_id")),
        row("Path", Only(&[4104..=4106]), Path("file.path")),
    ]},
    Module { channels: &[POWERSHELL_CLASSIC], alike: &[], rows: &[
        row("Data", All, Rebuilt(&rebuilt::CLASSIC_DATA)),
    ]},
];

impl Module {
    /// Whether it, or one that does the same, works on this channel.
    pub fn works_on(&self, channel: &str) -> bool {
        self.channels.contains(&channel) || self.alike.contains(&channel)
    }
}

impl Row {
    /// Where the field is.
    pub fn source(&self) -> Source {
        match self.target {
            Path(path) => Source::Path(FieldPath::new(path)),
            Rebuilt(derived) => Source::Derived(derived),
        }
    }
}

impl Ids {
    /// Whether `id` is one of these.
    pub fn contains(&self, id: u32) -> bool {
        match self {
            All => true,
            Only(ranges) => ranges.iter().any(|range| range.contains(&id)),
            AllBut(ids) => !ids.contains(&id),
        }
    }

    /// Whether the ids that [`Ids::named`] does not give are of these.
    pub fn contains_others(&self) -> bool {
        !matches!(self, Only(_))
    }

    /// The ids that are named here, be they of these or not.
    pub fn named(&self) -> Vec<u32> {
        match self {
            All => Vec::new(),
            Only(ranges) => ranges.iter().cloned().flatten().collect(),
            AllBut(ids) => ids.to_vec(),
        }
    }
}
