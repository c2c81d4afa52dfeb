//! Who asks a cluster: as the environment says or, where it says nothing, the file that `--config` names.

use crate::show;
use crate::stores::wrong;
use std::env::VarError;
use std::fmt::{self, Debug, Display};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use store::{Credentials, StoreError};

/// What one source says of who asks.
#[derive(Clone, Default)]
pub(crate) struct Told {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) api_key: Option<Secret>,
    pub(crate) bearer: Option<Secret>,
}

/// A secret, or where it lies.
#[derive(Clone)]
pub(crate) enum Secret {
    Text(String),
    File { path: PathBuf, named_by: String },
}

/// Nobody is to see it, wherever options are shown.
impl Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}

/// Who asks. A user of the file may have the password of the environment; beside that, the two are not mixed.
pub(crate) fn credentials(of_file: &Told) -> Result<Option<Credentials>, StoreError> {
    let mut told = Told {
        user: variable("SIGTAG_USER")?,
        password: secret("SIGTAG_PASSWORD")?,
        api_key: secret("SIGTAG_API_KEY")?,
        bearer: secret("SIGTAG_BEARER")?,
    };
    if told.user.is_none() && told.api_key.is_none() && told.bearer.is_none() {
        match told.password {
            None => told = of_file.clone(),
            Some(_) => told.user.clone_from(&of_file.user),
        }
    }
    match (told.user, told.api_key, told.bearer) {
        (None, None, None) if told.password.is_some() => Err(wrong(
            "SIGTAG_PASSWORD",
            "it is set, but SIGTAG_USER does not say whose it is",
        )),
        (None, None, None) => Ok(None),
        (Some(user), None, None) => {
            let password = told.password.map(read).transpose()?.unwrap_or_default();
            Ok(Some(Credentials::Basic { user, password }))
        }
        (None, Some(key), None) => read(key).map(|key| Some(Credentials::ApiKey(key))),
        (None, None, Some(token)) => read(token).map(|token| Some(Credentials::Bearer(token))),
        _ => Err(wrong(
            "the environment",
            "only one of SIGTAG_USER, SIGTAG_API_KEY and SIGTAG_BEARER can say who asks",
        )),
    }
}

/// A variable of the environment; none if it is empty.
fn variable(name: &str) -> Result<Option<String>, StoreError> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(wrong(name, "it is not UTF-8")),
    }
}

/// What a variable says, or the file that the variable of the same name with `_FILE` names.
fn secret(name: &str) -> Result<Option<Secret>, StoreError> {
    let of_file = format!("{name}_FILE");
    match (variable(name)?, variable(&of_file)?) {
        (text, None) => Ok(text.map(Secret::Text)),
        (None, Some(path)) => Ok(Some(Secret::File {
            path: path.into(),
            named_by: of_file,
        })),
        (Some(_), Some(_)) => {
            let reason = format!("{name} is set, too, and only one of the two can be");
            Err(wrong(&of_file, reason))
        }
    }
}

fn read(secret: Secret) -> Result<String, StoreError> {
    let (path, named_by) = match secret {
        Secret::Text(text) => return Ok(text),
        Secret::File { path, named_by } => (path, named_by),
    };
    let file = path.display();
    let failed = |reason: &dyn Display| wrong(&named_by, format!("{file}: {reason}"));
    let text = fs::read_to_string(&path).map_err(|error| failed(&error))?;
    let mode = fs::metadata(&path).map_err(|error| failed(&error))?.mode();
    if mode & 0o004 != 0 {
        show::warning(&format!(
            "{named_by}: everybody on this machine can read {file}"
        ));
    }
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(failed(&"it is empty")),
        secret => Ok(secret.to_owned()),
    }
}
