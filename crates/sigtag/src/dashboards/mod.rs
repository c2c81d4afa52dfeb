//! `sigtag dashboards`: saved objects for Kibana and OpenSearch Dashboards.
//!
//! One form serves both. OpenSearch Dashboards refuses objects that are newer than Kibana 7.10, and attributes that it does not
//! know; Kibana takes older objects and brings them up to date. So both get the same lines, and only the way to import them
//! differs.
//!
//! What is shown is a table ([`panels`]); [`objects`] makes objects of it, with [`charts`] and [`matrix`] for what is in them.

mod charts;
mod matrix;
mod objects;
mod panels;

use crate::arguments::{DashboardsCommand, Product};
use crate::{Exit, show};
use anstream::eprintln;
use objects::Names;
use panels::DASHBOARDS;
use tag::Profile;

/// Where hits are written that cannot go into their events.
const SIDE_INDEX: &str = "sigma-hits-*";

pub(crate) fn run(command: &DashboardsCommand) -> Exit {
    let index = indices(&command.index);
    let names = Names {
        index: &index,
        time: &command.time_field,
        host: &command.host_field,
    };
    let wanted = |profile| command.profile == Profile::Both || command.profile == profile;
    let dashboards = DASHBOARDS.into_iter();
    let lines: Vec<String> = dashboards
        .filter(|dashboard| wanted(dashboard.profile))
        .flat_map(|dashboard| objects::all(dashboard, &names))
        .map(|object| object.to_string() + "\n")
        .collect();
    let exit = show::output(lines.concat().as_bytes(), Exit::Done);
    if exit == Exit::Done {
        let (menu, header) = import(command.product);
        eprintln!(
            "{} for {}. To import them from a file: {menu} > Saved objects > Import, or\n  \
             curl -H '{header}: true' -F file=@FILE.ndjson 'http://localhost:5601/api/saved_objects/_import?overwrite=true'",
            show::count(lines.len(), "object"),
            show::one_line(&index),
        );
    }
    exit
}

/// The menu in which objects are imported, and the header that is asked of a request to do so.
fn import(product: Product) -> (&'static str, &'static str) {
    match product {
        Product::Kibana => ("Stack Management", "kbn-xsrf"),
        Product::Opensearch => ("Dashboards Management", "osd-xsrf"),
    }
}

/// The indices that were named, and the side index unless it is among them.
fn indices(named: &str) -> String {
    let mut all: Vec<&str> = named.split(',').map(str::trim).collect();
    all.retain(|pattern| !pattern.is_empty());
    let covers = |pattern: &&str| {
        let head = pattern.strip_suffix('*');
        head.is_some_and(|head| SIDE_INDEX.starts_with(head))
    };
    if !all.iter().any(covers) {
        all.push(SIDE_INDEX);
    }
    all.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_side_index_is_added_unless_it_is_there() {
        for (named, all) in [
            ("winlogbeat-*", "winlogbeat-*,sigma-hits-*"),
            ("sigma-hits-*,a", "sigma-hits-*,a"),
            (" a , b ,", "a,b,sigma-hits-*"),
            ("sigma-*", "sigma-*"),
            ("*", "*"),
            ("*-hits", "*-hits,sigma-hits-*"),
            ("sigma-hits-2026.*", "sigma-hits-2026.*,sigma-hits-*"),
        ] {
            assert_eq!(indices(named), all);
        }
    }
}
