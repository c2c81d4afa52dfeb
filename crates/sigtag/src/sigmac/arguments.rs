//! sigmac's command line.

use clap::{Args, CommandFactory, ValueHint};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Converts rules as sigmac does: its options, its output, its exit codes.
///
/// For scripts that call sigmac; its name may be a link to this program. What is different is listed in docs/sigmac.md.
/// For anything new, `sigtag convert` is easier.
#[derive(Args, Debug)]
#[command(
    infer_long_args = true,
    args_override_self = true,
    after_help = "Examples:
  sigtag sigmac -t ee-outliers -c winlogbeat -r rules/windows > usecases.conf
  sigtag sigmac -t es-qs -c sysmon -c winlogbeat rule.yml
  sigtag sigmac -t elastalert -c my-fields.yml -o elastalert/ -e yml -r rules/

Exit codes: those of sigmac, e.g.
  0   all was converted
  3   a rule is no YAML; 4: it cannot be read; 5: its file cannot be opened
  20  no configuration; 21: one that is not meant for the target, or in the wrong order
  42  a feature that sigmac does not have"
)]
pub(crate) struct SigmacCommand {
    /// Rule files; with -r also folders; `-` for standard input.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub(super) inputs: Vec<PathBuf>,

    /// Read all .yml and .yaml files below the inputs.
    #[arg(short, long)]
    pub(super) recurse: bool,

    /// Only rules for which all of these hold, e.g. `level>=high,status=stable,tag=attack.t1059`.
    #[arg(short, long, value_name = "FILTER")]
    pub(super) filter: Option<String>,

    /// What rules are converted to; -l lists all targets.
    #[arg(short, long, value_name = "TARGET")]
    pub(super) target: Option<String>,

    /// List targets, configurations and modifiers.
    #[arg(short, long)]
    pub(super) lists: bool,

    /// Not in Sigtag.
    #[arg(short = 'L', long, value_name = "DATE", hide = true)]
    pub(super) lists_files_after_date: Option<String>,

    /// What log sources and fields are called: the name of a configuration or its file; a folder is searched for the names.
    /// Several are applied one after another.
    #[arg(short, long, value_name = "NAME|FILE", value_hint = ValueHint::AnyPath)]
    pub(super) config: Vec<PathBuf>,

    /// Write to this file; if it ends in `_` or `/`, to one file for each rule file, whose names begin with this.
    #[arg(short, long, value_name = "FILE|PREFIX", value_hint = ValueHint::AnyPath)]
    pub(super) output: Option<PathBuf>,

    /// How the names of these files end.
    #[arg(short = 'e', long, value_name = "EXTENSION", default_value = ".rule")]
    pub(super) output_extention: String,

    /// List these fields of the rules with what they become (-of).
    #[arg(long, value_name = "FIELDS")]
    pub(super) output_fields: Option<String>,

    /// The format of that list: json (-oF).
    #[arg(long, value_name = "FORMAT")]
    pub(super) output_format: Option<String>,

    /// A NUL instead of a line feed after each result.
    #[arg(long)]
    pub(super) print0: bool,

    /// An option of the target. May be given several times.
    #[arg(short = 'O', long, value_name = "NAME=VALUE")]
    pub(super) backend_option: Vec<String>,

    /// A YAML file with options of the target.
    #[arg(short = 'C', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) backend_config: Option<PathBuf>,

    /// List the options of a target.
    #[arg(long, value_name = "TARGET")]
    pub(super) backend_help: Option<String>,

    /// End with the code of the last failure, not of the first.
    #[arg(short, long)]
    pub(super) defer_abort: bool,

    /// What a target cannot do is shown, but not counted as a failure.
    #[arg(short = 'I', long)]
    pub(super) ignore_backend_errors: bool,

    /// Write what the rules mean, not what sigmac would: docs/sigmac.md lists what that corrects.
    #[arg(long)]
    pub(super) strict: bool,

    /// Write what sigmac would. This is the default.
    #[arg(long, conflicts_with = "strict")]
    pub(super) compat: bool,

    /// With --strict: what the index makes of fields, `keywords` (as the templates of Beats and ECS have it), `dynamic` (text
    /// with a sub-field `keyword`), or a file with its mapping or template. [default: keywords]
    #[arg(long, value_name = "NAME|FILE", value_hint = ValueHint::FilePath, requires = "strict")]
    pub(super) schema: Option<PathBuf>,

    /// Allow no configuration, and any order of them.
    #[arg(long, hide = true)]
    pub(super) shoot_yourself_in_the_foot: bool,

    /// No effect.
    #[arg(short, long, hide = true)]
    pub(super) verbose: bool,

    /// No effect.
    #[arg(short = 'D', long, hide = true)]
    pub(super) debug: bool,
}

/// The arguments that the program was called with. Under the name `sigmac` it is `sigtag sigmac`; and that command has
/// two options of one dash and two letters, which are replaced by their long forms.
pub(crate) fn from_environment(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let called = arguments.first().map(Path::new).and_then(Path::file_stem);
    if called == Some("sigmac".as_ref()) {
        arguments.insert(1, "sigmac".into());
    }
    if arguments.get(1).is_some_and(|command| command == "sigmac") {
        for argument in &mut arguments[2..] {
            let text = argument.to_str().unwrap_or_default();
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, format!("={value}")),
                None => (text, String::new()),
            };
            match name {
                "-of" => *argument = format!("--output-fields{value}").into(),
                "-oF" => *argument = format!("--output-format{value}").into(),
                _ => {}
            }
        }
    }
    arguments
}

/// How to call the command, in some lines.
pub(super) fn usage() -> String {
    let mut all = crate::arguments::Arguments::command();
    all.build();
    let command = all.find_subcommand_mut("sigmac");
    command
        .map(|command| format!("{}\n", command.render_usage()))
        .unwrap_or_default()
}
