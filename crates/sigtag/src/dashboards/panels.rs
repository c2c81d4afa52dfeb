//! What the dashboards show: one table for each form of a tag.

use sigma::Level;
use tag::Profile;

/// A dashboard, and the objects it holds.
pub(super) struct Dashboard {
    /// Whose tags it shows. Its ids begin with the name.
    pub profile: Profile,
    /// What its titles begin with.
    pub name: &'static str,
    pub about: &'static str,
    /// What events with this form of a tag have in `tags`.
    pub mark: &'static str,
    pub panels: &'static [Panel],
}

/// A row of a dashboard's table.
pub(super) struct Panel {
    pub id: &'static str,
    pub title: &'static str,
    pub about: &'static str,
    pub place: Place,
    pub shows: Shows,
}

/// Where a panel stands: column and row of its corner, width and height. A dashboard is 48 columns wide.
pub(super) type Place = [u8; 4];

/// A kind of panel.
pub(super) enum Shows {
    /// Something that the products count and draw by themselves.
    Drawn(Chart),
    /// Tactics and their techniques, as ATT&CK's matrix has them.
    Matrix(Attack),
    /// The events themselves, with these columns.
    Events(&'static [Field]),
}

/// How something is counted and drawn.
pub(super) enum Chart {
    /// Numbers with their names.
    Numbers(&'static [(&'static str, Number)]),
    /// Bars over time, of which each is split by the most frequent values of a field.
    Timeline { by: &'static str, size: u16 },
    /// A ring of the most frequent values of a field.
    Ring { by: &'static str, size: u16 },
    /// The most frequent values of a field, with the name of their column.
    Top {
        by: Field,
        column: &'static str,
        size: u16,
    },
}

/// What a number counts.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Events,
    Distinct(Field),
    Sum(Field),
}

/// A field of an event.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Named(&'static str),
    /// The one that holds the host's name.
    Host,
}

/// Where tactics and techniques are.
#[derive(Clone, Copy)]
pub(super) enum Attack {
    /// In this field as pairs, `TA0005:T1218.005`.
    Pairs(&'static str),
    /// In this field as tags of rules, `attack.stealth` and `attack.t1218.005`.
    Tags(&'static str),
}

/// The field with the levels of an event's rules.
pub(super) const LEVEL: &str = "sigma.level";

/// The colour of each level.
pub(super) const COLOURS: [(Level, &str); 5] = [
    (Level::Critical, "#B11616"),
    (Level::High, "#E7664C"),
    (Level::Medium, "#DA8B45"),
    (Level::Low, "#D6BF57"),
    (Level::Informational, "#6092C0"),
];

use Attack::{Pairs, Tags};
use Chart::{Numbers, Ring, Timeline, Top};
use Field::{Host, Named};
use Number::{Distinct, Sum};
use Shows::{Drawn, Events, Matrix};

/// All dashboards that there are.
pub(super) static DASHBOARDS: [&Dashboard; 2] = [&ECS, &EE_OUTLIERS];

const fn panel(
    id: &'static str,
    title: &'static str,
    about: &'static str,
    place: Place,
    shows: Shows,
) -> Panel {
    Panel {
        id,
        title,
        about,
        place,
        shows,
    }
}

#[rustfmt::skip]
static ECS: Dashboard = Dashboard {
    profile: Profile::Ecs,
    name: "Sigma",
    about: "Events that Sigma rules hit: which rules, how grave, on which hosts, and which techniques of MITRE ATT&CK",
    mark: "sigma",
    panels: &[
        panel("numbers", "In total", "Tagged events, the rules that hit them, and their hosts", [0, 0, 12, 12],
            Drawn(Numbers(&[("Events", Number::Events), ("Rules", Distinct(Named("sigma.rule.id"))), ("Hosts", Distinct(Host))]))),
        panel("timeline", "Hits over time by level", "An event counts for each level that its rules have", [12, 0, 36, 12],
            Drawn(Timeline { by: LEVEL, size: 5 })),
        panel("levels", "Levels", "An event counts for each level that its rules have", [0, 12, 12, 16],
            Drawn(Ring { by: LEVEL, size: 5 })),
        panel("rules", "Top 50 rules", "The rules that hit the most events", [12, 12, 22, 16],
            Drawn(Top { by: Named("sigma.rule.name"), column: "Rule", size: 50 })),
        panel("hosts", "Top 50 hosts", "The hosts with the most tagged events", [34, 12, 14, 16],
            Drawn(Top { by: Host, column: "Host", size: 50 })),
        panel("matrix", "Tactics and techniques", "For each tactic, the techniques with the most events", [0, 28, 48, 26],
            Matrix(Pairs("sigma.attack"))),
        panel("tactics", "Tactics", "All tactics of MITRE ATT&CK that there are among the hits", [0, 54, 16, 14],
            Drawn(Top { by: Named("threat.tactic.name"), column: "Tactic", size: 50 })),
        panel("techniques", "Top 50 techniques", "Without sub-techniques", [16, 54, 16, 14],
            Drawn(Top { by: Named("threat.technique.id"), column: "Technique", size: 50 })),
        panel("subtechniques", "Top 50 sub-techniques", "The sub-techniques with the most events", [32, 54, 16, 14],
            Drawn(Top { by: Named("threat.technique.subtechnique.id"), column: "Sub-technique", size: 50 })),
        panel("events", "Tagged events", "The events themselves, the newest first", [0, 68, 48, 24],
            Events(&[Host, Named(LEVEL), Named("sigma.rule.name"), Named("sigma.attack")])),
    ],
};

#[rustfmt::skip]
static EE_OUTLIERS: Dashboard = Dashboard {
    profile: Profile::EeOutliers,
    name: "Sigma outliers",
    about: "Events that Sigma rules hit, tagged as ee-outliers does it: which rules, on which hosts, and which tags of MITRE ATT&CK",
    mark: "outlier",
    panels: &[
        panel("numbers", "In total", "Tagged events, hits by all rules, the rules, and the hosts", [0, 0, 12, 14],
            Drawn(Numbers(&[("Events", Number::Events), ("Hits", Sum(Named("outliers.total_outliers"))),
                ("Rules", Distinct(Named("outliers.model_name"))), ("Hosts", Distinct(Host))]))),
        panel("timeline", "Hits over time, top 10 rules", "This form of a tag has no level", [12, 0, 36, 14],
            Drawn(Timeline { by: "outliers.summary", size: 10 })),
        panel("rules", "Top 50 rules", "The rules that hit the most events", [0, 14, 22, 16],
            Drawn(Top { by: Named("outliers.summary"), column: "Rule", size: 50 })),
        panel("authors", "Top 50 rule authors", "The authors of the rules that hit the most events", [22, 14, 12, 16],
            Drawn(Top { by: Named("outliers.rule_author"), column: "Author", size: 50 })),
        panel("hosts", "Top 50 hosts", "The hosts with the most tagged events", [34, 14, 14, 16],
            Drawn(Top { by: Host, column: "Host", size: 50 })),
        panel("matrix", "Tactics and techniques", "For each tactic, the techniques with the most events. This form of a tag does not say which technique belongs to \
            which tactic: what is in one event is taken together", [0, 30, 48, 26],
            Matrix(Tags("outliers.type"))),
        panel("tags", "Top 50 tags", "The tags of the rules, and what kind of outlier each is", [0, 56, 48, 14],
            Drawn(Top { by: Named("outliers.type"), column: "Tag", size: 50 })),
        panel("events", "Tagged events", "The events themselves, the newest first", [0, 70, 48, 24],
            Events(&[Host, Named("outliers.summary"), Named("outliers.type")])),
    ],
};
