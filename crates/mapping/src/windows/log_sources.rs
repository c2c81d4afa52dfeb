//! Where the log sources of Sigma's taxonomy lie: channels of the Windows event log and event ids in them.
//!
//! `file_access` and `file_rename` are missing: the trace that they mean reaches no channel of the event log.

pub(super) const SYSMON: &str = "Microsoft-Windows-Sysmon/Operational";
/// The log of Sysmon for Linux: its events are shaped as those of Windows, and are none of them.
pub(crate) const LINUX_SYSMON: &str = "Linux-Sysmon/Operational";
pub(super) const SECURITY: &str = "Security";
pub(super) const POWERSHELL: &[&str] = &[
    "Microsoft-Windows-PowerShell/Operational",
    "PowerShellCore/Operational",
];
pub(super) const POWERSHELL_CLASSIC: &str = "Windows PowerShell";
const DEFENDER: &str = "Microsoft-Windows-Windows Defender/Operational";

/// Some events of some channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    /// In one of these channels; none: in any.
    pub channels: &'static [&'static str],
    /// With one of these ids; none: with any.
    pub ids: &'static [u32],
    /// With one of these values of `EventType`; none: with any or without.
    pub event_types: &'static [&'static str],
    /// Fields that have other names there: Sigma's name and that of the event.
    pub renames: &'static [(&'static str, &'static str)],
}

impl Scope {
    /// Events of these channels with these ids; of none: of all.
    pub const fn new(channels: &'static [&'static str], ids: &'static [u32]) -> Scope {
        Scope {
            channels,
            ids,
            event_types: &[],
            renames: &[],
        }
    }

    /// All events of these channels; of none: all events.
    pub const fn of_channels(channels: &'static [&'static str]) -> Scope {
        Scope::new(channels, &[])
    }

    /// Whether this lies in these channels; it does as a whole or not at all.
    pub fn lies_in(&self, channels: &[&str]) -> bool {
        self.channels
            .iter()
            .all(|channel| channels.contains(channel))
    }

    /// The name that a field has in these events.
    pub fn own_name<'n>(&self, name: &'n str) -> &'n str {
        self.renames
            .iter()
            .find(|(sigma, _)| *sigma == name)
            .map_or(name, |(_, own)| *own)
    }
}

const fn sysmon(ids: &'static [u32]) -> Scope {
    Scope::new(&[SYSMON], ids)
}

const fn sysmon_of_type(ids: &'static [u32], event_types: &'static [&'static str]) -> Scope {
    Scope {
        event_types,
        ..sysmon(ids)
    }
}

const fn renamed(
    channel: &'static [&'static str],
    ids: &'static [u32],
    renames: &'static [(&'static str, &'static str)],
) -> Scope {
    Scope {
        renames,
        ..Scope::new(channel, ids)
    }
}

const fn powershell(ids: &'static [u32]) -> Scope {
    Scope::new(POWERSHELL, ids)
}

const fn powershell_classic(ids: &'static [u32]) -> Scope {
    Scope::new(&[POWERSHELL_CLASSIC], ids)
}

