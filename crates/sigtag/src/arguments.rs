//! Every argument, once: parsing, help, completions and man pages are made from this.

use crate::credentials::Told;
use crate::sigmac::SigmacCommand;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum, ValueHint};
use convert::TARGETS;
use sigma::Level;
use std::path::PathBuf;
use tag::Profile;
use tagger::Mode;

/// Finds the events that Sigma rules describe, and tags them.
///
/// All rules are matched in one pass. A tagged event carries the rules that hit it, their level, and their MITRE ATT&CK
/// tactics and techniques.
#[derive(Debug, Parser)]
#[command(
    name = "sigtag",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    /// When to use colours. NO_COLOR is respected.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Global options"
    )]
    pub(crate) color: Color,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Makes this the choice for all output.
    pub(crate) fn apply(self) {
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Tag(TagCommand),
    Plan(PlanCommand),
    Load(LoadCommand),
    Untag(UntagCommand),
    Search(SearchCommand),
    Indices(IndicesCommand),
    /// Runs use cases of ee-outliers, and tags the outliers where they lie.
    ///
    /// Their files are taken as they are, with the same effect. docs/ee-outliers.md says what is different.
    Outliers {
        #[command(subcommand)]
        command: OutliersCommand,
    },
    Check(CheckCommand),
    Explain(ExplainCommand),
    Convert(ConvertCommand),
    Sigmac(SigmacCommand),
    Dashboards(DashboardsCommand),
    /// Prints the completions for a shell.
    ///
    /// For bash, for example: sigtag completions bash > ~/.local/share/bash-completion/completions/sigtag
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    Man(Setup),
}

/// Where to look up log sources and fields.
#[derive(Args, Debug)]
pub(crate) struct MappingOption {
    /// How log sources and fields are called in the events: a configuration of sigmac, or a processing pipeline of
    /// pySigma. May be given several times; the first that knows a rule's log source decides. What is built in comes
    /// last, unless `builtin` gives it its place, or `none` leaves it out.
    #[arg(long = "mapping", value_name = "NAME|FILE", value_hint = ValueHint::FilePath)]
    pub(crate) names: Vec<PathBuf>,
}

/// How rules are used.
#[derive(Args, Debug)]
pub(crate) struct RuleOptions {
    #[command(flatten)]
    pub(crate) mapping: MappingOption,

    /// The form of the tag: fields of the Elastic Common Schema and `sigma`, those of ee-outliers, or both.
    #[arg(long, value_name = "PROFILE", default_value = Profile::default().name(), value_parser = profile())]
    pub(crate) profile: Profile,

    /// Leave out rules below this level; a rule without a level counts as informational.
    #[arg(long, value_name = "LEVEL", value_parser = level())]
    pub(crate) min_level: Option<Level>,

    /// Rules that need set-up count as broken: exit with 1.
    #[arg(long)]
    pub(crate) strict_rules: bool,
}

/// How a command that goes over events runs, and what it tells of that.
#[derive(Args, Debug)]
pub(crate) struct RunOptions {
    /// How many threads to use. [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,

    /// Write the summary to this file too, as JSON.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) stats: Option<PathBuf>,

