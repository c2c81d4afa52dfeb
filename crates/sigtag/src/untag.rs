//! `sigtag untag`: tags away from the events in a store.

use crate::arguments::UntagCommand;
use crate::run::Run;
use crate::stores::Want;
use crate::{Exit, run, show, stores};
use tag::{Profile, Tagger};

pub(crate) fn run(command: &UntagCommand) -> Exit {
    let rule = command.rule.as_deref();
    let untagged = stores::with(
        &command.store.place,
        &command.store.access,
        Want::Write,
        async |store| {
            let tagged = serde_json::json!({"query": tag::tagged(rule)});
            let documents = store.count(&command.index, &tagged).await?;
            let run = Run::start(&command.run, documents, run::Unit::Documents);
            let options = tagger::Options {
                tagger: Some(Tagger {
                    profile: Profile::default(),
                    ruleset: String::new(),
                    tagged_at: run::now(),
                }),
                ..run.options()
            };
            let untagged = tagger::untag_store(rule, &options, store, &command.index).await;
            run.end();
            untagged
        },
    );
    match untagged {
        Ok(summary) => {
            let exit = run::exit_of(&summary, false);
            run::tell(&command.run, &summary, exit, show::untagged)
        }
        Err(exit) => exit,
    }
}