/// The categories and where their events lie; several scopes of one category are alternatives.
#[rustfmt::skip]
static CATEGORIES: &[(&str, &[Scope])] = &[
    ("process_creation", &[
        sysmon(&[1]),
        renamed(&[SECURITY], &[4688], &[("Image", "NewProcessName"), ("ParentImage", "ParentProcessName")]),
    ]),
    ("file_change", &[sysmon(&[2])]),
    ("network_connection", &[sysmon(&[3])]),
    ("sysmon_status", &[sysmon(&[4, 16])]),
    ("process_termination", &[sysmon(&[5])]),
    ("driver_load", &[sysmon(&[6])]),
    ("image_load", &[sysmon(&[7])]),
    ("create_remote_thread", &[sysmon(&[8])]),
    ("raw_access_thread", &[sysmon(&[9])]),
    ("process_access", &[sysmon(&[10])]),
    ("file_event", &[sysmon(&[11])]),
    ("registry_add", &[sysmon_of_type(&[12], &["CreateKey"])]),
    ("registry_delete", &[sysmon_of_type(&[12], &["DeleteKey", "DeleteValue"])]),
    ("registry_set", &[sysmon(&[13])]),
    ("registry_rename", &[sysmon(&[14])]),
    ("registry_event", &[sysmon(&[12, 13, 14])]),
    ("create_stream_hash", &[sysmon(&[15])]),
    ("pipe_created", &[sysmon(&[17, 18])]),
    ("wmi_event", &[sysmon(&[19, 20, 21])]),
    ("dns_query", &[sysmon(&[22])]),
    ("file_delete", &[sysmon(&[23])]),
    ("clipboard_capture", &[sysmon(&[24])]),
    ("clipboard_change", &[sysmon(&[24])]),
    ("process_tampering", &[sysmon(&[25])]),
    ("file_delete_detected", &[sysmon(&[26])]),
    ("file_block_executable", &[sysmon(&[27])]),
    ("file_block_shredding", &[sysmon(&[28])]),
    ("file_executable_detected", &[sysmon(&[29])]),
    ("sysmon_error", &[sysmon(&[255])]),
    ("ps_module", &[powershell(&[4103])]),
    ("ps_script", &[powershell(&[4104])]),
    ("ps_classic_start", &[powershell_classic(&[400])]),
    ("ps_classic_provider_start", &[powershell_classic(&[600])]),
    ("ps_classic_script", &[powershell_classic(&[800])]),
    ("antivirus", &[
        renamed(
            &[DEFENDER],
            &[1006, 1007, 1008, 1009, 1010, 1011, 1012, 1017, 1018, 1019, 1115, 1116],
            &[("Signature", "ThreatName"), ("Filename", "Path")],
        ),
    ]),
];