    /// No progress and no summary; errors are shown all the same.
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Tags events: those of files and folders, or those in a store where they lie.
///
/// Reads rules, then events. Each event of a file that a rule hits is written as one line of JSON, with its tag; in a store,
/// the tag goes into the event itself. A summary goes to standard error. Nothing has to be set up: what a file is, is seen
/// from its content, and the shape of the events from the events.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sigtag tag --rules sigma/rules logs/ > tagged.jsonl
  sigtag tag --rules sigma/rules --min-level high a.evtx b.jsonl.gz > tagged.jsonl
  zcat old/*.gz | sigtag tag --rules my-rules --all --output all.jsonl -
  sigtag tag --rules sigma/rules --store my-store --index 'logs-*'
  sigtag tag --rules sigma/rules --store https://localhost:9200 --index 'winlogbeat-*'
  sigtag tag --config sigtag.toml

Exit codes:
  0    all was done; also when rules need set-up
  1    a rule or an event is broken, or a write failed; the rest was done
  2    wrong usage or configuration; nothing was done
  130  interrupted; what was read by then is written")]
pub(crate) struct TagCommand {
    /// Rules: a file, or a folder with all .yml and .yaml files below it. May be given several times.
    #[arg(long, required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) rules: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) options: RuleOptions,

    #[command(flatten)]
    pub(crate) run: RunOptions,

    /// Take options from this TOML file: its keys are their names, as `rules = ["sigma/rules"]`. Those given here win.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,

    /// Tag the events in this store instead of those of files: a folder that `sigtag load` has made, or the URL of a cluster
    /// of Elasticsearch or OpenSearch; several nodes of it separated by commas.
    #[arg(long, value_name = "DIR|URL", value_hint = ValueHint::DirPath, requires = "index", conflicts_with_all = ["input", "output", "all"])]
    pub(crate) store: Option<String>,

    #[command(flatten)]
    pub(crate) access: AccessOptions,

    /// The indices of the store: names, patterns with `*`, aliases; several separated by commas.
    #[arg(
        long,
        value_name = "PATTERN",
        requires = "store",
        conflicts_with = "input"
    )]
    pub(crate) index: Option<String>,

    #[command(flatten)]
    pub(crate) selection: SelectionOptions,

    /// Do everything but write: what the rules hit, and how many events would be written. Documents that are done with these
    /// rules are read, too.
    #[arg(long, requires = "store", help_heading = "Stores")]
    pub(crate) dry_run: bool,

    /// Read all documents, also those that are done with these rules.
    #[arg(long, requires = "store", help_heading = "Stores")]
    pub(crate) again: bool,

    /// Read at most so many documents a second.
    #[arg(long, value_name = "N", requires = "store", help_heading = "Stores", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: Option<u32>,

    /// Leave index templates as they are: indices to come get the fields of tags only when they are tagged.
    #[arg(long, requires = "store", help_heading = "Stores")]
    pub(crate) no_templates: bool,

    /// Write to this file instead of to standard output.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Write every event, not only those that a rule hits.
    #[arg(long)]
    pub(crate) all: bool,

    /// Events: files, folders (everything below them is read), or `-` for standard input. JSON in lines, arrays or one
    /// object after another, EVTX, CSV with a header, logs of auditd and Sysmon for Linux; plain, .gz or .zst.
    #[arg(required_unless_present = "store", value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub(crate) input: Vec<PathBuf>,
}

/// Which events of a store are tagged, and where.
#[derive(Args, Debug)]
pub(crate) struct SelectionOptions {
    /// Leave out events before this time: RFC 3339, a date, or how long ago (`7d`, `12h`).
    #[arg(long, value_name = "TIME", requires = "store", help_heading = "Stores", value_parser = time())]
    pub(crate) since: Option<String>,

    /// Leave out events from this time on.
    #[arg(long, value_name = "TIME", requires = "store", help_heading = "Stores", value_parser = time())]
    pub(crate) until: Option<String>,

    /// Where tags go: into the events, into the side index `sigma-hits-*`, or both. `auto` is into the events where they can be
    /// changed, else into the side index.
    #[arg(long, value_name = "MODE", requires = "store", help_heading = "Stores", default_value = Mode::default().name(), value_parser = mode())]
    pub(crate) mode: Mode,
}

/// Shows what `sigtag tag` will do with each index of a store. Nothing is changed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sigtag plan --rules sigma/rules --store https://localhost:9200 --index 'winlogbeat-*'

Exit codes:
  0  there is a plan
  1  an index cannot be read
  2  wrong usage or configuration")]
pub(crate) struct PlanCommand {
    /// Rules: a file, or a folder with all .yml and .yaml files below it. May be given several times.
    #[arg(long, required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) rules: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) options: RuleOptions,

    /// Take options from this TOML file, as `sigtag tag` does: the same file will do.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,

    /// The store: a folder that `sigtag load` has made, or the URL of a cluster of Elasticsearch or OpenSearch.
    #[arg(long, required = true, value_name = "DIR|URL", value_hint = ValueHint::DirPath)]
    pub(crate) store: String,

    #[command(flatten)]
    pub(crate) access: AccessOptions,

    /// The indices: names, patterns with `*`, aliases; several separated by commas.
    #[arg(long, required = true, value_name = "PATTERN")]
    pub(crate) index: String,

    #[command(flatten)]
    pub(crate) selection: SelectionOptions,

    /// How to print it.
    #[arg(long, default_value = "table")]
    pub(crate) format: Rows,
}

/// Loads events into a store: a folder in which they can be searched, and tagged where they lie.
///
/// The store and the index are made if they are not there. Its fields get the types that Elasticsearch would give them, unless
/// `--schema` says otherwise. To load a file again adds nothing: its events are known by where they stand in it and by their
/// text. So a load that was cut off is completed by the same command.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sigtag load --store my-store --index logs logs/
  sigtag load --store my-store --index logs --rules sigma/rules logs/     tags on the way in

Exit codes:
  0    all was done
  1    an event or a rule is broken, or an event was refused; the rest was done
  2    wrong usage or configuration; nothing was done
  130  interrupted; what was read by then is in the store")]
pub(crate) struct LoadCommand {
    /// The store: a folder, or the URL of a cluster of Elasticsearch or OpenSearch; several nodes of it separated by commas.
    #[arg(long = "store", required = true, value_name = "DIR|URL", value_hint = ValueHint::DirPath)]
    pub(crate) place: String,

    #[command(flatten)]
    pub(crate) access: AccessOptions,

    /// The index that the events go to.
    #[arg(long, required = true, value_name = "NAME")]
    pub(crate) index: String,

    /// What a new index makes of fields: a file with the body of Elasticsearch's request to create an index (`mappings`,
    /// `settings`, `aliases`), with an index template, or with a mapping.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) schema: Option<PathBuf>,

    /// Tag the events with these rules: a file, or a folder. May be given several times.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) rules: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) options: RuleOptions,

    #[command(flatten)]
    pub(crate) run: RunOptions,

    /// Events, as for `sigtag tag`: files, folders, or `-` for standard input.
    #[arg(required = true, value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub(crate) input: Vec<PathBuf>,
}

/// Takes tags away from the events in a store.
///
/// An event without a tag is what it was before it got one.
#[derive(Args, Debug)]
#[command(after_help = "Exit codes:
  0    all was done
  1    a write failed; the rest was done
  2    wrong usage or configuration; nothing was done
  130  interrupted; what was read by then is done")]
#[command(group = ArgGroup::new("which").required(true).args(["rule", "all"]))]
pub(crate) struct UntagCommand {
    #[command(flatten)]
    pub(crate) store: StoreOption,

    /// The indices: names, patterns with `*`, aliases; several separated by commas.
    #[arg(long, required = true, value_name = "PATTERN")]
    pub(crate) index: String,

    /// Take the tags of the rule with this id.
    #[arg(long, value_name = "ID")]
    pub(crate) rule: Option<String>,

    /// Take all tags.
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) run: RunOptions,
}

/// Searches the events in a store.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sigtag search --store my-store --index logs 'sigma.level:(high OR critical)'
  sigtag search --store my-store --index logs --sort @timestamp:desc --size 100 'process.name:mshta*'
  sigtag search --store my-store --index logs --format jsonl --size 1000000 'tags:sigma' > tagged.jsonl
  sigtag search --store my-store --index logs --aggs '{\"rules\": {\"terms\": {\"field\": \"sigma.rule.name\"}}}'

Exit codes:
  0  the search was done, whether it found something or not
  1  the store cannot be read
  2  wrong usage, or a query that is not understood")]
pub(crate) struct SearchCommand {
    #[command(flatten)]
    pub(crate) store: StoreOption,

    /// The indices: names, patterns with `*`, aliases; several separated by commas.
    #[arg(long, required = true, value_name = "PATTERN")]
    pub(crate) index: String,

    /// What to find: a query string of Lucene or, if it begins with `{`, a query of Elasticsearch's Query DSL. [default:
    /// everything]
    pub(crate) query: Option<String>,

    /// Aggregations of Elasticsearch, as JSON; what they come to is printed as JSON instead of the hits.
    #[arg(long, value_name = "JSON", conflicts_with_all = ["size", "sort", "fields", "format"])]
    pub(crate) aggs: Option<String>,

    /// The most hits to print.
    #[arg(long, value_name = "N", default_value = "20")]
    pub(crate) size: usize,

    /// Sort by these fields, from low to high or, with `:desc` behind it, from high to low. [default: in the order of writing]
    #[arg(long, value_name = "FIELD[:desc]", value_delimiter = ',')]
    pub(crate) sort: Vec<String>,

    /// The columns of the table, or the parts of `_source`. [default: time, host, level, rules; all of it]
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    pub(crate) fields: Vec<String>,

    /// How to print the hits.
    #[arg(long, default_value = "table")]
    pub(crate) format: Rows,
}

/// Lists the indices of a store, or changes which there are.
#[derive(Args, Debug)]
pub(crate) struct IndicesCommand {
    #[command(flatten)]
    pub(crate) store: StoreOption,

    /// Those that are meant: names, patterns with `*`, aliases; several separated by commas.
    #[arg(value_name = "PATTERN", default_value = "*")]
    pub(crate) index: String,

    /// Let this name stand for them, and for no others.
    #[arg(long, value_name = "NAME", requires = "index")]
    pub(crate) alias: Option<String>,

    /// Delete them with all their documents.
    #[arg(long, requires = "index", conflicts_with = "alias")]
    pub(crate) delete: bool,

    /// How to print them.
    #[arg(long, default_value = "table")]
    pub(crate) format: Rows,
}

/// Where the events lie.
#[derive(Args, Debug)]
pub(crate) struct StoreOption {
    /// The store: a folder that `sigtag load` has made, or the URL of a cluster of Elasticsearch or OpenSearch, such as
    /// https://localhost:9200; several nodes of it separated by commas.
    #[arg(long = "store", required = true, value_name = "DIR|URL", value_hint = ValueHint::DirPath)]
    pub(crate) place: String,

    #[command(flatten)]
    pub(crate) access: AccessOptions,
}

/// How a cluster is reached. Who asks is in the environment: `SIGTAG_USER` and `SIGTAG_PASSWORD`, or `SIGTAG_API_KEY`, or
/// `SIGTAG_BEARER`, with `_FILE` behind the name of a secret in a file; else in the file of `--config`.
#[derive(Args, Debug)]
pub(crate) struct AccessOptions {
    /// Trust only certificates that these (PEM) have signed.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Clusters")]
    pub(crate) ca: Option<PathBuf>,

    /// Take every certificate: whoever is on the way to the cluster can read and change everything.
    #[arg(long, help_heading = "Clusters")]
    pub(crate) insecure: bool,

    /// Who asks, as the file of `--config` has it.
    #[arg(skip)]
    pub(crate) credentials: Told,
}

/// How to print rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rows {
    /// As a table, for people.
    Table,
    /// One JSON object a line, for machines; a hit is `{"_index": …, "_id": …, "_source": …}`.
    Jsonl,
}

/// What is done with use cases.
#[derive(Debug, Subcommand)]
pub(crate) enum OutliersCommand {
    Interactive(OutliersRun),
    /// Reads configuration and use cases, lists what would run, and says what is wrong and where. Nothing is run.
    Check(OutliersFiles),
    Explain(OutliersExplain),
}

/// Shows of one use case what is asked of the store, what decides in each group, and which events are outliers. Nothing is
/// written.
#[derive(Args, Debug)]
pub(crate) struct OutliersExplain {
    #[command(flatten)]
    pub(crate) files: OutliersFiles,

    #[command(flatten)]
    pub(crate) events: OutliersEvents,

    /// The use case: the name of its section, with or without that of its model.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

/// Where and when events are looked for.
#[derive(Args, Debug)]
pub(crate) struct OutliersEvents {
    /// The store, in the place of `es_url`: a folder that `sigtag load` has made, or the URL of a cluster.
    #[arg(long, value_name = "DIR|URL", value_hint = ValueHint::DirPath)]
    pub(crate) store: Option<String>,

    #[command(flatten)]
    pub(crate) access: AccessOptions,

    /// Run as of this time, as 2026-03-15T12:00:00Z. [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<jiff::Timestamp>,
}

/// The files of use cases.
#[derive(Args, Debug)]
pub(crate) struct OutliersFiles {
    /// The general configuration. May be given several times; later files override earlier ones.
    #[arg(long, required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Vec<PathBuf>,

    /// The files of use cases: a pattern with `*`, or `**` for any number of folders, in quotes. May be given several times.
    #[arg(long, required = true, value_name = "GLOB", value_hint = ValueHint::AnyPath)]
    pub(crate) use_cases: Vec<String>,

    /// Give what a healthy run of ee-outliers gives, with its defects: statistics over batches, and what is compared by
    /// whitelists.
    #[arg(long)]
    pub(crate) compat: bool,
}

/// Runs all use cases once.
///
/// Who asks the cluster is in the environment, as `es_username` and `es_password`, or as for the other commands; or in
/// `es_url`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sigtag outliers interactive --config outliers.conf --use-cases 'usecases/**/*.conf'
  sigtag outliers interactive --config outliers.conf --use-cases 'usecases/*.conf' --store my-store --dry-run

Exit codes:
  0    all was done
  1    a use case is broken or failed, or an event could not be written; the rest was done
  2    wrong usage or general configuration; nothing was done
  130  interrupted")]
pub(crate) struct OutliersRun {
    #[command(flatten)]
    pub(crate) files: OutliersFiles,

