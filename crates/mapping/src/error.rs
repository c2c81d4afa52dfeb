//! Why a rule cannot be mapped.

use predicate::BadRegex;
use sigma::{Location, LogSource};
use std::fmt;
use thiserror::Error;

/// Why a rule cannot be mapped.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MapError {
    /// The mapping does not know the rule's log source: the rule needs set-up.
    #[error(transparent)]
    NotMapped(#[from] NotMapped),
    /// A regular expression of the rule cannot be run: the rule is broken.
    #[error("{location}: `{pattern}`: {cause}")]
    Regex {
        /// The expression, flags included.
        pattern: String,
        /// The test it belongs to.
        location: Location,
        /// What is wrong with it.
        cause: BadRegex,
    },
    /// A value of the rule has no meaning where it stands. `sigma` sets such rules aside, so they come from elsewhere.
    #[error("{location}: {reason}")]
    Value {
        /// What is wrong with it.
        reason: &'static str,
        /// The test it belongs to.
        location: Location,
    },
}

/// A log source that a mapping does not know.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct NotMapped {
    /// The product, if the rule names one.
    pub product: Option<String>,
    /// The category, if the rule names one.
    pub category: Option<String>,
    /// The service, if the rule names one.
    pub service: Option<String>,
}

impl From<&LogSource> for NotMapped {
    fn from(log_source: &LogSource) -> NotMapped {
        let LogSource {
            product,
            category,
            service,
            ..
        } = log_source.clone();
        NotMapped {
            product,
            category,
            service,
        }
    }
}

impl fmt::Display for NotMapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no mapping knows the log source ")?;
        let named = [
            ("product", &self.product),
            ("category", &self.category),
            ("service", &self.service),
        ];
        let named = named
            .into_iter()
            .filter_map(|(attribute, name)| Some((attribute, name.as_deref()?)));
        for (nth, (attribute, name)) in named.enumerate() {
            let comma = if nth > 0 { ", " } else { "" };
            write!(f, "{comma}{attribute}={name}")?;
        }
        Ok(())
    }
}
