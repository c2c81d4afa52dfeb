//! Sysmon for Linux: it writes the XML that Windows would, so its events have the same shape as those out of EVTX, with
//! the provider `Linux-Sysmon`.

use super::{Converted, Form};
use crate::decode::winlogbeat::{Record, convert, xml};
use crate::report::Reason;

pub(super) const FORM: Form = Form {
    recognises: |line| {
        let is_event =
            |message: &str| message.starts_with("<Event>") || message.starts_with("<Event ");
        matches!(line.program, "sysmon" | "") && is_event(line.message)
    },
    convert: |line| {
        // Both Sysmon and syslog cut off what is too long for them.
        xml::check(line.message)?;
        let event = convert(&Record {
            xml: line.message,
            id: None,
            written: None,
        });
        Ok(Converted {
            json: event.json,
            remark: (!event.has_channel).then_some((Reason::NoChannel, "")),
        })
    },
};