    #[command(flatten)]
    pub(crate) events: OutliersEvents,

    /// Do all but write.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// How many threads to use. [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
}

/// Checks rules, and says what is wrong with them and where.
///
/// Beside what sets a rule aside: unknown fields, searches that no condition uses, ids that occur twice, tags that are not in
/// ATT&CK, log sources that need set-up.
#[derive(Args, Debug)]
#[command(after_help = "Exit codes:
  0  no rule is broken
  1  a rule is broken
  2  wrong usage or configuration")]
pub(crate) struct CheckCommand {
    #[command(flatten)]
    pub(crate) mapping: MappingOption,

    /// How to print what was found.
    #[arg(long, default_value = "text")]
    pub(crate) format: Format,

    /// Show notes too, such as for a missing description.
    #[arg(long)]
    pub(crate) notes: bool,

    /// Rules that need set-up count as broken: exit with 1.
    #[arg(long)]
    pub(crate) strict_rules: bool,

    /// Rule files, and folders with all .yml and .yaml files below them.
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
}

/// How to print diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// With the place in the file, for people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Shows which parts of a rule an event meets, and what it holds there.
#[derive(Args, Debug)]
#[command(after_help = "Exit codes:
  0  the rule hits the event
  1  it does not, or one of them is broken
  2  wrong usage or configuration")]
pub(crate) struct ExplainCommand {
    /// The file of the rule; of several rules in it, all are shown.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) rule: PathBuf,

