//! `sigtag plan`: what `sigtag tag` will do with each index.

use crate::arguments::{PlanCommand, Rows};
use crate::stores::Want;
use crate::{Exit, run, show, stores, tag};
use tagger::{Plan, Way};

pub(crate) fn run(command: &PlanCommand) -> Exit {
    let Some(rules) = run::rules(&command.rules, &command.options, false) else {
        return Exit::Usage;
    };
    let selection = tag::selection(&command.selection, &command.index);
    let profile = command.options.profile;
    let planned = stores::with(&command.store, &command.access, Want::Read, async |store| {
        tagger::plan(&rules, profile, store, &selection).await
    });
    match planned {
        Ok(plan) => {
            let is_whole = plan.indices.iter().all(|index| index.tags != Way::Nowhere);
            let exit = if is_whole {
                Exit::Done
            } else {
                Exit::Incomplete
            };
            show::output(&rows(&plan, command.format), exit)
        }
        Err(exit) => exit,
    }
}

fn rows(plan: &Plan, format: Rows) -> Vec<u8> {
    let text = match format {
        Rows::Table => show::plan(plan),
        Rows::Jsonl => {
            let lines = plan.indices.iter();
            lines
                .map(|index| serde_json::json!(index).to_string() + "\n")
                .collect()
        }
    };
    text.into_bytes()
}
