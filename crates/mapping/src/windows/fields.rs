//! Where the shapes that leave an event as Windows wrote it keep a field.

use super::rebuilt;
use event::FieldPath;
use predicate::{Derived, Source};

/// What stands before the name of a field of the event's data: flat, in an EVTX record as JSON (nested, user data one
/// element deeper), in winlogbeat up to 6, and in winlogbeat from 7 on.
const EVENT_DATA: [&str; 7] = [
    "",
    "Event.EventData.",
    "Event.UserData.*.",
    "event_data.",
    "user_data.",
    "winlog.event_data.",
    "winlog.user_data.",
];

/// How many data without a name winlogbeat's `param1`, `param2` … are looked up for. Exchange writes about thirty.
const UNNAMED_DATA: usize = 40;

/// A field of the system part of an event.
struct System {
    name: &'static str,
    paths: &'static [&'static str],
    rebuilt: Option<&'static Derived>,
}

const fn system(name: &'static str, paths: &'static [&'static str]) -> System {
    System {
        name,
        paths,
        rebuilt: None,
    }
}

const TIME: &[&str] = &[
    "SystemTime",
    "TimeCreated",
    "TimeCreated_SystemTime",
    "Event.System.TimeCreated.#attributes.SystemTime",
    "Event.System.TimeCreated_attributes.SystemTime",
    "@timestamp",
];

/// The system fields: their places flat, nested (an XML attribute `B` of the element `A` is `A.#attributes.B` or
/// `A_attributes.B`, and `A_B` in Sigma), in winlogbeat up to 6, and in winlogbeat from 7 on.
#[rustfmt::skip]
static SYSTEM: &[System] = &[
    system("EventID", &["EventID", "Event.System.EventID", "Event.System.EventID.#text", "event_id", "winlog.event_id", "event.code"]),
    system("Channel", &["Channel", "Event.System.Channel", "log_name", "winlog.channel"]),
    system("Computer", &["Computer", "Event.System.Computer", "computer_name", "winlog.computer_name"]),
    system("EventRecordID", &["EventRecordID", "Event.System.EventRecordID", "record_number", "winlog.record_id"]),
    System { name: "Level", paths: &["Level", "Event.System.Level", "level", "log.level"], rebuilt: Some(&rebuilt::LEVEL) },
    System { name: "Keywords", paths: &["Keywords", "Event.System.Keywords"], rebuilt: Some(&rebuilt::KEYWORDS) },
    system("Task", &["Task", "Event.System.Task", "task", "winlog.task"]),
    system("Opcode", &["Opcode", "Event.System.Opcode", "opcode", "winlog.opcode"]),
    system("Version", &["Version", "Event.System.Version", "version", "winlog.version"]),
    system("Message", &["Message", "Event.RenderingInfo.Message", "message"]),
    system("SystemTime", TIME),
    system("TimeCreated", TIME),
    system("TimeCreated_SystemTime", TIME),
    system("EventID_Qualifiers", &["EventID_Qualifiers", "Event.System.EventID.#attributes.Qualifiers", "Event.System.EventID_attributes.Qualifiers"]),
    system("Provider_Name", &["Provider_Name", "Event.System.Provider.#attributes.Name", "Event.System.Provider_attributes.Name", "source_name", "winlog.provider_name"]),
    system("Provider_Guid", &["Provider_Guid", "Event.System.Provider.#attributes.Guid", "Event.System.Provider_attributes.Guid", "provider_guid", "winlog.provider_guid"]),
    system("Provider_EventSourceName", &["Provider_EventSourceName", "Event.System.Provider.#attributes.EventSourceName", "Event.System.Provider_attributes.EventSourceName"]),
    system("Execution_ProcessID", &["Execution_ProcessID", "Event.System.Execution.#attributes.ProcessID", "Event.System.Execution_attributes.ProcessID", "process_id", "winlog.process.pid"]),
    system("Execution_ThreadID", &["Execution_ThreadID", "Event.System.Execution.#attributes.ThreadID", "Event.System.Execution_attributes.ThreadID", "thread_id", "winlog.process.thread.id"]),
    system("Security_UserID", &["Security_UserID", "Event.System.Security.#attributes.UserID", "Event.System.Security_attributes.UserID", "user.identifier", "winlog.user.identifier"]),
    system("Correlation_ActivityID", &["Correlation_ActivityID", "Event.System.Correlation.#attributes.ActivityID", "Event.System.Correlation_attributes.ActivityID", "activity_id", "winlog.activity_id"]),
    system("Correlation_RelatedActivityID", &["Correlation_RelatedActivityID", "Event.System.Correlation.#attributes.RelatedActivityID", "Event.System.Correlation_attributes.RelatedActivityID", "related_activity_id", "winlog.related_activity_id"]),
];

/// All places of the field `name` in these shapes.
pub(super) fn sources(name: &str) -> Vec<Source> {
    if let Some(system) = SYSTEM.iter().find(|system| system.name == name) {
        let paths = system
            .paths
            .iter()
            .map(|path| Source::Path(FieldPath::new(path)));
        return paths.chain(system.rebuilt.map(Source::Derived)).collect();
    }
    if name.contains('.') {
        // No field of Windows has such a name: it is the place itself, in one of the shapes.
        return vec![path("", name)];
    }
    let mut sources: Vec<Source> = EVENT_DATA.iter().map(|prefix| path(prefix, name)).collect();
    if name == "Data" {
        // All data without a name: a list as text of the element, or numbered from 1.
        sources.push(path("Event.EventData.Data.", "#text"));
        for number in 1..=UNNAMED_DATA {
            sources.extend(
                ["event_data.param", "winlog.event_data.param"]
                    .map(|prefix| path(prefix, &number.to_string())),
            );
        }
    }
    sources
}

fn path(prefix: &str, name: &str) -> Source {
    Source::Path(FieldPath::new(&format!("{prefix}{name}")))
}