    /// The file of the event, or `-` for standard input.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) event: PathBuf,

    #[command(flatten)]
    pub(crate) mapping: MappingOption,

    /// Of several events in the file, the one that begins on this line or, in EVTX, has this record id. [default: the first]
    #[arg(long, value_name = "N")]
    pub(crate) line: Option<u64>,

    /// Leave out what does not matter for the outcome.
    #[arg(long)]
    pub(crate) brief: bool,
}

/// Converts rules to queries, alerts and use cases of other programs.
///
/// What is written finds what the rules mean, as far as a query can say it; where it finds more, or may miss something, that
/// is told. `--compat` writes what the legacy converter sigmac would.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sigtag convert --target ee-outliers --mapping winlogbeat rules/ > usecases.conf
  sigtag convert --target elastalert --mapping my-fields.yml --split --output elastalert/ rules/
  sigtag convert --target es-qs --mapping winlogbeat --schema my-index.json rule.yml

Exit codes:
  0  all rules were converted; also when some need set-up
  1  a rule is broken, or the target cannot express it; the others were written
  2  wrong usage or configuration; nothing was done")]
pub(crate) struct ConvertCommand {
    /// What rules are converted to.
    #[arg(long, required = true, value_name = "TARGET", value_parser = PossibleValuesParser::new(TARGETS.iter().map(|target| target.name())))]
    pub(crate) target: String,