/// The services and their channels.
#[rustfmt::skip]
static SERVICES: &[(&str, &[&str])] = &[
    ("application", &["Application"]),
    ("application-experience", &[
        "Microsoft-Windows-Application-Experience/Program-Telemetry",
        "Microsoft-Windows-Application-Experience/Program-Compatibility-Assistant",
    ]),
    ("applocker", &[
        "Microsoft-Windows-AppLocker/EXE and DLL",
        "Microsoft-Windows-AppLocker/MSI and Script",
        "Microsoft-Windows-AppLocker/Packaged app-Deployment",
        "Microsoft-Windows-AppLocker/Packaged app-Execution",
    ]),
    ("appmodel-runtime", &["Microsoft-Windows-AppModel-Runtime/Admin"]),
    ("appxdeployment-server", &["Microsoft-Windows-AppXDeploymentServer/Operational"]),
    ("appxpackaging-om", &["Microsoft-Windows-AppxPackaging/Operational"]),
    ("bitlocker", &["Microsoft-Windows-BitLocker/BitLocker Management"]),
    ("bits-client", &["Microsoft-Windows-Bits-Client/Operational"]),
    ("capi2", &["Microsoft-Windows-CAPI2/Operational"]),
    ("certificateservicesclient-lifecycle-system", &["Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational"]),
    ("codeintegrity-operational", &["Microsoft-Windows-CodeIntegrity/Operational"]),
    ("dhcp", &["Microsoft-Windows-DHCP-Server/Operational"]),
    ("diagnosis-scripted", &["Microsoft-Windows-Diagnosis-Scripted/Operational"]),
    // Of the logs of DNS the taxonomy has names that the event viewer shows; events have the names without `Events`
    // and with `DNSServer` in one word.
    ("dns-client", &["Microsoft-Windows-DNS-Client/Operational", "Microsoft-Windows-DNS Client Events/Operational"]),
    ("dns-server", &["DNS Server"]),
    ("dns-server-analytic", &["Microsoft-Windows-DNSServer/Analytical", "Microsoft-Windows-DNS-Server/Analytical"]),
    ("dns-server-audit", &["Microsoft-Windows-DNSServer/Audit", "Microsoft-Windows-DNS-Server/Audit"]),
    ("driver-framework", &["Microsoft-Windows-DriverFrameworks-UserMode/Operational"]),
    ("firewall-as", &["Microsoft-Windows-Windows Firewall With Advanced Security/Firewall"]),
    ("hyper-v-worker", &["Microsoft-Windows-Hyper-V-Worker"]),
    ("iis-configuration", &["Microsoft-IIS-Configuration/Operational"]),
    ("kernel-event-tracing", &["Microsoft-Windows-Kernel-EventTracing"]),
    ("kernel-shimengine", &[
        "Microsoft-Windows-Kernel-ShimEngine/Operational",
        "Microsoft-Windows-Kernel-ShimEngine/Diagnostic",
    ]),
    ("ldap", &["Microsoft-Windows-LDAP-Client/Debug"]),
    ("lsa-server", &["Microsoft-Windows-LSA/Operational"]),
    ("microsoft-servicebus-client", SERVICE_BUS),
    ("msexchange-management", &["MSExchange Management"]),
    ("ntfs", &["Microsoft-Windows-Ntfs/Operational"]),
    ("ntlm", &["Microsoft-Windows-NTLM/Operational"]),
    ("openssh", &["OpenSSH/Operational"]),
    ("powershell", POWERSHELL),
    ("powershell-classic", &[POWERSHELL_CLASSIC]),
    ("printservice-admin", &["Microsoft-Windows-PrintService/Admin"]),
    ("printservice-operational", &["Microsoft-Windows-PrintService/Operational"]),
    ("security", &[SECURITY]),
    ("security-mitigations", &[
        "Microsoft-Windows-Security-Mitigations/Kernel Mode",
        "Microsoft-Windows-Security-Mitigations/User Mode",
    ]),
    ("sense", &["Microsoft-Windows-SENSE/Operational"]),
    ("servicebus-client", SERVICE_BUS),
    ("shell-core", &["Microsoft-Windows-Shell-Core/Operational"]),
    ("smbclient-connectivity", &["Microsoft-Windows-SmbClient/Connectivity"]),
    ("smbclient-security", &["Microsoft-Windows-SmbClient/Security"]),
    ("smbserver-connectivity", &["Microsoft-Windows-SMBServer/Connectivity"]),
    ("sysmon", &[SYSMON]),
    ("system", &["System"]),
    ("taskscheduler", &["Microsoft-Windows-TaskScheduler/Operational"]),
    ("terminalservices-localsessionmanager", &["Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"]),
    ("vhdmp", &["Microsoft-Windows-VHDMP/Operational"]),
    ("windefend", &[DEFENDER]),
    ("wmi", &["Microsoft-Windows-WMI-Activity/Operational"]),
];

const SERVICE_BUS: &[&str] = &[
    "Microsoft-ServiceBus-Client",
    "Microsoft-ServiceBus-Client/Admin",
    "Microsoft-ServiceBus-Client/Operational",
];

/// The events of a category; none if there is no such category.
pub(super) fn category(name: &str) -> Option<&'static [Scope]> {
    row(CATEGORIES, name)
}

/// The channels of a service; none if there is no such service.
pub(super) fn service(name: &str) -> Option<&'static [&'static str]> {
    row(SERVICES, name)
}

fn row<T: ?Sized>(table: &[(&str, &'static T)], name: &str) -> Option<&'static T> {
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, row)| *row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_lies_in_a_service_as_a_whole_or_not_at_all() {
        for (category, scopes) in CATEGORIES {
            for (service, channels) in SERVICES {
                for scope in *scopes {
                    let inside = scope
                        .channels
                        .iter()
                        .filter(|channel| channels.contains(channel))
                        .count();
                    assert!(
                        inside == 0 || scope.lies_in(channels),
                        "{category} in {service}"
                    );
                }
            }
        }
    }

    #[test]
    fn no_name_stands_twice() {
        let categories: Vec<_> = CATEGORIES.iter().map(|(name, _)| name).collect();
        let services: Vec<_> = SERVICES.iter().map(|(name, _)| name).collect();
        for names in [categories, services] {
            let distinct: std::collections::BTreeSet<_> = names.iter().collect();
            assert_eq!(distinct.len(), names.len());
        }
    }
}
