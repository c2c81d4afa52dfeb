//! `sigtag indices`: which there are.

use crate::arguments::{IndicesCommand, Rows};
use crate::stores::Want;
use crate::{Exit, show, stores};
use store::IndexInfo;

pub(crate) fn run(command: &IndicesCommand) -> Exit {
    let want = match command.delete || command.alias.is_some() {
        true => Want::Write,
        false => Want::Read,
    };
    let listed = stores::with(
        &command.store.place,
        &command.store.access,
        want,
        async |store| {
            if command.delete {
                return store.delete(&command.index).await.map(|names| {
                    let lines = names.iter().map(|name| format!("deleted {name}\n"));
                    lines.collect::<String>().into_bytes()
                });
            }
            let indices = store.indices(&command.index).await?;
            match &command.alias {
                Some(alias) => {
                    let names = indices.into_iter().map(|index| index.name).collect();
                    store.alias(alias, names).await?;
                    Ok(rows(&store.indices(alias).await?, command.format))
                }
                None => Ok(rows(&indices, command.format)),
            }
        },
    );
    match listed {
        Ok(text) => show::output(&text, Exit::Done),
        Err(exit) => exit,
    }
}

fn rows(indices: &[IndexInfo], format: Rows) -> Vec<u8> {
    let text = match format {
        Rows::Table => show::indices(indices) + "\n",
        Rows::Jsonl => {
            let lines = indices
                .iter()
                .map(|index| serde_json::json!(index).to_string() + "\n");
            lines.collect()
        }
    };
    text.into_bytes()
}