    /// How log sources and fields are called in the index: a configuration of sigmac (also by the names of those built in,
    /// such as winlogbeat), or a pipeline of pySigma. May be given several times. What is built in comes last; without a
    /// mapping, queries look for fields in all the shapes that sigtag knows.
    #[arg(long, value_name = "NAME|FILE", value_hint = ValueHint::FilePath)]
    pub(crate) mapping: Vec<PathBuf>,

    /// What the index makes of fields: `keywords` (as the templates of Beats and ECS have it), `dynamic` (as Elasticsearch does
    /// by itself, text with a sub-field `keyword`), or a file with its mapping or template. [default: keywords]
    #[arg(long, value_name = "NAME|FILE", value_hint = ValueHint::FilePath, conflicts_with = "compat")]
    pub(crate) schema: Option<PathBuf>,

    /// Write what sigmac would, with its faults.
    #[arg(long)]
    pub(crate) compat: bool,

    /// Write what the rules mean. This is the default.
    #[arg(long, conflicts_with = "compat")]
    pub(crate) strict: bool,

    /// An option of the target; `sigtag sigmac --backend-help TARGET` lists them. May be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) option: Vec<String>,

    /// Write to this file, or with --split into this folder, instead of to standard output.
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) output: Option<PathBuf>,

    /// Write each rule into a file of its own.
    #[arg(long)]
    pub(crate) split: bool,

    /// Rules that need set-up count as broken: exit with 1.
    #[arg(long)]
    pub(crate) strict_rules: bool,

    /// Rule files, and folders with all .yml and .yaml files below them.
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
}

/// Prints dashboards of tagged events, to import into Kibana or OpenSearch Dashboards.
///
/// They show which rules hit how often, when, at what level and on which hosts, the tactics and techniques of MITRE ATT&CK, and
/// the events themselves. What is printed are saved objects, one a line. To import them again replaces them.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sigtag dashboards kibana > sigma.ndjson
  sigtag dashboards opensearch --profile both --index 'winlogbeat-*,filebeat-*' > sigma.ndjson
  sigtag dashboards kibana --host-field winlog.computer_name > sigma.ndjson

Exit codes:
  0  all was printed
  1  it could not be printed
  2  wrong usage")]
pub(crate) struct DashboardsCommand {
    /// What they are for.
    pub(crate) product: Product,

    /// The form of the tags: as for `sigtag tag`. `both` makes two dashboards.
    #[arg(long, value_name = "PROFILE", default_value = Profile::default().name(), value_parser = profile())]
    pub(crate) profile: Profile,

    /// The indices with tagged events: names, patterns with `*`, aliases; several separated by commas. sigma-hits-* is added.
    #[arg(long, value_name = "PATTERN", default_value = "logs-*,winlogbeat-*,sigma-hits-*", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) index: String,

    /// The field with the time of an event.
    #[arg(long, value_name = "FIELD", default_value = "@timestamp", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) time_field: String,

    /// The field with the host of an event. It must be one that can be aggregated, such as a keyword.
    #[arg(long, value_name = "FIELD", default_value = "host.name", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) host_field: String,
}

/// What shows dashboards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Product {
    /// Kibana, 7.17 to 9.
    Kibana,
    /// OpenSearch Dashboards.
    Opensearch,
}

/// Prints the man page of sigtag, or of one of its commands.
#[derive(Args, Debug)]
pub(crate) struct Setup {
    /// The command.
    pub(crate) command: Option<String>,
}

fn profile() -> impl TypedValueParser<Value = Profile> {
    let named = |name: &str| {
        Profile::ALL
            .into_iter()
            .find(|profile| profile.name() == name)
    };
    PossibleValuesParser::new(Profile::ALL.map(Profile::name))
        .map(move |name| named(&name).unwrap_or_default())
}

fn mode() -> impl TypedValueParser<Value = Mode> {
    let named = |name: &str| Mode::ALL.into_iter().find(|mode| mode.name() == name);
    PossibleValuesParser::new(Mode::ALL.map(Mode::name))
        .map(move |name| named(&name).unwrap_or_default())
}

/// A time, to RFC 3339.
fn time() -> impl TypedValueParser<Value = String> {
    NonEmptyStringValueParser::new().try_map(|text| crate::run::time(&text))
}

fn level() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(Level::ALL.iter().map(|level| level.as_str()))
        .try_map(|name| name.parse::<Level>())
}
